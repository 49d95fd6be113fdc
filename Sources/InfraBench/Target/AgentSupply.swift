import FoundationEssentials
import GatewayProtocol
import Latency
import SessionGateway
import Transport
package import WarmTask

/// Warm tasks that the tool itself supplies to a gateway that has none (`--agents`), such as one without ECS.
///
/// They live on an event loop of their own and share nothing with the load but the clock.
package enum AgentSupply {
  /// What waiting until the gateway has seen the agents go may take, in ns.
  private static let goneBound: UInt64 = 1_000_000_000

  /// Supplies the agents asked for while `body` runs; none are asked for with `--agents 0`.
  ///
  /// - Throws: when the gateway has warm tasks already, which would be handed real users, or when the agents don't get warm.
  package static func with<T: Sendable>(
    _ target: TargetSettings, session: GatewaySession, program: UserProgram? = nil,
    observer: @escaping TaskObserver = { _ in },
    _ body: () async throws(BenchmarkFailure) -> T
  ) async throws(BenchmarkFailure) -> T {
    guard target.agents > 0 else { return try await body() }
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    guard let before = try await warmCount(client) else { return try await body() }
    if before > 0, !target.allowsAgentsBesideReal {
      throw BenchmarkFailure(
        "the gateway has \(before) warm tasks of its own, and agents beside them would be handed real users: "
          + "leave --agents out, or give --agents-beside-real")
    }
    let program =
      if let program { program } else { UserProgram.standIn(path: try Executables.path(of: "session-stand-in")) }
    let root = try workspaceRoot()
    let result = await LoopGroup.lend { loops in
      let pool = AgentPool(
        configuration: configuration(session, program: program, workspaceRoot: root.path), count: target.agents,
        loops: loops.executors.map(\.eventLoop), observer: observer)
      let agents = Task { await pool.run() }
      let result = await Result(catching: { () async throws(BenchmarkFailure) in
        try await waitUntilWarm(before + target.agents, client, session: session)
        return try await body()
      })
      // What the agents serve is given back before they go.
      await Task { await session.releaseAtEnd() }.value
      agents.cancel()
      await agents.value
      return result
    }
    await waitUntilGone(before, session)
    await Task { await root.remove() }.value
    return try result.get()
  }

  private static func configuration(
    _ session: GatewaySession, program: UserProgram, workspaceRoot: String
  ) -> WarmTaskConfiguration {
    var configuration = WarmTaskConfiguration(
      gateway: session.endpoint, program: program, workspaceRoot: workspaceRoot)
    configuration.headers = session.visitors.headers(ofUser: 0).map { ($0.name, $0.value) }
    if let role = session.givenProfile?.agents {
      configuration.path = { role.path.text(ProfileValues([.task: $0])) }
    }
    configuration.tls = session.tls
    return configuration
  }

  /// nil when the run was interrupted, which is no failure of the gateway.
  private static func warmCount(_ client: GatewayClient) async throws(BenchmarkFailure) -> Int? {
    switch await client.status() {
    case .success(let (status, _)): return status.warmCount
    case .failure where Task.isCancelled: return nil
    case .failure(let error): throw BenchmarkFailure("the gateway did not tell how many warm tasks it has: \(error)")
    }
  }

  private static func waitUntilWarm(
    _ count: Int, _ client: GatewayClient, session: GatewaySession
  ) async throws(BenchmarkFailure) {
    let deadline = MonotonicClock.now() + session.timeout
    var seen = 0
    while MonotonicClock.now() < deadline, !Task.isCancelled {
      seen = try await warmCount(client) ?? seen
      if seen >= count { return }
      try? await Task.sleep(for: .milliseconds(10))
    }
    guard !Task.isCancelled else { return }
    throw BenchmarkFailure("only \(seen) of \(count) warm tasks were at the gateway within the timeout")
  }

  /// The next of several runs would take agents that the gateway still shows for its own warm tasks.
  private static func waitUntilGone(_ before: Int, _ session: GatewaySession) async {
    let deadline = MonotonicClock.now() + goneBound
    let client = session.client(on: session.loops.executor(forUser: 0), timeout: goneBound)
    defer { client.close() }
    while MonotonicClock.now() < deadline, !Task.isCancelled {
      guard case .success(let (status, _)) = await client.status(), status.warmCount > before else { return }
      try? await Task.sleep(for: .milliseconds(10))
    }
  }

  private static func workspaceRoot() throws(BenchmarkFailure) -> TemporaryWorkspace {
    do {
      return try TemporaryWorkspace()
    } catch {
      throw BenchmarkFailure("no temporary directory for the agents' workspaces could be made: \(error)")
    }
  }
}

/// A directory for the workspaces of agents, removed with all that they made.
private struct TemporaryWorkspace {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "infrabench-agents-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    path = url.path
  }

  /// An agent that was ended in the middle may still be making a workspace: then it takes more than one try.
  func remove() async {
    for _ in 0..<50 {
      try? FileManager.default.removeItem(atPath: path)
      guard FileManager.default.fileExists(atPath: path) else { return }
      try? await Task.sleep(for: .milliseconds(10))
    }
  }
}
