import FoundationEssentials
public import Latency
import NIOCore
import Synchronization
public import Transport

/// One user's kept connection to a gateway's REST side; when the gateway has closed it, the next call opens a new one.
///
/// ```swift
/// let client = GatewayClient(
///   to: endpoint, requests: GatewayRequests(to: endpoint), tls: nil, on: executor, timeout: .seconds(5))
/// switch await client.acquire(userID: "u1") {
/// case .assigned(let assigned): _ = await client.release(assigned.task)
/// case .miss: break  // the pool is empty: neither a success nor a failure
/// case .failed(let error, _): print(error.kind.rawValue, error.message)
/// }
/// client.close()
/// ```
public final class GatewayClient: Sendable {
  private let endpoint: Endpoint
  private let firstRequests: GatewayRequests
  private let renewed: (@Sendable () -> GatewayRequests)?
  /// The addresses of the gateway's host, looked up by this client unless they were given.
  package let addresses: HostAddresses
  /// The index of the address that is tried first, modulo the number of addresses.
  package let turn: Int
  private let tls: TLSClient?
  private let executor: LoopExecutor
  /// ``executor``, if its plain connections can be read in place.
  private let ownLoop: EpollLoop?
  private let timeout: Nanoseconds
  private let watchesTask: Bool
  private let keepsCookies: Bool
  private let state = Mutex(State())

  private struct State {
    var connection: HTTPConnection?
    /// The cookies that were set since the visit began.
    var cookies = CookieJar()
    /// The bytes of the last request. The next request reuses their memory, because the connection no longer holds it.
    var request = ByteBuffer()

    /// For the running call: the time that it waits for its answer after ``GatewayClient/cancel()``.
    var grace: Nanoseconds = .zero
    var isCancelled = false

    /// The kept connection, if a request can be sent over it.
    var usable: HTTPConnection? {
      guard let connection, connection.isUsable else { return nil }
      return connection
    }
  }

  /// The wait of a cancelled acquire for its answer: only the answer has the id that releases an assigned task.
  private static let acquireGrace: Nanoseconds = .milliseconds(1500)

  /// The wait of a cancelled release for its answer. Without the answer, a later refusal could mean either that the
  /// task went back or that another node has it.
  private static let releaseGrace: Nanoseconds = .seconds(1)

  /// Makes a client whose operations each take at most `timeout`, connecting included.
  ///
  /// - Parameters:
  ///   - addresses: the addresses of the endpoint's host, shared by the clients of a run; nil: the client looks them
  ///     up.
  ///   - turn: the index of the address that is tried first, modulo their number.
  ///   - watchesTask: every call watches its task's cancellation. Without it, calls on the client's own loop cost less,
  ///     and the code that cancels the task must call ``cancel()`` as well.
  ///   - renewed: returns the current requests, for example with a renewed token; nil: they never change.
  public init(
    to endpoint: Endpoint, addresses: HostAddresses? = nil, turn: Int = 0, requests: GatewayRequests, tls: TLSClient?,
    on executor: LoopExecutor, timeout: Nanoseconds, watchesTask: Bool = true, keepsCookies: Bool = true,
    renewed: (@Sendable () -> GatewayRequests)? = nil
  ) {
    self.addresses = addresses ?? HostAddresses(of: endpoint)
    self.turn = turn
    self.renewed = renewed
    self.watchesTask = watchesTask
    self.keepsCookies = keepsCookies
    self.endpoint = endpoint
    firstRequests = requests
    self.tls = tls
    self.executor = executor
    ownLoop = tls == nil ? executor as? EpollLoop : nil
    self.timeout = timeout
  }

  private var requests: GatewayRequests { renewed?() ?? firstRequests }

  /// Begins a new visitor's visit: drops the cookies that were set before.
  public func beginVisit() { state.withLock { if !$0.cookies.isEmpty { $0.cookies = CookieJar() } } }

  /// The cookies that were set since the visit began; empty where the client keeps no cookies.
  public var cookies: CookieJar { state.withLock { $0.cookies } }

  /// The value of a `Cookie` field for another connection of this visit, such as a WebSocket at `path`; nil without
  /// cookies.
  public func cookieField(for path: String) -> String? { requests.cookies(for: path, cookies, now: wallClock()) }

