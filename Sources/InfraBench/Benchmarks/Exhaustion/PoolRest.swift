import AWSClient
import Latency

/// Waits until the pool is at rest: what is new afterwards is then the drain's doing.
struct PoolRest {
  let settings: ExhaustionBenchmark
  let session: GatewaySession

  /// Polls until enough tasks are warm and none is on its way, at most for the operation's timeout.
  ///
  /// - Returns: the number of warm tasks; nil when the task was cancelled.
  /// - Throws: when the first poll fails (a wrong name, a missing permission), or when there are too few warm tasks.
  func wait(_ poller: inout PoolPoller, watch: RefillWatch) async throws(BenchmarkFailure) -> Int? {
    guard let first = await poller.poll(retry: .standard) else { return nil }
    try check(first)
    var poll = first
    let deadline = MonotonicClock.now() + settings.timeout
    while true {
      if let refusal = poll.refusal { throw BenchmarkFailure("ECS cannot be polled: \(refusal)") }
      watch.observe(poll)
      let warmCount = poll.count(.warm) ?? 0
      if warmCount >= needed, poll.isSettled { return warmCount }
      if MonotonicClock.now() >= deadline { return try settle(for: warmCount) }
      guard let next = await poller.poll() else { return nil }
      poll = next
    }
  }

  /// How many warm tasks there must be.
  private var needed: Int {
    if let drainCount = settings.drainCount { return drainCount }
    if case .embedded(let embedded) = settings.target.gateway { return embedded.poolSize }
    return 1
  }

  private func check(_ first: PoolPoll) throws(BenchmarkFailure) {
    if let refusal = first.refusal { throw BenchmarkFailure("ECS cannot be polled: \(refusal)") }
    if first.isThrottled { throw BenchmarkFailure("ECS cannot be polled: it throttles; try again later") }
    if let loss = first.losses.first { throw BenchmarkFailure("the pool cannot be watched: \(loss)") }
  }

  private func settle(for warmCount: Int) throws(BenchmarkFailure) -> Int {
    guard warmCount >= max(1, settings.drainCount ?? 1) else {
      throw BenchmarkFailure(
        "the pool has \(warmCount) warm tasks and \(needed) are needed: nothing was drained (see --timeout)")
    }
    session.bench.note("the pool was not at rest when the drain began: tasks were still starting")
    return warmCount
  }
}
