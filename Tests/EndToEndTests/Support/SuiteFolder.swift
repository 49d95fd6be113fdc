import FoundationEssentials
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// What bench-suite leaves in its output directory.
struct SuiteFolder: Sendable {
  let scratch: Scratch
  var name = "results"

  var summary: SuiteSummary {
    get throws { try JSONDecoder().decode(SuiteSummary.self, from: Data(scratch.text("\(name)/summary.json").utf8)) }
  }

  /// What is in it; nil where it is not there.
  var names: [String]? { scratch.names(in: name) }

  var markdown: String { scratch.text("\(name)/summary.md") }
  var junit: String { scratch.text("\(name)/junit.xml") }

  /// The three files of the suite, and the documents below the days' folders.
  var documents: [String] {
    (scratch.names(in: name) ?? []).filter { CalendarDay($0) != nil }.flatMap { day in
      (scratch.names(in: "\(name)/\(day)") ?? []).filter { $0.hasSuffix(".json") }.map { "\(name)/\(day)/\($0)" }
    }
  }

  /// That everything is valid by its schema, that nothing half-written is there, and that the three files say the same.
  func expectSound(_ comment: Comment, _ location: SourceLocation = #_sourceLocation) async throws {
    let summary = try summary
    let all = (scratch.names(in: name) ?? []).filter { CalendarDay($0) == nil }
    #expect(all == ["junit.xml", "summary.json", "summary.md"], comment, sourceLocation: location)
    for day in (scratch.names(in: name) ?? []) where CalendarDay(day) != nil {
      let strange = (scratch.names(in: "\(name)/\(day)") ?? []).filter {
        !$0.hasSuffix(".json") && !$0.hasSuffix(".md")
      }
      #expect(strange == [], comment, sourceLocation: location)
    }
    for tool in summary.tools {
      let files = tool.files ?? [tool.file].compactMap(\.self)
      for file in files {
        let document = try ResultCoding.decode(scratch.text(file), tools: .suite)
        #expect(document.tool.name == tool.tool, comment, sourceLocation: location)
      }
    }
    let isGreen = !junit.contains("<error") && !junit.contains("<failure")
    #expect(isGreen == (summary.exitStatus == 0), "\(junit), \(comment)", sourceLocation: location)
    #expect(markdown.contains("# InfraBench: passed") == (summary.exitStatus == 0), comment, sourceLocation: location)
    guard DocumentSchema.isAvailable else { return }
    let faults = try await DocumentSchema.faults(in: scratch.text("\(name)/summary.json"), schema: .summary)
    #expect(faults == [], comment, sourceLocation: location)
    let broken = try await DocumentSchema.faults(inFilesAt: documents.map { scratch($0) })
    #expect(broken == [], comment, sourceLocation: location)
  }
}

extension Scratch {
  /// A file's text; empty where there is none.
  func text(_ relative: String) -> String {
    String(decoding: FileManager.default.contents(atPath: self(relative)) ?? Data(), as: UTF8.self)
  }
}
