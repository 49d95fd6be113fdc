import Foundation
import Testing

/// The arrows between the modules (docs/architecture.md). SwiftPM builds all modules into one folder, where a file may import
/// any of them: the manifest alone doesn't keep an arrow, so each file's imports are compared with it here.
struct ModuleArrowTests {
  private static let root: URL = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  /// What each module of the manifest may import of this package: `Sources/<name>` by the names in its `dependencies`.
  private static let declared: [String: Set<String>] = {
    let manifest = (try? String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)) ?? ""
    var declared: [String: Set<String>] = [:]
    // Products stand in `.product(…)`: what is left between quotation marks are the package's own targets.
    let own = manifest.replacing(/\.product\([^)]*\)/, with: "")
    for target in own.matches(
      of: /\.(?:executableTarget|target)\(\s*name: "([^"]+)"(?:,\s*dependencies: \[([^\]]*)\])?/)
    {
      let names = (target.output.2 ?? "").matches(of: /"([^"]+)"/).map { String($0.output.1) }
      declared[String(target.output.1)] = Set(names)
    }
    return declared
  }()

  /// The package's own modules that a file imports.
  private static func imports(of file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
      line.firstMatch(of: /^(?:@\w+ )?(?:public |package |private |fileprivate |internal )?import (\w+)/)
        .map { String($0.output.1) }
    }.filter { declared[$0] != nil }
  }

  private static func files(below folder: String) throws -> [URL] {
    let folder = root.appending(path: folder)
    return try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
      .map { folder.appending(path: $0) }
  }

  @Test func noFileImportsWhatItsModuleDoesNotDeclare() throws {
    #expect(Self.declared.count > 20 && Self.declared["Reports"]?.contains("Results") == true)
    var seen = 0
    for (module, allowed) in Self.declared {
      guard FileManager.default.fileExists(atPath: Self.root.appending(path: "Sources/\(module)").path) else {
        continue
      }
      for file in try Self.files(below: "Sources/\(module)") {
        seen += 1
        let forbidden = Set(try Self.imports(of: file)).subtracting(allowed)
        #expect(forbidden == [], "\(file.path)")
      }
    }
    #expect(seen > 200)
  }

  /// Results, reports and comparisons are made from documents alone.
  @Test(arguments: ["Results", "Reports", "Comparison", "Statistics", "Latency", "TextFormatting"])
  func noReportKnowsABenchmark(_ module: String) throws {
    var reached: Set<String> = []
    var next = [module]
    while let name = next.popLast() {
      if reached.insert(name).inserted { next += Self.declared[name] ?? [] }
    }
    let pure: Set = ["Comparison", "Reports", "Results", "Statistics", "TextFormatting", "Latency", "CZlib"]
    #expect(reached.subtracting(pure) == [])
    // Nor by its name.
    for file in try Self.files(below: "Sources/\(module)") {
      let code = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        .filter { !$0.contains("//") }.joined(separator: "\n")
      #expect(code.matches(of: /"bench-(allocation|api|concurrent|dirinit|e2e|exhaustion)"/).isEmpty, "\(file.path)")
    }
  }

  /// What measures and what is measured with make no report: a command does, of the result.
  @Test(arguments: ["Benchmarks", "ColdStart", "GatewayProfiles", "Pool", "Target"])
  func noBenchmarkKnowsAReport(_ folder: String) throws {
    for file in try Self.files(below: "Sources/InfraBench/\(folder)") {
      #expect(Set(try Self.imports(of: file)).isDisjoint(with: ["Reports", "Comparison"]), "\(file.path)")
    }
  }
}
