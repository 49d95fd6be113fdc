import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `bench-exhaustion --drain-by stop-tasks` without a gateway, against an ECS whose every answer is known.
@Suite(.timeLimit(.minutes(2))) struct StopTasksDrainTests {
  private static func arguments(_ url: String, _ more: [String]) -> [String] {
    [
      "--drain-by", "stop-tasks", "--ecs-endpoint-url", url, "--cluster", "pool", "--service",
      "warm", "--confirm-stop", "warm", "--allow-saturated",
    ] + (more.contains("--poll-interval") ? more : ["--poll-interval", "200ms"] + more)
  }

  private func run(_ ecs: ScriptedECS, _ more: String...) async throws -> BenchResult {
    try await ecs.serve { url in
      try await BenchRun.run("bench-exhaustion", Self.arguments(url, more), environment: ScriptedECS.environment)
    }
  }

  @Test(.wholeSuiteOnly) func tasksThatStayPendingAfterTheyAreListedAreNotRefilledYet() async throws {
    // Replacements come after t₀ even where an answer is late.
    let ecs = ScriptedECS(.init(pendingSeconds: 3, placementSeconds: 1))
    let result = try await run(ecs)
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(ecs.stopped.count == 3)
    #expect(document.findings?["drained"] == 3)
    #expect(document.findings?["strictest_view"] == "running")
    let listed = try #require(document.metrics["refill_full_listed"])
    let running = try #require(document.metrics["refill_full_running"])
    // Each is up to one poll late, however busy the machine: the difference is 3 s give or take a resolution.
    #expect(running.max - listed.max > 3_000 - (listed.resolution ?? 0))
    #expect(document.metrics["refill_full"]?.max == running.max)
    #expect(document.metrics["refill_full_warm"] == nil)
    #expect(document.metrics["placement"]?.count == 3)
    #expect(document.metrics["refill_task"]?.count == 3)
    // By the service's own clock, to the microsecond, within the histogram's three digits.
    #expect(abs((document.metrics["ecs_pending_to_running"]?.p50 ?? 0) - 3_000) < 5)
    #expect(abs((document.metrics["ecs_image_pull"]?.p50 ?? 0) - 1_500) < 3)
    #expect(document.target.gatewayUrl == nil)
    #expect(document.timeline?.rows.contains { $0[.listed] == 3 && $0[.running] == 0 } == true)
    #expect(document.timeline?.rows.contains { $0[.warm] != nil } == false)
    #expect(document.findings?["desired_count"] == "3, before the run and after it")
    #expect(ecs.calls("UpdateService") == 0)
    // Described until they were seen RUNNING, and never again.
    #expect(ecs.calls("DescribeTasks") < ecs.calls("ListTasks"))
  }

  @Test(.wholeSuiteOnly) func somePollsAreThrottledAndShowAsGaps() async throws {
    // The refill comes three seconds after the drain: in the midst of the gap, with a second to spare on both sides.
    let ecs = ScriptedECS(.init(pendingSeconds: 3, throttled: ["ListTasks": 4...24]))
    let result = try await run(ecs)
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["throttled_polls"] == 21)
    #expect(document.timeline?.rows.count { $0[.gap] == "throttled" && $0[.listed] == .null } == 21)
    #expect(document.findings?["poll_rate"]?.description.contains("21 polls lost") == true)
    let resolution = try #require(document.metrics["refill_full"]?.resolution)
    #expect(resolution >= 2_000)
  }

  /// ListTasks was answered in each of these polls.
  @Test(.wholeSuiteOnly) func descriptionsThatAreThrottledAreNoFailuresOfListTasks() async throws {
    let ecs = ScriptedECS(.init(pendingSeconds: 3, throttled: ["DescribeTasks": 3...12]))
    let result = try await run(ecs)
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["throttled_polls"] == 10)
    #expect(document.metrics["ecs_list_tasks"]?.unreliable == [], "\(result.talk)")
  }

  @Test(.wholeSuiteOnly) func cyclesGiveASampleEachAndEveryTaskOfThemCounts() async throws {
    let ecs = ScriptedECS(.init(desiredCount: 2, placementSeconds: 1))
    let result = try await run(ecs, "--cycles", "3", "--settle", "300ms")
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(document.metrics["refill_full"]?.count == 3)
    #expect(document.metrics["refill_task"]?.count == 6)
    #expect(document.metrics["drain"]?.count == 6)
    guard case .object(let third)? = document.findings?["cycle_3"] else {
      Issue.record("no findings of the third cycle: \(String(describing: document.findings))")
      return
    }
    #expect(third["drained"] == 2)
    #expect(ecs.stopped == (1...6).map { "task-\($0)" } || Set(ecs.stopped) == Set((1...6).map { "task-\($0)" }))
  }

  @Test(.wholeSuiteOnly) func aPoolThatWasFullBeforeTheClockStartedWasNotTimed() async throws {
    // Each task is replaced at once, and the last call's answer comes long after the others'.
    let ecs = ScriptedECS(.init(desiredCount: 1, placementSeconds: 0, stopSeconds: 3, stopsBeforeAnswer: true))
    let result = try await run(ecs, "--poll-interval", "100ms", "--force-poll-interval")
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(result.talk.contains("no refill was timed: the pool was full again before t₀"))
    let document = try result.document()
    #expect(document.verdict == .error && document.metrics["refill_full"] == nil)
    #expect(document.findings?["tasks_before_t0"] == 1)
  }

  @Test func onlyAsManyTasksAreStoppedAsWereAskedFor() async throws {
    let ecs = ScriptedECS(.init(desiredCount: 5, placementSeconds: 1))
    let result = try await run(ecs, "--drain-count", "2")
    #expect(result.status == .exited(0), "\(result.talk)")
    #expect(ecs.stopped.count == 2)
    #expect(try result.document().metrics["refill_task"]?.count == 2)
  }

  /// Somebody may need what was added: to take it away again would end tasks.
  @Test func aDesiredCountThatSomethingRaisedIsLeftAndTold() async throws {
    let ecs = ScriptedECS(.init(scalesTo: 4))
    let result = try await run(ecs)
    #expect(ecs.desiredCount == 4 && ecs.calls("UpdateService") == 0)
    #expect(result.talk.contains("lowering it would end tasks"), "\(result.talk)")
    #expect(result.talk.contains("aws ecs update-service --cluster pool --region eu-west-1 "), "\(result.talk)")
    #expect(result.talk.contains(" --service warm --desired-count 3"))
    #expect(try result.document().findings?["desired_count"] == "3 before the run, 4 after it")
  }

  @Test func aDesiredCountThatMayNotBePutBackIsSaidWithTheCommandThatDoesIt() async throws {
    let ecs = ScriptedECS(.init(denied: ["UpdateService"], scalesTo: 2))
    let result = try await run(ecs, "--refill-timeout", "900ms", "--restore-desired-count")
    #expect(ecs.desiredCount == 2)
    #expect(result.talk.contains("allow the action ecs:UpdateService"), "\(result.talk)")
    #expect(result.talk.contains("--service warm --desired-count 3"))
    #expect(try result.document().findings?["desired_count"] == "3 before the run, 2 after it")
  }

  @Test func anInterruptedRunPutsTheDesiredCountBackToo() async throws {
    // The refill takes far longer than the test; the tasks that were there from the beginning run since 1970.
    let ecs = ScriptedECS(.init(pendingSeconds: 600, scalesTo: 1))
    try await ecs.serve { url in
      let run = try await BenchRun.start(
        "bench-exhaustion", Self.arguments(url, ["--restore-desired-count"]), environment: ScriptedECS.environment)
      try await eventually("the tasks are never stopped") { ecs.stopped.count == 3 }
      run.running.child.signal(SIGINT)
      let result = await run.end(within: .seconds(20))
      #expect(result.status == .exited(130), "\(result.talk)")
      #expect(ecs.desiredCount == 3)
      let document = try result.document()
      #expect(document.verdict == .interrupted)
      #expect(document.findings?["desired_count"] == "3, put back from 1")
    }
  }

  @Test func tasksThatWereBeingStoppedOnAnInterruptionAreKnown() async throws {
    let ecs = ScriptedECS(.init(desiredCount: 20, pendingSeconds: 600, stopSeconds: 0.6))
    try await ecs.serve { url in
      let run = try await BenchRun.start(
        "bench-exhaustion", Self.arguments(url, []), environment: ScriptedECS.environment)
      try await eventually("no task is stopped") { ecs.stopped.count >= 10 }
      run.running.child.signal(SIGINT)
      let result = await run.end(within: .seconds(20))
      #expect(result.status == .exited(130), "\(result.talk)")
      let document = try result.document()
      let isUncertain = document.notes.contains { $0.contains("more may have been than are counted") }
      #expect(document.findings?["drained"] == .int(Int64(ecs.stopped.count)) || isUncertain, "\(document.notes)")
      #expect(ecs.stopped.count <= 20)
    }
  }

  @Test func tasksOfAnotherServiceAreNeitherCountedNorStopped() async throws {
    let ecs = ScriptedECS(.init(foreignTasks: 2))
    let result = try await run(ecs)
    #expect(result.status == .exited(0), "\(result.talk)")
    #expect(ecs.stopped.allSatisfy { $0.hasPrefix("task-") } && ecs.stopped.count == 3)
    let document = try result.document()
    #expect(document.findings?["drained"] == 3)
    #expect(document.timeline?.rows.contains { $0[.listed] == 5 } == false)
    #expect(document.notes.contains { $0.contains("not of this pool") })
  }

  @Test func aPoolThatIsNotFullIsNotStopped() async throws {
    let ecs = ScriptedECS(.init(initialTasks: 2))
    let result = try await run(ecs, "--timeout", "500ms")
    #expect(result.status == .exited(1))
    #expect(
      result.talk.contains("the pool has 2 running tasks and 3 are needed: nothing was drained"), "\(result.talk)")
    #expect(ecs.stopped.isEmpty)
  }

  @Test func aServiceThatIsBeingDeployedIsNotStopped() async throws {
    let ecs = ScriptedECS(.init(deployments: 2))
    let result = try await run(ecs)
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("a deployment of the service is in progress"), "\(result.talk)")
    #expect(ecs.stopped.isEmpty)
  }

  /// The figures that there are must not stand in for the one that there is not.
  @Test(.wholeSuiteOnly) func aRefillThatNeverComesCrossesItsThresholdAndHasNoHeadline() async throws {
    let ecs = ScriptedECS(.init(pendingSeconds: 600, placementSeconds: 1))
    let result = try await run(ecs, "--refill-timeout", "4s", "--print", "text")
    #expect(result.status == .exited(99), "\(result.talk)")
    let document = try result.document()
    let threshold = try #require(document.thresholds.first { $0.expression == "refill_full.max < 25s" })
    #expect(!threshold.pass && threshold.skipped == nil && threshold.reason?.contains("not full again") == true)
    #expect(result.output.hasSuffix("no sample of refill_full\n"), "\(result.output)")
    #expect(document.metrics["refill_full_listed"] != nil)
    // A refill that never came says nothing of how quickly ECS answered.
    #expect(document.metrics["drain"]?.unreliable == [])
    #expect(document.metrics["ecs_list_tasks"]?.unreliable == [])
  }

  @Test func nothingIsStoppedWithoutPermissionToReadTheService() async throws {
    let ecs = ScriptedECS(.init(denied: ["DescribeServices"]))
    let result = try await run(ecs)
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("ecs:DescribeServices"), "\(result.talk)")
    #expect(result.talk.contains("request-of-DescribeServices"))
    #expect(ecs.stopped.isEmpty)
  }

  @Test func tasksThatMayNotBeStoppedEndTheRunWithTheMissingPermission() async throws {
    let ecs = ScriptedECS(.init(denied: ["StopTask"]))
    let result = try await run(ecs)
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(result.talk.contains("no task could be stopped"))
    #expect(result.talk.contains("allow the action ecs:StopTask"))
    #expect(!result.talk.contains("not-a-secret"))
  }

  @Test func aServiceThatIsNotThereIsNamedBeforeAnythingIsStopped() async throws {
    let ecs = ScriptedECS(.init())
    let result = try await ecs.serve { url in
      try await BenchRun.run(
        "bench-exhaustion",
        [
          "--drain-by", "stop-tasks", "--ecs-endpoint-url", url, "--service", "other", "--confirm-stop", "other",
        ], environment: ScriptedECS.environment)
    }
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("there is no service 'other'"), "\(result.talk)")
    #expect(result.talk.contains("--service"))
    #expect(ecs.stopped.isEmpty)
  }
}
