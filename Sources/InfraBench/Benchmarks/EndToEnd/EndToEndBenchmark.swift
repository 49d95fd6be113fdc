import FoundationEssentials
import Gateway
package import Latency
package import LoadEngine
import Transport
import WarmTask
package import Results

/// Measures a user's whole way, from the request to the first answer of the user's process (tests 2.2 and 2.3 of the
/// test plan).
package struct EndToEndBenchmark: GatewayBenchmark {
  /// The part of the user's way that a gateway lets a client see.
  package enum Route: String, Sendable {
    /// `/session/{userId}` connects the user to the user's process: the whole way is seen.
    case session
    /// The tool supplies the tasks (`--agents`) and sees the phases from inside them; users are not connected to a
    /// process.
    case agents
    /// Only the REST side is seen: the assignment, and readiness by the status.
    case status

    /// The metric of the whole way, or of the part of it that a client sees.
    var headline: String { self == .session ? "end_to_end" : "ready" }
  }

  /// When a connection is cut.
  package enum Reconnect: String, Sendable, CaseIterable {
    case afterReady = "after-ready"
    case midAnswer = "mid-answer"
  }

  package static let description = ToolDescription(
    "bench-e2e", headlines: ["end_to_end", "end_to_end_cold", "first_response", "ready"],
    metrics: [
      .init("end_to_end"), .init("end_to_end_service"), .init("ready"), .init("ready_service"), .init("acquire"),
      .init("init_user"), .init("workspace"), .init("process_start"), .init("first_response"),
      .init("first_response_warm"), .init("first_response_cold", timeouts: ["timeout", "startTimeout"]),
      .init("complete", samples: .eachMessage), .init("gap", samples: .eachMessage),
      .init("message_roundtrip", samples: .eachLaterMessage), .init("recovery"),
      .init("end_to_end_cold", timeouts: ["timeout", "startTimeout"]),
      .init("end_to_end_cold_service", timeouts: ["timeout", "startTimeout"]), .init("connect", .setUp),
      .init("tls", .setUp), .init("upgrade", .setUp),
    ] + ColdStarts.metrics,
    counters: [.init("cold_starts", .bad), .init("failed_steps", .bad)]
      + EndToEndStep.allCases.map { .init($0.counterName) } + [
        .init("questions", share: .none), .init("sessions_held"), .init("sessions_lost"), .init("unclassified"),
        .init("duplicate_assignments", .bad), .unreleased,
        .init("idle_sessions_opened", share: .none), .init("idle_messages", share: .none),
        .init(IdleSessions.lostCounter, .bad, share: .none), SoakCounters.description,
      ] + ColdStarts.counters,
    parameters: .load + .gateway + .runTask + [
      "command", "message", "expect", "messages", "holdSessions", "reconnect", "idleSessions", "idleGap",
    ] + .soak,
    breakdowns: [
      // Where the way ends at `ready`, the phases are seen from inside the task, and `acquire` includes them.
      .init(of: "end_to_end", [.metric("acquire"), initUser, .fitting(["first_response_warm", "first_response"])]),
      .init(of: "ready", [initUser], unless: "end_to_end"),
      // The cold start of a task that the first message starts.
      .init(of: "end_to_end_cold", [.metric("first_response_cold")]),
      .init(of: "end_to_end_cold", ColdStarts.parts, overlaps: true, unless: "first_response_cold"),
    ],
    panels: [
      .init(
        "First token and completion",
        [
          .init("first_response", "first token"), .init("message_roundtrip", "first token of later messages"),
          .init("complete", "completion"),
        ], needs: ofStreams,
        remarks: [
          (
            "message_roundtrip",
            "completion is that of all messages; the first token of a session's first message stands apart"
          )
        ])
    ],
    references: [
      .init("streamed answers: first token", "4268 / 3869 ms", needs: ofStreams),
      .init("streamed answers: completion", "6848 / 6624 ms", needs: ofStreams),
      .init("streamed answers before the fix: first token", "7624–8484 ms", needs: ofStreams),
      .init("streamed answers before the fix: completion", "12363–20414 ms", needs: ofStreams),
      .init("stage, real gateway: whole restart", "368 ms"),
      .init("real image: whole initialisation", "234–282 ms"), .init("real image: optima --version", "234–262 ms"),
    ] + .taskStarts,
    defaultThresholds: ["process_start.p99 < 1s", "end_to_end.p99 < 2s", "failed_steps == 0"],
    canSoak: true)
  package static let catalogue = description.catalogue

  private static let initUser = ToolDescription.Breakdown.Part.enclosing("init_user", ["workspace", "process_start"])
  /// A result with streamed answers has both of these metrics.
  private static let ofStreams = ["first_response", "complete"]

  /// The domain's bound of a cold start is added where this tool causes cold starts: a warm pool's users have none.
  package var defaultThresholds: [String] {
    let isStreamed = target.profile?.session?.isStreamed ?? false
    // A streamed answer's time is mostly the model's, so that the thresholds on time do not apply.
    return (isStreamed ? ["failed_steps == 0"] : Self.description.defaultThresholds)
      + (runTask == nil ? [] : ["end_to_end_cold.max < 25s"])
      + (idle == nil ? [] : ["\(IdleSessions.lostCounter) == 0"])
      + (soak?.defaultThresholds(length: load.length) ?? [])
  }

  package var target: TargetSettings
  package var load: LoadSettings
  /// The user's command as it was written; nil: the stand-in.
  package var command: String?
  /// The command's words; at least one where there is a command.
  package var commandWords: [String] = []
  /// The message that a user sends.
  package var message: String
  /// The regular expression that an answer matches; nil: the first line after the message is the answer.
  package var expect: String?
  /// The number of messages that a user sends over one session, at least 1.
  package var messages = 1
  /// How long a session is then held; nil: it is ended at once.
  package var holdSessions: Nanoseconds?
  /// When a session's connection is cut, to resume the session; nil: never.
  package var reconnect: Reconnect?
  /// How this tool starts tasks for its users; nil: the gateway causes the cold starts.
  package var runTask: RunTaskSettings?
  /// Silent sessions beside the load; nil: none.
  var idle: IdleSessions.Plan?
  /// How the run is watched minute by minute; nil: it is no soak.
  package var soak: SoakSettings?

  package var parameters: [String: JSONValue] {
    load.parameters.merging(target.parameters) { $1 }.merging(runTask?.parameters ?? [:]) { $1 }.merging([
      "command": command.map { .string($0) } ?? (runsStandIn ? "session-stand-in" : nil), "message": .string(message),
    ]) { $1 }.merging(expect.map { ["expect": .string($0)] } ?? [:]) { $1 }.merging(conversation) { $1 }
  }

  /// The parameters of a session with more than one message and its answer.
  private var conversation: [String: JSONValue] {
    var parameters: [String: JSONValue] = [:]
    if messages > 1 { parameters["messages"] = .int(Int64(messages)) }
    if let holdSessions { parameters["holdSessions"] = .string(DurationText.write(holdSessions)) }
    if let reconnect { parameters["reconnect"] = .string(reconnect.rawValue) }
    if let idle {
      parameters["idleSessions"] = .int(Int64(idle.sessions))
      parameters["idleGap"] = .string(DurationText.write(idle.gap))
    }
    if let soak { parameters["soak"] = .string(DurationText.write(soak.every)) }
    return parameters
  }

  /// Whether the user's program is the stand-in, which echoes; the program of a remote gateway's own tasks is unknown.
  private var runsStandIn: Bool {
    if case .remote = target.gateway, target.agents == 0 { return false }
    return command == nil
  }

  func expectedAnswer(of profile: GatewayProfile) -> ExpectedAnswer {
    // The pattern was compiled when the option was read, so that it compiles here too.
    if let expect, let pattern = try? AnswerPattern(expect) { return .matching(pattern) }
    return runsStandIn && profile.session?.first.isAny ?? true ? .echo : .anyLine
  }

  package var timeouts: [String: Nanoseconds] { load.timeouts(beside: runTask) }

  package var maxInFlight: Int? { load.maxInFlight }

  package var callsAWS: Bool { runTask != nil }

  /// Each user has a connection to each side of the gateway.
  package var openFiles: Int { 2 * (load.ownUsers + (idle?.sessions ?? 0)) + target.openFiles }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.load.seed = seed
    return benchmark
  }

  package func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    let agents = AgentTimeline()
    let gatewayArguments = command.map { ["--command", $0] } ?? []
    return try await GatewaySession.with(
      target, timeout: load.timeout, threads: load.arrivals.threads, usesSockets: true, bench: bench,
      gatewayArguments: gatewayArguments
    ) { session async throws(BenchmarkFailure) in
      let program = command == nil ? nil : UserProgram.command(commandWords)
      return try await SuppliedAgents.with(target, session: session, program: program, observer: agents.observe) {
        () async throws(BenchmarkFailure) in
        guard let runTask else { return try await measure(session, agents, nil, startedAt: startedAt) }
        return try await EndToEndMetrics.taskStarts.with(runTask, session: session) {
          starter async throws(BenchmarkFailure) in
          try await measure(session, agents, starter, startedAt: startedAt)
        }
      }
    }
  }

  private func measure(
    _ session: GatewaySession, _ agents: AgentTimeline, _ starter: TaskStarter?, startedAt: Date
  ) async throws(BenchmarkFailure) -> Measurement {
    let profile = await ProfileFinder.find(session)
    let route: Route =
      profile.session != nil ? .session : target.agents > 0 || profile.status == nil ? .agents : .status
    say(route, profile, session.bench)
    // A run that starts its tasks has cold starts only, which the route's headline never includes.
    let headline = starter == nil ? route.headline : "end_to_end_cold"
    let scenario = EndToEndScenario(
      session: session, profile: profile, route: route, agents: agents, self, starter: starter)
    let isLazy = profile.session?.isLazy ?? false
    var untested = untested(profile, hasStarter: starter != nil)
    let idleSessions = idle.flatMap { plan in
      profile.session.map { IdleSessions(plan, scenario: scenario, role: $0) }
    }
    if idleSessions == nil { untested.formUnion(IdleSessions.counters) }
    let soakRun = try SoakRun.open(
      soak, of: self, session, target: session.document(profile), startedAt: startedAt,
      untested: untested.union([SoakCounters.leakedTasks]), seed: load.seed, givesStatus: profile.status != nil,
      otherCounters: { idleSessions?.counts ?? [:] })
    let monitor = GeneratorMonitor(session.loops)
    let progress = ProgressCounter()
    var plan = load.plan
    // A task's start has a time-out of its own.
    if let runTask { plan.drainBound = max(plan.drainBound, runTask.startTimeout) }
    let begin = load.begin(session.bench)
    let perform = { @Sendable [plan] () async -> LoadRun in
      await begin.accompany(progress) {
        await LoadRun.perform(
          scenario, plan: plan, catalogue: Self.catalogue, on: session.loops, monitor: monitor, progress: progress,
          headline: Self.catalogue.metric(headline), timeline: load.arrivals.timeline, parts: soakRun?.parts,
          sharedBegin: begin?.wait)
      }
    }
    let makeLoad = { @Sendable () async -> LoadRun in
      await ProgressReport.showing(progress, of: load, console: session.bench.console) {
        if let starter { return await starter.endingOnRefusal(perform) }
        return await scenario.pool.watching(ifNeeded: load.isOpenLoop, through: session, perform)
      }
    }
    let watched = { @Sendable () async -> LoadRun in
      // Where a message starts the task, the iteration cannot wait for a warm one either. Idle sessions have their tasks
      // by now.
      if load.isOpenLoop || isLazy { await RefillWait.beforeLoad(on: target, session) }
      return if let soakRun { await soakRun.watching(makeLoad) } else { await makeLoad() }
    }
    var run = if let idleSessions { await idleSessions.besides(watched) } else { await watched() }
    try begin.checkBegun()
    for (name, count) in idleSessions?.counts ?? [:] { run.recording.count(Self.catalogue.counter(name), by: count) }
    untested.insert(SoakCounters.leakedTasks)
    if let leaked = await soakRun?.leakedTasks() {
      run.recording.count(Self.catalogue.counter(SoakCounters.leakedTasks), by: UInt64(leaked))
      untested.remove(SoakCounters.leakedTasks)
    }
    EndToEndMetrics.taskStarts.noteOthers(run.recording, session.bench)
    if run.recording[EndToEndMetrics.unclassified] > 0 {
      session.bench.note(
        "some tasks could not be told warm from cold: "
          + (isLazy ? "first_response and end_to_end hold them as well" : "they are in no latency"))
    }
    var measurement = Measurement(
      recording: run.recording, generator: await monitor.finish(run),
      target: session.document(profile), startedAt: startedAt, duration: run.endedAt - run.startedAt,
      timeline: ResultTimeline(run.timeline, of: headline),
      findings: ["route": .string(route.rawValue)])
    measurement.take(silence: run.silence, failedSetUps: run.failedSetUps)
    measurement.shard = begin?.measurement(run.recording, measuredAt: run.startedAt)
    measurement.reasonWithoutSample = scenario.pool.reasonWithoutWarmTask
    measurement.untested = untested
    measurement.soak = soakRun
    if let losses = idleSessions?.finding { measurement.findings?["idle_sessions_lost"] = losses }
    session.bench.beforeGivingBack(EndToEndMetrics.taskStarts.soFar(measurement, by: starter))
    return measurement
  }

  /// The counters that this run cannot tell anything about.
  private func untested(_ profile: GatewayProfile, hasStarter: Bool) -> Set<String> {
    var names = hasStarter ? [] : ColdStarts.counters.map(\.name) + EndToEndStep.ofTaskStart
    if profile.session?.asked == nil { names.append("questions") }
    if !(profile.session?.isStreamed ?? false) { names.append(EndToEndStep.complete.counterName) }
    if holdSessions == nil { names += ["sessions_held", "sessions_lost", EndToEndStep.hold.counterName] }
    if reconnect == nil { names.append(EndToEndStep.recovery.counterName) }
    return Set(names)
  }

  private func say(_ route: Route, _ profile: GatewayProfile, _ bench: RunContext) {
    if route != .session, messages > 1 || holdSessions != nil || reconnect != nil || idle != nil {
      bench.note(
        "the gateway has no user's side ('\(profile.name)'): --messages, --hold-sessions, --reconnect and "
          + "--idle-sessions have no use here"
      )
    }
    if profile.session?.isLazy ?? false, profile.session?.source == nil, profile.status == nil {
      bench.note(
        "the gateway starts a task with the first message and its profile tells no 'source': first_response and "
          + "end_to_end hold warm and cold starts alike")
    }
    if expect != nil, route != .session { bench.note("no answers are seen: --expect has no use here") }
    switch route {
    case .session: break
    case .agents:
      bench.note(
        "the gateway bridges nothing to users: the phases were seen from inside this tool's own agents, and the way "
          + "ends at 'ready'; end_to_end and first_response are absent")
    case .status:
      bench.note(
        "the gateway bridges nothing to users and the tasks are not this tool's: 'ready' is when its status showed the "
          + "task with its user; the phases behind it are absent")
    }
  }
}

