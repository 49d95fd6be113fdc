import Gateway
import Latency
import LoadEngine
import Synchronization
import Transport

/// The part of a session after it is ready: messages and their answers, pauses, and resuming the session after its
/// connection was cut.
extension SessionJourney {
  // MARK: Messages and answers

  /// Sends message `number`, from 1, and waits for its answer. nil where no part of the answer came. Where a later part
  /// failed, the record has failed, and the answer is what had come.
  func converse(
    _ number: Int, _ course: inout SessionState, into record: inout IterationRecord
  ) async -> StreamedAnswer? {
    guard var connection = user.session.value else { return nil }
    course.values[.n] = "\(number)"
    let end = number == 1 ? deadline : MonotonicClock.now() + scenario.load.timeout
    var bound = SessionDeadline(end, on: connection.socket)
    defer { bound.cancel() }
    let question = await connection.socket.ask(text: role.send.text(course.values))
    // A program may have printed more lines than one at its start.
    if role.first.isAny, !question.unasked.isEmpty { noteUnasked() }
    var answer = StreamedAnswer(session, askedAt: (try? question.askedAt.get()) ?? .distantFuture)
    for message in question.unasked.map({ connection.read($0, isParsed: false) }) {
      guard
        case .failed(let code, let text) = answer.take(
          message.root, begunAt: .distantPast, receivedAt: message.receivedAt)
      else { continue }
      fail(.firstResponse, code, text, into: &record)
      return nil
    }
    if case .failure(let error) = question.askedAt {
      // A session that its deadline has ended reports only that it is closed, so that the time-out is recorded instead.
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

  /// Sends message `number` of a session and waits for its whole answer; false where that failed.
  func ask(_ number: Int, _ course: inout SessionState?, into record: inout IterationRecord) async -> Bool {
    guard var state = course else { return false }
    defer { course = state }
    return await converse(number, &state, into: &record) != nil && record.ending == .success
  }

  /// The answer as far as it came; nil before its first response.
  private func begun(_ answer: StreamedAnswer, _ course: inout SessionState) -> StreamedAnswer? {
    if course.source == nil { course.source = answer.source }
    return answer.firstAt == nil ? nil : answer
  }

  /// Whether the message is the expected answer; nil where it has made the iteration fail.
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
          "no line was found to match --expect within \(scenario.load.timeout / .milliseconds(1)) ms, and one was still being "
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
  func classify(_ answer: StreamedAnswer, _ course: SessionState, into record: inout IterationRecord) async {
    guard let firstAt = answer.firstAt else { return }
    let firstResponse = firstAt - answer.askedAt
    if let started, scenario.isStarted(course.task, into: &record) {
      // The user's cold start begins with the task's start.
      record.sample(EndToEndMetrics.cold, from: started.phases.sentAt, to: firstAt)
      return record.count(EndToEndMetrics.coldStarts)
    }
    let evidence = course.evidence ?? user.evidence.take().map(scenario.pool.finish)
    let origin = await scenario.classify(course.task ?? "", source: course.source, evidence, started, user.client)
    if role.isLazy {
      // The message starts the task, so that the first response includes the start, warm or cold.
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
      // Warm and cold starts that the gateway does not tell apart share one metric, and a note says so.
      if role.isLazy { record.sample(EndToEndMetrics.endToEnd, from: course.begin, to: firstAt) }
    }
  }

  private func samplePhases(_ course: SessionState, into record: inout IterationRecord) {
    guard let root = course.phases else { return }
    func sample(_ metric: Metric, _ field: ProfileField?) {
      record.sample(metric, milliseconds: field?.value(in: root).flatMap(\.number))
    }
    if !role.needsTask { sample(EndToEndMetrics.acquire, role.phases.acquire) }
    sample(EndToEndMetrics.initUser, role.phases.initUser)
    sample(EndToEndMetrics.workspace, role.phases.workspace)
    sample(EndToEndMetrics.processStart, role.phases.processStart)
  }

  /// Samples the rest of an answer after its first response. An answer whose connection was cut gives no sample.
  func sampleRest(of answer: StreamedAnswer, isWhole: Bool = true, into record: inout IterationRecord) {
    guard role.isStreamed, isWhole, let completeAt = answer.completeAt else { return }
    record.sample(EndToEndMetrics.complete, completeAt - answer.askedAt)
    if answer.hasGap { record.sample(EndToEndMetrics.gap, answer.gap) }
  }

  // MARK: Idle and resumed sessions

  /// Keeps the session idle for `duration`; false where it ended meanwhile.
  func pause(
    for duration: Nanoseconds, _ step: EndToEndStep, into record: inout IterationRecord
  ) async -> Bool {
    guard duration > .zero, let connection = user.session.value else { return true }
    let failure = Mutex<(code: String, text: String)?>(nil)
    do throws(WebSocketError) {
      try await connection.idle(until: MonotonicClock.now() + duration) { message in
        guard let root = message.root, self.role.error?.holds(root) ?? false else { return }
        failure.withLock { if $0 == nil { $0 = self.role.failure(in: root) } }
      }
    } catch {
      fail(error, connection, step: step, into: &record)
      return false
    }
    guard let failure = failure.withLock({ $0 }) else { return true }
    fail(step, failure.code, failure.text, into: &record)
    return false
  }

  /// Cuts the connection and resumes the session. `recovery` ends with the gateway's message that the session is
  /// resumed; where the profile has no such message, with the next message of an answer. Parts of `answer`, which was
  /// cut, may come before that message and are added to it.
  func goBack(
    _ course: inout SessionState, _ answer: inout StreamedAnswer?, into record: inout IterationRecord
  ) async -> Bool {
    guard let returning = role.returning, let connection = user.session.value else { return false }
    let cutAt = MonotonicClock.now()
    connection.cut()
    course.wasCut = true
    // The token may have been renewed since the session began.
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
      // A complete answer shows the recovery by itself.
      guard step == .complete || returning.recovered.map({ $0.holds(message.root) }) ?? goesOn else { continue }
      record.sample(EndToEndMetrics.recovery, message.receivedAt - cutAt)
      return true
    }
    return false
  }

  /// The session id in a ready message, where it differs from the id of the session that was resumed.
  private func otherSession(_ root: JSONNode?, _ course: SessionState) -> String? {
    guard let root, let ready = role.ready, ready.holds(root), let id = role.sessionID?.text(in: root),
      let own = course.values[.sessionId], id != own
    else { return nil }
    return id
  }
}
