import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// A caller may make every call to ECS but one: the run says which, keeps what it has measured, and leaves nothing unsaid.
@Suite(.timeLimit(.minutes(3))) struct DeniedCallTests {
  private func expectNamed(
    _ action: String, _ result: BenchResult, status: Int32..., location: SourceLocation = #_sourceLocation
  ) {
    #expect(status.contains { result.status == .exited($0) }, "\(result.talk)", sourceLocation: location)
    #expect(
      result.talk.contains("ecs:\(action): AccessDeniedException")
        && result.talk.contains("allow the action ecs:\(action)"), "\(result.talk)", sourceLocation: location)
    #expect(!result.talk.contains("not-a-secret"), sourceLocation: location)
  }

  private func exhaustion(_ ecs: ScriptedECS, _ more: [String] = []) async throws -> BenchResult {
    try await ecs.serve { url in
      try await BenchRun.run(
        "bench-exhaustion",
        [
          "--drain-by", "stop-tasks", "--ecs-endpoint-url", url, "--cluster", "pool", "--service", "warm",
          "--confirm-stop", "warm", "--allow-saturated", "--poll-interval", "200ms", "--print", "json",
          "--refill-timeout", "2s",
        ] + more, environment: ScriptedECS.environment)
    }
  }

  // MARK: From the beginning

  @Test(arguments: ["ListTasks", "DescribeTasks", "DescribeServices", "StopTask"])
  func whatADrainByStopTasksNeedsIsNamedAndNothingIsStopped(action: String) async throws {
    let ecs = ScriptedECS(.init(denied: [action]))
    expectNamed(action, try await exhaustion(ecs), status: 1)
    #expect(ecs.stopped.isEmpty && ecs.calls("UpdateService") == 0)
  }

  @Test(.wholeSuiteOnly) func aCountThatMayNotBePutBackIsSaidAndTheDrainIsKept() async throws {
    let ecs = ScriptedECS(.init(denied: ["UpdateService"], scalesTo: 2))
    let result = try await exhaustion(ecs, ["--restore-desired-count"])
    expectNamed("UpdateService", result, status: 99)
    #expect(try result.document().metrics["drain"]?.count == 3)
    #expect(result.talk.contains("--desired-count 3"))
  }

  @Test(arguments: ["ListTasks", "DescribeTasks"]) func whatBenchAPICallsIsNamed(action: String) async throws {
    let ecs = ScriptedECS(.init(denied: [action]))
    let result = try await ecs.serve { url in
      try await BenchRun.run(
        "bench-api", ["--ecs-endpoint-url", url, "--cluster", "pool", "--print", "json"],
        environment: ScriptedECS.environment)
    }
    expectNamed(action, result, status: 1)
  }

  @Test(arguments: ["ListTasks", "DescribeTasks", "DescribeServices"])
  func whatADrainByUsersAsksIsNamed(action: String) async throws {
    let ecs = ScriptedECS(.init(denied: [action]))
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 3)
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "task-1", "source": "warm"}"#)
      case "POST /api/release": .json(#"{"success": true}"#)
      default: .json("{}", status: 404)
      }
    }
    let result = try await ecs.serve { url in
      try await BenchRun.run(
        "bench-exhaustion",
        [
          "--gateway-url", gateway.url, "--ecs-endpoint-url", url, "--cluster", "pool", "--service", "warm",
          "--drain-count", "1", "--poll-interval", "200ms", "--refill-timeout", "1s", "--allow-saturated", "--print",
          "json",
        ], environment: ScriptedECS.environment)
    }
    await gateway.stop()
    let takesNone = action != "DescribeServices"
    // Without that one a change of the service goes unseen, and the run is made. The stub's pool is never empty: whether
    // its refill is timed, or was over before the drain, is a matter of moments.
    if takesNone { expectNamed(action, result, status: 1) } else { expectNamed(action, result, status: 0, 1, 99) }
    #expect(gateway.requests.contains { $0.line == "POST /api/acquire" } == !takesNone)
    if !takesNone { #expect(try result.document().metrics["drain"]?.count == 1) }
  }

  @Test(
    .wholeSuiteOnly, arguments: ["bench-e2e", "bench-concurrent"],
    ["RunTask", "ListTasks", "DescribeTasks", "StopTask"])
  func whatStartsOfTasksNeedIsNamedAndNoTaskIsLeftUnsaid(tool: String, action: String) async throws {
    let world = StartedTaskWorld(.init(connectSeconds: 0.3, denied: [action]))
    let own = tool == "bench-e2e" ? ["--count", "2"] : ["--concurrency", "2"]
    let result = try await world.run(
      tool, own + ["--start-timeout", "20s", "--timeout", "2s", "--allow-saturated", "--print", "json"])
    expectNamed(action, result, status: action == "StopTask" ? 99 : 1)
    expectSaid(world, result)
    if action == "RunTask" || action == "ListTasks" { #expect(world.remaining.isEmpty && world.stopped.isEmpty) }
  }

  private func expectSaid(
    _ world: StartedTaskWorld, _ result: BenchResult, _ location: SourceLocation = #_sourceLocation
  ) {
    guard !world.remaining.isEmpty else { return }
    #expect(
      result.talk.contains("of this run could not be stopped") && result.talk.contains("--started-by infrabench-"),
      "left: \(world.remaining), \(result.talk)", sourceLocation: location)
  }

  // MARK: In the midst of a run

  @Test(.wholeSuiteOnly, arguments: [("ListTasks", 3), ("DescribeTasks", 3), ("StopTask", 1)])
  func aDrainIsKeptWhenSomethingIsDeniedAfterIt(action: String, stops: Int) async throws {
    let ecs = ScriptedECS(.init(pendingSeconds: 1, deniedAfterStops: [action: stops]))
    let result = try await exhaustion(ecs)
    expectNamed(action, result, status: 99)
    let stopped = ecs.stopped.count
    #expect(stopped == stops)
    let document = try result.document()
    #expect(document.metrics["drain"]?.count == UInt64(stopped), "\(document.errors)")
    #expect(document.findings?["desired_count"] == "3, before the run and after it")
  }

  @Test(arguments: [("RunTask", 3), ("StopTask", 2)])
  func startsThatWereMeasuredAreKept(action: String, from number: Int) async throws {
    let world = StartedTaskWorld(.init(deniedFrom: [action: number]))
    let result = try await world.run(
      "bench-e2e", ["--count", "5", "--allow-saturated", "--print", "json"])
    expectNamed(action, result, status: 99)
    #expect(try result.document().counters["cold_starts"] ?? 0 >= 1, "\(result.talk)")
    expectSaid(world, result)
  }
}
