import FoundationEssentials
import GatewayProtocol
import Latency
import LoadEngine
import NIOCore
import Transport

/// The whole way through `/session/{userId}`: upgrade, `session_ready`, the first message, the first answer.
///
/// The service begins when the connection is there and the upgrade request is sent: setting up the connection is apart.
struct SessionJourney {
  let scenario: EndToEndScenario
  let user: EndToEndUser
  /// The task that was started for this user.
  let started: TaskStarter.Started?
  /// In ns of `MonotonicClock`.
  let deadline: UInt64

  func travel(into record: inout IterationRecord) async {
    guard let connection = await open(into: &record) else { return }
    user.session.put(connection)
    let begin = connection.phases.secured ?? connection.phases.connected
    record.wrote(at: connection.phases.started)
    EndToEndMetrics.connect.add(connection.phases, to: &record)
    let bound = SessionDeadline(deadline, on: connection)
    defer { bound.cancel() }
    guard let ready = await receive(connection, bound, .ready, into: &record) else { return }
    guard let message = try? JSONDecoder().decode(SessionMessage.self, from: Data(ready.text.utf8)) else {
      return record.fail(.ready, "invalid_json", String(ready.text.prefix(120)))
    }
    guard message.type == "session_ready" else { return fail(message, into: &record) }
    let outlook = user.outlook.take().map(scenario.pool.finish)
    if let task = message.taskId {
      scenario.wasGiven(task, user, started)
      let isDuplicate = scenario.session.held.assign(task)
      if isDuplicate { record.count(EndToEndMetrics.duplicates) } else { user.sessionTask.put(task) }
    }
    guard let (askedAt, answeredAt) = await converse(connection, bound, into: &record) else { return }
    if let started, scenario.isStarted(message.taskId, into: &record) {
      // The user's cold start begins with the task's.
      record.sample(EndToEndMetrics.cold, from: started.phases.sentAt, to: answeredAt)
      return record.count(EndToEndMetrics.coldStarts)
    }
    switch await scenario.classify(message.taskId ?? "", source: message.source, outlook, started, user.client) {
    case .warm:
      record.sample(EndToEndMetrics.ready, from: begin, to: ready.receivedAt)
      record.sample(EndToEndMetrics.acquire, milliseconds: message.breakdown?.acquireMs)
      record.sample(EndToEndMetrics.initUser, milliseconds: message.breakdown?.initUserMs)
      record.sample(EndToEndMetrics.workspace, milliseconds: message.breakdown?.workspaceMs)
      record.sample(EndToEndMetrics.processStart, milliseconds: message.breakdown?.processStartMs)
      record.sample(EndToEndMetrics.firstResponse, answeredAt - askedAt)
      record.sample(EndToEndMetrics.endToEnd, from: begin, to: answeredAt)
    case .cold:
      record.sample(EndToEndMetrics.cold, from: begin, to: answeredAt)
      record.count(EndToEndMetrics.coldStarts)
    case .unclassified: record.count(EndToEndMetrics.unclassified)
    }
  }

  private func open(into record: inout IterationRecord) async -> WebSocketConnection? {
    do throws(WebSocketError) {
      return try await scenario.session.openSession(
        userID: user.id, visitor: user.client, on: user.executor, timeout: remaining)
    } catch {
      switch error {
      case .cancelled: record.censor()
      case .upgradeRefused: record.fail(.acquire, error.kind, error.description)
      default: record.fail(.connect, error.kind, error.description)
      }
      return nil
    }
  }

  /// The user's first message, and the answer to it.
  private func converse(
    _ connection: WebSocketConnection, _ bound: SessionDeadline, into record: inout IterationRecord
  ) async -> (askedAt: UInt64, answeredAt: UInt64)? {
    let question = await connection.ask(text: scenario.message)
    // A program may have said more at its start than one line.
    if !question.unasked.isEmpty { noteUnasked() }
    for message in question.unasked where hasFailed(message, into: &record) { return nil }
    switch question.askedAt {
    case .success(let askedAt):
      let answer = await receiveAnswer(connection, bound, askedAt: askedAt, into: &record)
      return answer.map { (askedAt, $0.receivedAt) }
    case .failure(.cancelled): record.censor()
    case .failure(let error):
      // Where the deadline has ended the session, it says no more than that it is over.
      if bound.hasPassed {
        failInTime(.firstResponse, into: &record)
      } else {
        record.fail(.firstResponse, error.kind, error.description)
      }
    }
    return nil
  }

