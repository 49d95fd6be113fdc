import Latency
import Synchronization

/// Cuts a run into intervals while it goes on, away from the loops.
final class TimelineKeeper: Sendable {
  private struct State {
    var timeline = Timeline()
    /// The begin of the measured part and the end of the last interval, in ns of `MonotonicClock`.
    var begunAt: UInt64?
    var cutAt: UInt64 = 0
    var dropped: UInt64 = 0
  }

  private let recorders: [LoopRecorder]
  private let interval: UInt64
  private let state = Mutex(State())

  /// Between two looks whether the measured part has begun, in ns.
  private static let look: UInt64 = 5_000_000

  init(_ recorders: [LoopRecorder], interval: UInt64) {
    self.recorders = recorders
    self.interval = interval
  }

  /// Runs `work`, and keeps a timeline of it where there is a keeper. `begunAt` is the begin of the measured part, in ns,
  /// as soon as it is known; `dropped` the starts that were dropped so far.
  static func keeping(
    _ keeper: TimelineKeeper?, since begunAt: @escaping @Sendable () -> UInt64?,
    dropped: @escaping @Sendable () -> UInt64 = { 0 }, _ work: () async -> Void
  ) async {
    guard let keeper else { return await work() }
    async let _ = keeper.keep(since: begunAt, dropped: dropped)
    await work()
    keeper.cut(at: MonotonicClock.now(), dropped: dropped())
  }

  /// The intervals; none when the measured part never began.
  func finish() -> [TimelineInterval] {
    state.withLock { state in
      state.timeline.seal()
      return state.timeline.intervals
    }
  }

  private func keep(since begunAt: @Sendable () -> UInt64?, dropped: @Sendable () -> UInt64) async {
    while !Task.isCancelled {
      guard let begin = begunAt() else {
        try? await Task.sleep(nanoseconds: Self.look)
        continue
      }
      let last = state.withLock { state in
        if state.begunAt == nil { (state.begunAt, state.cutAt) = (begin, begin) }
        return state.cutAt
      }
      // On the grid, however late the last cut was.
      let next = begin + ((max(last, begin) - begin) / interval + 1) * interval
      let now = MonotonicClock.now()
      if now < next {
        try? await Task.sleep(nanoseconds: next - now)
      } else {
        cut(at: now, dropped: dropped())
      }
    }
  }

  private func cut(at now: UInt64, dropped: UInt64) {
    var sum = IntervalRecording()
    for recorder in recorders {
      if let part = recorder.takeInterval() { sum.merge(part) }
    }
    state.withLock { state in
      guard let begin = state.begunAt, now > state.cutAt else { return }
      sum.dropped = dropped - state.dropped
      state.dropped = dropped
      state.timeline.append(sum, from: state.cutAt - begin, to: now - begin)
      state.cutAt = now
    }
  }
}
