import FoundationEssentials
import Gateway
import ProcessControl
package import Latency
package import LoadEngine
package import Results
import Transport
import WarmTask

/// Checks whether a pool keeps its promises. The verdict is about what must hold; times are recorded beside it.
package struct VerifyBenchmark: GatewayBenchmark {
  package static let description = ToolDescription(
    "bench-verify", headlines: ["resume", "warm_after", "cold", "visit", "recovery"],
    metrics: [
      .init("cold", failures: .ofItsOwn), .init("warm_after", failures: .ofItsOwn),
      .init("resume", failures: .ofItsOwn), .init("resume_first_response", failures: .ofItsOwn),
      .init("resume_cold", failures: .ofItsOwn), .init("resume_first_response_cold", failures: .ofItsOwn),
      .init("visit", failures: .ofItsOwn), .init("visit_service", failures: .ofItsOwn),
      .init("visit_cold", failures: .ofItsOwn), .init("visit_cold_service", failures: .ofItsOwn),
      .init("recovery", failures: .ofItsOwn, timeouts: ["recovery"]),
    ],
    counters: VerifyCounter.allCases.map { .init($0.rawValue, .bad, share: .none) } + [
      .init("misses", .bad), .unreleased,
    ],
    parameters: .gateway + [
      "checks", "users", "rounds", "gap", "end", "rate", "duration", "recovery", "faults", "taskUids", "timeout",
      .init("userId", shapesLoad: false), .init("seed", shapesLoad: false), "remember", "recall", "expect",
    ],
    judgesErrors: false,
    defaultThresholds: VerifyCounter.allCases.map { "\($0.rawValue) == 0" })
  package static let catalogue = description.catalogue

  static let cold = catalogue.metric("cold")
  static let warmAfter = catalogue.metric("warm_after")
  static let resume = catalogue.metric("resume")
  static let resumeCold = catalogue.metric("resume_cold")
  static let resumeFirstResponse = catalogue.metric("resume_first_response")
  static let resumeFirstResponseCold = catalogue.metric("resume_first_response_cold")
  static let visit = catalogue.operation("visit")
  static let visitCold = catalogue.operation("visit_cold")
  static let recovery = catalogue.metric("recovery")
  static let misses = catalogue.counter("misses")

  package var target: TargetSettings
  package var settings: VerifySettings

  package var parameters: [String: JSONValue] { target.parameters.merging(settings.parameters) { $1 } }

  package var timeouts: [String: Nanoseconds] { ["timeout": settings.timeout, "recovery": settings.recovery] }

  package var openFiles: Int { 2 * max(ChurnCheck.mostUsers, settings.users) + target.openFiles }

  package var callsAWS: Bool { settings.stopsTasks || settings.playsECSFaults }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.settings.seed = seed
    return benchmark
  }

  package func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    return try await GatewaySession.with(
      targetWithTokens, timeout: settings.timeout, usesSockets: true, bench: bench,
      gatewayArguments: try gatewayArguments()
    ) { session async throws(BenchmarkFailure) in
      let program = UserProgram.command([try Executables.path(of: "session-stand-in"), "--verbs"])
      return try await SuppliedAgents.with(target, session: session, program: program) {
        () async throws(BenchmarkFailure) in
        try await measure(session, startedAt: startedAt)
      }
    }
  }

  /// The target, with a token for each user where the embedded gateway tells users by their tokens.
  private var targetWithTokens: TargetSettings {
    var target = target
    guard case .embedded = target.gateway, target.tokens.isEmpty, target.tokenCommand == nil,
      target.profile?.session?.needsToken ?? false
    else { return target }
    let most = max(ChurnCheck.mostUsers, settings.users, settings.rounds * ResumeCheck.mostGaps)
    target.tokens = (0...most).map { number in
      TokenSource.ofStandIn(for: LoadSettings.userID(settings.userIDPrefix, number, of: Int.max))
    }
    return target
  }

  /// What makes the embedded gateway's tasks run the stand-in with its verbs, and its faults controllable.
  private func gatewayArguments() throws(BenchmarkFailure) -> [String] {
    var program = [try Executables.path(of: "session-stand-in")]
    // Its own bounds are shorter than the users' time-out: a user is to be told in time.
    var arguments = ["--control", "--init-timeout", "10s", "--cold-start-timeout", "25s"]
    if target.profile?.session?.isStreamed ?? false {
      program += ["--chunks", "2", "--chunk-delay", "20ms"]
      arguments += ["--keep-sessions", "3s"]
    }
    program.append("--verbs")
    arguments += ["--command", ShellWords.joined(program)]
    if let uids = settings.taskUids { arguments += ["--task-uids", uids] }
    return arguments
  }

  private func measure(_ session: GatewaySession, startedAt: Date) async throws(BenchmarkFailure) -> Measurement {
    let begin = MonotonicClock.now()
    let recorder = VerifyRecorder(beganAt: begin)
    let monitor = GeneratorMonitor(session.loops)
    let profile = await ProfileFinder.find(session)
    let site = VerifySite(session: session, profile: profile, settings: settings, recorder: recorder)
    try await reach(session)
    var churn: LoadRun?
    for check in PoolCheck.allCases where settings.checks.contains(check) {
      if let reason = settings.leftOut[check] {
        recorder.leaveOut(check, because: reason)
      } else if Task.isCancelled {
        recorder.leaveOut(check, because: "the run was interrupted before it")
      } else {
        recorder.begin(check)
        let (outcome, run) = try await perform(check, site)
        recorder.end(outcome)
        churn = run ?? churn
        await session.releaseHeld()
      }
      if let record = recorder.checks.last {
        session.bench.console.note("check \(record.name): \(record.words)\(record.reason.map { " (\($0))" } ?? "")")
      }
    }
    var measurement = Measurement(
      recording: recorder.recording,
      generator: await monitor.finish(recorder.recording, backlogMax: churn?.backlogMax ?? 0, judgesLateness: false),
      target: session.document(profile), startedAt: startedAt, duration: MonotonicClock.now() - begin,
      timeline: churn.flatMap { ResultTimeline($0.timeline, of: "visit") })
    measurement.checks = recorder.checks
    measurement.failures = recorder.failures
    measurement.untested = untested(recorder.checks)
    measurement.worthless = worthless(recorder.checks)
    session.bench.beforeGivingBack(measurement)
    return measurement
  }

  /// Problem: where nothing listens, each check would find that its users were told nothing.
  private func reach(_ session: GatewaySession) async throws(BenchmarkFailure) {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    if case .failure(let error) = await client.connect(), !error.isCancellation {
      throw BenchmarkFailure("the gateway cannot be reached: \(error.message)")
    }
  }

  private func perform(
    _ check: PoolCheck, _ site: VerifySite
  ) async throws(BenchmarkFailure) -> (CheckOutcome, LoadRun?) {
    switch check {
    case .fallback: return (await FallbackCheck(site: site).perform(), nil)
    case .resume:
      let ecs = settings.stopsTasks ? try ecs(site.session) : nil
      return (await ResumeCheck(site: site, ecs: ecs).perform(), nil)
    case .storm: return (await StormCheck(site: site).perform(), nil)
    case .isolation: return (await IsolationCheck(site: site).perform(), nil)
    case .churn:
      let executor = site.session.loops.executor(forUser: 0)
      let control =
        settings.faults == nil ? nil : site.session.control.map { FaultControl(access: $0, executor: executor) }
      let ecs = settings.playsECSFaults ? try ecs(site.session) : nil
      let churn = ChurnCheck(site: site, faults: control, ecs: ecs)
      let (outcome, run) = try await churn.perform()
      return (outcome, run)
    }
  }

  private func ecs(_ session: GatewaySession) throws(BenchmarkFailure) -> ECSConnection? {
    if let ecs = settings.ecs {
      return try ECSConnection.open(
        ecs, environment: ProcessInfo.processInfo.environment, bench: session.bench, timeout: settings.timeout)
    }
    return try session.embeddedECS.map { access throws(BenchmarkFailure) in
      try ECSConnection.open(embedded: access, bench: session.bench, timeout: settings.timeout)
    }
  }

  /// The counters of checks that were not tried: 0 would say that they were.
  private func untested(_ checks: [CheckRecord]) -> Set<String> {
    let tested = Set(checks.filter { $0.verdict != .notTested }.flatMap(\.counters))
    return Set(VerifyCounter.allCases.map(\.rawValue)).subtracting(tested)
  }

  /// Why the run is no verification: a check that was asked for by its name, or every check, could not be tried. A
  /// violation counts more than that.
  private func worthless(_ checks: [CheckRecord]) -> String? {
    guard !checks.contains(where: { $0.verdict == .fail }) else { return nil }
    let left = checks.filter { $0.verdict == .notTested }
    guard settings.isAskedByName || left.count == checks.count, !left.isEmpty else { return nil }
    return left.map { "\($0.name) was not tested: \($0.reason ?? "")" }.joined(separator: "; ")
  }
}

