import FoundationEssentials
package import Gateway
package import Latency
import Synchronization
import Transport

/// A gateway's status of its pool at one moment.
package struct PoolStatus: Sendable {
  package var status: StatusAnswer
  /// When the gateway answered, by its own clock: the `Date` header; nil without one.
  package var date: String?
  /// When the answer's last byte was read.
  package var readAt: Instant

  package init(status: StatusAnswer, date: String?, readAt: Instant) {
    self.status = status
    self.date = date
    self.readAt = readAt
  }

  init(_ status: StatusAnswer, _ exchange: HTTPExchange) {
    self.init(status: status, date: exchange.response.header("date"), readAt: exchange.lastByteReadAt)
  }

  /// Reads the status through `client`; nil when the call fails.
  package static func take(through client: GatewayClient) async -> PoolStatus? {
    guard case .success(let (status, exchange)) = await client.status() else { return nil }
    return PoolStatus(status, exchange)
  }

  /// When `task` had connected; nil when the status does not list it, or lists it without a time.
  func connectedAt(_ task: String) -> Date? {
    let entry = status.tasks?.first { $0.taskId == task }
    return entry?.connectedAt.flatMap(GatewayTime.parseISO8601)
  }

  /// The `Date` header, whose unit is whole seconds.
  var gatewayTime: Date? { date.flatMap(GatewayTime.parseHTTPDate) }
}

/// Shares one status request among all users who need the status at the same time, so that a thousand users do not send
/// a thousand requests.
final class SharedPoolStatus: Sendable {
  /// A status, and the requests for tasks that were under way when it was requested.
  struct Seen: Sendable {
    /// nil when the call failed.
    var look: PoolStatus?
    var mark: RequestsInFlight.Mark
    /// Whether the caller sent the status request itself.
    var isOwn: Bool
  }

  /// The callers that wait for the status request under way; nil when none is under way.
  private let waiting = Mutex<[CheckedContinuation<Seen?, Never>]?>(nil)

  /// Reads the status through `client`, or waits for the request that another user has sent.
  func take(marking mark: () -> RequestsInFlight.Mark, through client: GatewayClient) async -> Seen {
    let mark = mark()
    // The first caller finds no request under way: it is resumed with nil at once and sends the request.
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
    let look = await PoolStatus.take(through: client)
    let others = waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting ?? []
    }
    for other in others { other.resume(returning: Seen(look: look, mark: mark, isOwn: false)) }
    return Seen(look: look, mark: mark, isOwn: true)
  }
}
