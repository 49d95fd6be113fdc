import Latency
import Synchronization

/// Lets a fixed number of tasks go on at one instant: when the last of them has arrived.
final class StartBarrier: Sendable {
  private struct State {
    var missing: Int
    var waiting: [UnsafeContinuation<Instant, Never>] = []
  }

  let parties: Int
  private let beforeRelease: @Sendable () -> Void
  private let whenReached: @Sendable (Instant) -> Void
  private let state: Mutex<State>

  /// Calls `beforeRelease` when all parties have arrived; what takes time is done there, as the release comes after it.
  /// Then calls `whenReached` with the instant of the release, before anybody goes on.
  init(
    parties: Int, beforeRelease: @escaping @Sendable () -> Void = {},
    whenReached: @escaping @Sendable (Instant) -> Void = { _ in }
  ) {
    self.parties = parties
    self.beforeRelease = beforeRelease
    self.whenReached = whenReached
    state = Mutex(State(missing: parties))
  }

  /// Returns when all parties have called it, with the instant of their release. Every party must call it once,
  /// cancelled ones too.
  func wait() async -> Instant {
    await withUnsafeContinuation { continuation in
      let released = state.withLock { state -> [UnsafeContinuation<Instant, Never>] in
        state.missing -= 1
        state.waiting.append(continuation)
        guard state.missing <= 0 else { return [] }
        defer { state.waiting = [] }
        return state.waiting
      }
      guard !released.isEmpty else { return }
      beforeRelease()
      let now = MonotonicClock.now()
      whenReached(now)
      for continuation in released { continuation.resume(returning: now) }
    }
  }
}
