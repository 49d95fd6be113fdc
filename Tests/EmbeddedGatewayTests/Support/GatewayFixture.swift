import EmbeddedGateway
import FoundationEssentials
import Gateway
import Latency
import NIOPosix
import Testing
import Transport

/// Runs `body` beside a gateway with scripted tasks, and stops it whatever happens.
func withGateway(
  _ rules: PoolRules = PoolRules(targetSize: 2), tasks: ScriptedTasks = ScriptedTasks(),
  configure change: (inout GatewayConfiguration) -> Void = { _ in },
  _ body: (GatewayFixture) async throws -> Void
) async throws {
  var configuration = GatewayConfiguration(workspaceRoot: "/nonexistent-workspace")
  configuration.rules = rules
  configuration.taskStartDelay = .milliseconds(1)
  change(&configuration)
  let gateway = try await EmbeddedGateway.start(configuration, runner: tasks)
  do {
    try await body(GatewayFixture(gateway: gateway, tasks: tasks))
  } catch {
    await gateway.stop()
    throw error
  }
  await gateway.stop()
}

/// A running gateway as clients see it.
struct GatewayFixture {
  let gateway: EmbeddedGateway
  let tasks: ScriptedTasks

  var port: Int { gateway.port }

  func connection() async throws -> RawConnection { try await RawConnection.open(port) }

  /// One request on a connection of its own.
  func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> RawConnection.Answer {
    let connection = try await connection()
    defer { connection.close() }
    try await connection.request(method, path, body)
    return try await connection.answer()
  }

  func acquire(_ userID: String, waitFor: String? = nil) async throws -> AcquireAnswer {
    let wait = waitFor.map { #","waitFor":"\#($0)""# } ?? ""
    return try await ask("POST", "/api/acquire", #"{"userId":"\#(userID)"\#(wait)}"#).json(AcquireAnswer.self)
  }

  func status() async throws -> StatusAnswer { try await ask("GET", "/api/status").json(StatusAnswer.self) }

  /// Polls until `condition` holds; fails after 20 s.
  func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: (StatusAnswer) -> Bool
  ) async throws {
    for _ in 0..<2000 {
      if condition(try await gateway.status()) { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record(what, sourceLocation: sourceLocation)
  }

  func warm(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await eventually("never \(count) warm tasks", sourceLocation: sourceLocation) { $0.warmCount == count }
  }

  func socket(_ path: String) async throws -> WebSocketConnection { try await Self.socket(port, path) }

  static func socket(_ port: Int, _ path: String) async throws -> WebSocketConnection {
    try await WebSocketConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: port), path: path, on: MultiThreadedEventLoopGroup.singleton.next())
  }
}

extension PoolRules {
  /// Nothing is started before someone asks: every request is a cold start.
  static var onlyColdStarts: PoolRules { PoolRules(targetSize: 0, maxSize: 2, maxTasks: 4) }
}
