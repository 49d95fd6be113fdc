public import Latency
public import Transport

/// What came of a run: a value, whole even when the run was cancelled.
public struct LoadRun: Sendable {
  /// What was recorded.
  public var recording: Recording
  /// Begin and end of the time in which starts were made, or were due: what a rate is over. The last answers came after
  /// it.
  public var startedAt: Instant
  /// See `startedAt`.
  public var endedAt: Instant
  /// Whether the lateness of starts is in the latencies: in a closed loop it is not.
  public var judgesLateness = true
  /// The most starts that waited for a free user at one time.
  public var backlogMax: UInt64 = 0
  /// Users of a closed loop that did not get in: their failures are iterations that no start was made for.
  public var failedSetUps: UInt64 = 0
  /// How long the target had answered nothing when starts ended, and how long the run had gone on before that: nil where
  /// that is no second, or nothing had been asked meanwhile.
  public var silence: (length: Nanoseconds, since: Nanoseconds)?
  /// The headline's latencies over time, where they were asked for.
  public var timeline: [TimelineInterval] = []

  /// Carries out `plan` with one structured task per virtual user, each on its event loop.
  ///
  /// Cancelling the task ends the run early: nothing more is begun, what is under way is censored, and what was
  /// recorded is returned. `monitor` begins anew when the measured part does. `headline` is the metric that `progress`
  /// tells of, the catalogue's first one unless given; with `timeline`, its latencies are also kept by intervals.
  public static func perform<S: Scenario>(
    _ scenario: S, plan: LoadPlan, catalogue: Catalogue, on loops: LoopGroup, monitor: GeneratorMonitor? = nil,
    progress: ProgressCounter? = nil, headline: Metric? = nil, timeline interval: Nanoseconds? = nil
  ) async -> LoadRun {
    let recorders = loops.executors.map { _ in
      LoopRecorder(catalogue, headline: headline ?? Metric(index: 0), keepsIntervals: interval != nil)
    }
    // A burst is one of several: its percentiles are not those so far.
    if plan.arrivals != .burst { progress?.provide(percentiles: { LoopRecorder.headline(of: recorders) }) }
    let keeper = interval.map { TimelineKeeper(recorders, interval: $0) }
    let measurementWindow = MeasurementWindow(
      monitor, hasWarmup: plan.warmup != .iterations(0), isOneOfSeveral: plan.arrivals == .burst)
    let crew = VirtualUsers(
      scenario: scenario, loops: loops, recorders: recorders, measurementWindow: measurementWindow, progress: progress,
      keeper: keeper)
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
