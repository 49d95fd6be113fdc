import AWS
import FoundationEssentials
import Gateway
import Latency
import LoadEngine
import Transport
import Results

/// One run: in each cycle it waits until the pool is at rest, drains it, and polls until it is full again.
struct ExhaustionRun {
  let settings: ExhaustionBenchmark
  /// nil where the pool is drained and polled by ECS alone.
  let session: GatewaySession?
  /// nil where the pool is drained and polled by the gateway alone.
  let ecs: ECSConnection?
  let bench: RunContext
  let startedAt: Date

  /// The outcome of the cycles.
  private struct Cycles {
    var recording = Recording(ExhaustionBenchmark.catalogue)
    var trackers: [RefillTracker] = []
    /// The number of cycles that began and whose pool was not full again.
    var unfilled = 0
    /// By cycle index: the deployment that went on during the cycle, in words.
    var disturbed: [Int: String] = [:]
  }

  func perform() async throws(BenchmarkFailure) -> Measurement {
    if let session { return try await perform(on: session.loops) }
    return try await LoopGroup.lend { loops async throws(BenchmarkFailure) in try await perform(on: loops) }
  }

  private func perform(on loops: LoopGroup) async throws(BenchmarkFailure) -> Measurement {
    let monitor = GeneratorMonitor(loops)
    let client = session.map {
      $0.client(on: $0.loops.executor(forUser: 0), timeout: min($0.timeout, ExhaustionBenchmark.lookBound))
    }
    defer { client?.close() }
    explain()
    let keeper = serviceKeeper
    let service: ServiceGuard.Before?
    if let keeper { service = try await keeper.read() } else { service = nil }
    var poller = PoolPoller(
      gateway: client, ecs: ecs.map(ECSPoolView.init), interval: settings.pollInterval, bench: bench)
    var cycles = Cycles()
    let failure: BenchmarkFailure?
    do throws(BenchmarkFailure) {
      try await perform(&cycles, &poller, keeper: keeper, service)
      failure = nil
    } catch {
      failure = error
    }
    if failure == nil {
      var interim = await measurement(cycles, poller, monitor, [:])
      if let keeper, let service { interim.pending = { keeper.pending(service) } }
      bench.beforeGivingBack(interim)
    }
    var findings: [String: JSONValue] = [:]
    // Held tasks are released first, so that a slow answer about the service does not use up their time.
    await session?.releaseAtEnd()
    if let keeper, let service { findings["desired_count"] = .string(await keeper.restore(service)) }
    if let failure { throw failure }
    return await measurement(cycles, poller, monitor, findings)
  }

  private var serviceKeeper: ServiceGuard? {
    guard let ecs, let service = ecs.filter.serviceName else { return nil }
    return ServiceGuard(
      ecs: ecs, service: service, stopsTasks: settings.drainBy == .stopTasks, restores: settings.restoresDesiredCount,
      bench: bench)
  }

  /// Notes what the reader must know about this kind of pool.
  private func explain() {
    if ecs == nil {
      bench.note("no ECS was named: the refill is seen by the gateway alone (give --cluster and --service)")
    }
    guard settings.drainBy == .acquire, settings.ecs?.filter.serviceName != nil else { return }
    switch settings.release {
    case .afterDrain:
      bench.note(
        "on a pool that an ECS service keeps an assigned task stays RUNNING and is replaced only when it is released: "
          + "times run from the last release")
    case .atEnd:
      bench.note(
        "on a pool that an ECS service keeps an assigned task stays RUNNING and nothing replaces it while it is held: "
          + "the refill may never come (--release after-drain)")
    }
  }

