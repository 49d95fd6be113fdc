import AWS
import FoundationEssentials
import Glibc
import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

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

  @Test(
    .wholeSuiteOnly,
    arguments: [["--refill-timeout", "900ms"], ["--refill-timeout", "900ms", "--restore-desired-count"]])
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

  private static let arguments = [
    "--drain-by", "stop-tasks", "--cluster", "pool", "--service", "warm", "--confirm-stop", "warm", "--allow-saturated",
    "--poll-interval", "200ms",
  ]

  @Test func whatIsStoppedIsReadByThenAlsoWithQuiet() async throws {
    let started = Mutex<BenchRun?>(nil)
    let said = Mutex<String?>(nil)
    let ecs = ScriptedECS(
      .init(beforeFirstStop: {
        let text = started.withLock { $0?.running.standardErrorSoFar }
        said.withLock { $0 = $0 ?? text }
      }))
    try await ecs.serve { url in
      let run = try await BenchRun.start(
        "bench-exhaustion", Self.arguments + ["--ecs-endpoint-url", url, "--quiet"],
        environment: ScriptedECS.environment)
      started.withLock { $0 = run }
      #expect(await run.end().status == .exited(0))
    }
    let text = try #require(said.withLock { $0 })
    #expect(text == "stopping 3 of 3 running tasks: service warm, cluster pool, region eu-west-1\n")
  }

  @Test func nothingIsStoppedBeforeThatCouldBeWritten() async throws {
    let ecs = ScriptedECS(.init())
    let scratch = try Scratch()
    let pipe = try FullPipe()
    try await ecs.serve { url in
      let child = try await ProcessKeeper.shared.spawn(
        ProcessRequest(
          executable: try Tool(name: "bench-exhaustion").path, arguments: Self.arguments + ["--ecs-endpoint-url", url],
          environment: ProcessInfo.processInfo.environment.merging(ScriptedECS.environment) { $1 }
            .merging(["GATEWAY_URL": ""]) { $1 },
          workingDirectory: scratch.path, standardInput: .null, standardOutput: .null,
          standardError: .descriptor(pipe.write), diesWithParent: true))
      // The look right before the drain.
      try await eventually("no drain") { ecs.calls("DescribeServices") >= 2 }
      try await Task.sleep(for: .seconds(1))
      #expect(ecs.calls("StopTask") == 0)
      let text = await Task.detached { pipe.rest() }.value
      #expect(await child.waitForExit() == .exited(0))
      #expect(ecs.stopped.count == 3 && text.contains("stopping 3 of 3 running tasks"), "\(text)")
    }
  }

  @Test func aCountThatIsLoweredWhileTasksAreStoppedEndsTheDrain() async throws {
    let ecs = ScriptedECS(.init(desiredCount: 60, placementSeconds: 600, scalesTo: 40))
    let result = try await run(ecs, "--refill-timeout", "2s")
    let document = try result.document()
    // Asked again before the 21st; those under way then are stopped.
    #expect(ecs.stopped.count == 20, "\(ecs.stopped.count) were stopped")
    #expect(document.metrics["drain"]?.count == 20 && document.findings?["drained"] == 20)
    let error = document.errors.first { $0.kind == "service_changed" }
    #expect(error?.example.contains("desiredCount from 60 to 40") == true, "\(document.errors)")
    #expect(error?.example.contains("no more tasks were stopped than 20 of 60") == true, "\(document.errors)")
    #expect(result.status == .exited(99), "\(result.talk)")
    // Before the run, before the drain, once during it, after the cycle and after the run.
    #expect(ecs.calls("DescribeServices") == 5)
  }

  /// ECS refuses the question, or is mute: nobody has changed the service, as far as is known.
  @Test(
    .wholeSuiteOnly,
    arguments: [
      (ScriptedECS.Rules(desiredCount: 60, deniedAfterStops: ["DescribeServices": 1]), "AccessDenied"),
      (.init(desiredCount: 60, secondsAfterStop: ["DescribeServices": 30]), "did not say within 2s"),
    ])
  func aDrainThatEndedAsECSCouldNotBeAskedIsNoChangeOfTheService(rules: ScriptedECS.Rules, said: String) async throws {
    let ecs = ScriptedECS(rules)
    let begin = ContinuousClock.now
    let result = try await run(ecs, "--refill-timeout", "2s")
    // Two seconds of asking in the drain and five at the end; a drain that waited for the answer would take 30.
    #expect(begin.duration(to: .now) < .seconds(28))
    let document = try result.document()
    #expect(ecs.stopped.count == 20, "\(ecs.stopped.count) were stopped")
    let error = document.errors.first { $0.kind == "service_unreadable" }
    #expect(error?.example.contains(said) == true, "\(document.errors)")
    #expect(error?.example.contains("no more tasks were stopped than 20 of 60") == true, "\(document.errors)")
    #expect(!document.errors.contains { $0.kind == "service_changed" })
  }

  @Test func aLargeDrainThatNobodyDisturbsGoesOnToItsEnd() async throws {
    let ecs = ScriptedECS(.init(desiredCount: 60))
    let result = try await run(ecs, "--timeout", "20s", "--refill-timeout", "40s")
    #expect(ecs.stopped.count == 60, "\(result.talk)")
    #expect(try result.document().metrics["drain"]?.count == 60)
  }

  @Test func aServiceThatCannotBeReadAfterACycleIsSaid() async throws {
    let ecs = ScriptedECS(.init(deniedFrom: ["DescribeServices": 3]))
    let result = try await run(ecs)
    let document = try result.document()
    #expect(
      document.notes.contains {
        $0.hasPrefix("whether a deployment of the service began in cycle 1 could not be read")
      },
      "\(document.notes)")
    #expect(document.metrics["refill_full"]?.count == 1)
  }

  /// A run that only reads, cycle by cycle.
  @Test func aDeploymentIsSaidOfTheCyclesThatItWentOnInAlone() async throws {
    let ecs = ScriptedECS(.init())
    try await ecs.serve { url in
      let bench = RunContext(console: Console(print: .json, isQuiet: true))
      let flags = AWSConfiguration.Flags(region: "eu-west-1", ecsEndpointURL: url)
      let filter = TaskFilter(cluster: "pool", serviceName: "warm")
      let keeper = ServiceGuard(
        ecs: try ECSConnection.open(
          ECSSettings(flags: flags, filter: filter), environment: ScriptedECS.environment, bench: bench),
        service: "warm", stopsTasks: false, restores: false, bench: bench)
      var last = try #require(await keeper.read())
      var said: [String?] = []
      func endCycle() async { said.append(await keeper.deployment(inCycle: said.count + 1, since: &last)) }
      await endCycle()
      ecs.change { ($0.deployments, $0.deployment) = (2, "ecs-svc/new") }
      await endCycle()
      await endCycle()
      ecs.change { $0.deployments = 1 }
      await endCycle()
      await endCycle()
      ecs.change { $0.deployment = "ecs-svc/newer" }
      await endCycle()
      await endCycle()
      let began = "a deployment of the service began during the refill, ecs-svc/new"
      let wentOn = "a deployment of the service went on during the refill"
      #expect(said == [nil, began, wentOn, wentOn, nil, began + "er", nil])
      #expect(bench.notes.all.isEmpty)
    }
  }

  @Test(.wholeSuiteOnly) func throttledStopsAreCountedAndTheirPausesAreApart() async throws {
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
