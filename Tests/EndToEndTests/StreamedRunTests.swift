import FoundationEssentials
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results
import Reports

/// bench-e2e by the profile of a gateway with lazy starts and streamed answers, and what reads its results.
@Suite(.serialized, .timeLimit(.minutes(3))) struct StreamedRunTests {
  private static let product = ["--gateway-profile", "product", "--task-start-delay", "200ms"] + BenchRun.anySpeed

  /// The profile has no status: the tool asks its own gateway in the suite's own form.
  @Test func theFirstSessionsOfThePoolAreWarmInAClosedLoopToo() async throws {
    let run = try await BenchRun.run("bench-e2e", ["--count", "5", "--concurrency", "5"] + Self.product)
    let document = try run.passedDocument()
    #expect(document.parameters["poolSize"] == 5 && document.target.profile == "product")
    #expect(document.counters["cold_starts"] == 0 && document.counters["unclassified"] == 0)
    #expect(document.metrics["first_response_warm"]?.count == 5 && document.metrics["end_to_end"]?.count == 5)
    #expect(run.output.contains(", profile product\n"))
  }

  @Test(.wholeSuiteOnly) func resultsOfSeveralMessagesAreReadByEveryTool() async throws {
    let scratch = try Scratch()
    for _ in 0..<2 {
      let run = try await Tool(name: "bench-e2e").run(
        ["--count", "4", "--messages", "3", "--format", "md,json,html,junit,csv,openmetrics"] + Self.product,
        environment: ["TMPDIR": scratch.path, "GATEWAY_URL": ""], in: scratch.path)
      #expect(run.status == .exited(0), "\(run.standardError)")
    }
    let files = SuiteFolder(scratch: scratch).documents
    try #require(files.count == 2)
    let documents = try files.map { try ResultCoding.decode(scratch.text($0), tools: .suite) }
    for document in documents {
      #expect(document.metrics["complete"]?.count == 12 && document.metrics["message_roundtrip"]?.count == 8)
    }
    let shown = try await Tool(name: "bench-report").run(files, environment: ["NO_COLOR": ""], in: scratch.path)
    #expect(
      shown.status == .exited(0) && shown.standardError == "" && !shown.standardOutput.contains("the document says"))
    let merged = try await Tool(name: "bench-report").run(["--merge", "--print", "json"] + files, in: scratch.path)
    #expect(merged.status == .exited(0), "\(merged.standardError)")
    #expect(try ResultCoding.decode(merged.standardOutput, tools: .suite).metrics["complete"]?.count == 24)
    for (name, document) in zip(["old.json", "new.json"], documents) {
      var document = document
      document.build = "release"
      document.generator.saturated = false
      scratch.write(name, try ResultCoding.encode(document))
    }
    let compared = try await Tool(name: "bench-compare").run(["old.json", "new.json"], in: scratch.path)
    #expect(compared.status == .exited(0) && compared.standardOutput.contains("complete P99"), "\(compared)")
    guard DocumentSchema.isAvailable else { return }
    #expect(try await DocumentSchema.faults(inFilesAt: files.map { scratch($0) }) == [])
  }

  /// The suite's two runs of the users' way, each a case of its own.
  @Test(.wholeSuiteOnly) func theSuiteRunsTheProfilesWayToo() async throws {
    let scratch = try Scratch()
    let run = try await Tool(name: "bench-suite").run(
      ["--only", "bench-e2e", "--with-profile", "product", "--", "--count", "2"] + BenchRun.anySpeed,
      environment: ["GATEWAY_URL": "", "CLUSTER": "", "TMPDIR": scratch.path, "GITHUB_STEP_SUMMARY": ""],
      in: scratch.path)
    #expect(run.status == .exited(0), "\(run.standardOutput)\(run.standardError)")
    let folder = SuiteFolder(scratch: scratch)
    let tools = try folder.summary.tools.filter { $0.tool == "bench-e2e" }
    #expect(tools.map(\.verdict) == ["pass", "pass"] && tools.map(\.label) == [nil, "product"])
    #expect(folder.junit.contains("<testsuite name=\"bench-e2e\" "))
    #expect(folder.junit.contains("<testsuite name=\"bench-e2e (product)\" "))
    #expect(folder.markdown.contains("| bench-e2e (product) | pass |"))
    try await folder.expectSound("with a profile")
  }
}
