import FoundationEssentials
import Gateway
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// The tools against a gateway that plays each preset: every iteration ends as something that is counted, the pool is
/// back at its target afterwards, and neither tasks nor processes are left.
@Suite(.wholeSuiteOnly, .serialized, .timeLimit(.minutes(10))) struct PresetRunTests {
  static let presets = [
    "task-death", "ready-race", "gateway-stall", "start-storm", "aws-throttle", "reconnect-storm", "all",
  ]
  private static let poolSize = 3
  private static let maxTasks = 12

  private struct Control {
    let url, token: String

    init(readyLine: String) throws {
      struct Ready: Decodable {
        let controlUrl, controlToken: String
      }
      let ready = try JSONDecoder().decode(Ready.self, from: Data(readyLine.utf8))
      url = ready.controlUrl
      token = ready.controlToken
    }

    struct Report: Decodable {
      struct Rule: Decodable {
        let fault: String
        let injected: Int
      }
      let injected: Int
      let faults: [Rule]
    }

    /// Asks by curl, a program that nobody here wrote.
    func ask(_ method: String, _ body: String? = nil) async throws -> Report {
      let words =
        ["/usr/bin/curl", "-sS", "-m", "20", "-X", method, "-H", "Authorization: Bearer \(token)"]
        + (body.map { ["-d", $0] } ?? []) + ["\(url)/faults"]
      let outcome = await (try await Tool.start(words, in: "/tmp")).end()
      return try JSONDecoder().decode(Report.self, from: Data(outcome.standardOutput.utf8))
    }
  }

  private func run(_ tool: String, _ preset: String, tasks: [String]) async throws -> (ResultDocument, Control.Report) {
    let gateway = try await MockGateway.start(
      [
        "--pool-size", "\(Self.poolSize)", "--max-tasks", "\(Self.maxTasks)", "--init-timeout", "2s", "--control",
        "--cold-start-timeout", "5s",
      ] + tasks, warm: Self.poolSize)
    let control = try Control(readyLine: gateway.readyLine)
    _ = try await control.ask("POST", "seed=1; \(preset)")
    let watch = Task { () -> Int in
      var most = 0
      while !Task.isCancelled {
        // A faulty answer to the watch says nothing.
        if let status = try? await gateway.status() { most = max(most, status.tasks?.count ?? 0) }
        try? await Task.sleep(for: .milliseconds(20))
      }
      return most
    }
    let result = try await BenchRun.run(
      tool,
      [
        "--gateway-url", gateway.url, "--duration", "3s", "--timeout", "6s", "--no-default-thresholds",
        "--allow-saturated",
      ] + (tool == "bench-concurrent" ? ["--concurrency", "2"] : []))
    let report = try await control.ask("DELETE")
    watch.cancel()
    #expect(await watch.value <= Self.maxTasks)
    try await eventually("the pool is not back at its target after \(preset)") {
      // What a lost answer has granted stays assigned, as in earnest.
      try await gateway.status().warmCount == Self.poolSize
    }
    let processes = ProcessEntry.descendants(of: gateway.child.pid)
    await gateway.stop()
    try await eventually("processes of tasks are left") { !processes.contains(where: \.isAlive) }
    return (try result.document(), report)
  }

  /// An iteration is a success, an error or a miss.
  private func expectExactAccounts(_ document: ResultDocument, _ metrics: [String], _ preset: String) {
    let counters = document.counters
    let successes = metrics.reduce(UInt64(0)) { $0 + (document.metrics[$1]?.count ?? 0) }
    let ended = successes + (counters["errors"] ?? 0) + (counters["misses"] ?? 0)
    #expect(counters["iterations"] == ended, "\(preset): \(counters)")
    #expect(document.errors.reduce(0) { $0 + $1.count } == counters["errors"], "\(preset): \(document.errors)")
    #expect(counters["duplicate_assignments"] ?? 0 == 0, "\(preset): \(counters)")
    #expect(document.errors.allSatisfy { !$0.kind.isEmpty })
  }

  @Test(arguments: presets) func everyClaimEndsAsSomething(preset: String) async throws {
    let (document, report) = try await run("bench-concurrent", preset, tasks: ["--virtual-tasks"])
    expectExactAccounts(document, ["all"], preset)
    if preset != "aws-throttle" { #expect(report.injected > 0, "\(report)") }
  }

  /// What bench-api counts as throttled is what the gateway throttled.
  @Test func everyThrottledCallIsCounted() async throws {
    let key = ["INFRABENCH_ECS_ACCESS_KEY_ID": "AKIATEST", "INFRABENCH_ECS_SECRET_ACCESS_KEY": "secret"]
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--control"], environment: key)
    let control = try Control(readyLine: gateway.readyLine)
    _ = try await control.ask("POST", "seed=1; aws-throttle")
    let result = try await BenchRun.run(
      "bench-api",
      [
        "--ecs-endpoint-url", gateway.url, "--cluster", "embedded", "--service", "warm-pool", "--region", "us-east-1",
        "--iterations", "30", "--rate", "60/s", "--force-rate", "--no-default-thresholds", "--allow-saturated",
      ], environment: ["AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "secret"])
    let report = try await control.ask("DELETE")
    await gateway.stop()
    let counters = try result.document().counters
    let throttled = report.faults.filter { $0.fault == "ecs-throttling" }.reduce(0) { $0 + $1.injected }
    #expect(throttled > 0 && counters["throttles"] == UInt64(throttled), "\(counters)")
    #expect(counters["errors"] == UInt64(throttled) && counters["iterations"] == 30, "\(counters)")
  }

  @Test(arguments: presets) func everySessionEndsAsSomething(preset: String) async throws {
    let (document, report) = try await run("bench-e2e", preset, tasks: [])
    expectExactAccounts(document, ["end_to_end", "end_to_end_cold"], preset)
    if preset != "aws-throttle" { #expect(report.injected > 0, "\(report)") }
  }
}