  /// Keeps the cookies that another connection of this visit received, such as a WebSocket's at `path`.
  public func keep(setCookies: [String], from path: String) {
    guard keepsCookies, !setCookies.isEmpty else { return }
    let now = wallClock()
    state.withLock { state in
      for field in setCookies { state.cookies.store(field, from: endpoint.basePath + path, now: now) }
    }
  }

  /// Opens a WebSocket of this visit, at the address of this client's turn.
  public func openWebSocket(
    path: String, headers: [(String, String)], subprotocols: [String] = [], on executor: LoopExecutor,
    limits: WebSocketLimits, timeout: Nanoseconds
  ) async throws(WebSocketError) -> WebSocketConnection {
    try await WebSocketConnection.connect(
      to: endpoint, addresses: addresses, turn: turn, path: path, headers: headers, subprotocols: subprotocols,
      tls: tls, on: executor.eventLoop, limits: limits, timeout: timeout)
  }

  /// Whether a connection is open, so that ``connect()`` returns at once.
  public var isConnected: Bool { state.withLock { $0.usable != nil } }

  /// Opens a connection unless one is open; returns the phases of a new one, nil where one was open.
  public func connect() async -> Result<ConnectPhases?, GatewayError> {
    if isConnected { return .success(nil) }
    return await open().map(\.phases).mapError(GatewayError.init)
  }

  /// Asks for a task for `userID`, a valid ``UserID``. With `waitForReady` the gateway answers when the task has
  /// confirmed.
  public func acquire(userID: String, waitForReady: Bool = false) async -> AcquireOutcome {
    guard requests.acquireIsNative else { return await acquireByRole(userID: userID, waitForReady: waitForReady) }
    if let outcome = await acquireInPlace(userID: userID, waitForReady: waitForReady) { return outcome }
    return await acquireByMessage(userID: userID, waitForReady: waitForReady)
  }

  // What follows is in functions of their own that are never inlined: a suspended function keeps room for all values of
  // all its ways, and thousands of virtual users are suspended here.

  /// The acquire of a call that allocates nothing; nil where nothing was sent, so that the call needs another way.
  @inline(never)
  private func acquireInPlace(userID: String, waitForReady: Bool) async -> AcquireOutcome? {
    guard let (connection, loop) = connectionInPlace(grace: Self.acquireGrace),
      let request = acquireRequest(userID, waitForReady, loop),
      let outcome = await connection.exchangeInPlace(request, timeout: timeout)
    else { return nil }
    return acquireOutcome(inPlace: outcome)
  }

  @inline(never)
  private func acquireRequest(_ userID: String, _ waitForReady: Bool, _ loop: EpollLoop) -> UnsafeRawBufferPointer? {
    var request = LoopRequest(loop.requestBuffer)
    requests.acquire(userID: userID, waitForReady: waitForReady, CookieJar(), into: &request)
    return request.bytes
  }

  /// nil where the request was not sent.
  @inline(never)
  private func acquireOutcome(inPlace outcome: InPlaceOutcome) -> AcquireOutcome? {
    switch outcome {
    case .inPlace(let answer):
      if answer.status == 200, !answer.setsCookies, let task = AssignedTask(scanning: answer.body, answer.stamps) {
        return .assigned(task)
      }
      return acquireOutcome(keepingCookies(.success(answer.exchange), "/api/acquire"))
    case .exchange(let exchange): return acquireOutcome(keepingCookies(.success(exchange), "/api/acquire"))
    case .failure(let error): return error.wasNotSent ? nil : acquireOutcome(.failure(error))
    }
  }

  @inline(never)
  private func acquireByRole(userID: String, waitForReady: Bool) async -> AcquireOutcome {
    guard case .by(let role) = requests.callForms.acquire else {
      return .failed(.absentRole("acquire"), firstByteWrittenAt: nil)
    }
    return await acquire(role, userID: userID, waitForReady: waitForReady)
  }

  @inline(never)
  private func acquireByMessage(userID: String, waitForReady: Bool) async -> AcquireOutcome {
    let call = prepare(grace: Self.acquireGrace) {
      requests.acquire(userID: userID, waitForReady: waitForReady, $1, into: &$0)
    }
    return acquireOutcome(await send(call, "/api/acquire"))
  }

