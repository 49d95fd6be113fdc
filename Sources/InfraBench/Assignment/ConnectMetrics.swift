import LoadEngine
import Transport

/// The metrics of setting up a connection: TCP with the look-up of the name where there was one, and TLS.
struct ConnectMetrics: Sendable {
  private let connect: Metric
  private let tls: Metric

  init(_ catalogue: Catalogue) {
    connect = catalogue.metric("connect")
    tls = catalogue.metric("tls")
  }

  /// Adds the phases of a new connection.
  func add(_ phases: ConnectPhases, to record: inout IterationRecord) {
    add(phases.connect, from: phases.connectedAt, securedAt: phases.securedAt, to: &record)
  }

  /// The same of a WebSocket's connection, whose upgrade is apart.
  func add(_ phases: WebSocketPhases, to record: inout IterationRecord) {
    add(phases.connect, from: phases.connected, securedAt: phases.secured, to: &record)
  }

  private func add(
    _ connected: UInt64, from connectedAt: UInt64, securedAt: UInt64?, to record: inout IterationRecord
  ) {
    record.sample(connect, connected)
    if let securedAt { record.sample(tls, securedAt - connectedAt) }
  }
}