/// What bench-verify is to do, checked.
package struct VerifySettings: Sendable {
  /// How the first session of a user who returns ends.
  package enum End: String, Sendable, CaseIterable {
    case disconnect
    case stopTask = "stop-task"
    case idle
  }

  var checks: Set<PoolCheck>
  /// Whether the user has named the checks: one that cannot be tried is an error then.
  var isAskedByName = false
  /// Checks that are not made here, with the reasons.
  var leftOut: [PoolCheck: String] = [:]
  /// The users of the isolation check.
  var users = 5
  var rounds = 1
  /// How long a user who returns stays away; nil: several gaps are tried.
  var gap: Nanoseconds?
  var end = End.disconnect
  var rate = ArrivalRate(starts: 5, period: .seconds(1))
  var duration: Nanoseconds = .seconds(10)
  /// How long the pool may take until it is full, or at its target again.
  var recovery: Nanoseconds = .seconds(30)
  /// The plan of faults that plays during the churn; nil: none.
  var faults: String?
  /// Whether faults of ECS are among them, so that ECS is asked during the churn too.
  var playsECSFaults = false
  /// The range of uids that the embedded gateway's tasks take, such as `10000-19999`; nil: all have the gateway's.
  var taskUids: String?
  /// The bound of one request.
  var timeout: Nanoseconds = .seconds(30)
  var userIDPrefix: String
  var seed: UInt64
  /// What a user says to a real program; nil: the stand-in's verbs are used.
  var lines: UserLines?
  /// The ECS that stops tasks; nil: the embedded gateway's own.
  var ecs: ECSSettings?
  var timeline: Nanoseconds?

  /// Whether tasks are stopped through ECS.
  var stopsTasks: Bool { end == .stopTask && checks.contains(.resume) }

  var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = [
      "checks": .string(PoolCheck.allCases.filter(checks.contains).map(\.rawValue).joined(separator: ",")),
      "users": .int(Int64(users)), "rounds": .int(Int64(rounds)), "end": .string(end.rawValue),
      "rate": .string(RateText.write(rate)), "duration": .string(DurationText.write(duration)),
      "recovery": .string(DurationText.write(recovery)), "timeout": .string(DurationText.write(timeout)),
      "userId": .string(userIDPrefix), "seed": .int(Int64(seed)),
    ]
    if let gap { parameters["gap"] = .string(DurationText.write(gap)) }
    if let faults { parameters["faults"] = .string(faults) }
    if let taskUids { parameters["taskUids"] = .string(taskUids) }
    if let lines {
      parameters["remember"] = .string(lines.remember)
      parameters["recall"] = .string(lines.recall)
      if let expect = lines.expect { parameters["expect"] = .string(expect) }
    }
    return parameters
  }
}
