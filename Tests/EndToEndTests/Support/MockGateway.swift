import FoundationEssentials
import GatewayProtocol
import Glibc
import ProcessControl
import SessionGateway
import Transport

/// A gateway of the test's own, as a program: two warm tasks on a free port.
struct MockGateway: Sendable {
  let url: String

  private let running: Tool.Running
  private let client: GatewayClient

  private struct ReadyLine: Decodable {
    var gatewayUrl: String
  }

  struct TooLate: Error {}

  static func start(in directory: String, _ arguments: String...) async throws -> MockGateway {
    let running = try await Tool(name: "mock-gateway").start(
      ["--port", "0", "--pool-size", "2", "--task-start-delay", "20ms"] + arguments, in: directory)
    let line = try await poll { () -> Substring? in
      let output = running.outputSoFar
      return output.firstIndex(of: "\n").map { output[..<$0] }
    }
    return try MockGateway(url: JSONDecoder().decode(ReadyLine.self, from: Data(line.utf8)).gatewayUrl, running)
  }

  private init(url: String, _ running: Tool.Running) throws {
    self.url = url
    self.running = running
    let endpoint = try Endpoint(parsing: url)
    client = GatewayClient(
      to: endpoint, requests: GatewayRequests(to: endpoint), tls: nil, on: LoopGroup().executor(forUser: 0),
      timeout: 5_000_000_000)
  }

  /// Waits until its status is as a test expects it, at most 20 s.
  func waitUntil(_ isAsExpected: (StatusAnswer) -> Bool) async throws {
    try await Self.poll { () -> Bool? in isAsExpected(try await client.status().get().0) ? true : nil }
  }

  func stop() {
    client.close()
    running.child.signal(SIGTERM)
  }

  @discardableResult
  private static func poll<T>(_ look: () async throws -> T?) async throws -> T {
    for _ in 0..<2_000 {
      if let found = try await look() { return found }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw TooLate()
  }
}
