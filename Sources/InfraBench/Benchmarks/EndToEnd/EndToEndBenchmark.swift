import FoundationEssentials
import Gateway
import Latency
package import LoadEngine
import Transport
import WarmTask

/// Tests 2.2 and 2.3: a user's whole way, from the request to the first answer of the user's process.
package struct EndToEndBenchmark: GatewayBenchmark {
  /// What a gateway lets a client see of that way.
  package enum Route: String, Sendable {
    /// `/session/{userId}` bridges to the user's process: all of it.
    case session
    /// The tool supplies the tasks (`--agents`) and sees the phases from inside them; nothing is bridged.
    case agents
    /// Only the REST side: assignment, and readiness by status.
    case status

    /// The metric of the whole way, as far as it can be seen.
    var headline: String { self == .session ? "end_to_end" : "ready" }
  }

  /// When a connection is cut.
  package enum Reconnect: String, Sendable, CaseIterable {
    case afterReady = "after-ready"
    case midAnswer = "mid-answer"
  }

  package static let tool = "bench-e2e"
  package static let catalogue = Catalogue(
    metrics: [
      "end_to_end", "end_to_end_service", "ready", "ready_service", "acquire", "init_user", "workspace",
      "process_start", "first_response", "first_response_warm", "first_response_cold", "complete", "gap",
      "message_roundtrip", "recovery", "end_to_end_cold", "end_to_end_cold_service", "connect", "tls", "upgrade",
    ] + ColdStarts.metrics,
    counters: ["failed_steps"] + EndToEndStep.allCases.map(\.counterName) + [
      "questions", "sessions_held", "sessions_lost", "cold_starts", "unclassified", "duplicate_assignments",
      HeldTasks.counter,
    ] + ColdStarts.counters)
  package static let defaultThresholds = ["process_start.p99 < 1s", "end_to_end.p99 < 2s", "failed_steps == 0"]

  /// The domain's bound of a cold start counts where cold starts are this tool's doing: a warm pool's users have none.
  package var defaultThresholds: [String] {
    let isStreamed = target.profile?.session?.isStreamed ?? false
    // What a model takes to answer is not the gateway's time.
    return (isStreamed ? ["failed_steps == 0"] : Self.defaultThresholds)
      + (runTask == nil ? [] : ["end_to_end_cold.max < 25s"])
  }

  package var target: TargetSettings
  package var load: LoadSettings
  /// The user's command as it was written; nil is the stand-in.
  package var command: String?
  /// Its words; at least one where there is a command.
  package var commandWords: [String] = []
  /// What the user says first.
  package var message: String
  /// The regular expression that an answer matches; nil: the first line that comes after the message is one.
  package var expect: String?
  /// How many messages a user sends over one session.
  package var messages = 1
  /// How long a session is then held, in ns.
  package var holdSessions: UInt64?
  /// Where a session's connection is cut, to go back to it.
  package var reconnect: Reconnect?
  /// The tasks that this tool starts for its users; nil: cold starts are the gateway's.
  package var runTask: RunTaskSettings?

  package var parameters: [String: JSONValue] {
    load.parameters.merging(target.parameters) { $1 }.merging(runTask?.parameters ?? [:]) { $1 }.merging([
      "command": command.map { .string($0) } ?? (runsStandIn ? "session-stand-in" : nil), "message": .string(message),
    ]) { $1 }.merging(expect.map { ["expect": .string($0)] } ?? [:]) { $1 }.merging(conversation) { $1 }
  }

  /// What a session is more than a message and its answer.
  private var conversation: [String: JSONValue] {
    var parameters: [String: JSONValue] = [:]
    if messages > 1 { parameters["messages"] = .int(Int64(messages)) }
    if let holdSessions { parameters["holdSessions"] = .string(DurationText.write(holdSessions)) }
    if let reconnect { parameters["reconnect"] = .string(reconnect.rawValue) }
    return parameters
  }

  /// Whether the user's program is the stand-in, which echoes; a remote gateway's own tasks run something unknown.
  private var runsStandIn: Bool {
    if case .remote = target.gateway, target.agents == 0 { return false }
    return command == nil
  }

  func expectedAnswer(of profile: GatewayProfile) -> ExpectedAnswer {
    // It was tried when it was read.
    if let expect, let pattern = try? AnswerPattern(expect) { return .matching(pattern) }
    return runsStandIn && profile.session?.first.isAny ?? true ? .echo : .anyLine
  }

  /// A user has a connection to each side of the gateway.
  package var openFiles: Int { 2 * load.users + target.openFiles }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.load.seed = seed
    return benchmark
  }

  package func measure(_ bench: Bench) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    let agents = AgentTimeline()
    let gatewayArguments = command.map { ["--command", $0] } ?? []
    return try await GatewaySession.with(
      target, timeout: load.timeout, threads: load.arrivals.threads, bench: bench, gatewayArguments: gatewayArguments
    ) { session async throws(BenchmarkFailure) in
      let program = command == nil ? nil : UserProgram.command(commandWords)
      return try await AgentSupply.with(target, session: session, program: program, observer: agents.observe) {
        () async throws(BenchmarkFailure) in
        guard let runTask else { return await measure(session, agents, nil, startedAt: startedAt) }
        return try await EndToEndMetrics.taskStarts.with(runTask, session: session) {
          starter async throws(BenchmarkFailure) in
          await measure(session, agents, starter, startedAt: startedAt)
        }
      }
    }
  }

  private func measure(
    _ session: GatewaySession, _ agents: AgentTimeline, _ starter: TaskStarter?, startedAt: Date
  ) async -> Measurement {
    let profile = await ProfileFinder.find(session)
    let route: Route =
      profile.session != nil ? .session : target.agents > 0 || profile.status == nil ? .agents : .status
    say(route, profile, session.bench)
    // What is cold never shows what the headline is of.
    let headline = starter == nil ? route.headline : "end_to_end_cold"
    let scenario = EndToEndScenario(
      session: session, profile: profile, route: route, agents: agents, self, starter: starter)
    let isLazy = profile.session?.isLazy ?? false
    // Who sends a message that starts a task can't wait for a warm one either.
    if load.isOpenLoop || isLazy { await PoolFill.beforeLoad(on: target, session) }
    let monitor = GeneratorMonitor(session.loops)
    let progress = ProgressCounter()
    var plan = load.plan
    // A task that is being started has a time-out of its own.
    if let runTask { plan.drainBound = max(plan.drainBound, runTask.startTimeout) }
    let perform = { @Sendable [plan] () async -> LoadRun in
      await LoadRun.perform(
        scenario, plan: plan, catalogue: Self.catalogue, on: session.loops, monitor: monitor, progress: progress,
        headline: Self.catalogue.metric(headline), timeline: load.arrivals.timeline)
    }
    let run = await ProgressReport.showing(progress, of: load, console: session.bench.console) {
      if let starter { return await starter.endingOnRefusal(perform) }
      return await scenario.pool.watching(ifNeeded: load.isOpenLoop, through: session, perform)
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
      timeline: TimelineRows.of(run.timeline, headline: headline),
      findings: ["route": .string(route.rawValue)])
    measurement.take(silence: run.silence, failedSetUps: run.failedSetUps)
    measurement.reasonWithoutSample = scenario.pool.reasonWithoutWarmTask
    measurement.untested = untested(profile, hasStarter: starter != nil)
    session.bench.beforeGivingBack(EndToEndMetrics.taskStarts.soFar(measurement, by: starter))
    return measurement
  }

  /// The counters on which this run has no word.
  private func untested(_ profile: GatewayProfile, hasStarter: Bool) -> Set<String> {
    var names = hasStarter ? [] : ColdStarts.counters + EndToEndStep.ofTaskStart
    if profile.session?.asked == nil { names.append("questions") }
    if !(profile.session?.isStreamed ?? false) { names.append(EndToEndStep.complete.counterName) }
    if holdSessions == nil { names += ["sessions_held", "sessions_lost", EndToEndStep.hold.counterName] }
    if reconnect == nil { names.append(EndToEndStep.recovery.counterName) }
    return Set(names)
  }

  private func say(_ route: Route, _ profile: GatewayProfile, _ bench: Bench) {
    if route != .session, messages > 1 || holdSessions != nil || reconnect != nil {
      bench.note(
        "the gateway has no user's side ('\(profile.name)'): --messages, --hold-sessions and --reconnect have no use here"
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
