import AWS
import Latency
import LoadEngine
import ProcessControl

/// One drain of a pool at rest, and the polls until it is full again.
struct ExhaustionCycle: Sendable {
  let settings: ExhaustionBenchmark
  let session: GatewaySession?
  let ecs: ECSConnection?
  let bench: RunContext
  let watch: SharedRefillTracker
  /// The last poll before the drain.
  let rested: PoolPoll
  /// The delay from that poll to the drain. It is spread evenly over a poll's interval, so that the refills of the
  /// cycles meet the polls at different phases; otherwise all cycles would have the same error.
  let drainDelay: Nanoseconds
  /// Checks, while tasks are being stopped, why no further one may be; nil where tasks may be stopped.
  let objection: @Sendable () async -> StopObjection?

  /// How long the other views are polled after the strictest one is full, as ECS's answers lag.
  private static let lag: Nanoseconds = .seconds(10)
  private static let progressInterval: Nanoseconds = .seconds(10)

  private enum Part: Sendable {
    case drained(Recording, objection: StopObjection?)
    case polled(PoolPoller)
  }

  /// Whether as many new tasks are there as were drained.
  var isRefilled: Bool { watch.tracker.fullRefill(watch.tracker.strictest) != nil }

  /// Drains and polls; returns what the drain recorded.
  ///
  /// - Throws: when nothing could be drained.
  func perform(_ poller: inout PoolPoller) async throws(BenchmarkFailure) -> Recording {
    try checkOpenFiles()
    var recording = Recording(ExhaustionBenchmark.catalogue)
    let initial = poller
    var ended: StopObjection?
    await withTaskGroup(of: Part.self) { group in
      group.addTask {
        let (recording, objection) = await drain()
        return .drained(recording, objection: objection)
      }
      group.addTask { .polled(await poll(initial)) }
      for await part in group {
        switch part {
        case .drained(let drained, let objection):
          recording.merge(drained)
          ended = objection
          // Without drained tasks there is no refill to wait for.
          if objection != nil || watch.tracker.drainedCount ?? 0 == 0 { group.cancelAll() }
        case .polled(let polled):
          poller = polled
          group.cancelAll()
        }
      }
    }
    if let ended { poller.fail(ended.errorKind, ended.reason) }
    if watch.tracker.drainedCount ?? 0 == 0, let refusal = poller.refusal {
      throw BenchmarkFailure("ECS cannot be polled: \(refusal)")
    }
    if watch.tracker.drainedCount == 0, !Task.isCancelled {
      let reason = recording.errors.entries.first.map { "\($0.kind): \($0.example)" }
      throw BenchmarkFailure(
        settings.drainBy == .acquire
          ? "no warm task could be taken from the pool: \(reason ?? "every acquire was a miss or cold")"
          : "no task could be stopped: \(reason ?? "there was none")")
    }
    return recording
  }

  /// The number of users who acquire tasks.
  private var acquireCount: Int { settings.drainCount ?? warmCount }
  private var warmCount: Int { rested.count(.warm) ?? 0 }

  /// Checks the limit of open files: only now is it known how many users it takes to drain a remote pool.
  private func checkOpenFiles() throws(BenchmarkFailure) {
    guard settings.drainBy == .acquire else { return }
    let files = settings.openFiles(draining: acquireCount)
    if let problem = DescriptorShortage.problem(files: files, limit: FileDescriptorLimit.raise()) {
      throw BenchmarkFailure(problem)
    }
  }

  /// Drains the pool; returns what was recorded, and why the drain ended before all tasks were stopped.
  private func drain() async -> (Recording, objection: StopObjection?) {
    let nothing = Recording(ExhaustionBenchmark.catalogue)
    guard (try? await Task.sleep(for: drainDelay)) != nil else { return (nothing, nil) }
    switch settings.drainBy {
    case .acquire:
      guard let session else { return (nothing, nil) }
      let drain = PoolDrain(
        session: session, watch: watch, userIDPrefix: settings.userIDPrefix, count: acquireCount,
        release: settings.release, triesColdFallback: settings.triesColdFallback && acquireCount >= warmCount)
      return (await drain.perform(), nil)
    case .stopTasks:
      guard let ecs else { return (nothing, nil) }
      return await StopDrain(
        ecs: ecs, bench: bench, watch: watch, tasks: tasksToStop, runningCount: rested.count(.running) ?? 0,
        objection: objection
      ).perform()
    }
  }

  /// The tasks to stop; where only some are stopped, warm ones come first.
  private var tasksToStop: [String] {
    let running = rested.snapshots[.running]?.tasks ?? []
    let warm = rested.snapshots[.warm]?.tasks ?? []
    let ordered = running.sorted { (warm.contains($0) ? 0 : 1, $0) < (warm.contains($1) ? 0 : 1, $1) }
    return Array(ordered.prefix(settings.drainCount ?? ordered.count))
  }

  /// Polls until every view is full, or the time is over.
  private func poll(_ initial: PoolPoller) async -> PoolPoller {
    var poller = initial
    var saidAt = MonotonicClock.now()
    while let poll = await poller.poll() {
      if let refusal = poll.refusal {
        poller.refuse(refusal)
        break
      }
      watch.observe(poll)
      let tracker = watch.tracker
      let now = MonotonicClock.now()
      if isOver(tracker, isColdFallbackPending: watch.isColdFallbackPending, now: now, &poller) { break }
      if now - saidAt >= Self.progressInterval {
        saidAt = now
        bench.console.note(RefillText.progress(tracker, at: now))
      }
    }
    return poller
  }

  private func isOver(
    _ tracker: RefillTracker, isColdFallbackPending: Bool, now: Instant, _ poller: inout PoolPoller
  ) -> Bool {
    guard let clockStart = tracker.clockStart else { return false }
    let full = tracker.fullRefill(tracker.strictest)
    let missing = tracker.views.filter { tracker.fullRefill($0) == nil }
    if !isColdFallbackPending, let full {
      if missing.isEmpty { return true }
      let isDecided = !(tracker.needsRunning && missing.contains(.running))
      if isDecided, now >= clockStart + full.latest + Self.lag {
        noteMissing(missing)
        return true
      }
    }
    guard now >= clockStart + settings.refillTimeout else { return false }
    if full == nil {
      poller.fail("refill_timeout", RefillText.timeout(tracker, after: settings.refillTimeout))
    } else {
      noteMissing(missing)
    }
    return true
  }

  private func noteMissing(_ views: [RefillTracker.View]) {
    guard !views.isEmpty else { return }
    let names = views.map(\.rawValue).joined(separator: " and ")
    bench.note("the pool is full, but by the view \(names) it never was: check --service and --cluster")
  }
}
