import Latency
import Synchronization

/// Lets a fixed number of tasks go on at one instant: when the last of them has arrived.
final class StartBarrier: Sendable {
  private struct State {
    var missing: Int
    var waiting: [CheckedContinuation<UInt64, Never>] = []
  }

  let parties: Int
  private let state: Mutex<State>

  init(parties: Int) {
    self.parties = parties
    state = Mutex(State(missing: parties))
  }

  /// Returns when all parties have called it, with the instant of their release in ns of `MonotonicClock`.
  /// Every party must call it, cancelled ones too.
  func wait() async -> UInt64 {
    await withCheckedContinuation { continuation in
      let released = state.withLock { state -> [CheckedContinuation<UInt64, Never>] in
        state.missing -= 1
        state.waiting.append(continuation)
        guard state.missing <= 0 else { return [] }
        defer { state.waiting = [] }
        return state.waiting
      }
      let now = MonotonicClock.now()
      for continuation in released { continuation.resume(returning: now) }
    }
  }
}
