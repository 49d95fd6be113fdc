import AWS
import FoundationEssentials
import Gateway
import Latency
import LoadEngine
import Transport

/// One run: as often as asked for, waits until the pool is at rest, drains it, and polls until it is full again.
struct ExhaustionRun {
  let settings: ExhaustionBenchmark
  /// nil where the pool is drained and watched by ECS alone.
  let session: GatewaySession?
  /// nil where it is drained and watched by the gateway alone.
  let ecs: ECSConnection?
  let bench: Bench
  let startedAt: Date

  /// What the cycles came to.
  private struct Cycles {
    var recording = Recording(ExhaustionBenchmark.catalogue)
    var trackers: [RefillTracker] = []
    /// Of cycles that were begun, those whose pool was not full again.
    var unfilled = 0
    /// Those during which a deployment began, by their indices: what it did, in words.
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
    let service: ServiceKeeper.Before?
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
    // First what is held: a service that is slow to be read must not use up the time for it.
    await session?.releaseAtEnd()
    if let keeper, let service { findings["desired_count"] = .string(await keeper.restore(service)) }
    if let failure { throw failure }
    return await measurement(cycles, poller, monitor, findings)
  }

  private var serviceKeeper: ServiceKeeper? {
    guard let ecs, let service = ecs.filter.serviceName else { return nil }
    return ServiceKeeper(
      ecs: ecs, service: service, stopsTasks: settings.drainBy == .stopTasks, restores: settings.restoresDesiredCount,
      bench: bench)
  }

  /// What a reader must know of pools of this kind.
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
    _ cycles: inout Cycles, _ poller: inout PoolPoller, keeper: ServiceKeeper?, _ service: ServiceKeeper.Before?
  ) async throws(BenchmarkFailure) {
    var known: Set<String> = []
    var lastService = service
    for number in 1...settings.cycles where !Task.isCancelled {
      let watch = RefillWatch(
        RefillTracker(views: poller.views, known: known, countFallsLate: settings.drainBy == .stopTasks))
      do throws(BenchmarkFailure) {
        let rest = PoolRest(settings: settings, desiredCount: service?.desiredCount, bench: bench)
        guard let rested = try await rest.wait(&poller, watch: watch) else { return }
        let cycle = ExhaustionCycle(
          settings: settings, session: session, ecs: ecs, bench: bench, watch: watch, rested: rested,
          drainDelay: .random(in: 0..<max(1, settings.pollInterval)),
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
    inCycle number: Int, _ keeper: ServiceKeeper?, _ last: inout ServiceKeeper.Before?
  ) async -> String? {
    guard let keeper, var service = last else { return nil }
    defer { last = service }
    return await keeper.deployment(inCycle: number, since: &service)
  }

  /// Of each metric's own population: a lost poll says nothing of a drain call.
  private func failures(_ cycles: Cycles, _ polled: Recording) -> [String: FailedPart] {
    let catalogue = ExhaustionBenchmark.catalogue
    let lost = polled[catalogue.counter("throttled_polls")] + polled[catalogue.counter("lost_polls")]
    let untrusted = max(cycles.unfilled, min(cycles.trackers.count, cycles.unfilled + cycles.disturbed.count))
    let refill = FailedPart(UInt64(untrusted), of: UInt64(max(1, cycles.trackers.count)))
    var failures = [
      "drain": FailedPart(cycles.recording.errors.total, of: cycles.recording.iterations),
      "ecs_list_tasks": FailedPart(lost, of: polled[catalogue.counter("polls")]),
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
    measurement.failures = failures(cycles, poller.recording)
    measurement.resolutions = outcomes.reduce(into: [:]) { $0.merge($1.resolutions) { max($0, $1) } }
    return measurement
  }
}
