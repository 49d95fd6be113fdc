import Gateway
import LoadEngine
import Transport

/// A virtual user's kept connection to the gateway's REST side, whose set-up is measured.
final class RESTConnection: Sendable {
  let client: GatewayClient
  /// How it was set up before the schedule began, until an iteration has told.
  private let opened = Slot<ConnectPhases>()

  init(_ client: GatewayClient) {
    self.client = client
  }

  /// Connects before the measured part begins; the failure, if there is none. The phases go into the record of the first
  /// iteration.
  func open() async -> GatewayError? {
    switch await client.connect() {
    case .success(let phases):
      if let phases { opened.put(phases) }
      return nil
    case .failure(let error): return error
    }
  }

  /// Makes sure of the connection, whose phases go into `record` when it is new; the failure, if there is none.
  func connect(_ metrics: ConnectMetrics, into record: inout IterationRecord) async -> GatewayError? {
    if let phases = opened.take() { metrics.add(phases, to: &record) }
    if client.isConnected { return nil }
    switch await client.connect() {
    case .success(let phases?):
      record.occupied(from: phases.startedAt, to: phases.securedAt ?? phases.connectedAt)
      metrics.add(phases, to: &record)
    case .success(nil): break
    case .failure(let error): return error
    }
    return nil
  }
}
