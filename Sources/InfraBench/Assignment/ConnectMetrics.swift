import LoadEngine
import Transport

/// The metrics of setting up a connection: TCP with the look-up of the name, and TLS.
struct ConnectMetrics: Sendable {
  private let connect: Metric
  private let tls: Metric

  init(_ catalogue: Catalogue) {
    connect = catalogue.metric("connect")
    tls = catalogue.metric("tls")
  }

  /// Adds the phases of a new connection, instants in ns.
  func add(_ startedAt: UInt64, _ connectedAt: UInt64, _ securedAt: UInt64?, to record: inout IterationRecord) {
    record.sample(connect, connectedAt - startedAt)
    if let securedAt { record.sample(tls, securedAt - connectedAt) }
  }

  func add(_ phases: ConnectPhases, to record: inout IterationRecord) {
    add(phases.startedAt, phases.connectedAt, phases.securedAt, to: &record)
  }
}