/// The metrics and counters of bench-e2e, by index.
enum EndToEndMetrics {
  private static let catalogue = EndToEndBenchmark.catalogue

  static let endToEnd = catalogue.operation("end_to_end")
  static let ready = catalogue.operation("ready")
  static let acquire = catalogue.metric("acquire")
  static let initUser = catalogue.metric("init_user")
  static let workspace = catalogue.metric("workspace")
  static let processStart = catalogue.metric("process_start")
  static let firstResponse = catalogue.metric("first_response")
  static let firstResponseWarm = catalogue.metric("first_response_warm")
  static let firstResponseCold = catalogue.metric("first_response_cold")
  static let complete = catalogue.metric("complete")
  static let gap = catalogue.metric("gap")
  static let messageRoundtrip = catalogue.metric("message_roundtrip")
  static let recovery = catalogue.metric("recovery")
  static let upgrade = catalogue.metric("upgrade")
  static let connect = ConnectMetrics(catalogue)
  static let cold = catalogue.operation("end_to_end_cold")

  /// The metrics of tasks that this tool starts.
  static let taskStarts = ColdStarts(catalogue, measured: "cold_starts")

  static let failedSteps = catalogue.counter("failed_steps")
  static let coldStarts = catalogue.counter("cold_starts")
  static let unclassified = catalogue.counter("unclassified")
  static let questions = catalogue.counter("questions")
  static let sessionsHeld = catalogue.counter("sessions_held")
  static let sessionsLost = catalogue.counter("sessions_lost")
  static let duplicates = catalogue.counter("duplicate_assignments")