  private func perform(
    _ cycles: inout Cycles, _ poller: inout PoolPoller, keeper: ServiceGuard?, _ service: ServiceGuard.Before?
  ) async throws(BenchmarkFailure) {
    var known: Set<String> = []
    var lastService = service
    for number in 1...settings.cycles where !Task.isCancelled {
      let watch = SharedRefillTracker(
        RefillTracker(views: poller.views, known: known, countFallsLate: settings.drainBy == .stopTasks))
      do throws(BenchmarkFailure) {
        let rest = SettledPoolWait(settings: settings, desiredCount: service?.desiredCount, bench: bench)
        guard let rested = try await rest.wait(&poller, watch: watch) else { return }
        let cycle = ExhaustionCycle(
          settings: settings, session: session, ecs: ecs, bench: bench, watch: watch, rested: rested,
          drainDelay: .nanoseconds(UInt64.random(in: 0..<max(1, settings.pollInterval.nanoseconds))),
          objection: { if let keeper, let service { await keeper.objection(service) } else { nil } })
        if settings.drainBy == .stopTasks, let keeper, let service { try await keeper.checkBeforeDrain(service) }
        guard !Task.isCancelled else { return }
        cycles.recording.merge(try await cycle.perform(&poller))
        cycles.trackers.append(watch.tracker)
        if let disturbance = await disturbance(inCycle: number, keeper, &lastService) {
          cycles.disturbed[cycles.trackers.count - 1] = disturbance
          bench.note("\(disturbance): the times of that cycle may be its doing, and are not reliable")
        }
        if !cycle.isRefilled, !Task.isCancelled { cycles.unfilled += 1 }
        guard number < settings.cycles, !Task.isCancelled else { return }
        guard cycle.isRefilled else {
          return bench.note("cycle \(number) of \(settings.cycles) was not refilled: the others were left out")
        }
      } catch {
        guard !cycles.trackers.isEmpty else { throw error }
        cycles.unfilled += 1
        return poller.fail("cycle_failed", "cycle \(number) of \(settings.cycles): \(error)")
      }
      known = watch.tracker.known
      await session?.releaseHeld()
      if settings.cycles > 1 { bench.console.note("cycle \(number) of \(settings.cycles) is over") }
    }
  }

  private func disturbance(
    inCycle number: Int, _ keeper: ServiceGuard?, _ last: inout ServiceGuard.Before?
  ) async -> String? {
    guard let keeper, var service = last else { return nil }
    defer { last = service }
    return await keeper.deployment(inCycle: number, since: &service)
  }

  /// The failures of each metric's own population: a lost poll is no failure of a drain call, and of ListTasks only
  /// where that had no answer.
  private func failures(_ cycles: Cycles, _ poller: PoolPoller) -> [String: FailedPart] {
    let catalogue = ExhaustionBenchmark.catalogue
    let untrusted = max(cycles.unfilled, min(cycles.trackers.count, cycles.unfilled + cycles.disturbed.count))
    let refill = FailedPart(UInt64(untrusted), of: UInt64(max(1, cycles.trackers.count)))
    var failures = [
      "drain": FailedPart(cycles.recording.errors.total, of: cycles.recording.iterations),
      "ecs_list_tasks": FailedPart(poller.unlisted, of: poller.recording[catalogue.counter("polls")]),
    ]
    for metric in catalogue.metrics where metric.hasPrefix("refill_") || metric == "placement" {
      failures[metric] = refill
    }
    return failures
  }

  private func measurement(
    _ cycles: Cycles, _ poller: PoolPoller, _ monitor: GeneratorMonitor, _ general: [String: JSONValue]
  ) async -> Measurement {
    var recording = cycles.recording
    recording.merge(poller.recording)
    let outcomes = cycles.trackers.map { RefillOutcome(tracker: $0, phases: poller.startPhases) }
    for outcome in outcomes { outcome.record(into: &recording) }
    if outcomes.contains(where: \.wasFullBeforeClockStart) {
      bench.note(
        settings.drainBy == .acquire
          ? "the pool was full before t₀, the last release: see --release at-end"
          : "the pool was full before t₀, the answer to the last StopTask: see --drain-count")
    }
    let clock = RefillOutcome.WallClock()
    var findings = general
    for (index, outcome) in outcomes.enumerated() {
      var facts = outcome.findings(clock, timelineFrom: poller.startedAt)
      facts["deployment"] = cycles.disturbed[index].map { JSONValue.string($0) }
      if settings.cycles == 1 {
        findings.merge(facts) { $1 }
      } else {
        findings["cycle_\(index + 1)"] = .object(facts)
      }
    }
    findings["poll_rate"] = poller.rate.finding.map { .string($0) }
    var target =
      session?.document ?? ResultDocument.Target(kind: "remote", gatewayUrl: nil, ecsEndpointUrl: ecs?.endpointURL)
    if let url = ecs?.endpointURL, target.ecsEndpointUrl == nil { target.ecsEndpointUrl = url }
    var measurement = Measurement(
      recording: recording, generator: await monitor.finish(recording, judgesLateness: false), target: target,
      startedAt: startedAt,
      duration: MonotonicClock.now() - poller.startedAt, timeline: poller.timeline.document, findings: findings)
    if cycles.unfilled > 0 {
      let reason = "the pool was not full again: see the errors"
      measurement.missing = [
        "refill_full": reason, "refill_full_\(outcomes.last?.tracker.strictest.rawValue ?? "")": reason,
      ]
    }
    if outcomes.contains(where: { $0.tracker.drainLength ?? 0 > settings.pollInterval }) {
      bench.note(
        "a drain took longer than the time between two polls, and times run from its end: what replaced its first tasks "
          + "seems quicker than it was (refill_first, refill_task, placement)")
    }
    if recording.errors.total == 0, !outcomes.isEmpty,
      recording[ExhaustionBenchmark.catalogue.metric("refill_full")] == nil
    {
      measurement.worthless = "no refill was timed: the pool was full again before t₀"
    }
    measurement.failures = failures(cycles, poller)
    measurement.resolutions = outcomes.reduce(into: [:]) { $0.merge($1.resolutions) { max($0, $1) } }
    return measurement
  }
}

