import FoundationEssentials
import Gateway
import Latency
import LoadEngine
import NIOCore
import Synchronization
import Transport

/// The whole way through the user's side of a gateway, as its profile says: upgrade, ready, messages and their answers.
///
/// The service begins when the connection is there and the upgrade request is sent: setting up the connection is apart. Where the
/// task is acquired by REST before, it begins with that.
struct SessionJourney {
  let scenario: EndToEndScenario
  let user: EndToEndUser
  let role: GatewayProfile.Session
  /// The task that was started for this user.
  let started: TaskStarter.Started?
  /// Of the session's start, in ns of `MonotonicClock`. Later steps have a time-out each.
  let deadline: UInt64

  /// What is known of the session while it goes on.
  private struct Course {
    var values: ProfileValues
    /// When the upgrade was asked for.
    var begin: UInt64
    var readyAt: UInt64?
    var task: String?
    var source: String?
    var phases: JSONNode?
    var outlook: WarmPool.FinishedOutlook?
    /// Whether the session was cut, as `--reconnect` wants it.
    var wasCut = false
  }

  func travel(into record: inout IterationRecord) async {
    var values = ProfileValues([
      .userId: user.id, .uuid: UUID().uuidString.lowercased(), .message: scenario.message, .n: "0",
    ])
    values[.token] = scenario.session.visitors.tokens.token(ofUser: user.number)
    var acquiredAt: UInt64?
    if role.needsTask {
      acquiredAt = await acquire(&values, into: &record)
      guard acquiredAt != nil else { return }
    }
    guard let connection = await open(role.path, values, into: &record) else { return }
    let phases = connection.socket.phases
    record.wrote(at: phases.started)
    EndToEndMetrics.connect.add(phases, to: &record)
    let upgradeAt = phases.secured ?? phases.connected
    record.sample(EndToEndMetrics.upgrade, phases.upgraded - min(upgradeAt, phases.upgraded))
    var course = Course(values: values, begin: acquiredAt ?? upgradeAt)
    for message in role.opening { connection.socket.post(text: message.text(values)) }
    guard await becomeReady(connection, &course, into: &record) else { return }
    var noAnswer: StreamedAnswer?
    if scenario.reconnect == .afterReady, await !goBack(&course, &noAnswer, into: &record) { return }
    guard let first = await converse(1, &course, into: &record) else { return }
    await classify(first, course, into: &record)
    // What the user has had by now stands, whatever becomes of the rest.
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

  /// Acquires the task by REST; when the request was written, in ns, or nil where it failed.
  private func acquire(_ values: inout ProfileValues, into record: inout IterationRecord) async -> UInt64? {
    switch await user.client.acquire(userID: user.id) {
    case .assigned(let acquisition):
      guard let task = acquisition.answer.task else { return nil }
      let writtenAt = acquisition.exchange.firstByteWrittenAt
      record.wrote(at: writtenAt)
      values[.task] = task
      values[.sessionId] = task
      record.sample(EndToEndMetrics.acquire, acquisition.exchange.serviceTime)
      let place = scenario.session.place(of: user.client)
      if scenario.session.held.assign(task, cookies: user.client.cookies, user: user.number, place: place) {
        record.count(EndToEndMetrics.duplicates)
      } else {
        user.assigned.put(task)
      }
      return writtenAt
    case .miss: record.fail(.acquire, "miss", "the pool had no warm task")
    case .failed(let error, let writtenAt):
      scenario.session.held.acquireFailed(error, writtenAt: writtenAt)
      if let writtenAt { record.wrote(at: writtenAt) }
      fail(.acquire, error.kind, error.message, isCancelled: error.isCancellation, into: &record)
    }
    return nil
  }

  /// Opens a connection, which is the user's from then on.
  private func open(
    _ path: ProfileTemplate, _ values: ProfileValues, step: EndToEndStep = .connect, into record: inout IterationRecord
  ) async -> SessionConnection? {
    do throws(WebSocketError) {
      let socket = try await scenario.session.openSession(
        role, path: path, values, user: user.number, visitor: user.client, on: user.executor,
        timeout: step == .connect ? remaining : scenario.load.timeout)
      let connection = SessionConnection(socket, role: role, values: values)
      user.session.put(connection)?.cut()
      return connection
    } catch {
      var (step, text) = (step, error.description)
      if case .upgradeRefused = error {
        // Where the ready message names a task, the upgrade is what asks for one.
        if step == .connect, role.task != nil, !role.isLazy { step = .acquire }
        if ["http_401", "http_403"].contains(error.kind), path.placeholders.contains(.token) {
          text += "; by the profile the token is also in the URL (--token-file)"
        }
      }
      fail(step, error.kind, text, isCancelled: error == .cancelled, into: &record)
      return nil
    }
  }

  /// Waits for the ready message, where there is one.
  private func becomeReady(
    _ connection: SessionConnection, _ course: inout Course, into record: inout IterationRecord
  ) async -> Bool {
    // A lazy gateway takes a task when the first message comes.
    defer { if !role.isLazy { course.outlook = user.outlook.take().map(scenario.pool.finish) } }
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
      // Where answers are plain lines nothing else can come; other gateways have news before they are ready.
      guard !role.first.isAny else {
        let type = JSONPointer("/type")?.value(in: root)?.text ?? message.text
        fail(.ready, "unexpected_message", "'\(shown(type, 60))' instead of the ready message", into: &record)
        return false
      }
    }
    return false
  }

