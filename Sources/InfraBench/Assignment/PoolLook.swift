import FoundationEssentials
package import Gateway
import Transport

/// What a gateway said of its pool at one moment.
package struct PoolLook: Sendable {
  /// Its answer.
  package var status: StatusAnswer
  /// When it said it, by its own clock: the `Date` header; nil without one.
  package var date: String?

  package init(status: StatusAnswer, date: String?) {
    self.status = status
    self.date = date
  }

  /// Looks through `client`; nil when the gateway does not tell.
  package static func take(through client: GatewayClient) async -> PoolLook? {
    guard case .success(let (status, exchange)) = await client.status() else { return nil }
    return PoolLook(status: status, date: exchange.response.header("date"))
  }

  /// When `task` had connected; nil when it is not listed, or without that.
  func connectedAt(_ task: String) -> Date? {
    let entry = status.tasks?.first { $0.taskId == task }
    return entry?.connectedAt.flatMap(GatewayTime.parseISO8601)
  }

  /// In whole seconds, as the header has it.
  var gatewayTime: Date? { date.flatMap(GatewayTime.parseHTTPDate) }
}
