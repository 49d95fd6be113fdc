import FoundationEssentials
import Latency
import NIOCore
import Transport

/// The control address of the run's own embedded gateway, by which faults begin and end while it runs.
struct FaultControl: Sendable {
  /// The address, as the gateway's ready line names it, and the token that it asks for.
  package struct Access: Sendable {
    var endpoint: Endpoint
    var token: String
  }

  /// What was injected, as `GET /faults` tells it (docs/faults.md).
  struct Report: Decodable, Sendable {
    struct Fault: Decodable, Sendable {
      var fault: String
      var injected: Int
    }

    var injected: Int
    /// From the last strike, in ms; nil where there was none.
    var lastInjectedMsAgo: Double?
    var faults: [Fault]
  }

  let access: Access
  let executor: LoopExecutor

  private static let bound: Nanoseconds = .seconds(5)

  /// Begins a plan of faults, which counts from 0.
  ///
  /// - Throws: where the gateway does not take it.
  func begin(_ plan: String) async throws(BenchmarkFailure) {
    _ = try await call("POST", body: plan)
  }

  /// Ends the plan; returns what was injected, and when the last fault struck. nil where the gateway does not tell it.
  func end() async -> (report: Report, lastAt: Instant?)? {
    guard let (body, readAt) = try? await call("DELETE", body: ""),
      let report = try? JSONDecoder().decode(Report.self, from: Data(body.utf8))
    else { return nil }
    return (report, report.lastInjectedMsAgo.map { readAt - .milliseconds($0) })
  }

  /// Returns the answer's body, and when it was read.
  private func call(
    _ method: String, body: String
  ) async throws(BenchmarkFailure) -> (body: String, readAt: Instant) {
    let request = ByteBuffer(
      string:
        "\(method) /faults HTTP/1.1\r\nHost: \(access.endpoint.hostHeader)\r\nAuthorization: Bearer \(access.token)\r\n"
        + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    do throws(TransportError) {
      let connection = try await HTTPConnection.connect(
        to: access.endpoint, tls: nil, on: executor, timeout: Self.bound
      ).get()
      defer { connection.close() }
      let exchange = try await connection.exchange(request, timeout: Self.bound).get()
      let text = String(buffer: exchange.response.body)
      guard exchange.response.status == 200 else {
        throw TransportError(.invalidResponse, "\(exchange.response.status) \(text.prefix(300))")
      }
      return (text, exchange.lastByteReadAt)
    } catch {
      throw BenchmarkFailure("the embedded gateway's control address did not take \(method) /faults: \(error.message)")
    }
  }
}