  /// The first message that was begun after the question, and is what an answer looks like.
  private func receiveAnswer(
    _ connection: WebSocketConnection, _ bound: SessionDeadline, askedAt: UInt64, into record: inout IterationRecord
  ) async -> WebSocketMessage? {
    var others = 0
    while let message = await receive(connection, bound, .firstResponse, others: others, into: &record) {
      if hasFailed(message, into: &record) { return nil }
      guard message.begunAt >= askedAt else {
        noteUnasked()
        continue
      }
      switch scenario.expectedAnswer {
      case .anyLine: return message
      case .echo:
        if message.text.hasSuffix(scenario.message) { return message }
        record.fail(.firstResponse, "wrong_answer", String(message.text.prefix(120)))
        return nil
      case .matching(let pattern):
        switch await pattern.find(in: message.text, within: remaining) {
        case .matches: return message
        case .differs: others += 1
        case .outOfTime:
          record.fail(
            .firstResponse, "timeout",
            "no line was found to match --expect within \(scenario.load.timeout / 1_000_000) ms, and one was still being "
              + "looked at: repetitions inside one another make a pattern slow")
          return nil
        case .tookTooLong:
          record.fail(
            .firstResponse, "expect_too_slow",
            "--expect was not done with a line in time: write a pattern without repetitions inside one another")
          return nil
        }
      }
    }
    return nil
  }

  private func noteUnasked() {
    if case .anyLine = scenario.expectedAnswer { scenario.session.bench.note(ExpectedAnswer.unaskedNote) }
  }

  /// Whether the message is an error of the gateway's, which then ends the iteration.
  private func hasFailed(_ message: WebSocketMessage, into record: inout IterationRecord) -> Bool {
    guard let failure = SessionFailure.of(message.text) else { return false }
    record.fail(.firstResponse, failure.code, failure.message)
    return true
  }

  private func receive(
    _ connection: WebSocketConnection, _ bound: SessionDeadline, _ step: EndToEndStep, others: Int = 0,
    into record: inout IterationRecord
  ) async -> WebSocketMessage? {
    let failure: (kind: String, text: String)
    do throws(WebSocketError) {
      if let message = try await connection.receive() { return message }
      // Only this side ends a session without an error: the deadline does.
      failure = ("closed", "the session ended before its time")
    } catch .cancelled {
      record.censor()
      return nil
    } catch {
      failure = (error.kind, error.description)
    }
    if bound.hasPassed {
      failInTime(step, others: others, into: &record)
    } else {
      record.fail(step, failure.kind, failure.text)
    }
    return nil
  }

  /// - Parameter others: How many lines came that are no answers.
  private func failInTime(_ step: EndToEndStep, others: Int = 0, into record: inout IterationRecord) {
    let came =
      switch others {
      case 0: ""
      case 1: ": 1 line came, and none is as --expect says"
      default: ": \(others) lines came, and none is as --expect says"
      }
    record.fail(step, "timeout", "nothing within \(scenario.load.timeout / 1_000_000) ms\(came)")
  }

  private func fail(_ message: SessionMessage, into record: inout IterationRecord) {
    guard let failure = message.error else {
      return record.fail(.ready, "unexpected_message", "'\(message.type.prefix(60))' instead of session_ready")
    }
    let step: EndToEndStep =
      switch failure.code {
      case "NO_WARM_TASK", "GATEWAY_BUSY", "GATEWAY_STOPPING": .acquire
      case "TASK_START_FAILED", "TASK_RESTART_FAILED", "TASK_DIED": .initUser
      default: .ready
      }
    record.fail(step, String(failure.code.prefix(60)), failure.message)
  }

  private var remaining: UInt64 {
    let now = MonotonicClock.now()
    return deadline > now ? deadline - now : 1
  }
}

/// An error that a gateway sends on the user's side, where lines of the process come otherwise.
enum SessionFailure {
  static func of(_ text: String) -> SessionMessage.Failure? {
    guard text.hasPrefix("{"), let message = try? JSONDecoder().decode(SessionMessage.self, from: Data(text.utf8)),
      message.type == "error"
    else { return nil }
    return message.error
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
