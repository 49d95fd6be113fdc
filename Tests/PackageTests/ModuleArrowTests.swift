import Foundation
import Testing

/// The arrows between the modules (docs/architecture.md). SwiftPM builds all modules into one folder, where a file may import
/// any of them: the manifest alone doesn't keep an arrow, so each file's imports are compared with it here.
struct ModuleArrowTests {
  private struct Target {
    var name: String
    var folder: String
    /// The package's own targets that it depends on.
    var dependencies: Set<String>
  }

  private static let root: URL = {
    var url = URL(filePath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url
  }()

  /// The targets of the manifest; `.product(…)` names other packages' modules and is left out.
  private static let targets: [String: Target] = {
    let manifest = (try? String(contentsOf: root.appending(path: "Package.swift"), encoding: .utf8)) ?? ""
    let own = manifest.replacing(/\.product\([^)]*\)/, with: "").replacing(/\/\/[^\n]*/, with: "")
    var targets: [String: Target] = [:]
    for piece in own.split(separator: /\.(?=(?:executableTarget|testTarget|target)\(\s*name:)/).dropFirst() {
      guard let name = piece.firstMatch(of: /name: "([^"]+)"/).map({ String($0.output.1) }) else { continue }
      let list = piece.firstMatch(of: /dependencies: \[([^\]]*)\]/).map { $0.output.1 } ?? ""
      let path = piece.firstMatch(of: /path: "([^"]+)"/).map { String($0.output.1) }
      targets[name] = Target(
        name: name, folder: path ?? (piece.hasPrefix("testTarget") ? "Tests/" : "Sources/") + name,
        dependencies: Set(list.matches(of: /"([^"]+)"/).map { String($0.output.1) }))
    }
    return targets
  }()

  /// The package's own modules that a text of Swift imports, whatever attributes, access level and kind stand before the name.
  private static func imports(in text: String) -> Set<String> {
    let pattern =
      /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
    // A regular expression is slow in a debug build, and would keep other tests from their threads: few lines need it.
    let names = text.utf8.split(separator: UInt8(ascii: "\n")).lazy.filter { $0.contains(UInt8(ascii: "i")) }
      .map { Substring($0) }.filter { $0.contains("import ") }.compactMap { line in
        line.firstMatch(of: pattern).map { String($0.output.1) }
      }
    return Set(names.filter { targets[$0] != nil })
  }

  /// The package's own C modules whose header a text of C includes.
  private static func includes(in text: String) -> Set<String> {
    let names = text.matches(of: /(?m)^\s*#\s*include\s+["<](\w+)\.h[">]/).map { String($0.output.1) }
    return Set(names.filter { targets[$0] != nil })
  }

  private static func files(below folder: String, suffixes: [String] = [".swift"]) throws -> [URL] {
    let folder = root.appending(path: folder)
    return try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { name in suffixes.contains { name.hasSuffix($0) } }.map { folder.appending(path: $0) }
  }

  private static func text(_ file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }

  @Test(
    arguments: [
      "import Reports", "  package import Reports", "@testable import Reports",
      "@_spi(X) @preconcurrency import Reports",
      "import struct Reports.Table", "#if DEBUG\n  private import Reports\n#endif",
    ])
  func anImportIsFoundHoweverItIsWritten(_ text: String) {
    #expect(Self.imports(in: text) == ["Reports"])
    #expect(Self.imports(in: "// \(text)") == [] || text.contains("\n"))
  }

  @Test func anIncludeIsAnArrowToo() {
    #expect(Self.includes(in: "#include <stdio.h>\n#include \"CLauncher.h\"\n") == ["CLauncher"])
  }

  @Test func noFileImportsWhatItsTargetDoesNotDeclare() throws {
    #expect(Self.targets["Reports"]?.dependencies == ["Latency", "Results", "Statistics", "TextFormatting"])
    let known = ["Sources", "Tests"].flatMap { folder in
      (try? FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: folder).path)) ?? []
    }
    #expect(
      Set(known).subtracting(Self.targets.values.map { String($0.folder.split(separator: "/").last ?? "") }) == [])
    for target in Self.targets.values {
      var imported: Set<String> = []
      for file in try Self.files(below: target.folder, suffixes: [".swift", ".c", ".h"]) {
        let text = try Self.text(file)
        let all = file.pathExtension == "swift" ? Self.imports(in: text) : Self.includes(in: text)
        let own = all.subtracting([target.name])
        #expect(own.subtracting(target.dependencies) == [], "\(file.path)")
        imported.formUnion(own)
      }
      // A test target also names the programs that it runs, and the libraries whose C modules its sources import.
      guard !target.folder.hasPrefix("Tests/") else { continue }
      #expect(target.dependencies.subtracting(imported) == [], "\(target.name) declares and does not import")
    }
  }

  /// Results, reports, comparisons and plans are made from documents alone.
  @Test(
    arguments: [
      "Results", "Reports", "Comparison", "Planning", "PlanReports", "Statistics", "Latency", "TextFormatting",
    ])
  func noReportKnowsABenchmark(_ module: String) throws {
    var reached: Set<String> = []
    var next = [module]
    while let name = next.popLast() {
      if reached.insert(name).inserted { next += Self.targets[name]?.dependencies ?? [] }
    }
    let pure: Set = [
      "Comparison", "PlanReports", "Planning", "Reports", "Results", "Statistics", "TextFormatting", "Latency", "CZlib",
    ]
    #expect(reached.subtracting(pure) == [])
    // Nor by its name.
    for file in try Self.files(below: "Sources/\(module)") {
      let code = try Self.text(file).split(separator: "\n").filter { $0.contains("\"bench-") }
        .map { $0.prefix(while: { $0 != "/" }) }
      let tools = ["allocation", "api", "concurrent", "dirinit", "e2e", "exhaustion"].map { "\"bench-\($0)\"" }
      #expect(!code.contains { line in tools.contains { line.contains($0) } }, "\(file.path)")
    }
  }

  /// What measures and what is measured with make no report: a command does, of the result.
  @Test(arguments: ["Benchmarks", "ColdStart", "GatewayProfiles", "Pool", "Target"])
  func noBenchmarkKnowsAReport(_ folder: String) throws {
    let files = try Self.files(below: "Sources/InfraBench/\(folder)")
    #expect(!files.isEmpty)
    for file in files {
      #expect(try Self.imports(in: Self.text(file)).isDisjoint(with: ["Reports", "Comparison"]), "\(file.path)")
    }
  }
}
