import FoundationEssentials
import Gateway
import Glibc
import Latency
import ProcessControl
import Testing
import Transport

/// The program mock-gateway on a free port; it dies with the tests.
struct MockGateway: Sendable {
  /// Its three warm tasks live in its own memory.
  static let threeVirtualTasks = ["--virtual-tasks", "--pool-size", "3"]

  let url: String
  /// What it said when it served.
  let readyLine: String
  let child: ChildProcess
  private let client: GatewayClient
  private let scratch: Scratch

  private struct Ready: Decodable {
    var gatewayUrl: String
  }

  /// Starts it and waits until it serves, and has `warm` warm tasks.
  static func start(_ arguments: [String] = threeVirtualTasks, warm: Int = 3, environment: [String: String] = [:])
    async throws -> MockGateway
  {
    let scratch = try Scratch()
    let neutral = ["GATEWAY_PORT": "", "WARM_POOL_TARGET_SIZE": "", "TMPDIR": scratch.path]
    let running = try await Tool(name: "mock-gateway").start(
      ["--port", "0", "--task-start-delay", "20ms"] + arguments, environment: neutral.merging(environment) { $1 },
      in: scratch.path)
    try await eventually("mock-gateway does not serve") {
      running.standardOutputSoFar.contains("\n") || running.child.exitStatus != nil
    }
    let line = running.standardOutputSoFar
    let url = try JSONDecoder().decode(Ready.self, from: Data(line.utf8)).gatewayUrl
    let gateway = MockGateway(
      url: url, readyLine: line, child: running.child, client: try GatewayClient.ofTests(url), scratch: scratch)
    try await eventually("never warm") { try await gateway.status().warmCount >= warm }
    return gateway
  }

  func status() async throws -> StatusAnswer { try await client.status().get().0 }

  /// Ends it in order.
  func stop() async {
    client.close()
    child.signal(SIGTERM)
    _ = await child.waitForExit()
  }
}

extension GatewayClient {
  private static let loops = LoopGroup()

  /// A client of the tests' own.
  static func ofTests(_ url: String) throws -> GatewayClient {
    let endpoint = try Endpoint(parsing: url)
    return GatewayClient(
      to: endpoint, requests: GatewayRequests(to: endpoint), tls: nil, on: loops.executor(forUser: 0),
      timeout: .seconds(20))
  }
}
