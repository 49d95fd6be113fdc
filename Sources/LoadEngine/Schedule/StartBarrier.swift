import Latency
import Synchronization

/// Holds a fixed number of tasks until the last of them has arrived, then releases all at one instant.
final class StartBarrier: Sendable {
  private struct State {
    var missing: Int
    var waiting: [UnsafeContinuation<Instant, Never>] = []
  }

  let parties: Int
  private let beforeRelease: @Sendable () -> Void
  private let whenReached: @Sendable (Instant) -> Void
  private let state: Mutex<State>

  /// Calls `beforeRelease` when all parties have arrived; the release waits for it, so slow work belongs there. Then
  /// calls `whenReached` with the instant of the release, before any party continues.
  init(
    parties: Int, beforeRelease: @escaping @Sendable () -> Void = {},
    whenReached: @escaping @Sendable (Instant) -> Void = { _ in }
  ) {
    self.parties = parties
    self.beforeRelease = beforeRelease
    self.whenReached = whenReached
    state = Mutex(State(missing: parties))
  }

  /// Waits until all parties have called this, and returns the instant of their release. Each party must call it once,
  /// even if it was cancelled.
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
