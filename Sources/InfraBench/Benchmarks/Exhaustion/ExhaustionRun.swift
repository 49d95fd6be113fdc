import AWSClient
import FoundationEssentials
import Latency
import LoadEngine
import SessionGateway
import Transport

/// One run: waits until the pool is at rest, drains it, and polls until it is full again.
struct ExhaustionRun {
  let settings: ExhaustionBenchmark
  let session: GatewaySession
  let ecs: ECSPoolView?
  let startedAt: Date

  /// The views other than the strictest are waited for so long after it, in ns: ECS's answers lag behind.
  private static let lag: UInt64 = 10_000_000_000
  private static let progressInterval: UInt64 = 10_000_000_000

  private enum Part: Sendable {
    case drained(Recording)
    case polled(PoolPoller)
  }

  func perform() async throws(BenchmarkFailure) -> Measurement {
    let monitor = GeneratorMonitor(session.loops)
    let executor = session.loops.executor(forUser: 0)
    let client = session.client(on: executor)
    defer { client.close() }
    if ecs == nil {
      session.bench.note("no ECS was named: the refill is seen by the gateway alone (give --cluster and --service)")
    }
    var poller = PoolPoller(gateway: client, ecs: ecs, interval: settings.pollInterval, bench: session.bench)
    let watch = RefillWatch(views: ecs == nil ? [.warm] : RefillTracker.View.allCases)
    var recording = Recording(ExhaustionBenchmark.catalogue)
    if let warmCount = try await PoolRest(settings: settings, session: session).wait(&poller, watch: watch) {
      let drain = PoolDrain(
        session: session, watch: watch, userIDPrefix: settings.userIDPrefix, count: settings.drainCount ?? warmCount,
        release: settings.release,
        triesColdFallback: settings.triesColdFallback && (settings.drainCount ?? warmCount) >= warmCount)
      recording = try await drainAndPoll(drain, &poller, watch)
    }
    recording.merge(poller.recording)
    return await measurement(recording, poller, watch.tracker, monitor)
  }

  private func drainAndPoll(
    _ drain: PoolDrain, _ poller: inout PoolPoller, _ watch: RefillWatch
  ) async throws(BenchmarkFailure) -> Recording {
    var recording = Recording(ExhaustionBenchmark.catalogue)
    let initial = poller
    await withTaskGroup(of: Part.self) { group in
      group.addTask { .drained(await drain.perform()) }
      group.addTask { .polled(await poll(initial, watch)) }
      for await part in group {
        switch part {
        case .drained(let drained):
          recording.merge(drained)
          if watch.tracker.drainedCount ?? 0 == 0 { group.cancelAll() }
        case .polled(let polled):
          poller = polled
          group.cancelAll()
        }
      }
    }
    if watch.tracker.drainedCount == 0, !Task.isCancelled {
      let reason =
        recording.errors.entries.first.map { "\($0.kind): \($0.example)" } ?? "every acquire was a miss or cold"
      throw BenchmarkFailure("no warm task could be taken from the pool: \(reason)")
    }
    return recording
  }

  /// Polls until every view is full, or the time is over.
  private func poll(_ initial: PoolPoller, _ watch: RefillWatch) async -> PoolPoller {
    var poller = initial
    var saidAt = MonotonicClock.now()
    while let poll = await poller.poll() {
      if let refusal = poll.refusal {
        poller.fail("ecs_\(refusal.kind.rawValue)", refusal.description)
        break
      }
      watch.observe(poll)
      let tracker = watch.tracker
      let now = MonotonicClock.now()
      if isOver(tracker, isColdFallbackPending: watch.isColdFallbackPending, now: now, &poller) { break }
      if now - saidAt >= Self.progressInterval {
        saidAt = now
        session.bench.console.note(RefillText.progress(tracker, at: now))
      }
    }
    return poller
  }

  private func isOver(
    _ tracker: RefillTracker, isColdFallbackPending: Bool, now: UInt64, _ poller: inout PoolPoller
  ) -> Bool {
    guard let clockStart = tracker.clockStart else { return false }
    let full = tracker.fullRefill(tracker.strictest)
    if !isColdFallbackPending, let full {
      let missing = tracker.views.filter { tracker.fullRefill($0) == nil }
      if missing.isEmpty { return true }
      if now >= clockStart + full.latest + Self.lag {
        let names = missing.map(\.rawValue).joined(separator: " and ")
        session.bench.note("the pool is full, but by the view \(names) it never was: check --service and --cluster")
        return true
      }
    }
    guard now >= clockStart + settings.refillTimeout else { return false }
    if full == nil {
      poller.fail("refill_timeout", RefillText.timeout(tracker, after: settings.refillTimeout))
    }
    return true
  }

  private func measurement(
    _ recording: Recording, _ poller: PoolPoller, _ tracker: RefillTracker, _ monitor: GeneratorMonitor
  ) async -> Measurement {
    var recording = recording
    let outcome = RefillOutcome(tracker, startedAt: poller.startedAt)
    outcome.record(into: &recording)
    if outcome.wasFullBeforeClockStart {
      session.bench.note("the pool was full before t₀, the last release: see --release at-end")
    }
    var target = session.document
    if let url = ecs?.endpointURL, target.ecsEndpointUrl == nil { target.ecsEndpointUrl = url }
    return Measurement(
      recording: recording, generator: await monitor.finish(recording), target: target, startedAt: startedAt,
      duration: MonotonicClock.now() - poller.startedAt, timeline: poller.timeline.document,
      findings: outcome.findings.merging(poller.startPhases.findings(of: tracker.isNew)) { $1 })
  }
}