/// Waits until the pool is at rest: no task is starting or stopping, so that tasks that are new afterwards replace
/// drained ones.
struct SettledPoolWait {
  let settings: ExhaustionBenchmark
  /// The desiredCount of the pool's service; nil where it is not known.
  let desiredCount: Int?
  let bench: RunContext

  /// Polls until enough tasks are there and none has been starting or stopping for `settle`; at most for `settle` and
  /// the operation's time-out together.
  ///
  /// - Returns: the last poll; nil when the task was cancelled.
  /// - Throws: when the first poll fails (a wrong name, a missing permission), when ECS refuses a poll for good, when
  ///   there are too few tasks, or when a pool whose tasks ECS is to stop does not come to rest.
  func wait(_ poller: inout PoolPoller, watch: SharedRefillTracker) async throws(BenchmarkFailure) -> PoolPoll? {
    guard let first = await poller.poll(retry: .standard) else { return nil }
    try check(first)
    var poll = first
    let deadline = MonotonicClock.now() + settings.timeout + settings.settle
    var restSince: Instant?
    while true {
      if let refusal = poll.refusal { throw BenchmarkFailure("ECS cannot be polled: \(refusal)") }
      watch.observe(poll)
      let now = MonotonicClock.now()
      if isAtRest(poll) {
        let since = restSince ?? now
        if now - since >= settings.settle { return poll }
        restSince = since
      } else {
        restSince = nil
      }
      if now >= deadline { return try settle(for: poll) }
      guard let next = await poller.poll() else { return nil }
      poll = next
    }
  }

  /// The number of tasks that a drain could take.
  private func drainable(_ poll: PoolPoll) -> Int { poll.count(settings.drainBy.view) ?? 0 }

  /// Whether no task is starting or stopping. For StopTask as many must run as the service keeps: with more it is
  /// stopping some, with fewer it is starting some.
  private func isAtRest(_ poll: PoolPoll) -> Bool {
    let count = drainable(poll)
    return poll.isSettled && count >= needed && (kept.map { count == $0 } ?? true)
  }

  /// The exact number of tasks that must run before any are stopped; nil where it is not known, or where none are
  /// stopped.
  private var kept: Int? { settings.drainBy == .stopTasks ? desiredCount : nil }

  /// The smallest number of tasks that a drain needs.
  private var needed: Int {
    if let drainCount = settings.drainCount { return drainCount }
    if case .embedded(let embedded) = settings.target.gateway, settings.usesGateway { return embedded.poolSize }
    // A service keeps assigned tasks too, so that fewer than desiredCount may be warm: that number is required only
    // where tasks are stopped.
    return settings.drainBy == .stopTasks ? max(1, desiredCount ?? 1) : 1
  }

  private func check(_ first: PoolPoll) throws(BenchmarkFailure) {
    if let refusal = first.refusal { throw BenchmarkFailure("ECS cannot be polled: \(refusal)") }
    if first.isThrottled { throw BenchmarkFailure("ECS cannot be polled: it throttles; try again later") }
    if let loss = first.losses.first { throw BenchmarkFailure("the pool cannot be watched: \(loss)") }
  }

  /// A pool that is not at rest may be drained by users, with a note; its tasks are not stopped.
  private func settle(for poll: PoolPoll) throws(BenchmarkFailure) -> PoolPoll {
    let count = drainable(poll)
    let state = settings.drainBy.view.rawValue
    let lack =
      count < needed
      ? "the pool has \(count) \(state) tasks and \(needed) are needed"
      : kept.map { $0 != count } ?? false
        ? "the pool has \(count) \(state) tasks and its service keeps \(kept ?? 0), so that it is not at rest"
        : poll.isSettled
          ? "the pool was not at rest for \(DurationText.write(settings.settle))"
          : "tasks of the pool are still starting"
    guard settings.drainBy == .acquire, count >= max(1, settings.drainCount ?? 1) else {
      throw BenchmarkFailure("\(lack): nothing was drained (see --timeout, --settle and --drain-count)")
    }
    bench.note("the pool was not at rest when the drain began: \(lack)")
    return poll
  }
}
