import Synchronization

/// Lets a fixed number of tasks go on at one instant: when the last of them has arrived.
final class StartBarrier: Sendable {
  private struct State {
    var missing: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  init(parties: Int) {
    state = Mutex(State(missing: parties))
  }

  /// Returns when all parties have called it. Every party must, cancelled ones too.
  func wait() async {
    await withCheckedContinuation { continuation in
      let released = state.withLock { state -> [CheckedContinuation<Void, Never>] in
        state.missing -= 1
        state.waiting.append(continuation)
        guard state.missing <= 0 else { return [] }
        defer { state.waiting = [] }
        return state.waiting
      }
      for continuation in released { continuation.resume() }
    }
  }
}
