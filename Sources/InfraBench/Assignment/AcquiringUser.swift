import Gateway
import LoadEngine

/// A virtual user of the gateway's REST side.
final class AcquiringUser: Sendable {
  let number: Int
  let id: String
  let connection: RESTConnection
  let assigned = Slot<String>()
  let outlook = Slot<WarmPool.Outlook>()

  var client: GatewayClient { connection.client }

  init(number: Int, id: String, client: GatewayClient) {
    self.number = number
    self.id = id
    connection = RESTConnection(client)
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
