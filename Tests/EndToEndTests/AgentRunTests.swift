import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `--agents`: the tool supplies the tasks of a gateway that has none.
@Suite(.serialized, .timeLimit(.minutes(3))) struct AgentRunTests {
  private static let judgement = ["--no-default-thresholds", "--threshold", "errors == 0", "--timeout", "10s"]

  private func run(_ tool: String, _ url: String, _ options: String...) async throws -> BenchResult {
    try await BenchRun.run(tool, ["--gateway-url", url] + options + Self.judgement)
  }

  @Test(.wholeSuiteOnly) func mockGatewayWithoutTasksIsMeasuredWithAgents() async throws {
    let gateway = try await MockGateway.start(["--pool-size", "0", "--dialect", "lab"], warm: 0)
    let allocation = try await run("bench-allocation", gateway.url, "--agents", "2", "--count", "5").passedDocument()
    #expect(allocation.metrics["allocation"]?.count == 5 && allocation.counters["misses"] == 0)
    #expect(allocation.target.kind == "remote" && allocation.parameters["agents"] == 2)
    let ready = try await run(
      "bench-allocation", gateway.url, "--agents", "2", "--count", "3", "--wait-for", "ready"
    ).passedDocument()
    #expect(ready.metrics["confirmation"]?.count == 3)
    let concurrent = try await run("bench-concurrent", gateway.url, "--agents", "3", "--concurrency", "3")
      .passedDocument()
    #expect(concurrent.metrics["warm"]?.count == 3 && concurrent.counters["misses"] == 0)
    let session = try await run("bench-e2e", gateway.url, "--agents", "2", "--count", "3").passedDocument()
    #expect(session.metrics["end_to_end"]?.count == 3 && session.findings?["route"] == "session")
    // The agents are gone with their tools.
    try await eventually("an agent is left") {
      let status = try await gateway.status()
      return status.warmCount == 0 && status.assignedCount == 0
    }
    await gateway.stop()
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"])
  func gatewayWithTasksOfItsOwnIsNotGivenAgentsUnasked(_ tool: String) async throws {
    let gateway = try await MockGateway.start()
    let refused = try await run(tool, gateway.url, "--agents", "2")
    #expect(refused.status == .exited(1))
    #expect(refused.talk.contains("--agents-beside-real"), "\(refused.talk)")
    #expect(refused.files() == [:] && refused.output == "")
    #expect(try await gateway.status().warmCount == 3)
    let load = tool == "bench-concurrent" ? ["--concurrency", "2"] : ["--count", "2"]
    let asked = try await BenchRun.run(
      tool, ["--gateway-url", gateway.url, "--agents", "2", "--agents-beside-real"] + load + Self.judgement)
    _ = try asked.passedDocument()
    await gateway.stop()
  }

  @Test func agentsThatNeverGetWarmFailTheRun() async throws {
    let gateway = try await ScriptedGateway { request in
      request.line == "GET /api/status" ? ScriptedGateway.status(warm: 0) : .json("{}", status: 404)
    }
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--agents", "2", "--timeout", "3s"])
    await gateway.stop()
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("error: only 0 of 2 warm tasks"), "\(result.talk)")
    #expect(result.scratch.names(in: "") == [])
  }

  // MARK: A gateway that nobody here's client was written against

  @Test func foreignLabGatewayIsMeasuredWithAgents() async throws {
    let gateway = try await LabGateway()
    let allocation = try await run("bench-allocation", gateway.url, "--agents", "2", "--count", "5").passedDocument()
    #expect(allocation.metrics["allocation"]?.count == 5)
    // 1.25 ms, within a histogram's three digits.
    #expect(abs((allocation.metrics["gateway_latency"]?.max ?? 0) - 1.25) < 0.00125)
    #expect(allocation.counters["unclassified"] == 0 && allocation.counters["misses"] == 0)
    let concurrent = try await run(
      "bench-concurrent", gateway.url, "--agents", "3", "--concurrency", "3", "--beyond", "1"
    ).passedDocument()
    #expect(concurrent.counters["warm"] == 3 && concurrent.counters["misses"] == 1)
    #expect(concurrent.counters["duplicate_assignments"] == 0)
    #expect(gateway.assignedUsers == [])
    await gateway.stop()
  }

  @Test func agentsRouteShowsThePhasesFromInside() async throws {
    let gateway = try await LabGateway()
    let result = try await run("bench-e2e", gateway.url, "--agents", "2", "--count", "4")
    let document = try result.passedDocument()
    #expect(document.findings?["route"] == "agents")
    for metric in ["acquire", "ready", "init_user", "workspace", "process_start"] {
      #expect(document.metrics[metric]?.count == 4, "\(metric)")
    }
    #expect(document.metrics["end_to_end"] == nil && document.metrics["first_response"] == nil)
    #expect(document.notes.contains { $0.contains("end_to_end and first_response are absent") })
    #expect(document.metrics["init_user"]?.max ?? 0 >= document.metrics["workspace"]?.min ?? .infinity)
    #expect(result.output.contains("Run 1: ready="))
    #expect(gateway.assignedUsers == [])
    await gateway.stop()
  }

  @Test func statusRouteSeesReadinessAlone() async throws {
    let gateway = try await LabGateway()
    let scratch = try Scratch()
    let root = scratch.directory("efs")
    let tasks = try await Tool(name: "warm-task").start(
      ["--gateway-url", gateway.url, "--count", "2", "--workspace-root", root], in: scratch.path)
    try await eventually("no warm task") { gateway.warmCount == 2 }
    let document = try await run("bench-e2e", gateway.url, "--count", "3", "--user-id", "status-user").passedDocument()
    #expect(document.findings?["route"] == "status")
    #expect(document.metrics["ready"]?.count == 3 && document.metrics["acquire"]?.count == 3)
    #expect(document.metrics["init_user"] == nil && document.metrics["end_to_end"] == nil)
    #expect(document.notes.contains { $0.contains("'ready' is when its status showed") })
    // The tasks did their work for that user.
    #expect(scratch.names(in: "efs/lab") == ["status-user"])
    tasks.child.signal(SIGTERM)
    #expect(await tasks.end().status == .exited(143))
    await gateway.stop()
  }
}
