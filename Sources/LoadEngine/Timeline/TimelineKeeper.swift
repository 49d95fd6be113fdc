import Latency
import Synchronization

/// Cuts a run into intervals while it goes on. It works on no loop's thread.
final class TimelineKeeper: Sendable {
  private struct State {
    var timeline = Timeline()
    /// The end of the last interval; nil before the first interval ends.
    var cutAt: Instant?
    var dropped: UInt64 = 0
    var isOver = false
  }

  private let recorders: [LoopRecorder]
  private let interval: Nanoseconds
  private let state = Mutex(State())

  /// How often it is polled whether the measured part has begun.
  private static let pollInterval: Nanoseconds = .milliseconds(5)

  init(_ recorders: [LoopRecorder], interval: Nanoseconds) {
    self.recorders = recorders
    self.interval = interval
  }

  /// Runs `work` and, if there is a keeper, keeps a timeline of it. `begunAt` gives the begin of the measured part as
  /// soon as it is known; `dropped` gives the number of starts dropped so far.
  static func keeping<T: Sendable>(
    _ keeper: TimelineKeeper?, since begunAt: @escaping @Sendable () -> Instant?,
    dropped: @escaping @Sendable () -> UInt64 = { 0 }, _ work: () async -> T
  ) async -> T {
    guard let keeper else { return await work() }
    async let _ = keeper.keep(since: begunAt, dropped: dropped)
    let result = await work()
    if let begin = begunAt() { keeper.cut(since: begin, dropped: dropped(), isLast: true) }
    return result
  }

  /// The intervals; empty when the measured part never began.
  func finish() -> [TimelineInterval] {
    state.withLock { state in
      state.timeline.seal()
      return state.timeline.intervals
    }
  }

  private func keep(since begunAt: @Sendable () -> Instant?, dropped: @Sendable () -> UInt64) async {
    while !Task.isCancelled {
      guard let begin = begunAt() else {
        try? await Task.sleep(for: Self.pollInterval)
        continue
      }
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

  /// A cut holds the lock throughout, so that everything it took is in an interval before the next cut reads the clock.
  private func cut(since begin: Instant, dropped: UInt64, isLast: Bool = false) {
    state.withLock { state in
      guard !state.isOver else { return }
      state.isOver = isLast
      var sum = IntervalRecording()
      for recorder in recorders {
        if let part = recorder.takeInterval() { sum.merge(part) }
      }
      let (last, now) = (state.cutAt ?? begin, MonotonicClock.now())
      sum.dropped = max(dropped, state.dropped) - state.dropped
      state.dropped = max(dropped, state.dropped)
      state.timeline.append(sum, from: last - begin, to: max(now, last) - begin)
      state.cutAt = now
    }
  }
}
