import GatewayProtocol
import Latency
package import SessionGateway
import Synchronization

/// What the users of a run know of the pool: how many warm tasks there were when one of them last looked.
///
/// A look grants as many iterations as there were warm tasks, so that a large pool is not asked before each of them.
package final class WarmPoolView: Sendable {
  private struct State {
    var credits = 0
    var lastSeen: Int?
  }

  private let state = Mutex(State())
  private let timeout: UInt64

  /// Between two looks at an empty pool, in ns: first, and at most.
  private static let firstPause: UInt64 = 2_000_000
  private static let longestPause: UInt64 = 50_000_000

  /// `timeout` in ns bounds the wait for a warm task.
  package init(timeout: UInt64) {
    self.timeout = timeout
  }

  /// The warm tasks of the last look; nil if the gateway has not told.
  package var warmCountBefore: Int? { state.withLock { $0.lastSeen } }

  /// Waits until the pool has a warm task for the caller, or the bound is over, or the task is cancelled.
  package func waitUntilWarm(_ client: GatewayClient) async {
    let deadline = MonotonicClock.now() + timeout
    var pause = Self.firstPause
    while !takeCredit(), !Task.isCancelled, MonotonicClock.now() < deadline {
      switch await client.status() {
      case .success(let (status, _)):
        state.withLock { $0 = State(credits: status.warmCount, lastSeen: status.warmCount) }
        if status.warmCount > 0 { continue }
      case .failure:
        // The acquire that follows will show what is wrong.
        state.withLock { $0 = State() }
        return
      }
      try? await Task.sleep(nanoseconds: pause)
      pause = min(pause * 2, Self.longestPause)
    }
  }

  private func takeCredit() -> Bool {
    state.withLock { state in
      guard state.credits > 0 else { return false }
      state.credits -= 1
      return true
    }
  }
}
