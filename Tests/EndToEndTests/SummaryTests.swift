import FoundationEssentials
import ProcessControl
import Testing

@testable import InfraBench

/// `suite-summary` as run-all-tests.sh calls it.
struct SummaryTests {
  @Test func severalRunsOfAToolAreOneLine() async throws {
    let measured = try await BenchRun.run("bench-dirinit", ["--count", "2", "--repeat", "3"] + BenchRun.anySpeed)
    let files = measured.files().keys.filter { $0.hasSuffix(".json") }.sorted()
    let words = files.map { "bench-dirinit=0=\(measured.scratch("results/\($0)"))" }
    let documents = try files.map { try ResultCoding.decode(try #require(measured.files()[$0])) }
    let result = try await BenchRun.run(
      "suite-summary", ["--output-dir", "results"] + words + ["bench-e2e=1=", "bench-api=skipped=because"])
    #expect(result.status == .exited(1))
    let summary = try JSONDecoder().decode(SuiteSummary.self, from: read("summary.json", of: result))
    #expect(summary.tools.map(\.tool) == ["bench-dirinit", "bench-e2e", "bench-api"])
    let tool = summary.tools[0]
    #expect(tool.files?.count == 3 && tool.file == tool.files?.last && tool.headline?.count == 6)
    #expect(tool.headline?.p50 == documents.compactMap { $0.metrics["create"]?.p50 }.sorted()[1])
    #expect(summary.startedAt == documents.map(\.startedAt).min())
    let markdown = try String(decoding: read("summary.md", of: result), as: UTF8.self)
    #expect(markdown.contains("| tool | verdict | runs |") && markdown.contains("| bench-dirinit | pass | 3 |"))
  }

  @Test func aToolWithoutADocumentIsInTheSummaryAndDecidesTheStatus() async throws {
    let measured = try await BenchRun.run(
      "bench-dirinit", ["--count", "2", "--threshold", "create.max < 1h"] + BenchRun.anySpeed)
    let document = try #require(measured.files().first { $0.key.hasSuffix(".json") })
    let file = measured.scratch("results/\(document.key)")
    let result = try await BenchRun.run(
      "suite-summary",
      ["--output-dir", "results", "bench-dirinit=0=\(file)", "bench-exhaustion=64=", "bench-e2e=skipped"])
    #expect(result.status == .exited(64))
    let summary = try JSONDecoder().decode(SuiteSummary.self, from: read("summary.json", of: result))
    #expect(summary.tools.map(\.verdict) == ["pass", "error", "skipped"])
    #expect(summary.tools[0].headline?.metric == "create")
    #expect(summary.exitStatus == 64)
    let junit = try String(decoding: read("junit.xml", of: result), as: UTF8.self)
    #expect(junit.contains("<testcase name=\"create.max &lt; 1h\" classname=\"bench-dirinit\" time=\"0.000\"/>"))
    #expect(junit.contains("verdict error, exit status 64"))
    let markdown = try String(decoding: read("summary.md", of: result), as: UTF8.self)
    #expect(markdown.contains("| bench-exhaustion | error |"))
  }

  @Test func whyAToolWasSkippedIsSaid() async throws {
    let result = try await BenchRun.run(
      "suite-summary",
      ["--output-dir", "results", "bench-exhaustion=skipped=CLUSTER set <without> x=y", "bench-api=not run"])
    #expect(result.status == .exited(0), "\(result.talk)")
    let summary = try JSONDecoder().decode(SuiteSummary.self, from: read("summary.json", of: result))
    #expect(summary.tools.map(\.verdict) == ["skipped", "not run"])
    #expect(summary.tools.map(\.reason) == ["CLUSTER set <without> x=y", nil])
    let junit = try String(decoding: read("junit.xml", of: result), as: UTF8.self)
    let reason = "CLUSTER set &lt;without&gt; x=y"
    #expect(junit.contains("<skipped message=\"\(reason)\">\(reason)</skipped>"), "\(junit)")
    let markdown = try String(decoding: read("summary.md", of: result), as: UTF8.self)
    #expect(markdown.contains("\n- bench-exhaustion was skipped: CLUSTER set &lt;without"), "\(markdown)")
    #expect(result.output.contains("bench-exhaustion was skipped: CLUSTER set <without> x=y\n"))
  }

  @Test(arguments: ["bench-e2e", "bench-e2e=x=file", "bench-e2e=maybe"])
  func anArgumentOfAnotherFormIsWrongUsage(_ argument: String) async throws {
    let result = try await BenchRun.run("suite-summary", [argument])
    #expect(result.status == .exited(64))
    #expect(result.files().isEmpty)
  }

  @Test(
    arguments: [
      ([0, 0], 0), ([0, 99, 0], 99), ([99, 1], 1), ([1, 64, 99], 64), ([64, 130, 1], 130), ([139, 99], 139), ([], 0),
    ] as [([Int32], Int32)])
  func theWorstStatusDecides(_ statuses: [Int32], _ worst: Int32) {
    #expect(SuiteSummary.worst(statuses) == worst)
  }

  private func read(_ name: String, of result: BenchResult) throws -> Data {
    try Data(contentsOf: URL(filePath: result.scratch("results/\(name)")))
  }
}
