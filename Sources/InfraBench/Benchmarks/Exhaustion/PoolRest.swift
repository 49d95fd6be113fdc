import AWS
import Latency

/// Waits until the pool is at rest: what is new afterwards is then the drain's doing.
struct PoolRest {
  let settings: ExhaustionBenchmark
  /// How many tasks the pool's service keeps; nil where that is not known.
  let desiredCount: Int?
  let bench: Bench

  /// Polls until enough tasks are there and none is on its way, for as long as the pool has to settle; at most for the
  /// operation's timeout beside that.
  ///
  /// - Returns: the last poll; nil when the task was cancelled.
  /// - Throws: when the first poll fails (a wrong name, a missing permission), or when there are too few tasks.
  func wait(_ poller: inout PoolPoller, watch: RefillWatch) async throws(BenchmarkFailure) -> PoolPoll? {
    guard let first = await poller.poll(retry: .standard) else { return nil }
    try check(first)
    var poll = first
    let deadline = MonotonicClock.now() + settings.timeout + settings.settle
    var restSince: UInt64?
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

  /// How many tasks a drain could take.
  private func drainable(_ poll: PoolPoll) -> Int { poll.count(settings.drainBy.view) ?? 0 }

  /// Whether nothing is on its way. Tasks are stopped only where as many run as the service keeps: with more it is ending
  /// some, with less it is starting some.
  private func isAtRest(_ poll: PoolPoll) -> Bool {
    let count = drainable(poll)
    return poll.isSettled && count >= needed && (kept.map { count == $0 } ?? true)
  }

  /// How many tasks there must be before any are stopped; nil where nobody says, or where none are stopped.
  private var kept: Int? { settings.drainBy == .stopTasks ? desiredCount : nil }

  /// How many there must be.
  private var needed: Int {
    if let drainCount = settings.drainCount { return drainCount }
    if case .embedded(let embedded) = settings.target.gateway, settings.usesGateway { return embedded.poolSize }
    // A pool of assigned tasks too keeps more than are warm: that many can be asked of the stopped ones alone.
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
