import Latency
import Synchronization

/// Cuts a run into intervals while it goes on, away from the loops.
final class TimelineKeeper: Sendable {
  private struct State {
    var timeline = Timeline()
    /// The end of the last interval; nil before the first one's.
    var cutAt: Instant?
    var dropped: UInt64 = 0
    var isOver = false
  }

  private let recorders: [LoopRecorder]
  private let interval: Nanoseconds
  private let state = Mutex(State())

  /// Between two looks whether the measured part has begun.
  private static let look: Nanoseconds = .milliseconds(5)

  init(_ recorders: [LoopRecorder], interval: Nanoseconds) {
    self.recorders = recorders
    self.interval = interval
  }

  /// Runs `work`, and keeps a timeline of it where there is a keeper. `begunAt` is the begin of the measured part as
  /// soon as it is known; `dropped` the starts that were dropped so far.
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

  /// The intervals; none when the measured part never began.
  func finish() -> [TimelineInterval] {
    state.withLock { state in
      state.timeline.seal()
      return state.timeline.intervals
    }
  }

  private func keep(since begunAt: @Sendable () -> Instant?, dropped: @Sendable () -> UInt64) async {
    while !Task.isCancelled {
      guard let begin = begunAt() else {
        try? await Task.sleep(for: Self.look)
        continue
      }
      let last = state.withLock { $0.cutAt ?? begin }
      // On the grid, however late the last cut was.
      let next = begin + (last.elapsed(since: begin) / interval + 1) * interval
      let now = MonotonicClock.now()
      if now < next {
        try? await Task.sleep(for: next - now)
      } else {
        cut(since: begin, dropped: dropped())
      }
    }
  }

  /// Whole under one lock: what one cut has taken is in an interval before the next one reads the clock.
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
