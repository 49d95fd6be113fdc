import LoadEngine
import SessionGateway

/// A virtual user of the gateway's REST side.
final class AcquiringUser: Sendable {
  let id: String
  let client: GatewayClient
  let assigned = AssignedTask()

  init(id: String, client: GatewayClient) {
    self.id = id
    self.client = client
  }
}

extension GatewaySession {
  /// Ends an iteration as `error` says; a target that refuses at once is not hammered.
  func fail(_ error: GatewayError, into record: inout IterationRecord) async {
    if error.isCancellation { return record.censor() }
    record.fail(error.kind, error.message)
    try? await Task.sleep(for: .milliseconds(10))
  }
}
