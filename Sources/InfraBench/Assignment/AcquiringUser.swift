import Latency
import LoadEngine
import SessionGateway
import Transport

/// A virtual user of the gateway's REST side.
final class AcquiringUser: Sendable {
  let id: String
  let client: GatewayClient
  let assigned = Slot<String>()
  let outlook = Slot<WarmPool.Outlook>()
  /// How its connection was set up before the schedule began, until an iteration has told.
  private let opened = Slot<ConnectPhases>()

  init(id: String, client: GatewayClient) {
    self.id = id
    self.client = client
  }

  /// Connects before the schedule begins; what fails is tried again by the iterations.
  func open() async {
    if case .success(let phases?) = await client.connect() { opened.put(phases) }
  }

  /// Makes sure of the connection, whose phases go into `record` when it is new; the failure, if there is none.
  func connect(_ metrics: ConnectMetrics, into record: inout IterationRecord) async -> GatewayError? {
    if let phases = opened.take() { metrics.add(phases, to: &record) }
    if client.isConnected { return nil }
    let outcome = await client.connect()
    record.occupied(until: MonotonicClock.now())
    switch outcome {
    case .success(let phases?): metrics.add(phases, to: &record)
    case .success(nil): break
    case .failure(let error): return error
    }
    return nil
  }
}

extension IterationRecord {
  /// Ends an iteration as `error` says.
  mutating func fail(_ error: GatewayError) {
    error.isCancellation ? censor() : fail(error.kind, error.message)
  }
}

extension GatewaySession {
  /// Says how an iteration went, a line on standard output, in runs short enough for that.
  func showLine(_ iteration: Iteration, of load: LoadSettings, _ text: @autoclosure () -> String) {
    guard !iteration.isWarmup, load.showsIterations, bench.console.showsIterations else { return }
    bench.console.data("Run \(iteration.number): \(text())\n")
  }

  /// The same of an iteration that did not succeed.
  func showFailure(_ iteration: Iteration, of load: LoadSettings, _ record: IterationRecord) {
    switch record.ending {
    case .success: break
    case .failure(let kind, _): showLine(iteration, of: load, "failed (\(kind))")
    case .censored: showLine(iteration, of: load, "interrupted")
    }
  }
}