  private func acquireOutcome(_ result: Result<HTTPExchange, TransportError>) -> AcquireOutcome {
    switch result {
    case .success(let exchange):
      let outcome = AcquireOutcome(exchange)
      guard case .failed(let error, let writtenAt) = outcome else { return outcome }
      return .failed(explained(error), firstByteWrittenAt: writtenAt)
    case .failure(let error): return .failed(GatewayError(error), firstByteWrittenAt: error.firstByteWrittenAt)
    }
  }

  /// Releases a task and returns the instant at which the answer was read. Kind `releaseUnsupported` when the gateway
  /// has no such call (404 or 405).
  ///
  /// - Parameters:
  ///   - cookies: the cookies of the visit that took the task; nil: the cookies of this client's present visit.
  ///   - owner: the requests of the user who took the task; nil: this client's own.
  public func release(
    _ task: TaskID, cookies: CookieJar? = nil, as owner: GatewayRequests? = nil
  ) async -> Result<Instant, GatewayError> {
    let requests = owner ?? self.requests
    guard requests.releaseIsNative else { return await releaseByRole(task, cookies: cookies, requests) }
    if cookies?.isEmpty ?? true, let result = await releaseInPlace(task, requests) { return result }
    return await releaseByMessage(task, cookies: cookies, requests)
  }

  /// The release of a call that allocates nothing; nil where nothing was sent, so that the call needs another way.
  @inline(never)
  private func releaseInPlace(_ task: TaskID, _ requests: GatewayRequests) async -> Result<Instant, GatewayError>? {
    guard let (connection, loop) = connectionInPlace(grace: Self.releaseGrace),
      let request = releaseRequest(task, requests, loop),
      let outcome = await connection.exchangeInPlace(request, timeout: timeout)
    else { return nil }
    return releaseOutcome(outcome, requests)
  }

  @inline(never)
  private func releaseRequest(
    _ task: TaskID, _ requests: GatewayRequests, _ loop: EpollLoop
  ) -> UnsafeRawBufferPointer? {
    var request = LoopRequest(loop.requestBuffer)
    requests.release(task, CookieJar(), into: &request)
    return request.bytes
  }

  /// nil where the request was not sent.
  @inline(never)
  private func releaseOutcome(
    _ outcome: InPlaceOutcome, _ requests: GatewayRequests
  ) -> Result<Instant, GatewayError>? {
    switch outcome {
    case .inPlace(let answer):
      if answer.status == 200, !answer.setsCookies, ReleaseOutcome.isPlainSuccess(answer.body) {
        return .success(answer.stamps.lastByteReadAt)
      }
      return releaseOutcome(keepingCookies(.success(answer.exchange), "/api/release"), requests)
    case .exchange(let exchange):
      return releaseOutcome(keepingCookies(.success(exchange), "/api/release"), requests)
    case .failure(let error): return error.wasNotSent ? nil : .failure(GatewayError(error))
    }
  }

  @inline(never)
  private func releaseByRole(
    _ task: TaskID, cookies: CookieJar?, _ requests: GatewayRequests
  ) async -> Result<Instant, GatewayError> {
    guard case .by(let role) = requests.callForms.release else {
      return .failure(GatewayError(.releaseUnsupported, "the gateway's profile has no release"))
    }
    return await release(role, taskID: task.name, cookies: cookies, requests)
  }

  @inline(never)
  private func releaseByMessage(
    _ task: TaskID, cookies: CookieJar?, _ requests: GatewayRequests
  ) async -> Result<Instant, GatewayError> {
    let call = prepare(grace: Self.releaseGrace) { requests.release(task, cookies ?? $1, into: &$0) }
    return releaseOutcome(await send(call, "/api/release"), requests)
  }

  private func releaseOutcome(
    _ result: Result<HTTPExchange, TransportError>, _ requests: GatewayRequests
  ) -> Result<Instant, GatewayError> {
    switch result {
    case .success(let exchange): ReleaseOutcome.read(exchange).mapError { explained($0, by: requests) }
    case .failure(let error): .failure(GatewayError(error))
    }
  }

