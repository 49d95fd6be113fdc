import Latency
import Synchronization

/// Cuts a run into intervals while it goes on, on a grid that begins with the measured part. It works on no loop's
/// thread.
final class IntervalCutter: Sendable {
  /// One interval of the measured part.
  struct Cut {
    /// Both count from the begin of the measured part.
    var start: Nanoseconds
    var end: Nanoseconds
    /// Starts that were dropped in it.
    var dropped: UInt64
  }

  private struct State {
    /// The end of the last interval; nil before the first interval ends.
    var cutAt: Instant?
    var dropped: UInt64 = 0
    var hasBegun = false
    var isOver = false
  }

  private let interval: Nanoseconds
  private let state = Mutex(State())
  private let begun: @Sendable () -> Void
  private let take: @Sendable (_ end: () -> Cut) -> Void

  /// How often it is polled whether the measured part has begun.
  private static let pollInterval: Nanoseconds = .milliseconds(5)

  /// - Parameters:
  ///   - begun: Is called once, when the measured part has begun, at most some milliseconds late, and before any `take`.
  ///     A run that ends earlier than that does not call it.
  ///   - take: Is called at the end of each interval to take what was recorded, and then to call `end` once, which gives
  ///     the interval. Calls do not overlap.
  init(
    every interval: Nanoseconds, begun: @escaping @Sendable () -> Void,
    take: @escaping @Sendable (_ end: () -> Cut) -> Void
  ) {
    self.interval = interval
    self.begun = begun
    self.take = take
  }

  /// Runs `work`, and all `cutters` cut it meanwhile. `begunAt` returns the begin of the measured part, nil before it
  /// is known. `dropped` returns the number of starts dropped so far. The last interval ends with `work`, however short
  /// it is.
  static func cutting<T: Sendable>(
    by cutters: [IntervalCutter], since begunAt: @escaping @Sendable () -> Instant?,
    dropped: @escaping @Sendable () -> UInt64 = { 0 }, _ work: () async -> T
  ) async -> T {
    guard !cutters.isEmpty else { return await work() }
    async let _ = withTaskGroup(of: Void.self) { group in
      for cutter in cutters { group.addTask { await cutter.keepCutting(since: begunAt, dropped: dropped) } }
    }
    let result = await work()
    if let begin = begunAt() { for cutter in cutters { cutter.cut(since: begin, dropped: dropped(), isLast: true) } }
    return result
  }

  private func keepCutting(since begunAt: @Sendable () -> Instant?, dropped: @Sendable () -> UInt64) async {
    while !Task.isCancelled {
      guard let begin = begunAt(), begin <= MonotonicClock.now() else {
        try? await Task.sleep(for: Self.pollInterval)
        continue
      }
      sayBegun()
      let last = state.withLock { $0.cutAt ?? begin }
      // Cuts stay on the grid of intervals, however late the last one was.
      let next = begin + (last.elapsed(since: begin) / interval + 1) * interval
      let now = MonotonicClock.now()
      if now < next {
        try? await Task.sleep(for: next - now)
      } else {
        cut(since: begin, dropped: dropped())
      }
    }
  }

  private func sayBegun() {
    state.withLock { state in
      guard !state.hasBegun, !state.isOver else { return }
      state.hasBegun = true
      begun()
    }
  }

  /// A cut holds the lock throughout, so that everything it took is in an interval before the next cut reads the clock.
  private func cut(since begin: Instant, dropped: UInt64, isLast: Bool = false) {
    state.withLock { state in
      guard !state.isOver else { return }
      state.isOver = isLast
      take {
        let (last, now) = (state.cutAt ?? begin, MonotonicClock.now())
        let all = max(dropped, state.dropped)
        defer { (state.dropped, state.cutAt) = (all, now) }
        return Cut(start: last - begin, end: max(now, last) - begin, dropped: all - state.dropped)
      }
    }
  }
}
