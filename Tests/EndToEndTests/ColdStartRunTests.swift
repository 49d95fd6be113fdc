import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `--cold-by run-task` against the embedded gateway and its own ECS endpoint: real tasks, started and stopped.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ColdStartRunTests {
  private static let runTask = ["--cold-by", "run-task", "--task-start-delay", "200ms"]
  /// The machine that runs the tests may be busy: counts are judged, not times.
  private static let judgement = ["--no-default-thresholds", "--threshold", "errors == 0"]
  private static let phases = ["run_task", "pending_to_running", "wait_connection"]

  private func expectValid(_ result: BenchResult) async throws {
    guard DocumentSchema.isAvailable else { return }
    let faults = try await DocumentSchema.faults(in: result.file("json"))
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test func aUsersColdStartBeginsWithItsTask() async throws {
    let result = try await BenchRun.run("bench-e2e", Self.runTask + ["--count", "3"] + Self.judgement)
    let document = try result.passedDocument()
    try await expectValid(result)
    #expect(document.counters["cold_starts"] == 3 && document.counters["other_tasks"] == 0)
    #expect(document.counters["tasks_started"] == 3 && document.counters["tasks_stopped"] == 3)
    #expect(document.counters["failed_run_task"] == 0)
    #expect(document.metrics["end_to_end_cold"]?.count == 3 && document.metrics["end_to_end"] == nil)
    #expect(document.metrics["run_task"]?.count == 3 && document.metrics["pending_to_running"]?.count == 3)
    // A connection that was seen before RUNNING has no wait of its own.
    let waited = document.metrics["wait_connection"]?.count ?? 0
    #expect(waited + (document.counters["connected_before_running"] ?? 0) == 3)
    // The task was asked for, and began to run after its delay at the earliest.
    #expect(try #require(document.metrics["pending_to_running"]?.min) >= 195)
    // The phases are parts of the start, whose end is the user's first answer; what polls leave open is in two of them.
    let open = try #require(document.metrics["pending_to_running"]?.resolution)
    #expect(open > 0 && document.metrics["run_task"]?.resolution == nil)
    #expect(document.metrics["wait_connection"].map { $0.resolution ?? 0 > 0 } ?? true)
    let sum = Self.phases.compactMap { document.metrics[$0].map { $0.mean * Double($0.count) } }.reduce(0, +)
    let whole = try #require(document.metrics["end_to_end_cold"]).mean * 3
    #expect(sum < whole * 1.002 + open * Double(waited))
    #expect(document.parameters["coldBy"] == "run-task" && document.parameters["poolSize"] == 0)
    #expect(document.findings?["started_by"]?.description.contains("infrabench-") == true)
    #expect(document.findings?["task_start_resolution"] != nil)
    #expect(document.findings?["ecs_pending_to_running"]?.description.contains("(3 tasks, by ECS's clock)") == true)
    #expect(result.output.contains("pending_to_running="))
  }

  @Test func withoutItNothingOfItIsInTheDocument() async throws {
    let document = try await BenchRun.run("bench-e2e", BenchRun.smallPool + ["--count", "1"] + Self.judgement)
      .passedDocument()
    for name in ["tasks_started", "other_tasks", "failed_run_task"] { #expect(document.counters[name] == nil) }
    #expect(document.parameters["coldBy"] == nil)
  }

  @Test func aBurstAloneIsColdAsAWhole() async throws {
    let result = try await BenchRun.run(
      "bench-concurrent", Self.runTask + ["--concurrency", "3", "--wait-for", "ready"] + Self.judgement)
    let document = try result.passedDocument()
    try await expectValid(result)
    #expect(document.counters["cold"] == 3 && document.counters["warm"] == 0)
    #expect(document.metrics["cold"]?.count == 3 && document.metrics["run_task"]?.count == 3)
    #expect(document.counters["tasks_started"] == 3 && document.counters["tasks_stopped"] == 3)
    #expect(document.counters["duplicate_assignments"] == 0)
    // A cold user's time begins with RunTask.
    #expect(try #require(document.metrics["cold"]?.min) >= 195)
  }

  @Test func thoseBeyondThePoolAreColdByTheirOwnTasksAndThoseWithinItAreWarm() async throws {
    let document = try await BenchRun.run(
      "bench-concurrent",
      Self.runTask + ["--pool-size", "2", "--concurrency", "2", "--beyond", "2", "--bursts", "2"] + Self.judgement
    ).passedDocument()
    #expect(document.counters["warm"] == 4 && document.counters["cold"] == 4)
    #expect(document.counters["other_tasks"] == 0)
    #expect(document.counters["tasks_started"] == 4 && document.counters["tasks_stopped"] == 4)
    #expect(document.metrics["run_task"]?.count == 4)
  }

  @Test func tasksThatFindNoRoomAreFailedStepsByECSsReason() async throws {
    let result = try await BenchRun.run(
      "bench-concurrent", Self.runTask + ["--concurrency", "3", "--max-tasks", "2", "--no-default-thresholds"])
    let document = try result.document()
    #expect(document.errors.map(\.kind) == ["run_task: RESOURCE:MEMORY"], "\(document.errors)")
    #expect(document.counters["cold"] == 2 && document.counters["errors"] == 1)
    #expect(document.counters["tasks_started"] == 2 && document.counters["tasks_stopped"] == 2)
  }

  // MARK: A remote gateway and its ECS

  private static let definition = ["--cold-by", "run-task", "--task-definition", "ai-shell"]

  /// A gateway of the pool's size whose ECS endpoint the tools reach with the key beside it.
  private func remote(
    pool: Int, _ arguments: [String] = []
  ) async throws -> (gateway: MockGateway, options: [String], environment: [String: String]) {
    let key = ["AKIAEXAMPLEOFTESTS", "secret-of-tests"]
    let gateway = try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "\(pool)", "--max-size", "10", "--max-tasks", "20"] + arguments, warm: pool,
      environment: ["INFRABENCH_ECS_ACCESS_KEY_ID": key[0], "INFRABENCH_ECS_SECRET_ACCESS_KEY": key[1]])
    return (
      gateway,
      [
        "--gateway-url", gateway.url, "--ecs-endpoint-url", gateway.url, "--cluster", "embedded",
        "--region", "us-east-1", "--poll-interval", "20ms", "--force-poll-interval",
      ] + Self.definition,
      ["AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], "AWS_SESSION_TOKEN": "", "AWS_PROFILE": ""]
    )
  }

  private func expectNoTasks(_ gateway: MockGateway, but left: Int = 0) async throws {
    try await eventually("tasks are left") { try await gateway.status().tasks?.count == left }
  }

  @Test func aRemoteGatewaysTasksAreStoppedAtAnOrderlyEnd() async throws {
    let (gateway, options, environment) = try await remote(pool: 0)
    let document = try await BenchRun.run(
      "bench-e2e", options + ["--count", "2", "--concurrency", "2"] + Self.judgement, environment: environment
    ).passedDocument()
    #expect(document.counters["cold_starts"] == 2 && document.counters["tasks_stopped"] == 2)
    #expect(document.target.kind == "remote" && document.target.ecsEndpointUrl == gateway.url + "/")
    #expect(document.parameters["cluster"] == "embedded" && document.parameters["taskDefinition"] == "ai-shell")
    try await expectNoTasks(gateway)
    await gateway.stop()
  }

  @Test(arguments: ["bench-e2e", "bench-concurrent"])
  func anotherTaskThanTheStartedOneCountsAsWhatItIs(tool: String) async throws {
    let (gateway, options, environment) = try await remote(pool: 2)
    let own = tool == "bench-e2e" ? ["--count", "1"] : ["--concurrency", "1"]
    let result = try await BenchRun.run(tool, options + own + Self.judgement, environment: environment)
    let document = try result.document()
    // Nothing of what was asked for: no cold start.
    #expect(result.status == .exited(1) && document.verdict == .error && document.counters["errors"] == 0)
    #expect(result.talk.contains("error: no cold start was measured: the gateway has warm tasks"), "\(result.talk)")
    // The gateway gives the task that has waited longest, one of its own.
    #expect(document.counters["other_tasks"] == 1 && document.counters["tasks_stopped"] == 1)
    #expect(document.metrics["run_task"]?.count == 1)
    let warm = document.metrics[tool == "bench-e2e" ? "end_to_end" : "warm"]
    #expect(warm?.count == 1 && document.metrics["end_to_end_cold"] == nil && document.metrics["cold"] == nil)
    #expect(document.notes.contains { $0.contains("1 user was given another task") })
    #expect(document.findings?["ecs_pending_to_running"]?.description.contains("(1 task, by ECS's clock)") == true)
    try await expectNoTasks(gateway, but: 2)
    await gateway.stop()
  }

  @Test func aTaskThatDoesNotComeInTimeIsATimeoutAndIsStopped() async throws {
    let (gateway, options, environment) = try await remote(pool: 0, ["--task-start-delay", "60s"])
    let result = try await BenchRun.run(
      "bench-e2e", options + ["--count", "2", "--concurrency", "2", "--start-timeout", "400ms"],
      environment: environment)
    let document = try result.document()
    #expect(document.errors.map(\.kind) == ["pending_to_running: timeout"], "\(document.errors)")
    #expect(document.counters["timeouts"] == 2 && document.counters["failed_pending_to_running"] == 2)
    #expect(document.counters["failed_steps"] == 2 && document.counters["tasks_stopped"] == 2)
    #expect(document.errors.first?.example.contains("was still P") == true)
    try await expectNoTasks(gateway)
    await gateway.stop()
  }

  @Test func aTaskThatStopsInsteadOfRunningIsShownWithECSsReason() async throws {
    let (gateway, options, environment) = try await remote(pool: 0, ["--fail-starts", "always"])
    let result = try await BenchRun.run("bench-e2e", options + ["--count", "1"], environment: environment)
    let document = try result.document()
    #expect(document.errors.map(\.kind) == ["pending_to_running: stopped"], "\(document.errors)")
    #expect(document.errors.first?.example.contains("the start was made to fail") == true)
    #expect(document.counters["tasks_started"] == 1 && document.counters["tasks_stopped"] == 0)
    await gateway.stop()
  }

  @Test(
    .wholeSuiteOnly,
    arguments: [("bench-e2e", "60s"), ("bench-concurrent", "60s"), ("bench-concurrent", "20ms")], [SIGINT, SIGTERM])
  func anInterruptedRunLeavesNoTasks(run: (tool: String, delay: String), signal: Int32) async throws {
    let (gateway, options, environment) = try await remote(pool: 0, ["--task-start-delay", run.delay])
    let own = run.tool == "bench-e2e" ? ["--count", "50"] : ["--bursts", "30"]
    let running = try await BenchRun.start(
      run.tool, options + own + ["--concurrency", "3"], environment: environment)
    if run.delay == "60s" {
      try await eventually("no task was started") { try await gateway.status().tasks?.count == 3 }
    } else {
      try await running.waitForOutput("Run 4: ")
    }
    let begin = ContinuousClock.now
    running.running.child.signal(signal)
    let result = await running.end()
    #expect(begin.duration(to: .now) < .seconds(15))
    #expect(result.status == .exited(128 + signal), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .interrupted && document.counters["errors"] == 0, "\(document.errors)")
    let started = document.counters["tasks_started"]
    #expect(started == document.counters["tasks_stopped"] && started ?? 0 >= 3)
    try await expectNoTasks(gateway)
    await gateway.stop()
  }
}
