import Gateway
import Synchronization

/// One look at the pool for all users who want one at the same time: a thousand users need no thousand answers.
final class SharedLook: Sendable {
  /// What was seen, and the requests that were under way when the look was begun.
  struct Seen: Sendable {
    /// nil when the gateway did not tell.
    var look: PoolLook?
    var mark: RequestsUnderWay.Mark
    /// Whether the caller looked itself.
    var isOwn: Bool
  }

  /// Those who wait for the look that is under way; nil when none is.
  private let waiting = Mutex<[CheckedContinuation<Seen?, Never>]?>(nil)

  /// Looks through `client`, or waits for the look that another user has begun.
  func take(marking mark: () -> RequestsUnderWay.Mark, through client: GatewayClient) async -> Seen {
    let mark = mark()
    // Resumed at once, with nothing, whoever finds no look under way: it is the one to look.
    let seen = await withCheckedContinuation { continuation in
      let isFirst = waiting.withLock { waiting in
        guard waiting != nil else {
          waiting = []
          return true
        }
        waiting?.append(continuation)
        return false
      }
      if isFirst { continuation.resume(returning: nil) }
    }
    if let seen { return seen }
    let look = await PoolLook.take(through: client)
    let others = waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting ?? []
    }
    for other in others { other.resume(returning: Seen(look: look, mark: mark, isOwn: false)) }
    return Seen(look: look, mark: mark, isOwn: true)
  }
}
