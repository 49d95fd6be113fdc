import FoundationEssentials
package import Gateway
package import Latency
import LoadEngine
import Synchronization
package import Transport
package import Results

/// A gateway that is ready to be measured, with the connections, tasks and credentials of one run.
package struct GatewaySession: Sendable {
  package let endpoint: Endpoint
  package let tls: TLSClient?
  package let headers: [SecretHeader]
  package let loops: LoopGroup
  package var held: HeldTasks { bench.held }
  /// The ids of this run's users; the tools that start tasks of their own keep them.
  package let userIDs = UsedUserIDs()
  package let bench: RunContext
  /// The longest time of one operation.
  package let timeout: Nanoseconds
  /// The embedded gateway's own ECS endpoint; nil for a remote gateway.
  package let embeddedECS: ECSAccess?
  /// The embedded gateway's control address; nil unless the tool has asked for it.
  let control: FaultControl.Access?
  /// The embedded gateway's process; nil for a remote gateway.
  package let gatewayProcess: Int32?

  /// The profile that the user named; nil where it must be found out.
  package let givenProfile: GatewayProfile?
  /// Whether the gateway gives sessions whose tasks are started by their first messages.
  package var givesSessions: Bool { givenProfile?.session?.isLazy ?? false }

  /// The users' headers and tokens.
  let visitors: UserCredentials
  private let keepsCookies: Bool
  /// The host's addresses, for all connections of the run.
  private let addresses: HostAddresses

  private let releaseBudget = ReleaseBudget(releaseBound)

  /// The longest time of one release of all held tasks, and of all releases at the end of the run together.
  private static let releaseBound: Nanoseconds = .seconds(3)

  /// Opens the target, runs `body`, releases what is still held, and ends what was started, also when the task is
  /// cancelled and when `body` throws.
  ///
  /// - Parameter usesSockets: the tool opens WebSockets in its measured part.
  /// - Throws: a ``BenchmarkFailure`` when the embedded gateway cannot be started or a token command prints no token;
  ///   and the errors of `body`.
  package static func with<T: Sendable>(
    _ target: TargetSettings, timeout: Nanoseconds, threads: Int = 1, usesSockets: Bool = false, bench: RunContext,
    gatewayArguments: [String] = [],
    _ body: (GatewaySession) async throws(BenchmarkFailure) -> T
  ) async throws(BenchmarkFailure) -> T {
    var embedded: EmbeddedGatewayProcess?
    let endpoint: Endpoint
    switch target.gateway {
    case .remote(let remote): endpoint = remote
    case .embedded(let settings):
      let process = try await EmbeddedGatewayProcess.start(
        settings, arguments: gatewayArguments + standIn(for: target.profile))
      embedded = process
      endpoint = process.endpoint
      bench.held.areOfOwnGateway()
    }
    warmUpDecoding()
    if target.isInsecure, endpoint.isSecure { bench.note("certificates were not verified (--insecure)") }
    let tokens: TokenSource
    do throws(BenchmarkFailure) {
      tokens = try await TokenSource.open(target)
    } catch {
      await embedded?.stop()
      throw error
    }
    let traffic: LoopGroup.Traffic = endpoint.isSecure || usesSockets ? .secureOrSockets : .plainHTTP
    return try await LoopGroup.lend(threads: threads, for: traffic) { loops async throws(BenchmarkFailure) in
      let session = GatewaySession(
        endpoint: endpoint, target, tokens: tokens, loops: loops, bench: bench, timeout: timeout,
        embeddedECS: embedded?.ecs, control: embedded?.control, gatewayProcess: embedded?.process)
      if tokens.count > 1 { bench.held.areOfSeveralTokens() }
      let renewal = Task { await tokens.renew(bench) }
      let result = await Result(catching: { () async throws(BenchmarkFailure) in try await body(session) })
      renewal.cancel()
      if let reason = embedded?.unexpectedEnd {
        bench.note(reason)
        // Its tasks have ended with it, so that nothing is left to release.
        bench.held.endedWithGateway()
      }
      await session.close(embedded)
      for note in session.addresses.notes { bench.note(note) }
      return try result.get()
    }
  }

  /// The arguments that make the embedded gateway speak a built-in profile.
  private static func standIn(for profile: GatewayProfile?) -> [String] {
    guard let profile, profile.name != BuiltInProfiles.embedded.name, profile.acquire != nil, profile.status == nil,
      profile == BuiltInProfiles.profile(profile.name)
    else { return [] }
    return ["--profile", profile.name]
  }

  private init(
    endpoint: Endpoint, _ target: TargetSettings, tokens: TokenSource, loops: LoopGroup, bench: RunContext,
    timeout: Nanoseconds,
    embeddedECS: ECSAccess?, control: FaultControl.Access?, gatewayProcess: Int32?
  ) {
    keepsCookies = target.keepsCookies
    self.endpoint = endpoint
    tls = target.tls
    headers = target.headers
    givenProfile = target.profile
    let callForms = target.profile.map { GatewayCallForms($0, native: BuiltInProfiles.embedded) } ?? GatewayCallForms()
    visitors = UserCredentials(to: endpoint, headers: target.headers, tokens: tokens, callForms: callForms)
    self.loops = loops
    self.bench = bench
    self.timeout = timeout
    self.embeddedECS = embeddedECS
    self.control = control
    self.gatewayProcess = gatewayProcess
    addresses = HostAddresses(of: endpoint)
  }

  /// A REST client; `timeout` defaults to the session's.
  ///
  /// - Parameter number: the number of the user whose token is sent.
  /// - Parameter isVisitor: the client is a user's, whose iterations are visits and keep their cookies. A client that
  ///   polls the pool for a whole run keeps none: a balancer's cookie would tie it to one node. Users' clients take the
  ///   host's addresses in turn.
  package func client(
    on executor: LoopExecutor, user number: Int = 0, timeout: Nanoseconds? = nil, watchesTask: Bool = true,
    isVisitor: Bool = false, turn: Int = 0
  ) -> GatewayClient {
    GatewayClient(
      to: endpoint, addresses: addresses, turn: isVisitor ? addresses.nextTurn() : turn,
      requests: visitors.requests(ofUser: number), tls: tls, on: executor, timeout: timeout ?? self.timeout,
      watchesTask: watchesTask, keepsCookies: keepsCookies && isVisitor, renewed: visitors.renewal(ofUser: number))
  }

  /// The index of the host's address that a client connects to first, from 0.
  package func place(of client: GatewayClient) -> Int { client.turn % max(1, addresses.count) }

  /// A REST client for the embedded gateway that speaks the suite's own form under any profile: a given profile may
  /// lack calls that the tool itself needs.
  package func ownClient(on executor: LoopExecutor) -> GatewayClient {
    let headers = visitors.headers(ofUser: 0).map { (name: $0.name, value: $0.value) }
    return GatewayClient(
      to: endpoint, requests: GatewayRequests(to: endpoint, headers: headers), tls: tls, on: executor, timeout: timeout,
      keepsCookies: false)
  }

  /// The target as results name it.
  package var document: ResultDocument.Target { document(givenProfile) }

  /// The target as results name it, with the profile that was spoken, where that is known.
  package func document(_ profile: GatewayProfile?) -> ResultDocument.Target {
    ResultDocument.Target(
      kind: embeddedECS == nil ? "remote" : "embedded", gatewayUrl: endpoint.httpURL,
      ecsEndpointUrl: embeddedECS?.endpointURL,
      profile: profile?.name ?? (embeddedECS == nil ? nil : BuiltInProfiles.embedded.name))
  }

  /// Releases all held tasks through fresh connections.
  package func releaseHeld() async { await releaseHeld(within: Self.releaseBound) }

  /// Releases all held tasks at the end of a run. All calls together share one bound.
  package func releaseAtEnd() async {
    let remaining = releaseBudget.remaining(at: MonotonicClock.now())
    guard remaining > .zero else { return }
    await releaseHeld(within: remaining)
  }

  private func releaseHeld(within bound: Nanoseconds) async {
    guard held.count > 0 else { return }
    let executor = loops.executor(forUser: 0)
    let visitors = self.visitors
    // Each address may be a node that knows only its own tasks.
    let places = max(1, addresses.count)
    for place in 0..<places {
      let clients = (0..<min(8, held.count)).map { _ in client(on: executor, timeout: bound, turn: place) }
      await held.releaseAll(
        through: clients, as: { visitors.requests(ofUser: $0) }, place: places > 1 ? place : nil,
        bound: bound / places, bench: bench)
      for client in clients { client.close() }
    }
  }

  /// The first use of a decoder loads its tables. It is made here, so that no response time includes it.
  private static func warmUpDecoding() {
    _ = try? JSONDecoder().decode(AcquireAnswer.self, from: Data(#"{"taskId": "task", "latency": 1.5}"#.utf8))
  }

  /// Releases what is held and stops the embedded gateway. Unstructured, so that a cancelled run cleans up too.
  private func close(_ embedded: EmbeddedGatewayProcess?) async {
    await Task {
      await releaseAtEnd()
      await embedded?.stop()
    }.value
    held.sayWhatIsLeft(to: bench, areSessions: givesSessions) {
      visitors.requests(ofUser: 0).releaseCommand(taskID: $0, at: endpoint)
    }
  }
}

extension GatewaySession {
  /// The largest message from a user's program, in bytes: a line is received whole, in any number of fragments.
  private static let longestLine = 16 << 20

  /// What a profile's templates are filled with when the visit of a user begins.
  func values(ofUser number: Int, id: String) -> ProfileValues {
    var values = ProfileValues([.userId: id, .uuid: UUID().uuidString.lowercased(), .n: "0"])
    values[.token] = visitors.tokens.token(ofUser: number)
    return values
  }

  /// Opens a connection to the user's side.
  ///
  /// - Parameters:
  ///   - path: the role's own, or the path that resumes a session.
  ///   - number: the number of the user whose token is sent.
  ///   - visitor: the client of the user's visit. Its cookies are sent with the upgrade, those of the answer are kept
  ///     for its later calls, and the connection goes to its address of the host.
  ///   - timeout: the session's by default.
  ///
  ///   - Throws: when the connection fails or the upgrade is refused.
  package func openSession(
    _ role: GatewayProfile.Session, path: ProfileTemplate, _ values: ProfileValues, user number: Int = 0,
    visitor: GatewayClient? = nil, on executor: LoopExecutor, timeout: Nanoseconds? = nil
  ) async throws(WebSocketError) -> WebSocketConnection {
    let path = path.text(values)
    let own = role.headers.map { ($0.name, $0.value.text(values)) }
    var fields = visitors.headers(ofUser: number).map { ($0.name, $0.value) }
    // A field of the profile replaces the user's field of the same name: many gateways reject two.
    fields.removeAll { field in own.contains { $0.0.lowercased() == field.0.lowercased() } }
    fields += own
    let plainPath = String(path.prefix { $0 != "?" })
    if let cookies = visitor?.cookieField(for: plainPath) {
      // The visit's cookies include those that the user gave as a header, but not the profile's.
      fields.removeAll { $0.0.lowercased() == "cookie" }
      let ofProfile = own.filter { $0.0.lowercased() == "cookie" }.map(\.1)
      fields.append(("Cookie", (ofProfile + [cookies]).joined(separator: "; ")))
    }
    let client = visitor ?? self.client(on: executor, user: number)
    do throws(WebSocketError) {
      let connection = try await client.openWebSocket(
        path: path, headers: fields, subprotocols: role.subprotocols, on: executor,
        limits: WebSocketLimits(maximumMessageSize: Self.longestLine), timeout: timeout ?? self.timeout)
      visitor?.keep(setCookies: connection.setCookies, from: plainPath)
      connection.isServed(by: executor)
      return connection
    } catch {
      throw explained(error, fields.map(\.0), client)
    }
  }

  /// Describes a refused upgrade in the same words as any other refused call.
  private func explained(
    _ error: WebSocketError, _ headerNames: [String], _ client: GatewayClient
  ) -> WebSocketError {
    guard case .upgradeRefused(var refusal) = error else { return error }
    let reason = client.refusal(refusal.response, headerNames: headerNames)
    (refusal.kind, refusal.words) = (reason.kind.rawValue, reason.message)
    return .upgradeRefused(refusal)
  }
}

extension WebSocketError {
  /// The kind that results count the error by.
  var kind: String {
    switch self {
    case .invalidRequest: "invalid_request"
    case .refused: "connect_refused"
    case .unresolved: "dns"
    case .unreachable: "connect_failed"
    case .timeout: "timeout"
    case .tls: "tls"
    case .clientCertificate: "client_certificate"
    case .upgradeRefused(let refusal): refusal.kind
    case .protocolViolation: "invalid_response"
    case .closed: "closed"
    case .cancelled: "cancelled"
    }
  }
}

/// The ids of the users of this run: a task with another user id serves somebody else.
package final class UsedUserIDs: Sendable {
  private let ids = Mutex<Set<String>>([])

  package init() {}

  package func insert(_ id: String) { ids.withLock { _ = $0.insert(id) } }

  /// Whether this run has used `id`. Somebody else may have used it too.
  func contains(_ id: String) -> Bool { ids.withLock { $0.contains(id) } }
}
