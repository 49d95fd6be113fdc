import LoadEngine
import SessionGateway
import Transport

/// A virtual user of bench-e2e.
final class EndToEndUser: Sendable {
  let id: String
  let client: GatewayClient
  let executor: LoopExecutor
  /// The task that was acquired by REST, to be released.
  let assigned = Slot<String>()
  let session = Slot<WebSocketConnection>()
  /// The task of that session, which goes back with it.
  let sessionTask = Slot<String>()
  /// How its REST connection was set up before the schedule began, until an iteration has told.
  let opened = Slot<ConnectPhases>()
  let outlook = Slot<WarmPool.Outlook>()

  init(id: String, client: GatewayClient, executor: LoopExecutor) {
    self.id = id
    self.client = client
    self.executor = executor
  }
}