  /// The pool as the gateway reports it, with the exchange's stamps.
  public func status() async -> Result<(StatusAnswer, HTTPExchange), GatewayError> {
    switch requests.callForms.status {
    case .native: break
    case .by(let role): return await status(role)
    case .absent: return .failure(.absentRole("status"))
    }
    switch await send(prepare { requests.status($1, into: &$0) }, "/api/status") {
    case .success(let exchange):
      guard exchange.response.status == 200 else { return .failure(explained(.unexpectedStatus(exchange.response))) }
      return Result { () throws(GatewayError) in (try StatusAnswer.decode(exchange.response), exchange) }
        .mapError(explained)
    case .failure(let error): return .failure(GatewayError(error))
    }
  }

  private func acquire(
    _ role: GatewayProfile.Acquire, userID: String, waitForReady: Bool
  ) async -> AcquireOutcome {
    let values = ProfileValues([.userId: userID, .token: requests.token ?? "", .uuid: UUID().uuidString.lowercased()])
    let body = (waitForReady ? role.bodyWaiting : nil) ?? role.call.body
    switch await send(role.call, body: body, values, grace: Self.acquireGrace) {
    case .success(let exchange):
      let outcome = role.outcome(of: exchange)
      guard case .failed(let error, let writtenAt) = outcome else { return outcome }
      return .failed(explained(error), firstByteWrittenAt: writtenAt)
    case .failure(let error): return .failed(GatewayError(error), firstByteWrittenAt: error.firstByteWrittenAt)
    }
  }

  private func release(
    _ role: GatewayProfile.Release, taskID: String, cookies: CookieJar?, _ requests: GatewayRequests
  ) async -> Result<Instant, GatewayError> {
    let values = ProfileValues([.task: taskID, .token: requests.token ?? ""])
    let result = await send(
      role.call, body: role.call.body, values, grace: Self.releaseGrace, cookies: cookies, as: requests)
    switch result {
    case .success(let exchange): return role.outcome(of: exchange).mapError { explained($0, by: requests) }
    case .failure(let error): return .failure(GatewayError(error))
    }
  }

  private func status(_ role: GatewayProfile.Status) async -> Result<(StatusAnswer, HTTPExchange), GatewayError> {
    switch await send(role.call, body: nil, ProfileValues()) {
    case .success(let exchange):
      guard exchange.response.status == 200 else { return .failure(explained(.unexpectedStatus(exchange.response))) }
      return Result { () throws(GatewayError) in (try role.answer(in: exchange.response), exchange) }
        .mapError(explained)
    case .failure(let error): return .failure(GatewayError(error))
    }
  }

  private func send(
    _ call: GatewayProfile.Call, body: ProfileTemplate?, _ values: ProfileValues, grace: Nanoseconds = .zero,
    cookies: CookieJar? = nil, as owner: GatewayRequests? = nil
  ) async -> Result<HTTPExchange, TransportError> {
    let requests = owner ?? self.requests
    let path = call.path.text(values)
    let prepared = prepare(grace: grace) { request, jar in
      requests.call(call.method, path, body: body?.text(values), cookies ?? jar, into: &request)
    }
    return await send(prepared, GatewayRequests.withoutQuery(path))
  }

  private func explained(_ error: GatewayError) -> GatewayError { explained(error, by: requests) }

  private func explained(
    _ error: GatewayError, by requests: GatewayRequests, headerNames: [String]? = nil
  ) -> GatewayError {
    // A server may repeat a secret that it was sent. The redaction comes before the header names are appended, because
    // it finds a secret that was cut off only at the end of a text.
    let words = requests.secrets.removed(from: error.message)
    return GatewayError(error.kind, words).explained(
      withHeaders: headerNames ?? requests.headerNames, askedForCertificate: tls?.wasAskedInVain ?? false)
  }

  /// The error for an answer other than 101 to an upgrade of this visit; its words are those of an ordinary call's
  /// error.
  ///
  /// - Parameter headerNames: the names of the header fields that the upgrade had.
  public func refusal(_ response: HTTPResponse, headerNames: [String]) -> GatewayError {
    explained(.unexpectedStatus(response), by: requests, headerNames: headerNames)
  }

