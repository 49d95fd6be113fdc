import Gateway
import Latency
import LoadEngine
import Transport

/// The whole way through the user's side of a gateway, in the steps of its profile: upgrade, ready, messages and their
/// answers.
///
/// The service time begins when the upgrade request is sent on an open connection; the connection's set-up has metrics
/// of its own. Where the task is acquired by REST before, the service time begins with that request.
///
/// A class, because its suspended functions would hold copies of a structure.
final class SessionJourney: Sendable {
  let scenario: EndToEndScenario
  let user: EndToEndUser
  let session: SharedRole<GatewayProfile.Session>
  /// The task that was started for this user.
  let started: TaskStarter.Started?
  /// The deadline of the session's start. Each later step has a time-out of its own.
  let deadline: Instant

  var role: GatewayProfile.Session { session.role }

  init(
    scenario: EndToEndScenario, user: EndToEndUser, session: SharedRole<GatewayProfile.Session>,
    started: TaskStarter.Started?, deadline: Instant
  ) {
    self.scenario = scenario
    self.user = user
    self.session = session
    self.started = started
    self.deadline = deadline
  }

  /// The state of the session while it goes on.
  struct SessionState {
    var values: ProfileValues
    /// When the service time began: the acquire or the upgrade was sent.
    var begin: Instant
    var readyAt: Instant?
    var task: String?
    var source: String?
    var phases: JSONNode?
    var evidence: WarmPool.FinalEvidence?
    /// Whether the connection was cut, as `--reconnect` asks for.
    var wasCut = false
  }

  func travel(into record: inout IterationRecord) async {
    guard var course = await begin(into: &record) else { return }
    var noAnswer: StreamedAnswer?
    if scenario.reconnect == .afterReady, await !goBack(&course, &noAnswer, into: &record) { return }
    guard let first = await converse(1, &course, into: &record) else { return }
    await classify(first, course, into: &record)
    // The samples so far are kept, even if a later step fails.
    record.keepSamples()
    guard record.ending == .success else { return }
    for number in 2...max(2, scenario.messages) where number <= scenario.messages {
      guard await pause(for: scenario.load.arrivals.thinkTime, .firstResponse, into: &record),
        let answer = await converse(number, &course, into: &record), let firstAt = answer.firstAt
      else { return }
      record.sample(EndToEndMetrics.messageRoundtrip, firstAt - answer.askedAt)
      sampleRest(of: answer, into: &record)
      record.keepSamples()
      guard record.ending == .success else { return }
    }
    if let hold = scenario.holdSessions {
      guard await pause(for: hold, .hold, into: &record) else { return record.count(EndToEndMetrics.sessionsLost) }
      record.count(EndToEndMetrics.sessionsHeld)
    }
  }

  // MARK: The session's start

  /// Opens the session and waits until it is ready; nil where that failed.
  func begin(into record: inout IterationRecord) async -> SessionState? {
    var values = scenario.session.values(ofUser: user.number, id: user.id)
    values[.message] = scenario.message
    var acquiredAt: Instant?
    if role.needsTask {
      acquiredAt = await acquire(&values, into: &record)
      guard acquiredAt != nil else { return nil }
    }
    guard let connection = await open(role.path, values, into: &record) else { return nil }
    let phases = connection.socket.phases
    record.wrote(at: phases.started)
    EndToEndMetrics.connect.add(phases, to: &record)
    let upgradeAt = phases.upgradeSentAt
    record.sample(EndToEndMetrics.upgrade, phases.upgraded.elapsed(since: upgradeAt))
    var course = SessionState(values: values, begin: acquiredAt ?? upgradeAt)
    for message in role.opening { connection.socket.post(text: message.text(values)) }
    return await becomeReady(connection, &course, into: &record) ? course : nil
  }

  /// Acquires the task by REST; returns the instant at which the request was written, or nil where it failed.
  private func acquire(_ values: inout ProfileValues, into record: inout IterationRecord) async -> Instant? {
    switch await user.client.acquire(userID: user.id) {
    case .assigned(let acquisition):
      let (id, task) = (acquisition.task, acquisition.task.name)
      let writtenAt = acquisition.stamps.firstByteWrittenAt
      record.wrote(at: writtenAt)
      values[.task] = task
      values[.sessionId] = task
      record.sample(EndToEndMetrics.acquire, acquisition.stamps.serviceTime)
      let place = scenario.session.place(of: user.client)
      if scenario.session.held.assign(id, cookies: user.client.cookies, user: user.number, place: place) {
        record.count(EndToEndMetrics.duplicates)
      } else {
        user.assigned.put(id)
      }
      return writtenAt
    case .miss: record.fail(.acquire, "miss", "the pool had no warm task")
    case .failed(let error, let writtenAt):
      scenario.session.held.acquireFailed(error, writtenAt: writtenAt)
      if let writtenAt { record.wrote(at: writtenAt) }
      fail(.acquire, error.kind.rawValue, error.message, isCancelled: error.isCancellation, into: &record)
    }
    return nil
  }

  /// Opens a connection and makes it the user's.
  func open(
    _ path: ProfileTemplate, _ values: ProfileValues, step: EndToEndStep = .connect, into record: inout IterationRecord
  ) async -> SessionConnection? {
    do throws(WebSocketError) {
      let socket = try await scenario.session.openSession(
        role, path: path, values, user: user.number, visitor: user.client, on: user.executor,
        timeout: step == .connect ? remaining : scenario.load.timeout)
      let connection = SessionConnection(socket, session, values: values)
      user.session.put(connection)?.cut()
      return connection
    } catch {
      var (step, text) = (step, error.description)
      if case .upgradeRefused = error {
        // Where the ready message names a task, the upgrade is the request for that task.
        if step == .connect, role.task != nil, !role.isLazy { step = .acquire }
        if ["http_401", "http_403"].contains(error.kind), path.placeholders.contains(.token) {
          text += "; by the profile the token is also in the URL (--token-file)"
        }
      }
      fail(step, error.kind, text, isCancelled: error == .cancelled, into: &record)
      return nil
    }
  }

