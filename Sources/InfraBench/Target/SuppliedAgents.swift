import FoundationEssentials
import Gateway
import Latency
import Synchronization
import Transport
package import WarmTask

/// Warm tasks that the tool itself supplies to a gateway that has none (`--agents`), such as one without ECS.
///
/// They run on an event loop of their own, and share only the clock with the load.
package enum SuppliedAgents {
  /// The longest wait until the gateway shows the agents no more.
  private static let goneBound: Nanoseconds = .seconds(1)

  /// Supplies the agents while `body` runs; with `--agents 0` there are none.
  ///
  /// - Throws: when the gateway has warm tasks already and agents beside them are not allowed, as real users would be
  ///   given the agents; when the gateway gives no status; when the agents do not get warm within the time-out; and the
  ///   errors of `body`.
  package static func with<T: Sendable>(
    _ target: TargetSettings, session: GatewaySession, program: UserProgram? = nil,
    observer: @escaping TaskObserver = { _ in },
    _ body: () async throws(BenchmarkFailure) -> T
  ) async throws(BenchmarkFailure) -> T {
    let agents = target.ownAgents ?? target.agents
    guard agents > 0 else { return try await body() }
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
    let result = await LoopGroup.lend(for: .secureOrSockets) { loops in
      let failures = ConnectFailures()
      let pool = AgentPool(
        configuration: configuration(session, client, program: program, workspaceRoot: root.path),
        count: agents, loops: loops.executors.map(\.eventLoop),
        observer: { event in
          failures.observe(event)
          observer(event)
        })
      let running = Task { await pool.run() }
      let result = await Result(catching: { () async throws(BenchmarkFailure) in
        try await waitUntilWarm(before, agents, failures, client, session: session)
        if client.addresses.count > 1 {
          session.bench.note("all agents went to one of the \(client.addresses.count) addresses of the gateway's host")
        }
        return try await body()
      })
      // Tasks are released before their agents end.
      await Task { await session.releaseAtEnd() }.value
      running.cancel()
      await running.value
      return result
    }
    await waitUntilGone(before, session)
    await Task { await root.remove() }.value
    return try result.get()
  }

  private static func configuration(
    _ session: GatewaySession, _ watcher: GatewayClient, program: UserProgram, workspaceRoot: String
  ) -> WarmTaskConfiguration {
    var configuration = WarmTaskConfiguration(
      gateway: session.endpoint, program: program, workspaceRoot: workspaceRoot)
    configuration.headers = session.visitors.headers(ofUser: 0).map { ($0.name, $0.value) }
    if let role = session.givenProfile?.agents {
      configuration.path = { role.path.text(ProfileValues([.task: $0])) }
    }
    configuration.tls = session.tls
    // The agents go to the address that the pool's status is read from: nodes that share no state know only their own
    // agents.
    configuration.addresses = watcher.addresses
    configuration.turn = 0
    return configuration
  }

  /// The gateway's number of warm tasks; nil when the run was interrupted, which is no failure of the gateway.
  private static func warmCount(_ client: GatewayClient) async throws(BenchmarkFailure) -> Int? {
    switch await client.status() {
    case .success(let (status, _)): return status.warmCount
    case .failure where Task.isCancelled: return nil
    case .failure(let error): throw BenchmarkFailure("the gateway did not tell how many warm tasks it has: \(error)")
    }
  }

  private static func waitUntilWarm(
    _ before: Int, _ agents: Int, _ failures: ConnectFailures, _ client: GatewayClient, session: GatewaySession
  ) async throws(BenchmarkFailure) {
    let deadline = MonotonicClock.now() + session.timeout
    let count = before + agents
    var seen = 0
    while MonotonicClock.now() < deadline, !Task.isCancelled {
      seen = try await warmCount(client) ?? seen
      if seen >= count { return }
      if failures.areAll(of: agents) { break }
      try? await Task.sleep(for: .milliseconds(10))
    }
    guard !Task.isCancelled else { return }
    let time = failures.areAll(of: agents) ? "" : " within the timeout"
    let reason = failures.first.map { ": an agent could not connect: \(words($0, client, session))" } ?? ""
    throw BenchmarkFailure("only \(seen) of \(count) warm tasks were at the gateway\(time)\(reason)")
  }

  /// An error in words. A gateway may repeat secrets in its refusal of an upgrade, which are removed as for any other
  /// call.
  private static func words(_ error: WebSocketError, _ client: GatewayClient, _ session: GatewaySession) -> String {
    guard case .upgradeRefused(let refusal) = error else { return error.description }
    let names = session.visitors.headers(ofUser: 0).map(\.name)
    return client.refusal(refusal.response, headerNames: names).message
  }

  /// Waits until the gateway shows the agents no more: the next of several runs would take them for the gateway's own
  /// warm tasks.
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

/// Counts the agents that could not connect, from the events of their loops.
private final class ConnectFailures: Sendable {
  private struct State {
    var first: WebSocketError?
    var count = 0
    var hasConnected = false
  }

  private let state = Mutex(State())

  func observe(_ event: TaskEvent) {
    switch event.kind {
    case .connected: state.withLock { $0.hasConnected = true }
    case .ended(.notConnected(let error)):
      state.withLock { state in
        state.first = state.first ?? error
        state.count += 1
      }
    default: break
    }
  }

  /// Why the first of them could not connect.
  var first: WebSocketError? { state.withLock { $0.first } }

  /// Whether at least one try for each agent has failed, and none has succeeded.
  func areAll(of agents: Int) -> Bool { state.withLock { !$0.hasConnected && $0.count >= agents } }
}

/// A directory for the agents' workspaces, removed with its contents.
private struct TemporaryWorkspace {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "infrabench-agents-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    path = url.path
  }

  /// Removes the directory. An agent that was ended in the middle may still be making a workspace, so that several
  /// tries may be needed.
  func remove() async {
    for _ in 0..<50 {
      try? FileManager.default.removeItem(atPath: path)
      guard FileManager.default.fileExists(atPath: path) else { return }
      try? await Task.sleep(for: .milliseconds(10))
    }
  }
}
