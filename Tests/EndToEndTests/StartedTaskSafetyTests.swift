import Foundation
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Which of the tasks that a run has started it stops, and which it leaves: nobody's session ends by it.
@Suite(.serialized, .timeLimit(.minutes(3))) struct StartedTaskSafetyTests {
  private static let judgement = ["--no-default-thresholds", "--allow-saturated", "--threshold", "errors == 0"]

  // MARK: Tasks that users of the same run have

  @Test func aTaskIsStoppedWhenNoUserOfTheRunHasIt() async throws {
    let world = StartedTaskWorld(.init(readySeconds: 0.03))
    let result = try await world.run("bench-e2e", ["--count", "40", "--concurrency", "4"] + Self.judgement)
    let document = try result.passedDocument()
    #expect(world.stoppedUnderUsers.isEmpty, "stopped under a user of the run")
    #expect(world.misses == 0, "a user found its task stopped")
    #expect(document.counters["cold_starts"] == 40 && document.counters["tasks_started"] == 40)
    // A task that was given back ends with its user; one that is left over is stopped.
    #expect(world.remaining.isEmpty)
  }

  // MARK: Tasks that somebody else has, or may have

  struct Leaving: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var rules: StartedTaskWorld.Rules
    var said: String
  }

  private static let leavings = [
    Leaving(
      testDescription: "a stranger", rules: .init(stranger: "alice"), said: "1 task of this run was left"),
    Leaving(
      testDescription: "a status that takes 0.7 s",
      rules: .init(statusSeconds: { $0 > 3 ? 0.7 : 0 }, stranger: "alice"), said: "1 task of this run was left"),
    Leaving(
      testDescription: "a status that is never answered",
      rules: .init(statusSeconds: { $0 > 3 ? -1 : 0 }, stranger: "alice"), said: "status could not be had"),
    Leaving(
      testDescription: "entries without a user", rules: .init(stranger: "alice", showsUsers: false),
      said: "1 task of this run was left"),
    Leaving(
      testDescription: "a stranger with the id of this run's user", rules: .init(stranger: "test-user-0001"),
      said: "1 task of this run was left"),
    Leaving(
      testDescription: "a status without tasks",
      rules: .init(connectSeconds: 0.5, stranger: "alice", namesTasks: false),
      said: "1 task of this run was left"),
  ]

  @Test(.wholeSuiteOnly, arguments: leavings) func whatIsNotSurelyThisRunsAndIdleIsLeftAndSaid(leaving: Leaving)
    async throws
  {
    let world = StartedTaskWorld(leaving.rules)
    let result = try await world.run(
      "bench-concurrent",
      // On a busy machine the status may be mute before it has shown the task: then the whole start time-out is waited for.
      ["--concurrency", "1", "--timeout", "1s", "--start-timeout", "10s", "--user-id", "test-user"])
    #expect(world.calls("RunTask") == 1 && world.stopped.isEmpty, "stopped: \(world.stopped), \(result.talk)")
    let document = try result.document()
    #expect(document.notes.contains { $0.contains(leaving.said) }, "\(document.notes)")
    #expect(document.notes.contains { $0.contains("aws ecs list-tasks --cluster stage") })
    #expect(document.counters["tasks_left"] == 1 && document.counters["tasks_stopped"] == 0)
  }

  @Test(arguments: [true, false]) func whatIsIdleIsStopped(namesTasks: Bool) async throws {
    // The acquire is a miss as the second look is: nobody has the task.
    let world = StartedTaskWorld(.init(namesTasks: namesTasks))
    let result = try await world.run(
      "bench-e2e", ["--count", "2", "--start-timeout", "1ms", "--no-default-thresholds"])
    #expect(world.stopped.count == 2 && world.remaining.isEmpty, "\(result.talk)")
  }

  @Test func aTaskThatWasLeftAndHasEndedSinceIsNoTaskThatIsLeft() async throws {
    let world = StartedTaskWorld(.init(stranger: "alice", strangersTasksEnd: true))
    let result = try await world.run("bench-concurrent", ["--concurrency", "1", "--timeout", "1s"])
    let document = try result.document()
    #expect(document.counters["misses"] == 1 && document.counters["tasks_started"] == 1, "\(result.talk)")
    #expect(world.stopped.isEmpty && document.counters["tasks_left"] == 0)
    #expect(!document.notes.contains { $0.contains("left, as a user") }, "\(document.notes)")
  }

  /// Three batches of stops that take three seconds each, and then as many again at the end of the run.
  @Test(.wholeSuiteOnly) func anOrderlyEndStopsAllTasksHoweverManyThereAre() async throws {
    let world = StartedTaskWorld(.init(stop: { _ in .late(seconds: 3) }))
    let result = try await world.run(
      "bench-concurrent", ["--concurrency", "35", "--start-timeout", "1ms", "--no-default-thresholds"])
    let document = try result.document()
    #expect(document.counters["tasks_started"] == 35, "\(result.talk)")
    // On a busy machine some have come to the gateway before their time-out was seen, and were given to users.
    let (stopped, left) = (document.counters["tasks_stopped"] ?? 0, document.counters["tasks_left"] ?? 0)
    #expect(stopped + left == 35 && stopped > 20 && world.remaining.count == Int(left), "\(result.talk)")
    #expect(!document.notes.contains { $0.contains("could not be stopped") }, "\(document.notes)")
  }

  /// With a signal there is no time for all of them: the rest is said.
  @Test(.wholeSuiteOnly) func aSignalDuringTheStopsAtTheEndLeavesThemLittleTime() async throws {
    let world = StartedTaskWorld(.init(stop: { _ in .late(seconds: 2) }))
    try await world.serve { url in
      let run = try await BenchRun.start(
        "bench-concurrent",
        StartedTaskWorld.options(url) + ["--concurrency", "60", "--start-timeout", "1ms", "--no-default-thresholds"],
        environment: StartedTaskWorld.environment)
      try await eventually("no StopTask") { world.calls("StopTask") >= 1 }
      let begin = ContinuousClock.now
      run.running.child.signal(SIGINT)
      let result = await run.end(within: .seconds(30))
      #expect(begin.duration(to: .now) < .seconds(15))
      #expect(result.status == .exited(130), "\(result.talk)")
      let document = try result.document()
      // A task whose stop was cut off is not at the gateway any more: it is left, and said too.
      let done = (document.counters["tasks_stopped"] ?? 0) + (document.counters["tasks_left"] ?? 0)
      #expect(document.counters["tasks_started"] == 60 && done < 59)
      #expect(
        document.notes.contains { $0.contains("\(60 - done) tasks of this run could not be stopped") },
        "\(document.notes)")
    }
  }

  /// The task is there before anybody can have looked at the gateway.
  @Test func aTaskThatComesAtOnceToAGatewayThatNamesNoneIsSeen() async throws {
    let world = StartedTaskWorld(.init(namesTasks: false))
    let result = try await world.run(
      "bench-concurrent", ["--concurrency", "1", "--bursts", "3", "--start-timeout", "10s"] + Self.judgement)
    let document = try result.document()
    #expect(document.counters["tasks_started"] == 3, "\(result.talk)")
    #expect(document.errors.isEmpty && world.misses == 0, "\(document.errors)")
  }

  // MARK: A RunTask without an answer

  struct Late: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var start: StartedTaskWorld.Start
    var isFound: Bool
  }

  private static let lates = [
    Late(testDescription: "listed late", start: .unanswered(startsAfter: 3), isFound: true),
    Late(testDescription: "answered late", start: .late(seconds: 3), isFound: true),
    Late(testDescription: "never heard of", start: .unanswered(startsAfter: nil), isFound: false),
  ]

  @Test(.wholeSuiteOnly, arguments: lates) func aRunTaskThatIsUnansweredAtTheEndIsFollowedForTheWholeBound(late: Late)
    async throws
  {
    let world = StartedTaskWorld(.init(start: { _ in late.start }))
    try await world.serve { url in
      let run = try await BenchRun.start(
        "bench-e2e", StartedTaskWorld.options(url), environment: StartedTaskWorld.environment)
      try await eventually("no RunTask") { world.calls("RunTask") == 1 }
      run.running.child.signal(SIGINT)
      let result = await run.end(within: .seconds(20))
      #expect(result.status == .exited(130), "\(result.talk)")
      let document = try result.document()
      if late.isFound {
        #expect(world.stopped == ["t1"], "\(result.talk)")
        #expect(document.counters["tasks_started"] == 1 && document.counters["tasks_stopped"] == 1)
      } else {
        #expect(document.notes.contains { $0.contains("the answer of 1 RunTask is outstanding") }, "\(document.notes)")
        #expect(document.notes.contains { $0.contains("--started-by infrabench-") }, "\(document.notes)")
      }
    }
  }

  struct Pending: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var tool: String
    var rules: StartedTaskWorld.Rules
    var said: String
  }

  private static let pendings = ["bench-e2e", "bench-concurrent"].flatMap { tool in
    [
      // The look at the gateway before a stop is never answered.
      Pending(
        testDescription: "\(tool): a task that is not stopped yet", tool: tool,
        rules: .init(statusSeconds: { $0 > 3 ? -1 : 0 }), said: "1 task of this run was not stopped yet"),
      Pending(
        testDescription: "\(tool): a call without an answer", tool: tool,
        rules: .init(start: { _ in .unanswered(startsAfter: nil) }), said: "1 RunTask had no answer"),
    ]
  }

  @Test(.wholeSuiteOnly, arguments: pendings) func whatIsWrittenBeforeTheStopsNamesTheTasks(pending: Pending)
    async throws
  {
    let world = StartedTaskWorld(pending.rules)
    try await world.serve { url in
      let run = try await BenchRun.start(
        pending.tool, StartedTaskWorld.options(url) + ["--concurrency", "1"], environment: StartedTaskWorld.environment)
      try await eventually("no RunTask") { world.calls("RunTask") == 1 }
      run.running.child.signal(SIGINT)
      func files() -> [String] {
        (run.scratch.names(in: "results") ?? []).flatMap { run.scratch.names(in: "results/\($0)") ?? [] }
      }
      try await eventually("no document") { files().contains { $0.hasSuffix(".json") } }
      // Nobody waits for the stops.
      run.running.child.signal(SIGKILL)
      let document = try await run.end().document()
      #expect(document.verdict == .interrupted)
      #expect(document.notes.contains { $0.contains(pending.said) }, "\(document.notes)")
      #expect(document.notes.contains { $0.contains("--started-by infrabench-") }, "\(document.notes)")
      #expect(document.findings?["started_by"] != nil)
    }
  }

  // MARK: What RunTask says

  @Test func theAnsweredTryAloneIsRunTaskAndWhatWentBeforeIsApart() async throws {
    let throttle = StartedTaskWorld.Start.refused(code: "ThrottlingException", message: "Rate exceeded")
    let world = StartedTaskWorld(
      .init(start: { $0 < 3 ? throttle : .answered }, stop: { $0 < 2 ? throttle : .answered }))
    let result = try await world.run(
      "bench-e2e", ["--count", "2", "--start-timeout", "20s", "--no-default-thresholds", "--allow-saturated"])
    let document = try result.document()
    #expect(document.counters["errors"] == 0, "\(result.talk)")
    #expect(document.metrics["run_task"]?.count == 2 && document.metrics["run_task_pauses"]?.count == 1)
    // Two tries of RunTask; a StopTask only where a task did not end with its user.
    #expect(document.counters["ecs_throttles"] ?? 0 >= 2)
    #expect(document.counters["ecs_retries"] == document.counters["ecs_throttles"])
    #expect(document.notes.contains { $0.contains("throttled") && $0.contains("run_task_pauses") }, "\(document.notes)")
    let pauses = try #require(document.metrics["run_task_pauses"]).max
    let whole = try #require(document.metrics["end_to_end_cold"] ?? document.metrics["run_task"]).max
    if document.metrics["end_to_end_cold"] != nil { #expect(whole > pauses) }
  }

  @Test(arguments: [
    ("ClientException", "Capacity is unavailable at this time. Please try again later or in a different zone"),
    ("ClientException", "You've reached the limit on the number of vCPUs you can run concurrently"),
    ("InvalidParameterException", "Capacity is unavailable, try again later"),
  ]) func aLackOfCapacityIsAFailedIteration(code: String, message: String) async throws {
    let world = StartedTaskWorld(
      .init(start: { $0 == 1 ? .refused(code: code, message: message) : .answered }))
    let result = try await world.run("bench-e2e", ["--count", "3", "--no-default-thresholds", "--allow-saturated"])
    let document = try result.document()
    #expect(world.calls("RunTask") == 3, "\(result.talk)")
    #expect(document.errors.map(\.kind) == ["run_task: no_capacity"], "\(document.errors)")
    #expect(document.counters["iterations"] == 3 && document.counters["cold_starts"] == 2)
  }
}
