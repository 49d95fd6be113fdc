import Gateway
import Latency
import Synchronization
import Transport

/// Why a user's visit did not go as asked.
struct VisitFailure: Error, Sendable {
  enum Kind: Sendable {
    /// The gateway said no, by a status or by an error with a code.
    case refused
    /// The gateway said that there is no warm task.
    case missed
    /// The connection ended, or could not be made, without a word of the gateway.
    case ended
    /// Nothing came within the time-out.
    case unanswered
    case cancelled
  }

  var kind: Kind
  /// The kind by which errors are counted.
  var code: String
  var text: String

  /// Whether the user was told why.
  var isNamed: Bool { kind == .refused || kind == .missed }

  var words: String { text.isEmpty ? code : "\(code): \(text)" }
}

/// One visit of a user: it begins with the request for a task and ends when the user leaves. Used by one task at a time.
///
/// Latencies are made of the event loop's stamps of what was written and read. Problem: the task that waits for a message
/// goes on when it is its turn. On a busy machine that is later than the message came, and the gateway would be blamed
/// for it.
///
/// A user of a gateway with a user's side has a session there, and can speak to the program in the task. At any other
/// gateway the visit is the time from the acquire to the release.
final class UserVisit: Sendable {
  /// What the gateway gave.
  struct Entry: Sendable {
    /// nil where the gateway does not tell it.
    var task: String?
    /// `warm` or `cold`; nil where the gateway does not tell it.
    var source: String?
    /// When the request for the task, else that for the session, was sent on an open connection: where bench-e2e's
    /// service time begins.
    var askedAt: Instant
    /// When the user could work: the last byte of the message that says so was read.
    var canWorkAt: Instant

    var latency: Nanoseconds { canWorkAt.elapsed(since: askedAt) }

    /// The end of a visit whose user asked one question; nil: none.
    func end(_ answer: Answer?) -> Instant { answer?.completeAt ?? canWorkAt }
  }

  struct Answer: Sendable {
    /// All messages of the answer, a line each.
    var text: String
    var askedAt: Instant
    /// When the first part of the answer was read, and when all of it.
    var firstAt: Instant
    var completeAt: Instant

    /// From the message to the first part of the answer.
    var firstAfter: Nanoseconds { firstAt.elapsed(since: askedAt) }
  }

  private struct State {
    var values: ProfileValues
    var connection: SessionConnection?
    var task: String?
    var source: String?
    /// When the visit wrote its first byte or began to connect; nil before that.
    var wroteAt: Instant?
    var asked = 0
  }

  let site: VerifySite
  let number: Int
  let id: String
  private let executor: LoopExecutor
  private let client: GatewayClient
  private let state: Mutex<State>
  /// Gets the text of each message that comes to the user.
  private let hear: @Sendable (String) -> Void

  /// - Parameters:
  ///   - number: the user's number, from 1: the id and the token follow from it.
  ///   - hear: gets the text of each message that comes to the user.
  init(_ site: VerifySite, user number: Int, hear: @escaping @Sendable (String) -> Void = { _ in }) {
    self.site = site
    self.number = number
    id = site.userID(number)
    executor = site.session.loops.executor(forUser: number)
    client = site.session.client(on: executor, user: number, isVisitor: true)
    self.hear = hear
    let values = site.session.values(ofUser: number, id: id)
    let token = values[.token]
    state = Mutex(State(values: values))
    site.session.userIDs.insert(id)
    // A gateway that tells users by their tokens has names of its own for them.
    if let subject = token.flatMap(TokenSource.subject) { site.session.userIDs.insert(subject) }
  }

  /// The task that the user has; nil before the entry, and where the gateway does not tell it.
  var task: String? { state.withLock { $0.task } }

  /// When the visit wrote its first byte or began to connect; nil where it did neither.
  var wroteAt: Instant? { state.withLock { $0.wroteAt } }

  // MARK: Entering

