import Gateway
import Latency
import NIOCore
import Transport

/// The sessions of the product's profile, with the check of access to them. Confined to the core's event loop.
final class ProductSessions {
  private let profile: ProductProfile
  private unowned let core: GatewayCore
  private var tokens: TokenVerifier
  private var hosts: [String: ProductSessionHost] = [:]

  init(profile: ProductProfile, core: GatewayCore) {
    self.profile = profile
    self.core = core
    tokens = TokenVerifier(rules: profile.tokens)
  }

  func verdict(on token: Token) -> TokenVerdict {
    tokens.verdict(on: token, now: MonotonicClock.now(), wallClock: WallClock.now())
  }

  /// The token of a request, if it is accepted.
  func accepted(_ text: String?) throws(ProductError) -> Token {
    guard let text, !text.isEmpty else { throw TokenVerdict.missing.refusal ?? .noSession }
    guard let token = Token(text) else { throw TokenVerdict.unknown.refusal ?? .noSession }
    if let refusal = verdict(on: token).refusal { throw refusal }
    return token
  }

  /// The handler of the WebSocket at `uri`. As in the product, an expired token is reported on the WebSocket itself.
  func socket(for uri: String) throws(ProductError) -> ProductSocket {
    let query = QueryItems(uri: uri)
    guard let text = query["token"], !text.isEmpty else { throw TokenVerdict.missing.refusal ?? .noSession }
    guard let token = Token(text), verdict(on: token) != .unknown else {
      throw TokenVerdict.unknown.refusal ?? .noSession
    }
    let id = query["session"].flatMap { $0.isEmpty ? nil : $0 }
    if let id { _ = try session(id, shown: token) } else { try checkRoom() }
    return ProductSocket(sessions: self, token: token, sessionID: id)
  }

  /// A session by its id, which cannot be guessed. Where both its token and the request's token name subjects, they
  /// must be equal.
  func session(_ id: String, shown token: Token) throws(ProductError) -> ProductSessionHost {
    guard let host = hosts[id] else { throw .noSession }
    if let own = host.subject, let other = token.subject, own != other { throw .noSession }
    return host
  }

  /// The session of a WebSocket: the one with this id, or a new one.
  func open(_ id: String?, token: Token) throws(ProductError) -> ProductSessionHost {
    if let refusal = verdict(on: token).refusal { throw refusal }
    if let id { return try session(id, shown: token) }
    return try create(userID: token.userID, token: token, isFromREST: false)
  }

  func create(userID: String, token: Token, isFromREST: Bool) throws(ProductError) -> ProductSessionHost {
    try checkRoom()
    let host = ProductSessionHost(
      id: RandomText.hex(digits: 32), userID: userID, subject: token.subject, isFromREST: isFromREST, core: core,
      profile: profile
    ) { [weak self] id in self?.hosts[id] = nil }
    hosts[host.id] = host
    return host
  }

  private func checkRoom() throws(ProductError) {
    guard !core.pool.isShutDown else { throw .stopping }
    guard hosts.count < profile.maximumSessions else { throw .tooManySessions }
  }

  /// Tells every session that the gateway stops, and ends it.
  func stop() {
    for host in Array(hosts.values) { host.stop() }
  }
}

/// Executes the actions of a ``ProductSession`` on its client's WebSocket, its task and its timer. Confined to the
/// core's event loop.
///
/// Neither side is read faster than the other side takes the messages.
final class ProductSessionHost: TaskListener {
  let id: String
  let userID: String
  /// The subject of the token that the session was made with; `nil` for a token without a subject.
  let subject: String?

  private let core: GatewayCore
  /// Called once, when the session is over.
  private let forget: (String) -> Void
  private var session: ProductSession
  private weak var socket: ProductSocket?
  private var pendingAcquire: PendingAcquire?
  /// Whether the task's messages are read from its socket.
  private var isTaskRead = true
  /// The number of the current request for a task. The outcome of an earlier, withdrawn request has a smaller number
  /// and is ignored.
  private var wish = 0
  private var timer: (due: Instant, scheduled: Scheduled<Void>)?
  private var actions: [ProductSession.Action] = []
  private var isPerforming = false

  init(
    id: String, userID: String, subject: String?, isFromREST: Bool, core: GatewayCore,
    profile: ProductProfile, forget: @escaping (String) -> Void
  ) {
    self.id = id
    self.userID = userID
    self.subject = subject
    self.core = core
    self.forget = forget
    session = ProductSession(profile: profile, isFromREST: isFromREST, now: MonotonicClock.now())
    armTimer()
  }

  var stateName: String { session.stateName }

  // MARK: The client

  func attach(_ socket: ProductSocket) {
    apply { $0.replaced(now: $1) }
    self.socket = socket
    apply { $0.connected(now: $1) }
    readTask()
  }

  /// A WebSocket has closed; it may be one that the session has replaced.
  func detached(_ socket: ProductSocket, isGoodbye: Bool) {
    guard self.socket === socket else { return }
    self.socket = nil
    logDisconnect(isGoodbye ? "the user left" : "the connection was lost")
    apply { $0.disconnected(isGoodbye: isGoodbye, now: $1) }
    readTask()
  }

  func heard(from socket: ProductSocket) {
    if self.socket === socket { session.heard(now: MonotonicClock.now()) }
  }

