import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// Each tool as a newcomer runs it: without a gateway of their own.
@Suite(.serialized, .timeLimit(.minutes(3))) struct EmbeddedRunTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var tool: String
    var arguments: [String]
    /// The samples of each metric.
    var samples: [String: UInt64]
    var counters: [String: UInt64]
    var parameters: [String: JSONValue]
    var testDescription: String { ([tool] + arguments).joined(separator: " ") }
  }

  static let cases = [
    Case(
      tool: "bench-allocation", arguments: ["--count", "3", "--warmup", "1"],
      samples: ["allocation": 3, "gateway_latency": 3],
      counters: ["iterations": 3, "misses": 0, "cold_starts": 0, "unclassified": 0],
      parameters: ["count": 3, "concurrency": 1, "warmup": 1, "waitFor": "assigned", "hold": false]),
    Case(
      tool: "bench-allocation", arguments: ["--count", "2", "--wait-for", "ready", "--hold"],
      samples: ["confirmation": 2, "gateway_latency": 2, "connect": 1], counters: ["iterations": 2],
      parameters: ["waitFor": "ready", "hold": true]),
    // Those beyond come long before the first replacements.
    Case(
      tool: "bench-concurrent", arguments: ["--concurrency", "2", "--beyond", "1", "--task-start-delay", "4s"],
      samples: ["all": 3, "warm": 2, "cold": 1], counters: ["iterations": 3, "warm": 2, "cold": 1, "misses": 0],
      parameters: ["concurrency": 2, "beyond": 1, "bursts": 1, "count": 3, "taskStartDelay": "4s"]),
    Case(
      tool: "bench-concurrent", arguments: ["--concurrency", "2", "--bursts", "2", "--wait-for", "ready"],
      samples: ["all": 4, "warm": 4], counters: ["iterations": 4, "warm": 4, "cold": 0],
      parameters: ["bursts": 2, "count": 4, "waitFor": "ready", "taskStartDelay": "50ms"]),
    Case(
      tool: "bench-e2e", arguments: ["--count", "2", "--message", "how are you?"],
      samples: [
        "end_to_end": 2, "ready": 2, "acquire": 2, "init_user": 2, "workspace": 2, "process_start": 2,
        "first_response": 2, "connect": 2,
      ], counters: ["iterations": 2, "failed_steps": 0, "cold_starts": 0],
      parameters: ["count": 2, "message": "how are you?", "command": "session-stand-in"]),
  ]

  /// The machine that runs the tests may be busy: counts are judged, not times.
  private static let judgement = ["--no-default-thresholds", "--threshold", "errors == 0"]

  @Test(arguments: cases) func everySampleIsInTheDocument(_ test: Case) async throws {
    let result = try await BenchRun.run(test.tool, BenchRun.smallPool + test.arguments + Self.judgement)
    let document = try result.passedDocument()
    for (metric, count) in test.samples { #expect(document.metrics[metric]?.count == count, "\(metric)") }
    for (counter, value) in test.counters { #expect(document.counters[counter] == value, "\(counter)") }
    for (name, value) in test.parameters { #expect(document.parameters[name] == value, "\(name)") }
    for counter in ["errors", "timeouts", "duplicate_assignments", "dropped", "censored"] {
      #expect(document.counters[counter] == 0, "\(counter)")
    }
    #expect(document.tool.name == test.tool && document.schema == "infrabench.result/1")
    #expect(document.parameters["poolSize"] == 2 && document.parameters["maxTasks"] == 8)
    #expect(document.target.kind == "embedded")
    #expect(document.target.gatewayUrl?.hasPrefix("http://127.0.0.1:") == true)
    #expect(document.durationSeconds > 0 && document.errors.isEmpty)
    for (name, metric) in document.metrics {
      #expect(metric.min > 0 && metric.min <= metric.p50 && metric.p50 <= metric.p99, "\(name)")
      #expect(metric.p99 <= metric.max && metric.fewSamples.contains("p99"), "\(name)")
    }
    let markdown = try result.file("md")
    #expect(markdown.hasPrefix("# \(test.tool): \(document.verdict.rawValue)\n"))
    for name in document.metrics.keys { #expect(markdown.contains("| \(name) "), "\(name) in \(markdown)") }
    // Both files, and nothing else, are said to have been written.
    for name in result.files().keys { #expect(result.talk.contains("wrote results/\(name)\n")) }
    #expect(result.files().count == 2)
  }

  @Test(arguments: [
    (
      "bench-allocation",
      ["allocation.mean < 100ms", "allocation.p99 < 200ms", "errors == 0", "censored == 0", "unreleased == 0"]
    ),
    (
      "bench-concurrent",
      [
        "warm.max < 2s", "cold.max < 25s", "duplicate_assignments == 0", "errors == 0", "censored == 0",
        "unreleased == 0",
      ]
    ),
    (
      "bench-e2e",
      [
        "process_start.p99 < 1s", "end_to_end.p99 < 2s", "failed_steps == 0", "errors == 0", "censored == 0",
        "unreleased == 0",
      ]
    ),
  ])
  func theTestPlansCriteriaAreJudgedByDefault(tool: String, expected: [String]) async throws {
    let load = tool == "bench-concurrent" ? ["--concurrency", "1"] : ["--count", "1"]
    let document = try await BenchRun.run(tool, load + BenchRun.smallPool).document()
    #expect(document.thresholds.map(\.expression) == expected)
    // Nobody was beyond the capacity.
    let cold = document.thresholds.first { $0.expression == "cold.max < 25s" }
    #expect(cold?.skipped == (tool == "bench-concurrent" ? true : nil))
    #expect(cold?.observed == nil && cold?.pass != false)
  }

  @Test(arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"])
  func linesOfIterationsComeFirstAndTheAverageLast(_ tool: String) async throws {
    let load = tool == "bench-concurrent" ? ["--concurrency", "2"] : ["--count", "2"]
    let result = try await BenchRun.run(tool, load + BenchRun.smallPool + Self.judgement)
    _ = try result.passedDocument()
    let lines = result.output.split(separator: "\n").map(String.init)
    let time = tool == "bench-e2e" ? "end_to_end=" : "allocation_time="
    #expect(Set(lines.prefix(2).map { $0.prefix(7) }) == ["Run 1: ", "Run 2: "], "\(result.output)")
    for line in lines.prefix(2) {
      let figure = try #require(line.dropFirst(7).split(separator: " ").first)
      #expect(figure.hasPrefix(time) && Self.isTime(figure.dropFirst(time.count)), "\(line)")
    }
    let last = try #require(lines.last).split(separator: ", ").map { $0.split(separator: ": ") }
    #expect(last.map { $0[0] } == ["Average", "P50", "P95", "P99"], "\(lines.last ?? "")")
    #expect(last.allSatisfy { $0.count == 2 && Self.isTime($0[1]) }, "\(lines.last ?? "")")
  }

  /// `45ms`, `1.52s`.
  private static func isTime(_ text: Substring) -> Bool {
    let unit = text.drop { $0.isNumber || $0 == "." }
    return ["ns", "µs", "ms", "s"].contains(unit) && Double(text.dropLast(unit.count)) != nil
  }

  /// Whatever a tool takes for a duration, its gateway takes too.
  @Test(arguments: ["0s", "1500us", "1.0005ms"]) func anyStartDelayReachesTheEmbeddedGateway(delay: String) async throws
  {
    let result = try await BenchRun.run(
      "bench-allocation", ["--count", "1", "--pool-size", "1", "--task-start-delay", delay] + Self.judgement)
    #expect(try result.passedDocument().metrics["allocation"]?.count == 1)
  }
}