  /// Asks for a task or a session, and waits until the user can work. Where the first message starts the task, it is
  /// sent.
  ///
  /// The outcome is recorded as an iteration, and as events of the check.
  ///
  /// - Parameter timeout: the bound of the whole; the run's unless given.
  func enter(within timeout: Nanoseconds? = nil, isRecorded: Bool = true) async throws(VisitFailure) -> Entry {
    site.recorder.happened("comes", user: id)
    do throws(VisitFailure) {
      let entry = try await entered(by: MonotonicClock.now() + (timeout ?? site.settings.timeout))
      if isRecorded { site.recorder.visited(nil) }
      let source = entry.source.map { ", \($0)" } ?? ""
      site.recorder.happened(
        "is served after \(entry.latency)\(source)", user: id, task: entry.task ?? task)
      return entry
    } catch {
      if isRecorded { site.recorder.visited(error) }
      if error.kind != .cancelled { site.recorder.happened("is not served: \(error.words)", user: id, task: task) }
      throw error
    }
  }

  private func entered(by deadline: Instant) async throws(VisitFailure) -> Entry {
    guard let role = site.profile.session else { return try await acquired() }
    let acquisition: Entry? = if role.needsTask { try await acquired() } else { nil }
    let connection = try await open(role, by: deadline)
    let phases = connection.socket.phases
    var canWorkAt = phases.upgraded
    if let ready = role.ready { canWorkAt = try await becomeReady(role, ready, connection, by: deadline) }
    if role.isLazy { canWorkAt = try await ask(site.greeting, by: deadline) { _ in true }.firstAt }
    let (task, source) = state.withLock { ($0.task, $0.source) }
    return Entry(
      task: task, source: source, askedAt: acquisition?.askedAt ?? phases.upgradeSentAt, canWorkAt: canWorkAt)
  }

  /// Notes a write; later ones are ignored.
  private func wrote(at instant: Instant?) { state.withLock { $0.wroteAt = $0.wroteAt ?? instant } }

  private func acquired() async throws(VisitFailure) -> Entry {
    switch await client.acquire(userID: id) {
    case .assigned(let acquisition):
      wrote(at: acquisition.stamps.firstByteWrittenAt)
      let task = acquisition.task.name
      let source = acquisition.source
      state.withLock { state in
        state.values[.task] = task
        state.values[.sessionId] = task
        state.source = source
      }
      got(task, cookies: client.cookies)
      return Entry(
        task: task, source: source, askedAt: acquisition.stamps.firstByteWrittenAt,
        canWorkAt: acquisition.stamps.lastByteReadAt)
    case .miss: throw VisitFailure(kind: .missed, code: "miss", text: "the pool had no warm task")
    case .failed(let error, let writtenAt):
      site.session.held.acquireFailed(error, writtenAt: writtenAt)
      wrote(at: writtenAt)
      throw VisitFailure(error)
    }
  }

  private func open(
    _ role: GatewayProfile.Session, by deadline: Instant
  ) async throws(VisitFailure) -> SessionConnection {
    let values = state.withLock { $0.values }
    do throws(WebSocketError) {
      let now = MonotonicClock.now()
      let socket = try await site.session.openSession(
        role, path: role.path, values, user: number, visitor: client, on: executor,
        timeout: max(.milliseconds(1), now.remaining(until: deadline)))
      let connection = SessionConnection(socket, SharedRole(role), values: values)
      state.withLock { $0.connection = connection }
      wrote(at: socket.phases.started)
      for message in role.opening { socket.post(text: message.text(values)) }
      return connection
    } catch {
      throw failure(error)
    }
  }

