import Foundation
import Testing

/// The versions of other packages (docs/packaging.md): Package.resolved is not committed, so the manifest alone says what is built.
struct DependencyVersionTests {
  @Test func everyPackageHasAnExactVersion() throws {
    let manifest = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Package.swift")
        .standardizedFileURL,
      encoding: .utf8)
    let packages = manifest.matches(of: /\.package\(([^)]*)\)/).map { String($0.output.1) }
    #expect(packages.count >= 6)
    for package in packages { #expect(package.contains(/, exact: "[0-9]+\.[0-9]+\.[0-9]+"/), "\(package)") }
  }
}
