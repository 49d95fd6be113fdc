import FoundationEssentials
import Gateway
package import Latency
package import LoadEngine
import Transport
package import Results

/// Measures simultaneous users, within the pool's capacity and beyond it (test 3.1 of the test plan).
package struct ConcurrentBenchmark: GatewayBenchmark {
  /// The pattern of the users' arrivals.
  package enum Shape: Sendable, Equatable {
    /// `users` at one instant, then `beyond` more while those hold their tasks; repeated as often as the first value
    /// says.
    case bursts(Int, beyond: Int)
    /// A closed or an open loop without a barrier, for a gateway with enough tasks.
    case loop
  }

  package static let description = ToolDescription(
    "bench-concurrent", headlines: ["warm", "cold", "all"],
    metrics: [
      .init("warm"), .init("warm_service"), .init("cold", timeouts: ["timeout", "startTimeout"]),
      .init("cold_service", timeouts: ["timeout", "startTimeout"]), .init("all"), .init("all_service"),
      .init("first_byte"), .init("connect", .setUp), .init("tls", .setUp),
    ] + ColdStarts.metrics,
    counters: [
      .init("warm", .good), .init("cold", .bad), .init("unclassified"), .init("misses", .bad),
      .init("duplicate_assignments", .bad), .unreleased, SoakCounters.description,
    ] + ColdStarts.counters,
    parameters: .load + .gateway + .runTask + ["waitFor", "hold", "bursts", "beyond"] + .soak,
    breakdowns: [.init(of: "cold", ColdStarts.parts, overlaps: true)],
    references: .acquire + .taskStarts,
    defaultThresholds: ["warm.max < 2s", "cold.max < 25s", "duplicate_assignments == 0"],
    canSoak: true)
  package static let catalogue = description.catalogue
  /// The metric of progress and timeline: every start, whether it can be told warm from cold or not.
  private static let headline = "all"

  package var target: TargetSettings
  package var load: LoadSettings
  package var shape: Shape
  package var waitFor: AllocationBenchmark.WaitFor
  package var holds: Bool
  /// How this tool starts tasks for the users of the last burst of each repetition; nil: the gateway causes the cold
  /// starts.
  package var runTask: RunTaskSettings?
  /// How a loop is watched minute by minute; nil: the run is no soak.
  package var soak: SoakSettings?

  package var defaultThresholds: [String] {
    Self.description.defaultThresholds + (soak?.defaultThresholds(length: load.length) ?? [])
  }

  package var parameters: [String: JSONValue] {
    var own: [String: JSONValue] = ["waitFor": .string(waitFor.rawValue), "hold": .bool(holds)]
    if case .bursts(let number, let beyond) = shape {
      own["bursts"] = .int(Int64(number))
      own["beyond"] = .int(Int64(beyond))
    }
    if let soak { own["soak"] = .string(DurationText.write(soak.every)) }
    return load.parameters.merging(target.parameters) { $1 }.merging(runTask?.parameters ?? [:]) { $1 }
      .merging(own) { $1 }
  }

  package var timeouts: [String: Nanoseconds] { load.timeouts(beside: runTask) }

  package var maxInFlight: Int? { load.maxInFlight }

  package var callsAWS: Bool { runTask != nil }

  package var openFiles: Int {
    // The first burst's users keep their connections while the second burst comes.
    guard case .bursts(_, let beyond) = shape else { return load.ownUsers + target.openFiles }
    return share(of: load.concurrency) + share(of: beyond) + target.openFiles
  }

  private func share(of users: Int) -> Int { load.shard?.shard.share(of: users) ?? users }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.load.seed = seed
    return benchmark
  }

  package func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    return try await GatewaySession.with(target, timeout: load.timeout, threads: load.arrivals.threads, bench: bench) {
      session async throws(BenchmarkFailure) in
      try await SuppliedAgents.with(target, session: session) { () async throws(BenchmarkFailure) in
        guard let runTask else { return try await measure(session, nil, startedAt: startedAt) }
        return try await ConcurrentScenario.taskStarts.with(runTask, session: session) {
          starter async throws(BenchmarkFailure) in
          try await measure(session, starter, startedAt: startedAt)
        }
      }
    }
  }

  /// The recording and its duration, without the waits for the pool and the releases.
  private struct Measured {
    var recording: Recording
    var startedAt: Instant = .distantPast
    var duration: Nanoseconds
    var backlogMax: UInt64 = 0
    /// Whether lateness is judged; in a burst and in an open loop the response times include it.
    var judgesLateness = true
    var silence: (length: Nanoseconds, since: Nanoseconds)?
    var failedSetUps: UInt64 = 0
    var timeline: [TimelineInterval] = []
    /// When the measured part of the run, or of its first burst, began.
    var measuredAt: Instant?
    /// Why bursts may have had no warm start; nil where every wait before a burst found a warm task.
    var reasonWithoutWarmTask: String?
  }

  private func measure(
    _ session: GatewaySession, _ starter: TaskStarter?, startedAt: Date
  ) async throws(BenchmarkFailure) -> Measurement {
    let profile = await ProfileFinder.find(session)
    if shape == .loop { await RefillWait.beforeLoad(on: target, session) }
    let monitor = GeneratorMonitor(session.loops)
    let progress = ProgressCounter()
    let soakRun = try SoakRun.open(
      soak, of: self, session, target: session.document(profile), startedAt: startedAt,
      untested: Set(ColdStarts.counters.map(\.name)).union([SoakCounters.leakedTasks]), seed: load.seed,
      givesStatus: profile.status != nil)
    let begin = load.begin(session.bench)
    var measured = await ProgressReport.showing(progress, of: load, console: session.bench.console) {
      () async -> Measured in
      await begin.accompany(progress) { () async -> Measured in
        switch shape {
        case .bursts(let number, let beyond):
          return await bursts(number, beyond: beyond, session, starter, monitor, progress, begin)
        case .loop:
          guard let soakRun else { return await loop(session, monitor, progress, nil, begin) }
          return await soakRun.watching { await loop(session, monitor, progress, soakRun, begin) }
        }
      }
    }
    try begin.checkBegun()
    var untested: Set<String> = [SoakCounters.leakedTasks]
    if let leaked = await soakRun?.leakedTasks() {
      measured.recording.count(Self.catalogue.counter(SoakCounters.leakedTasks), by: UInt64(leaked))
      untested = []
    }
    if measured.recording[Self.catalogue.counter("unclassified")] > 0 {
      session.bench.note("some tasks could not be told warm from cold: they are in 'all' alone")
    }
    ConcurrentScenario.taskStarts.noteOthers(measured.recording, session.bench)
    var measurement = Measurement(
      recording: measured.recording,
      generator: await monitor.finish(
        measured.recording, backlogMax: measured.backlogMax, judgesLateness: measured.judgesLateness),
      target: session.document(profile), startedAt: startedAt, duration: measured.duration,
      timeline: ResultTimeline(measured.timeline, of: Self.headline))
    measurement.take(silence: measured.silence, failedSetUps: measured.failedSetUps)
    measurement.shard = measured.measuredAt.flatMap { begin?.measurement(measured.recording, measuredAt: $0) }
    measurement.reasonWithoutSample = measured.reasonWithoutWarmTask
    measurement.untested = untested.union(starter == nil ? ColdStarts.counters.map(\.name) : [])
    measurement.soak = soakRun
    session.bench.beforeGivingBack(ConcurrentScenario.taskStarts.soFar(measurement, by: starter))
    return measurement
  }

  private func loop(
    _ session: GatewaySession, _ monitor: GeneratorMonitor, _ progress: ProgressCounter, _ soak: SoakRun?,
    _ begin: ShardBegin?
  ) async -> Measured {
    let scenario = ConcurrentScenario(
      session: session, load: load, waitFor: waitFor, releasesAtOnce: !holds, isBurst: false, isCovered: false)
    let run = await LoadRun.perform(
      scenario, plan: load.plan, catalogue: Self.catalogue, on: session.loops, monitor: monitor,
      progress: progress,
      headline: Self.catalogue.metric(Self.headline), timeline: load.arrivals.timeline, parts: soak?.parts,
      sharedBegin: begin?.wait)
    return Measured(
      recording: run.recording, duration: run.endedAt - run.startedAt, backlogMax: run.backlogMax,
      judgesLateness: run.judgesLateness, silence: run.silence, failedSetUps: run.failedSetUps,
      timeline: run.timeline, measuredAt: run.startedAt)
  }

  private func bursts(
    _ number: Int, beyond: Int, _ session: GatewaySession, _ starter: TaskStarter?, _ monitor: GeneratorMonitor,
    _ progress: ProgressCounter, _ sharedBegin: ShardBegin?
  ) async -> Measured {
    // Monitoring is paused between bursts, as no response time includes those times.
    monitor.pause()
    var sum = Measured(recording: Recording(Self.catalogue), duration: .zero)
    var timeline = Timeline()
    var begin: Instant?
    // The shards agree on the begin of each burst.
    var burstsBegun = 0
    func nextBegin() -> (@Sendable () async -> Instant?)? {
      defer { burstsBegun += 1 }
      return sharedBegin?.begin(ofBurst: burstsBegun)
    }
    func add(_ measured: Measured) {
      sum.recording.merge(measured.recording)
      sum.duration += measured.duration
      sum.measuredAt = sum.measuredAt ?? measured.startedAt
      guard load.arrivals.timeline != nil else { return }
      let start = measured.startedAt - (begin ?? measured.startedAt)
      begin = begin ?? measured.startedAt
      timeline.append(
        measured.recording, headline: Self.catalogue.metric(Self.headline), from: start, to: start + measured.duration)
    }
    let observer = session.client(on: session.loops.executor(forUser: 0))
    defer { observer.close() }
    var pool = RefillWait(observer, timeout: load.timeout, note: session.bench.note)
    for burst in 0..<number where !Task.isCancelled && starter?.refusal == nil && sharedBegin?.failure == nil {
      let first = burst * (load.concurrency + beyond)
      // The first burst stays within the pool's capacity. Without users beyond it, each of its own users gets a task
      // that was started for the burst.
      let coldFirst = beyond == 0 ? starter : nil
      if coldFirst == nil { await pool.wait(for: load.concurrency) }
      add(
        await self.burst(
          load.concurrency, from: first, session, coldFirst, observer, monitor, progress, nextBegin()))
      if beyond > 0, !Task.isCancelled, sharedBegin?.failure == nil {
        add(
          await self.burst(
            beyond, from: first + load.concurrency, session, starter, observer, monitor, progress, nextBegin()))
      }
      if !holds, !Task.isCancelled {
        await session.releaseHeld()
        await starter?.stopRemaining()
      }
    }
    timeline.seal()
    sum.timeline = timeline.intervals
    sum.reasonWithoutWarmTask = pool.reasonWithoutWarmTask
    return sum
  }

  /// Runs one burst, whose tasks are kept, and tells each start warm or cold.
  private func burst(
    _ users: Int, from first: Int, _ session: GatewaySession, _ starter: TaskStarter?, _ observer: GatewayClient,
    _ monitor: GeneratorMonitor, _ progress: ProgressCounter, _ sharedBegin: (@Sendable () async -> Instant?)?
  ) async -> Measured {
    var plan = LoadPlan.burst(users: users)
    plan.shard = load.shard?.shard ?? .whole
    let before = await PoolStatus.take(through: observer)
    let scenario = ConcurrentScenario(
      session: session, load: load, waitFor: waitFor, releasesAtOnce: false, isBurst: true, firstUser: first,
      // With fewer warm tasks than users, the status alone does not tell who got them.
      isCovered: before.map { $0.status.warmCount >= users } ?? false, starter: starter)
    let perform = { @Sendable [plan] () async -> LoadRun in
      await LoadRun.perform(
        scenario, plan: plan, catalogue: Self.catalogue, on: session.loops, monitor: monitor,
        progress: progress, headline: Self.catalogue.metric(Self.headline), sharedBegin: sharedBegin)
    }
    var run = if let starter { await starter.endingOnRefusal(perform) } else { await perform() }
    let duration = run.endedAt - run.startedAt
    let pending = scenario.undecided.take()
    guard !pending.isEmpty else {
      return Measured(recording: run.recording, startedAt: run.startedAt, duration: duration)
    }
    let after = await PoolStatus.take(through: observer)
    for assignment in pending {
      let origin = WarmClassifier.classify(assignment.task, before: before, after: after)
      ConcurrentScenario.record(origin, assignment.latency, into: &run.recording)
      scenario.showLine(assignment.iteration, assignment.latency, origin)
    }
    return Measured(recording: run.recording, startedAt: run.startedAt, duration: duration)
  }
}
