import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// docs/schema/infrabench.summary-1.schema.json beside what is written: a reader of summary.json finds every field there.
@Suite struct SummarySchemaTests {
  private static let start = "2026-11-20T21:00:00.123Z"

  private static let tool: SuiteSummary.Tool = {
    var document = SampleDocuments.typical
    document.metrics["allocation"] = SampleDocuments.metric([20_000_000, 30_000_000])
    document.label = "night"
    document.notes = ["a note"]
    var tool = SuiteSummary.Tool(
      tool: document.tool.name, exitStatus: 99, results: [("a.json", document), ("b.json", document)],
      reason: "a reason",
      messages: ["a message"])
    tool.saturationReason = "its own CPU"
    return tool
  }()

  private static let comparison = SuiteSummary.Comparison(
    with: "2026-11-19", outcome: .regression, decides: true, reasons: ["slower"])

  private static let summary = SuiteSummary(
    startedAt: start, state: .interrupted, interruption: "SIGTERM", exitStatus: 143, tools: [tool],
    comparison: comparison, notes: ["a note"], label: "night")

  /// The fields that the schema has for an object: those of the whole, or of one of its definitions.
  private func fields(of definition: String?) throws -> Set<String> {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: root.appending(path: "docs/schema/infrabench.summary-1.schema.json"))
    let parsed = try JSONSerialization.jsonObject(with: data)
    var object = try #require(parsed as? [String: Any])
    if let definition {
      let definitions = try #require(object["$defs"] as? [String: Any])
      object = try #require(definitions[definition] as? [String: Any])
    }
    let properties = try #require(object["properties"] as? [String: Any])
    return Set(properties.keys)
  }

  /// The names of a value's stored properties, which are its keys in JSON; a property wrapper's begins with an underscore.
  private func names(of value: Any) -> [String] {
    Mirror(reflecting: value).children.compactMap(\.label).map { $0.hasPrefix("_") ? String($0.dropFirst()) : $0 }
  }

  @Test func everyFieldThatCanBeWrittenIsInTheSchema() throws {
    let headline = try #require(Self.tool.headline)
    let threshold = try #require(Self.tool.thresholds.first)
    let error = try #require(Self.tool.commonestError)
    let values: [(definition: String?, value: Any)] = [
      (nil, Self.summary), ("tool", Self.tool), ("headline", headline), ("threshold", threshold),
      ("commonestError", error), ("comparison", Self.comparison),
    ]
    for (definition, value) in values {
      let names = names(of: value)
      #expect(!names.isEmpty)
      let missing = Set(names).subtracting(try fields(of: definition))
      #expect(missing == [], "\(definition ?? "the whole")")
    }
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func aSummaryWithAllFieldsIsValid() async throws {
    let json = try ResultCoding.encode(Self.summary)
    for field in ["label", "commonestError", "saturationReason", "notes", "messages", "files"] {
      #expect(json.contains("\"\(field)\""), "\(field)")
    }
    #expect(try await DocumentSchema.faults(in: json, schema: .summary) == [])
  }
}
