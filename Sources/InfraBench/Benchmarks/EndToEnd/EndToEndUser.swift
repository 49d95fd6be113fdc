import LoadEngine
import SessionGateway
import Synchronization
import Transport

/// A virtual user of bench-e2e.
final class EndToEndUser: Sendable {
  let id: String
  let client: GatewayClient
  let executor: LoopExecutor
  let assigned = AssignedTask()
  let session = OpenSession()

  init(id: String, client: GatewayClient, executor: LoopExecutor) {
    self.id = id
    self.client = client
    self.executor = executor
  }
}

/// The session that a user has at the moment.
final class OpenSession: Sendable {
  private let connection = Mutex<WebSocketConnection?>(nil)

  func put(_ connection: WebSocketConnection) { self.connection.withLock { $0 = connection } }

  /// Gives the session away; nil if there is none.
  func take() -> WebSocketConnection? { connection.withLock { $0.take() } }
}