  /// Asks for the user's side, `/session/{userID}`, with an upgrade that no server may grant, returns the answer, and
  /// closes the connection.
  ///
  /// - Parameter hasKey: whether the upgrade has an invalid key and an unknown version instead of no key, because some
  ///   proxies pass on only an upgrade with a key.
  public func probeSession(userID: String, hasKey: Bool = false) async -> Result<HTTPResponse, GatewayError> {
    let probe = prepare { request, _ in request = requests.sessionProbe(userID: userID, hasKey: hasKey) }
    let result = await send(probe, "/session/")
    close()
    return result.map(\.response).mapError(GatewayError.init)
  }

  /// Ends the running call as a cancellation of a watched task does; later calls watch their task again. May be called
  /// from any thread; needed only without `watchesTask`.
  public func cancel() {
    state.withLock { $0.isCancelled = true }
    // On the loop the call has either begun and ends now, or is not yet prepared and finds itself cancelled.
    executor.execute {
      let (connection, grace) = self.state.withLock { ($0.connection, $0.grace) }
      connection?.cancelExchange(after: grace)
    }
  }

  /// Closes the connection.
  public func close() {
    state.withLock { $0.connection.take() }?.close()
  }

  private struct Call {
    var request: ByteBuffer
    /// The kept connection, if it is usable.
    var connection: HTTPConnection?
    var grace: Nanoseconds
    var isWatched: Bool
  }

  private func prepare(grace: Nanoseconds = .zero, _ write: (inout ByteBuffer, CookieJar) -> Void) -> Call {
    state.withLock { state in
      write(&state.request, state.cookies)
      state.grace = grace
      let isWatched = watchesTask || state.isCancelled || !executor.isCurrent
      return Call(request: state.request, connection: state.usable, grace: grace, isWatched: isWatched)
    }
  }

  /// The kept connection of a call on the client's own loop, if the call needs nothing but it: no cookies, and nobody
  /// who watches the task. Such a call allocates nothing.
  private func connectionInPlace(grace: Nanoseconds) -> (HTTPConnection, EpollLoop)? {
    guard let ownLoop, !watchesTask, ownLoop.isCurrent else { return nil }
    let connection: HTTPConnection? = state.withLock { state in
      guard !state.isCancelled, state.cookies.isEmpty, let usable = state.usable else { return nil }
      state.grace = grace
      return usable
    }
    return connection.map { ($0, ownLoop) }
  }

  /// Sends a request for `path`, and keeps the cookies that its answer sets.
  private func send(_ call: Call, _ path: String) async -> Result<HTTPExchange, TransportError> {
    keepingCookies(await exchange(call), path)
  }

  /// Keeps the cookies that the answer to a request for `path` sets.
  private func keepingCookies(
    _ result: Result<HTTPExchange, TransportError>, _ path: String
  ) -> Result<HTTPExchange, TransportError> {
    if keepsCookies, case .success(let exchange) = result, exchange.response.setsCookies {
      state.withLock { requests.store(exchange.response, from: path, in: &$0.cookies, now: wallClock()) }
    }
    return result
  }

  /// Runs one exchange; the time-out bounds the whole of it, connecting included.
  private func exchange(_ call: Call) async -> Result<HTTPExchange, TransportError> {
    if let connection = call.connection {
      let result =
        call.isWatched
        ? await connection.exchange(call.request, timeout: timeout, graceOnCancel: call.grace)
        : await connection.exchangeUnwatched(call.request, timeout: timeout)
      guard case .failure(let error) = result, error.wasNotSent else { return result }
    }
    let begin = MonotonicClock.now()
    switch await open() {
    case .failure(let error): return .failure(error)
    case .success(let new):
      let elapsed = MonotonicClock.now() - begin
      return await new.exchange(call.request, timeout: timeout - elapsed, graceOnCancel: call.grace)
    }
  }

  private func open() async -> Result<HTTPConnection, TransportError> {
    let result = await HTTPConnection.connect(
      to: endpoint, addresses: addresses, turn: turn, tls: tls, on: executor, timeout: timeout)
    if case .success(let new) = result { state.withLock { $0.connection = new } }
    return result
  }
}

extension TransportError {
  /// Whether the server had closed the connection before a byte was written, so that another connection is safe.
  fileprivate var wasNotSent: Bool { kind == .closed && firstByteWrittenAt == nil }
}