  /// Waits for the ready message, if the profile has one.
  private func becomeReady(
    _ connection: SessionConnection, _ course: inout SessionState, into record: inout IterationRecord
  ) async -> Bool {
    // A lazy gateway takes a task only when the first message comes, so that the request is not over here.
    defer { if !role.isLazy { course.evidence = user.evidence.take().map(scenario.pool.finish) } }
    guard let ready = role.ready else { return true }
    let bound = SessionDeadline(deadline, on: connection.socket)
    defer { bound.cancel() }
    while let message = await receive(connection, bound, .ready, isParsed: true, into: &record) {
      guard let root = message.root else {
        fail(.ready, "invalid_json", shown(message.text, 120), into: &record)
        return false
      }
      if ready.holds(root) {
        course.readyAt = message.receivedAt
        course.phases = root
        course.source = role.source?.text(in: root)
        if let id = role.sessionID?.text(in: root) { course.values[.sessionId] = id }
        if let task = role.task?.text(in: root) { took(task, &course, into: &record) }
        return true
      }
      if role.error?.holds(root) ?? false {
        failBeforeReady(role.failure(in: root), into: &record)
        return false
      }
      // Where answers are plain lines, no other message may come first; other gateways may send news before they are
      // ready.
      guard !role.first.isAny else {
        let type = JSONPointer("/type")?.value(in: root)?.text ?? message.text
        fail(.ready, "unexpected_message", "'\(shown(type, 60))' instead of the ready message", into: &record)
        return false
      }
    }
    return false
  }

  private func took(_ task: String, _ course: inout SessionState, into record: inout IterationRecord) {
    course.task = task
    if course.values[.sessionId] == nil { course.values[.sessionId] = task }
    scenario.wasGiven(task, user, started)
    guard !role.needsTask else { return }
    let place = scenario.session.place(of: user.client)
    if scenario.session.held.assign(TaskID(task), user: user.number, place: place) {
      record.count(EndToEndMetrics.duplicates)
    } else {
      user.sessionTask.put(task)
    }
  }

  private func failBeforeReady(_ failure: (code: String, text: String), into record: inout IterationRecord) {
    let step: EndToEndStep =
      switch failure.code {
      case "NO_WARM_TASK", "GATEWAY_BUSY", "GATEWAY_STOPPING": .acquire
      case "TASK_START_FAILED", "TASK_RESTART_FAILED", "TASK_DIED": .initUser
      default: .ready
      }
    fail(step, String(failure.code.prefix(60)), failure.text, into: &record)
  }

  // MARK: Waiting, failures and time-outs

  func receive(
    _ connection: SessionConnection, _ bound: SessionDeadline, _ step: EndToEndStep, isParsed: Bool, others: Int = 0,
    into record: inout IterationRecord
  ) async -> SessionConnection.Message? {
    do throws(WebSocketError) {
      if let message = try await connection.receive(isParsed: isParsed) { return message }
      // Only this side ends a session without an error: at its deadline, or when pongs are missing.
      if bound.hasPassed { throw .closed(code: WebSocketError.abnormalClosure, reason: "") }
      fail(.closed(code: WebSocketError.abnormalClosure, reason: ""), connection, step: step, into: &record)
    } catch .cancelled {
      record.censor()
    } catch {
      if bound.hasPassed, !connection.wasMute {
        failInTime(step, others: others, into: &record)
      } else {
        fail(error, connection, step: step, into: &record)
      }
    }
    return nil
  }

  func fail(
    _ error: WebSocketError, _ connection: SessionConnection, step: EndToEndStep = .firstResponse,
    into record: inout IterationRecord
  ) {
    if connection.wasMute, error != .cancelled {
      return fail(step, "pongs_missed", "two pings in a row were not answered", into: &record)
    }
    fail(step, error.kind, error.description, isCancelled: error == .cancelled, into: &record)
  }

  /// Ends the iteration; the message contains no token.
  func fail(
    _ step: EndToEndStep, _ kind: String, _ text: String, isCancelled: Bool = false, into record: inout IterationRecord
  ) {
    guard !isCancelled else { return record.censor() }
    record.fail(step, shown(kind, 60), scenario.session.visitors.withoutSecrets(text, user: user.number))
  }

  /// The beginning of a text from outside, of at most `length` characters. Secrets are removed before it is cut, as a
  /// part of one would not be found.
  func shown(_ text: String, _ length: Int) -> String {
    String(scenario.session.visitors.withoutSecrets(text, user: user.number).prefix(length))
  }

  /// Ends the iteration at a time-out.
  ///
  /// - Parameter others: the number of lines that came and were no answers.
  func failInTime(_ step: EndToEndStep, others: Int = 0, into record: inout IterationRecord) {
    let came =
      switch others {
      case 0: ""
      case 1: ": 1 line came, and none is as --expect says"
      default: ": \(others) lines came, and none is as --expect says"
      }
    let bound = "\(scenario.load.timeout / .milliseconds(1)) ms"
    let text =
      step == .complete ? "the answer had begun, and was not complete within \(bound)" : "nothing within \(bound)"
    fail(step, "timeout", text + came, into: &record)
  }

  var remaining: Nanoseconds {
    let now = MonotonicClock.now()
    return deadline > now ? deadline - now : 1
  }
}