  /// Waits for the ready message; returns when it was read.
  private func becomeReady(
    _ role: GatewayProfile.Session, _ ready: ProfileCondition, _ connection: SessionConnection, by deadline: Instant
  ) async throws(VisitFailure) -> Instant {
    let bound = SessionDeadline(deadline, on: connection.socket)
    defer { bound.cancel() }
    while true {
      let message = try await receive(connection, bound)
      guard let root = message.root else { continue }
      if ready.holds(root) {
        let (source, sessionID) = (role.source?.text(in: root), role.sessionID?.text(in: root))
        state.withLock { state in
          state.source = source
          if let sessionID { state.values[.sessionId] = sessionID }
        }
        if !role.needsTask, let task = role.task?.text(in: root) { got(task) }
        return message.receivedAt
      }
      if role.error?.holds(root) ?? false { throw refusal(role.failure(in: root)) }
    }
  }

  /// Notes the task that the user was given. A task that another user of this run still has is a violation.
  private func got(_ task: String, cookies: CookieJar = CookieJar()) {
    state.withLock { $0.task = task }
    site.recorder.happened("is given the task", user: id, task: task)
    site.recorder.gave(task, to: id)
    let place = site.session.place(of: client)
    // The other user of a task that was given twice gives it back.
    if site.session.held.assign(TaskID(task), cookies: cookies, user: number, place: place) {
      state.withLock { $0.task = nil }
    }
  }

  // MARK: Speaking

  /// Sends a line to the user's program, and waits for its answer.
  ///
  /// - Parameters:
  ///   - timeout: the bound of the answer; the run's unless given.
  ///   - isAnswer: whether a text is the answer. Where answers are single lines, others are passed over.
  func ask(
    _ line: String, within timeout: Nanoseconds? = nil, _ isAnswer: @Sendable (String) -> Bool = { _ in true }
  ) async throws(VisitFailure) -> Answer {
    try await ask(line, by: MonotonicClock.now() + (timeout ?? site.settings.timeout), isAnswer)
  }

  private func ask(
    _ line: String, by deadline: Instant, _ isAnswer: @Sendable (String) -> Bool
  ) async throws(VisitFailure) -> Answer {
    guard let role = site.profile.session, let connection = state.withLock({ $0.connection }) else {
      throw VisitFailure(kind: .ended, code: "closed", text: "there is no session")
    }
    let values = state.withLock { state in
      state.asked += 1
      state.values[.n] = "\(state.asked)"
      state.values[.message] = line
      return state.values
    }
    let bound = SessionDeadline(deadline, on: connection.socket)
    defer { bound.cancel() }
    let question = await connection.socket.ask(text: role.send.text(values))
    for message in question.unasked { hear(message.text) }
    let askedAt: Instant
    switch question.askedAt {
    case .success(let instant): askedAt = instant
    case .failure(let error): throw failure(error)
    }
    var answer = StreamedAnswer(SharedRole(role), askedAt: askedAt)
    var texts: [String] = []
    while true {
      let message = try await receive(connection, bound)
      switch answer.take(message.root, begunAt: message.begunAt, receivedAt: message.receivedAt) {
      case .other: continue
      case .failed(let code, let text): throw refusal((code, text))
      case .endedEmpty: throw VisitFailure(kind: .refused, code: "empty_answer", text: "the answer had no part")
      case .asked: if let reply = role.answer { connection.socket.post(text: reply.text(values)) }
      case .mayBeFirst:
        guard role.isStreamed || isAnswer(message.text) else { continue }
        _ = answer.begin(message.root, at: message.receivedAt)
        texts.append(message.text)
      case .part, .complete: texts.append(message.text)
      }
      guard let completeAt = answer.completeAt, let firstAt = answer.firstAt else { continue }
      if let source = answer.source { state.withLock { $0.source = $0.source ?? source } }
      let text = texts.joined(separator: "\n")
      guard isAnswer(text) else { throw VisitFailure(kind: .refused, code: "wrong_answer", text: "") }
      return Answer(text: text, askedAt: askedAt, firstAt: firstAt, completeAt: completeAt)
    }
  }

  private func receive(
    _ connection: SessionConnection, _ bound: SessionDeadline
  ) async throws(VisitFailure) -> SessionConnection.Message {
    do throws(WebSocketError) {
      if let message = try await connection.receive(isParsed: true) {
        hear(message.text)
        return message
      }
      throw .closed(code: WebSocketError.abnormalClosure, reason: "")
    } catch {
      if bound.hasPassed, error != .cancelled {
        throw VisitFailure(kind: .unanswered, code: "timeout", text: "no answer in time")
      }
      throw failure(error)
    }
  }

