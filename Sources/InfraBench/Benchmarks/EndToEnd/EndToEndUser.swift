import Gateway
import LoadEngine
import Transport

/// A virtual user of bench-e2e.
final class EndToEndUser: Sendable {
  let number: Int
  let id: String
  let connection: RESTConnection
  let executor: LoopExecutor
  /// The task that was acquired by REST, to be released.
  let assigned = Slot<String>()
  let session = Slot<SessionConnection>()
  /// The task of that session, which goes back with it.
  let sessionTask = Slot<String>()
  /// The task that the user was given, of a run that starts tasks itself.
  let givenTask = Slot<String>()
  /// The task that this tool has started for the user.
  let startedTask = Slot<String>()
  let outlook = Slot<WarmPool.Outlook>()

  var client: GatewayClient { connection.client }

  init(number: Int, id: String, client: GatewayClient, executor: LoopExecutor) {
    self.number = number
    self.id = id
    connection = RESTConnection(client)
    self.executor = executor
  }
}
