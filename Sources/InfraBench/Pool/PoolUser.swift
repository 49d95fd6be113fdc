import Gateway
import Latency
import LoadEngine
import Synchronization
import Transport

/// A virtual user of the gateway's REST side.
final class PoolUser: Sendable {
  let number: Int
  let id: String
  let connection: RESTConnection
  let assigned = SharedOptional<TaskID>()
  let evidence = SharedOptional<WarmPool.Evidence>()

  var client: GatewayClient { connection.client }

  init(number: Int, id: String, client: GatewayClient) {
    self.number = number
    self.id = id
    connection = RESTConnection(client)
  }
}

extension IterationRecord {
  /// Ends the iteration with `error`.
  mutating func fail(_ error: GatewayError) {
    error.isCancellation ? censor() : fail(error.kind.rawValue, error.message)
  }
}

extension GatewaySession {
  /// Prints a line about an iteration to standard output, in runs short enough for it.
  func showLine(_ iteration: Iteration, of load: LoadSettings, _ text: @autoclosure () -> String) {
    guard !iteration.isWarmup, load.showsIterations, bench.console.showsIterations else { return }
    bench.console.data("Run \(iteration.number): \(text())\n")
  }

  /// Prints a line about an iteration that failed, in runs short enough for it.
  func showFailure(_ iteration: Iteration, of load: LoadSettings, _ record: IterationRecord) {
    switch record.ending {
    case .success: break
    case .failure(let kind, _): showLine(iteration, of: load, "failed (\(kind))")
    case .censored: showLine(iteration, of: load, "interrupted")
    }
  }
}

/// A virtual user's kept connection to the gateway's REST side. Its set-up is measured.
final class RESTConnection: Sendable {
  let client: GatewayClient
  /// The phases of a connection that was set up before the schedule began, until an iteration has recorded them.
  private let opened = SharedOptional<ConnectPhases>()

  init(_ client: GatewayClient) {
    self.client = client
  }

  /// Connects before the measured part begins; returns the failure, or nil. The phases go into the record of the first
  /// iteration.
  func open() async -> GatewayError? {
    switch await client.connect() {
    case .success(let phases):
      if let phases { opened.put(phases) }
      return nil
    case .failure(let error): return error
    }
  }

  /// Connects unless the connection is open; returns the failure, or nil. The phases of a new connection go into
  /// `record`.
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

/// The metrics of a connection's set-up: TCP (with the name look-up, if there was one) and TLS.
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

  /// Adds the phases of a WebSocket's connection; its upgrade is a metric of its own.
  func add(_ phases: WebSocketPhases, to record: inout IterationRecord) {
    add(phases.connect, from: phases.connected, securedAt: phases.secured, to: &record)
  }

  private func add(
    _ connected: Nanoseconds, from connectedAt: Instant, securedAt: Instant?, to record: inout IterationRecord
  ) {
    record.sample(connect, connected)
    if let securedAt { record.sample(tls, securedAt - connectedAt) }
  }
}

/// A value that a virtual user has at the moment, such as a task, or no value.
package final class SharedOptional<Value: Sendable>: Sendable {
  private let held = Mutex<Value?>(nil)

  package init() {}

  /// Stores `value`, and returns the one that it replaces.
  @discardableResult
  package func put(_ new: Value) -> Value? {
    held.withLock { held in
      let old = held
      held = new
      return old
    }
  }

  package var value: Value? { held.withLock { $0 } }

  /// Removes the value and returns it; nil if there is none.
  package func take() -> Value? {
    held.withLock { held in
      let taken = held
      held = nil
      return taken
    }
  }
}