  func received(_ message: Result<ClientMessage, ClientMessage.ParseError>, verdict: TokenVerdict) {
    switch message {
    case .success(let message): apply { $0.received(message, verdict: verdict, now: $1) }
    case .failure(let mistake): apply { session, _ in session.received(mistake) }
    }
  }

  func delete() { apply { session, _ in session.deleted() } }

  func stop() { apply { session, _ in session.stopped() } }

  // MARK: The task

  func taskSaid(_ line: String, goesOn: Bool) {
    apply { $0.taskSaid(line, goesOn: goesOn, now: $1) }
    readTask()
  }

  /// The program's input is small (one message at a time, one answer to each question, one abort) and needs no flow
  /// control.
  func taskWritabilityChanged(isWritable: Bool) {}

  /// Reads the task's messages, or stops reading them until the client takes them.
  func readTask() {
    guard session.task == .ready, let taskID = pendingAcquire?.taskID else { return }
    let mustRead = session.takesOutput && socket?.isWritable ?? true
    guard mustRead != isTaskRead else { return }
    isTaskRead = mustRead
    core.records[taskID]?.socket?.setReading(mustRead)
  }

  private func acquire() {
    wish += 1
    let own = wish
    let receivedAt = MonotonicClock.now()
    let delay = core.configuration.faults.acquireDelay
    guard delay > .zero else { return acquire(own, receivedAt: receivedAt) }
    core.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { [weak self] in
      guard let self, wish == own else { return }
      acquire(own, receivedAt: receivedAt)
    }
  }

  private func acquire(_ own: Int, receivedAt: Instant) {
    let made = core.acquire(
      userID: userID, sessionID: id, receivedAt: receivedAt, isSession: true
    ) { [weak self] acquire, outcome in
      guard let self, wish == own else { return }
      handle(outcome, of: acquire)
    }
    // The request may have failed already.
    if session.task != .none { pendingAcquire = made }
  }

  private func handle(_ outcome: PendingAcquire.Outcome, of acquire: PendingAcquire) {
    switch outcome {
    case .assigned: break
    case .ready(let breakdown):
      guard let taskID = acquire.taskID else { return }
      self.pendingAcquire = acquire
      isTaskRead = true
      core.records[taskID]?.session = self
      apply { $0.taskReady(taskID, acquire.source, breakdown, now: $1) }
    case .missed: apply { session, _ in session.taskFailed("there is no warm task, and none is started") }
    case .failed(let failure), .lost(let failure):
      self.pendingAcquire = nil
      guard failure.code != .gatewayStopping else { return apply { session, _ in session.stopped() } }
      // Only one of the two has an effect: the session either waits for a task or has one.
      apply { session, _ in session.taskFailed(failure.message) }
      apply { $0.taskLost(code: failure.code.rawValue, message: failure.message, now: $1) }
    }
  }

  private func release() {
    wish += 1
    guard let acquire = pendingAcquire else { return }
    self.pendingAcquire = nil
    core.abandon(acquire)
  }

  // MARK: Effects

  /// Passes an event to the session and executes its actions; actions caused by these are executed after them.
  private func apply(_ event: (inout ProductSession, Instant) -> [ProductSession.Action]) {
    actions += event(&session, MonotonicClock.now())
    guard !isPerforming else { return }
    isPerforming = true
    var next = 0
    while next < actions.count {
      perform(actions[next])
      next += 1
    }
    actions.removeAll(keepingCapacity: true)
    isPerforming = false
    armTimer()
  }

  private func perform(_ action: ProductSession.Action) {
    switch action {
    case .send(let message): socket?.send(message.bytes(session: id))
    case .close(let reason):
      logDisconnect("\(reason)")
      socket?.close(reason)
      socket = nil
    case .acquire: acquire()
    case .give(let input):
      guard let taskID = pendingAcquire?.taskID else { return }
      var message = JSONObject()
      message.add("type", "user_input")
      message.add("line", input.line)
      core.records[taskID]?.socket?.send(message)
    case .release: release()
    case .answered(let since): core.log { event(.roundtrip, since: since) }
    case .end:
      timer?.scheduled.cancel()
      timer = nil
      forget(id)
    }
  }

  /// Sets the timer. A timer may fire before the deadline, because each frame of the client moves the deadline; then it
  /// is set again.
  private func armTimer() {
    guard let due = session.dueAt else { return }
    if let timer {
      guard due < timer.due else { return }
      timer.scheduled.cancel()
    }
    let scheduled = core.loop.assumeIsolated().scheduleTask(deadline: NIODeadline(due)) { [weak self] in
      guard let self else { return }
      timer = nil
      apply { $0.tick(now: $1) }
    }
    timer = (due, scheduled)
  }

  private func logDisconnect(_ reason: String) {
    core.log {
      var disconnect = event(.disconnect, since: nil)
      disconnect.processingState = session.turn == .idle ? "idle" : "processing"
      disconnect.reason = reason
      return disconnect
    }
  }

  private func event(_ phase: LifecycleEvent.Phase, since start: Instant?) -> LifecycleEvent {
    var event = LifecycleEvent(phase, duration: start.map { MonotonicClock.now() - $0 })
    event.userID = userID
    event.sessionID = id
    event.taskARN = pendingAcquire?.taskID.map(core.taskARN)
    return event
  }
}