  private func took(_ task: String, _ course: inout Course, into record: inout IterationRecord) {
    course.task = task
    if course.values[.sessionId] == nil { course.values[.sessionId] = task }
    scenario.wasGiven(task, user, started)
    guard !role.needsTask else { return }
    let place = scenario.session.place(of: user.client)
    if scenario.session.held.assign(task, user: user.number, place: place) {
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

  // MARK: Messages and answers

  /// Sends message `number`, from 1, and waits for its answer; nil where nothing of it came. Where it failed after that, the record
  /// has failed, and the answer is what had come.
  private func converse(
    _ number: Int, _ course: inout Course, into record: inout IterationRecord
  ) async -> StreamedAnswer? {
    guard var connection = user.session.value else { return nil }
    course.values[.n] = "\(number)"
    let end = number == 1 ? deadline : MonotonicClock.now() + scenario.load.timeout
    var bound = SessionDeadline(end, on: connection.socket)
    defer { bound.cancel() }
    let question = await connection.socket.ask(text: role.send.text(course.values))
    // A program may have said more at its start than one line.
    if role.first.isAny, !question.unasked.isEmpty { noteUnasked() }
    var answer = StreamedAnswer(role, askedAt: (try? question.askedAt.get()) ?? .max)
    for message in question.unasked.map({ connection.read($0, isParsed: false) }) {
      guard case .failed(let code, let text) = answer.take(message.root, begunAt: 0, receivedAt: message.receivedAt)
      else { continue }
      fail(.firstResponse, code, text, into: &record)
      return nil
    }
    if case .failure(let error) = question.askedAt {
      // Where the deadline has ended the session, it says no more than that it is over.
      if bound.hasPassed { failInTime(.firstResponse, into: &record) } else { fail(error, connection, into: &record) }
      return nil
    }
    var others = 0
    while !answer.isComplete {
      let step: EndToEndStep = answer.firstAt == nil ? .firstResponse : .complete
      guard let message = await receive(connection, bound, step, isParsed: false, others: others, into: &record) else {
        return begun(answer, &course)
      }
      let taken = answer.take(message.root, begunAt: message.begunAt, receivedAt: message.receivedAt)
      if role.first.isAny, message.begunAt < answer.askedAt { noteUnasked() }
      switch taken {
      case .other, .part, .complete: break
      case .mayBeFirst:
        switch await isExpected(message, into: &record) {
        case nil: return nil
        case false?: others += 1
        case true?:
          let isWhole = answer.begin(message.root, at: message.receivedAt)
          guard number == 1, scenario.reconnect == .midAnswer, !isWhole else { break }
          var current: StreamedAnswer? = answer
          let isBack = await goBack(&course, &current, into: &record)
          answer = current ?? answer
          guard isBack, let back = user.session.value else { return begun(answer, &course) }
          bound.cancel()
          connection = back
          bound = SessionDeadline(MonotonicClock.now() + scenario.load.timeout, on: connection.socket)
        }
      case .asked:
        record.count(EndToEndMetrics.questions)
        if let reply = role.answer { connection.socket.post(text: reply.text(course.values)) }
      case .endedEmpty:
        fail(.firstResponse, "empty_answer", "the gateway ended its answer before anything of it came", into: &record)
        return nil
      case .failed(let code, let text):
        fail(step, code, text, into: &record)
        return begun(answer, &course)
      }
    }
    return begun(answer, &course)
  }

  /// What has come of an answer; nil where its first response has not.
  private func begun(_ answer: StreamedAnswer, _ course: inout Course) -> StreamedAnswer? {
    if course.source == nil { course.source = answer.source }
    return answer.firstAt == nil ? nil : answer
  }

  /// Whether the message is what an answer looks like; nil where the iteration has failed by it.
  private func isExpected(_ message: SessionConnection.Message, into record: inout IterationRecord) async -> Bool? {
    switch scenario.expectedAnswer {
    case .anyLine: return true
    case .echo:
      if message.text.hasSuffix(scenario.message) { return true }
      fail(.firstResponse, "wrong_answer", shown(message.text, 120), into: &record)
      return nil
    case .matching(let pattern):
      switch await pattern.find(in: message.text, within: remaining) {
      case .matches: return true
      case .differs: return false
      case .outOfTime:
        fail(
          .firstResponse, "timeout",
          "no line was found to match --expect within \(scenario.load.timeout / 1_000_000) ms, and one was still being "
            + "looked at: repetitions inside one another make a pattern slow", into: &record)
        return nil
      case .tookTooLong:
        fail(
          .firstResponse, "expect_too_slow",
          "--expect was not done with a line in time: write a pattern without repetitions inside one another",
          into: &record)
        return nil
      }
    }
  }

  private func noteUnasked() {
    if case .anyLine = scenario.expectedAnswer { scenario.session.bench.note(ExpectedAnswer.unaskedNote) }
  }

  /// Samples the first answer and the session's start, by the origin of its task.
  private func classify(_ answer: StreamedAnswer, _ course: Course, into record: inout IterationRecord) async {
    guard let firstAt = answer.firstAt else { return }
    let firstResponse = firstAt - answer.askedAt
    if let started, scenario.isStarted(course.task, into: &record) {
      // The user's cold start begins with the task's.
      record.sample(EndToEndMetrics.cold, from: started.phases.sentAt, to: firstAt)
      return record.count(EndToEndMetrics.coldStarts)
    }
    let outlook = course.outlook ?? user.outlook.take().map(scenario.pool.finish)
    let origin = await scenario.classify(course.task ?? "", source: course.source, outlook, started, user.client)
    if role.isLazy {
      // The task is started by the message: what its start takes is in the first response, whatever its origin.
      record.sample(EndToEndMetrics.firstResponse, firstResponse)
      if let readyAt = course.readyAt { record.sample(EndToEndMetrics.ready, from: course.begin, to: readyAt) }
      sampleRest(of: answer, isWhole: !course.wasCut, into: &record)
    }
    switch origin {
    case .warm:
      if role.isLazy {
        record.sample(EndToEndMetrics.firstResponseWarm, firstResponse)
      } else {
        if let readyAt = course.readyAt { record.sample(EndToEndMetrics.ready, from: course.begin, to: readyAt) }
        record.sample(EndToEndMetrics.firstResponse, firstResponse)
        samplePhases(course, into: &record)
        sampleRest(of: answer, isWhole: !course.wasCut, into: &record)
      }
      record.sample(EndToEndMetrics.endToEnd, from: course.begin, to: firstAt)
    case .cold:
      if role.isLazy { record.sample(EndToEndMetrics.firstResponseCold, firstResponse) }
      record.sample(EndToEndMetrics.cold, from: course.begin, to: firstAt)
      record.count(EndToEndMetrics.coldStarts)
    case .unclassified:
      record.count(EndToEndMetrics.unclassified)
      // What the gateway does not tell apart is in one figure, and a note says so.
      if role.isLazy { record.sample(EndToEndMetrics.endToEnd, from: course.begin, to: firstAt) }
    }
  }

  private func samplePhases(_ course: Course, into record: inout IterationRecord) {
    guard let root = course.phases else { return }
    func sample(_ metric: Metric, _ field: ProfileField?) {
      record.sample(metric, milliseconds: field?.value(in: root).flatMap(\.number))
    }
    if !role.needsTask { sample(EndToEndMetrics.acquire, role.phases.acquire) }
    sample(EndToEndMetrics.initUser, role.phases.initUser)
    sample(EndToEndMetrics.workspace, role.phases.workspace)
    sample(EndToEndMetrics.processStart, role.phases.processStart)
  }

  /// What comes of an answer after its first response. An answer that was cut is not whole.
  private func sampleRest(of answer: StreamedAnswer, isWhole: Bool = true, into record: inout IterationRecord) {
    guard role.isStreamed, isWhole, let completeAt = answer.completeAt else { return }
    record.sample(EndToEndMetrics.complete, completeAt - answer.askedAt)
    if answer.hasGap { record.sample(EndToEndMetrics.gap, answer.gap) }
  }

  // MARK: Idle sessions and sessions that are gone back to

  /// Lets the session be idle for `duration` ns; false where it ended meanwhile.
  private func pause(
    for duration: UInt64, _ step: EndToEndStep, into record: inout IterationRecord
  ) async -> Bool {
    guard duration > 0, let connection = user.session.value else { return true }
    let failure = Mutex<(code: String, text: String)?>(nil)
    do throws(WebSocketError) {
      try await connection.idle(until: MonotonicClock.now() + duration) { message in
        guard let root = message.root, role.error?.holds(root) ?? false else { return }
        failure.withLock { if $0 == nil { $0 = role.failure(in: root) } }
      }
    } catch {
      fail(error, connection, step: step, into: &record)
      return false
    }
    guard let failure = failure.withLock({ $0 }) else { return true }
    fail(step, failure.code, failure.text, into: &record)
    return false
  }

  /// Cuts the connection and goes back to the session: `recovery` ends with the gateway's word, or without one with the next
  /// message of an answer. What comes of `answer`, the one that was cut, before that word is a part of it.
  private func goBack(
    _ course: inout Course, _ answer: inout StreamedAnswer?, into record: inout IterationRecord
  ) async -> Bool {
    guard let returning = role.returning, let connection = user.session.value else { return false }
    let cutAt = MonotonicClock.now()
    connection.cut()
    course.wasCut = true
    // It may have been renewed since the session began.
    course.values[.token] = scenario.session.visitors.tokens.token(ofUser: user.number)
    guard let back = await open(returning.path, course.values, step: .recovery, into: &record) else { return false }
    let bound = SessionDeadline(MonotonicClock.now() + scenario.load.timeout, on: back.socket)
    defer { bound.cancel() }
    while let message = await receive(back, bound, .recovery, isParsed: true, into: &record) {
      if let root = message.root, role.error?.holds(root) ?? false {
        let failure = role.failure(in: root)
        fail(.recovery, failure.code, failure.text, into: &record)
        return false
      }
      if let other = otherSession(message.root, course) {
        fail(
          .recovery, "not_recovered", "the gateway has begun the session '\(shown(other, 40))' instead", into: &record)
        return false
      }
      let step = answer?.take(message.root, begunAt: message.begunAt, receivedAt: message.receivedAt)
      if step == .asked {
        record.count(EndToEndMetrics.questions)
        if let reply = role.answer { back.socket.post(text: reply.text(course.values)) }
      }
      let goesOn = (role.ready?.holds(message.root) ?? false) || role.first.holds(message.root) || step == .part
      // An answer that is whole needs no further word.
      guard step == .complete || returning.recovered.map({ $0.holds(message.root) }) ?? goesOn else { continue }
      record.sample(EndToEndMetrics.recovery, message.receivedAt - cutAt)
      return true
    }
    return false
  }

  /// The session that a ready message is of, where that is not the one that was gone back to.
  private func otherSession(_ root: JSONNode?, _ course: Course) -> String? {
    guard let root, let ready = role.ready, ready.holds(root), let id = role.sessionID?.text(in: root),
      let own = course.values[.sessionId], id != own
    else { return nil }
    return id
  }

  // MARK: Waiting, and what ends it

  private func receive(
    _ connection: SessionConnection, _ bound: SessionDeadline, _ step: EndToEndStep, isParsed: Bool, others: Int = 0,
    into record: inout IterationRecord
  ) async -> SessionConnection.Message? {
    do throws(WebSocketError) {
      if let message = try await connection.receive(isParsed: isParsed) { return message }
      // Only this side ends a session without an error: the deadline does, and a lack of pongs.
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

  private func fail(
    _ error: WebSocketError, _ connection: SessionConnection, step: EndToEndStep = .firstResponse,
    into record: inout IterationRecord
  ) {
    if connection.wasMute, error != .cancelled {
      return fail(step, "pongs_missed", "two pings in a row were not answered", into: &record)
    }
    fail(step, error.kind, error.description, isCancelled: error == .cancelled, into: &record)
  }

  /// Ends the iteration; what is said of it holds no token.
  private func fail(
    _ step: EndToEndStep, _ kind: String, _ text: String, isCancelled: Bool = false, into record: inout IterationRecord
  ) {
    guard !isCancelled else { return record.censor() }
    record.fail(step, shown(kind, 60), scenario.session.visitors.withoutSecrets(text, user: user.number))
  }

  /// The beginning of a text from outside, in characters, without secrets: they are taken out before it is cut.
  private func shown(_ text: String, _ length: Int) -> String {
    String(scenario.session.visitors.withoutSecrets(text, user: user.number).prefix(length))
  }

  /// - Parameter others: How many lines came that are no answers.
  private func failInTime(_ step: EndToEndStep, others: Int = 0, into record: inout IterationRecord) {
    let came =
      switch others {
      case 0: ""
      case 1: ": 1 line came, and none is as --expect says"
      default: ": \(others) lines came, and none is as --expect says"
      }
    let bound = "\(scenario.load.timeout / 1_000_000) ms"
    let text =
      step == .complete ? "the answer had begun, and was not complete within \(bound)" : "nothing within \(bound)"
    fail(step, "timeout", text + came, into: &record)
  }

  private var remaining: UInt64 {
    let now = MonotonicClock.now()
    return deadline > now ? deadline - now : 1
  }
}

/// Ends a session whose time is over.
final class SessionDeadline: Sendable {
  private let instant: UInt64
  private let scheduled: Scheduled<Void>

  init(_ instant: UInt64, on connection: WebSocketConnection) {
    self.instant = instant
    let now = MonotonicClock.now()
    let delay = TimeAmount.nanoseconds(Int64(clamping: instant > now ? instant - now : 0))
    scheduled = connection.eventLoop.scheduleTask(in: delay) { connection.abort() }
  }

  var hasPassed: Bool { MonotonicClock.now() >= instant }

  func cancel() { scheduled.cancel() }
}