  /// Listens for `duration`: what comes goes to `hear`. Returns early, with the reason, where the connection ends.
  func listen(for duration: Nanoseconds) async -> VisitFailure? {
    guard let connection = state.withLock({ $0.connection }) else { return nil }
    do throws(WebSocketError) {
      try await connection.idle(until: MonotonicClock.now() + duration) { [hear] in hear($0.text) }
      return nil
    } catch {
      return failure(error)
    }
  }

  // MARK: Leaving

  /// Ends the visit in order: the session by a close frame, an acquired task by a release.
  func leave() async {
    let connection = state.withLock { $0.connection.take() }
    if let connection {
      site.recorder.happened("leaves", user: id, task: task)
      sessionEnds()
      await connection.close()
    }
    await giveBack()
  }

  /// Begins to end the session in order, and does not wait for the gateway to agree.
  func startLeaving() {
    guard let connection = state.withLock({ $0.connection.take() }) else { return }
    site.recorder.happened("begins to leave", user: id, task: task)
    sessionEnds()
    connection.retire()
    connection.socket.startClose()
  }

  /// Notes that the session's task goes back.
  private func sessionEnds() {
    if let task { site.recorder.takesBack(task) }
    guard let role = site.profile.session, !role.needsTask, let task = state.withLock({ $0.task.take() }) else {
      return
    }
    site.session.held.wentBack(TaskID(task))
  }

  /// Ends the session without a close frame, as a lost network does.
  func cut() async {
    if let connection = state.withLock({ $0.connection.take() }) {
      site.recorder.happened("is cut off", user: id, task: task)
      sessionEnds()
      connection.cut()
    }
    await giveBack()
  }

  private func giveBack() async {
    sessionEnds()
    if let task = state.withLock({ $0.task.take() }) {
      site.recorder.happened("gives the task back", user: id, task: task)
      site.recorder.takesBack(task)
      await site.session.held.release(TaskID(task), through: client, byItsUser: true, bench: site.session.bench)
    }
    client.close()
  }

  // MARK: Failures

  private func failure(_ error: WebSocketError) -> VisitFailure {
    let text = site.session.visitors.withoutSecrets(error.description, user: number)
    switch error {
    case .cancelled: return VisitFailure(kind: .cancelled, code: "cancelled", text: "")
    case .timeout: return VisitFailure(kind: .unanswered, code: "timeout", text: text)
    case .upgradeRefused: return VisitFailure(kind: .refused, code: error.kind, text: text)
    // A close frame with a reason, or with a code beside that of an ordinary end (RFC 6455, section 7.4.1), is a word.
    case .closed(let code, let reason)
    where code != WebSocketError.abnormalClosure && (!reason.isEmpty || ![1000, 1001, 1005].contains(code)):
      return VisitFailure(kind: .refused, code: "closed", text: text)
    default: return VisitFailure(kind: .ended, code: error.kind, text: text)
    }
  }

  private func refusal(_ failure: (code: String, text: String)) -> VisitFailure {
    let text = site.session.visitors.withoutSecrets(failure.text, user: number)
    let code = String(site.session.visitors.withoutSecrets(failure.code, user: number).prefix(60))
    return VisitFailure(kind: failure.code == "NO_WARM_TASK" ? .missed : .refused, code: code, text: text)
  }
}

extension VisitFailure {
  fileprivate init(_ error: GatewayError) {
    code = error.kind.rawValue
    text = error.message
    kind =
      switch error.kind {
      case _ where error.isCancellation: .cancelled
      case .transport(.timeout), .transport(.connectTimeout): .unanswered
      // What cannot be read is no word either.
      case .transport, .invalidAnswer: .ended
      default: .refused
      }
  }
}