  private static let failures = EndToEndStep.allCases.map { catalogue.counter($0.counterName) }

  /// The counter of a step's failures.
  static func failed(_ step: EndToEndStep) -> Counter {
    failures[EndToEndStep.allCases.firstIndex(of: step) ?? 0]
  }
}

extension IterationRecord {
  /// Ends the iteration at a step that failed; errors are counted by step and kind.
  mutating func fail(_ step: EndToEndStep, _ kind: String, _ example: String) {
    count(EndToEndMetrics.failedSteps)
    count(EndToEndMetrics.failed(step))
    fail("\(step.counterName.dropFirst("failed_".count)): \(kind)", example)
  }

  /// Adds a phase that the gateway measured, in ms; nothing where it is nil.
  mutating func sample(_ metric: Metric, milliseconds: Double?) {
    guard let milliseconds, milliseconds >= 0, milliseconds < 3.6e6 else { return }
    sample(metric, .milliseconds(milliseconds))
  }
}

/// The steps of a user's way; failures are counted by step.
enum EndToEndStep: String, CaseIterable, Sendable {
  case connect, acquire, initUser, ready, firstResponse
  /// The steps of a session with more than a first response.
  case complete, hold, recovery
  /// The steps of a task's start, with `--cold-by run-task` alone.
  case runTask, pendingToRunning, waitConnection

  /// The step in which a task's start failed.
  init(_ step: TaskStartStep) {
    switch step {
    case .runTask: self = .runTask
    case .pendingToRunning: self = .pendingToRunning
    case .waitConnection: self = .waitConnection
    }
  }

  /// The counter of this step's failures.
  var counterName: String {
    switch self {
    case .connect: "failed_connect"
    case .acquire: "failed_acquire"
    case .initUser: "failed_init_user"
    case .ready: "failed_ready"
    case .firstResponse: "failed_first_response"
    case .complete: "failed_complete"
    case .hold: "failed_hold"
    case .recovery: "failed_recovery"
    case .runTask: "failed_run_task"
    case .pendingToRunning: "failed_pending_to_running"
    case .waitConnection: "failed_wait_connection"
    }
  }

  /// The counters of failures in a task's start.
  static let ofTaskStart = TaskStartStep.allCases.map { EndToEndStep($0).counterName }
}
