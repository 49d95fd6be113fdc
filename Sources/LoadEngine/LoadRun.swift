public import Latency
public import Transport

/// The outcome of a run: a plain value, which is complete even when the run was cancelled.
///
/// A constant arrival rate of 200/s for 30 s after 100 iterations of warm-up, served by at most 50 virtual users:
///
/// ```swift
/// let rate = ArrivalRate(starts: 200, period: .seconds(1))
/// let catalogue = Catalogue(metrics: ["health", "health_service"], counters: [])
/// let run = await LoadRun.perform(
///   HealthScenario(target: target, operation: catalogue.operation("health")),
///   plan: .openLoop(
///     ArrivalSchedule(rate: rate, arrival: .poisson(seed: 1)), users: 50, count: nil, duration: .seconds(30),
///     warmup: .iterations(100)),
///   catalogue: catalogue, on: LoopGroup(threads: 2))
/// let p99 = run.recording[catalogue.metric("health")]?.value(atPercentile: 99)  // response time in ns
/// ```
///
/// ``Scenario`` shows `HealthScenario`.
public struct LoadRun: Sendable {
  /// What was recorded.
  public var recording: Recording
  /// When the measured time began. From here to ``endedAt`` starts were made, or came due, so rates are counted over
  /// this time. The last answers came after it.
  public var startedAt: Instant
  /// When starts ended; see ``startedAt``.
  public var endedAt: Instant
  /// Whether the lateness of starts is in the latencies: in a closed loop it is not.
  public var judgesLateness = true
  /// The most starts that waited for a free user at one time.
  public var backlogMax: UInt64 = 0
  /// Users of a closed loop whose set-up failed. Each of these failures is an iteration without a start.
  public var failedSetUps: UInt64 = 0
  /// How long the target had answered nothing when starts ended, and how far the run had got when the silence began.
  /// Nil where the silence is shorter than a second, or nothing was asked during it.
  public var silence: (length: Nanoseconds, since: Nanoseconds)?
  /// The headline's latencies by interval; empty unless `timeline` was given.
  public var timeline: [TimelineInterval] = []

  /// Carries out `plan` with one structured task per virtual user, each on its event loop.
  ///
  /// Cancelling the task ends the run early: no iteration begins any more, those under way are censored, and everything
  /// recorded so far is returned.
  ///
  /// - Parameters:
  ///   - scenario: what each user does.
  ///   - plan: how many users there are, when they start, and how long the run lasts.
  ///   - catalogue: the metrics and counters that the scenario records.
  ///   - loops: the event loops that serve the users.
  ///   - monitor: watches the load generator; it is reset when the measured part begins.
  ///   - progress: counts along while the run goes on.
  ///   - headline: the metric whose percentiles `progress` shows; the catalogue's first one unless given.
  ///   - interval: the length of the timeline's intervals; nil keeps no timeline.
  ///   - parts: takes the recording in parts while the run goes on.
  ///   - sharedBegin: is called once all users are ready, waits for the begin that is shared with other generators, and
  ///     returns it: the instant of the schedule's begin, or of the first iterations. Nil: the run does not begin.
  public static func perform<S: Scenario>(
    _ scenario: S, plan: LoadPlan, catalogue: Catalogue, on loops: LoopGroup, monitor: GeneratorMonitor? = nil,
    progress: ProgressCounter? = nil, headline: Metric? = nil, timeline interval: Nanoseconds? = nil,
    parts: RecordingParts? = nil, sharedBegin: (@Sendable () async -> Instant?)? = nil
  ) async -> LoadRun {
    let recorders = loops.executors.map { _ in
      LoopRecorder(
        catalogue, headline: headline ?? Metric(index: 0), keepsIntervals: interval != nil, isCut: parts != nil)
    }
    // A run of bursts calls this once per burst, so one burst's percentiles are not the run's.
    if plan.arrivals != .burst, let progress {
      let percentiles = RunningPercentiles(recorders)
      progress.provide(percentiles: percentiles.read)
    }
    let keeper = interval.map { TimelineKeeper(recorders, interval: $0) }
    let measurementWindow = MeasurementWindow(
      monitor, hasWarmup: plan.warmup != .iterations(0), isOneOfSeveral: plan.arrivals == .burst)
    let crew = VirtualUsers(
      scenario: scenario, loops: loops, recorders: recorders, measurementWindow: measurementWindow, progress: progress,
      cutters: [keeper?.cutter, parts?.cutter(of: recorders)].compactMap(\.self),
      sharedBegin: sharedBegin)
    var run: LoadRun
    switch plan.arrivals {
    case .closedLoop(let thinkTime, let ramp): run = await crew.closedLoop(plan, thinkTime: thinkTime, ramp: ramp)
    case .openLoop(let schedule, let dropsWhenBusy, let isPrecise):
      run = await crew.openLoop(plan, schedule, dropsWhenBusy: dropsWhenBusy, isPrecise: isPrecise)
    case .burst: run = await crew.burst(plan)
    }
    for recorder in recorders { run.recording.merge(recorder.take()) }
    run.timeline = keeper?.finish() ?? []
    run.silence = run.findSilence()
    return run
  }

  private static let shortestSilence: Nanoseconds = .seconds(1)

  private func findSilence() -> (length: Nanoseconds, since: Nanoseconds)? {
    guard let unansweredAt = recording.lastUnansweredAt else { return nil }
    let lastAnswer = max(recording.lastAnswerAt ?? .distantPast, startedAt)
    guard unansweredAt > lastAnswer, endedAt >= lastAnswer, endedAt - lastAnswer >= Self.shortestSilence else {
      return nil
    }
    return (endedAt - lastAnswer, lastAnswer - startedAt)
  }
}
