import Glibc
import ProcessControl
import Testing

@testable import InfraBench

/// What a run that stops tasks does to a service that somebody else changes, or that is not at rest: nothing.
@Suite(.timeLimit(.minutes(2))) struct ServiceOwnerTests {
  private func run(_ ecs: ScriptedECS, _ more: String...) async throws -> BenchResult {
    try await ecs.serve { url in
      try await BenchRun.run(
        "bench-exhaustion",
        [
          "--drain-by", "stop-tasks", "--ecs-endpoint-url", url, "--cluster", "pool", "--service", "warm",
          "--confirm-stop", "warm", "--allow-saturated", "--poll-interval", "200ms", "--timeout", "500ms",
        ] + more, environment: ScriptedECS.environment)
    }
  }

  @Test(arguments: [["--refill-timeout", "900ms"], ["--refill-timeout", "900ms", "--restore-desired-count"]])
  func aCountThatIsLoweredIsPutBackOnlyWhereThatWasAskedFor(options: [String]) async throws {
    let ecs = ScriptedECS(.init(scalesTo: 2))
    let result = try await run(ecs, options[0], options[1], options.count > 2 ? options[2] : "--quiet")
    let isAsked = options.contains("--restore-desired-count")
    #expect(ecs.desiredCount == (isAsked ? 3 : 2) && ecs.calls("UpdateService") == (isAsked ? 1 : 0), "\(result.talk)")
    let document = try result.document()
    #expect(
      document.findings?["desired_count"] == (isAsked ? "3, put back from 2" : "3 before the run, 2 after it"))
    if isAsked {
      #expect(document.notes.contains { $0.contains("from 3 to 2 during the run; it was put back to 3") })
    } else {
      let note = document.notes.first { $0.contains("from 3 to 2 during the run") }
      #expect(note?.contains("--restore-desired-count") == true, "\(document.notes)")
      #expect(note?.contains("aws ecs update-service --cluster pool") == true, "\(document.notes)")
      #expect(note?.contains("--service warm --desired-count 3") == true, "\(document.notes)")
    }
  }

  @Test func aServiceThatIsBeingDeletedIsNeverRaisedAgain() async throws {
    let ecs = ScriptedECS(.init(desiredCount: 4, scalesTo: 0, becomes: "DRAINING"))
    let result = try await run(ecs, "--refill-timeout", "900ms", "--restore-desired-count")
    #expect(ecs.desiredCount == 0 && ecs.calls("UpdateService") == 0, "\(result.talk)")
    let document = try result.document()
    #expect(document.findings?["desired_count"] == "4 before the run, 0 after it")
    #expect(document.notes.contains { $0.contains("the service is DRAINING") }, "\(document.notes)")
  }

  @Test func aCountThatSomebodyChangedEndsTheRunBeforeItsNextDrain() async throws {
    // Raised, so that the first refill is full all the same.
    let ecs = ScriptedECS(.init(desiredCount: 2, placementSeconds: 1, scalesTo: 3))
    let result = try await run(ecs, "--cycles", "2", "--timeout", "10s")
    #expect(ecs.stopped.count == 2, "\(result.talk)")
    #expect(result.talk.contains("changed the service's desiredCount from 2 to 3"), "\(result.talk)")
  }

  @Test(arguments: [
    (ScriptedECS.Rules(desiredCount: 2, initialTasks: 5), "5 running tasks"),
    (.init(desiredCount: 0, status: "INACTIVE", initialTasks: 3), "INACTIVE"),
    (.init(desiredCount: 3, status: "DRAINING"), "DRAINING"),
    (.init(desiredCount: 0, initialTasks: 3), "desiredCount is 0"),
  ]) func onlyTheTasksOfAPoolAtRestAreStopped(rules: ScriptedECS.Rules, said: String) async throws {
    let ecs = ScriptedECS(rules)
    let result = try await run(ecs)
    #expect(ecs.stopped.isEmpty && ecs.calls("StopTask") == 0, "\(result.talk)")
    #expect(result.status == .exited(1) && result.talk.contains(said), "\(result.talk)")
  }

  @Test func whatIsStoppedIsSaidBeforeTheFirstStopTask() async throws {
    let ecs = ScriptedECS(.init(denied: ["StopTask"]))
    let result = try await run(ecs, "--drain-count", "2")
    let line = result.talk.split(separator: "\n").first { $0.contains("stopping 2 of 3 running tasks") }
    for word in ["service warm", "cluster pool", "region eu-west-1"] {
      #expect(line?.contains(word) == true, "\(result.talk)")
    }
  }

  @Test func aDeploymentThatBeginsDuringARefillIsSaidAndItsFiguresAreNotTrusted() async throws {
    let ecs = ScriptedECS(.init(placementSeconds: 1, deploymentsAfterStop: 2))
    let result = try await run(ecs)
    #expect(ecs.stopped.count == 3)
    let document = try result.document()
    #expect(document.notes.contains { $0.contains("a deployment of the service began") }, "\(document.notes)")
    #expect(document.metrics["refill_full"]?.unreliable.isEmpty == false)
    #expect(document.metrics["drain"]?.unreliable == [])
    #expect(document.findings?["deployment"] != nil)
  }

  @Test func throttledStopsAreCountedAndTheirPausesAreApart() async throws {
    let ecs = ScriptedECS(.init(placementSeconds: 5, throttled: ["StopTask": 1...1, "ListTasks": 1...1]))
    let result = try await run(ecs)
    let document = try result.document()
    #expect(document.counters["throttled_stops"] == 1, "\(result.talk)")
    #expect(document.metrics["drain"]?.count == 3 && document.metrics["drain_pauses"]?.count == 1)
    #expect(document.notes.contains { $0.contains("1 StopTask") && $0.contains("drain_pauses") }, "\(document.notes)")
    // The first look alone is tried again, and that is no gap.
    #expect(document.notes.contains { $0.contains("the first look at ECS was throttled") }, "\(document.notes)")
  }
}
