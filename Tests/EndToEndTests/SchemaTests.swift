import TestSupport
import Testing

/// Every tool's document, written by a real run, against the schema that the project keeps.
struct SchemaTests {
  private static let runs: [(tool: String, options: [String])] = [
    ("bench-allocation", ["--count", "3"] + BenchRun.smallPool),
    ("bench-api", ["--iterations", "3"]),
    ("bench-dirinit", ["--count", "3"]),
    ("bench-e2e", ["--count", "2"] + BenchRun.smallPool),
    ("bench-concurrent", ["--concurrency", "2", "--beyond", "1"] + BenchRun.smallPool),
    ("bench-exhaustion", ["--poll-interval", "20ms"] + BenchRun.smallPool),
  ]

  @Test(
    .wholeSuiteOnly,
    .enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"),
    arguments: runs)
  func documentOfEveryToolIsValid(_ run: (tool: String, options: [String])) async throws {
    let result = try await BenchRun.run(run.tool, run.options)
    let documents = result.files().filter { $0.key.hasSuffix(".json") }
    #expect(documents.count == 1, "\(result.talk)")
    for document in documents.values {
      let faults = try await DocumentSchema.faults(in: document)
      #expect(faults.isEmpty, "\(faults)")
    }
  }
}
