import Gateway
import Latency
import Testing
import TestSupport

@testable import EmbeddedGateway

/// A session of the product's profile without a wire: events in, actions out.
@Suite struct ProductSessionTests {
  private typealias Action = ProductSession.Action

  private static let profile = {
    var profile = ProductProfile()
    (profile.pingTimeout, profile.keepSessions, profile.keepUnattached) = (60, 30, 1000)
    (profile.maximumQueuedMessages, profile.maximumQueuedBytes) = (3, 1000)
    (profile.maximumHeldBytes, profile.maximumLineBytes) = (2000, 100)
    return profile
  }()

  private func session(isFromREST: Bool = false) -> ProductSession {
    ProductSession(profile: Self.profile, isFromREST: isFromREST, now: 0)
  }

  /// Connected at 0, with a task for the message "first" that is being answered since 10.
  private func answering() -> ProductSession {
    var session = session()
    #expect(session.connected(now: 0) == [.send(.sessionReady)])
    #expect(message("first", to: &session, now: 5) == [.acquire])
    #expect(
      session.taskReady("t1", .cold, InitBreakdown(), now: 10) == [
        .send(.taskReady("t1", .cold, InitBreakdown())), .send(.thinking(conversation: "c")),
        .give(.message(Prompt(text: "first", conversationID: "c"))),
      ])
    return session
  }

  private func message(_ text: String, to session: inout ProductSession, now: Instant = 20) -> [Action] {
    session.received(.message(Prompt(text: text, conversationID: "c")), verdict: .accepted, now: now)
  }

  private func says(_ message: ClientMessage, to session: inout ProductSession) -> [Action] {
    session.received(message, verdict: .accepted, now: 20)
  }

  /// The actions without the words that are for people.
  private func shape(_ actions: [Action]) -> [String] {
    actions.map { action in
      guard case .send(.error(let code, _, let conversation)) = action else { return "\(action)" }
      return conversation.map { "\(code) \($0)" } ?? code
    }
  }

  private let finishLine = #"{"type":"finish","usage":{"input_tokens":1,"output_tokens":2}}"#

  private func finished(_ reason: String = "end_turn") -> ServerMessage {
    .finish(reason: reason, .init(input: 1, output: 2), conversation: "c")
  }

  @Test func noTaskIsTakenBeforeTheFirstMessage() {
    var session = session()
    _ = session.connected(now: 0)
    #expect(says(.ping, to: &session) == [.send(.pong)])
    #expect(says(.abort, to: &session) == [])
    #expect(session.task == .none)
    #expect(message("first", to: &session) == [.acquire])
    #expect(message("second", to: &session) == [])
  }

  @Test func answerIsStreamedAndTheNextMessageHasItsTurnThen() {
    var session = answering()
    #expect(message("second", to: &session) == [])
    #expect(session.taskSaid("a chunk", goesOn: false, now: 21) == [.send(.textDelta("a chunk", conversation: "c"))])
    let actions = session.taskSaid(finishLine, goesOn: false, now: 30)
    #expect(
      actions == [
        .send(finished()), .answered(since: 10), .send(.thinking(conversation: "c")),
        .give(.message(Prompt(text: "second", conversationID: "c"))),
      ])
  }

  @Test func queueIsBoundedInMessagesAndInBytes() {
    var session = answering()
    for number in 0..<3 { #expect(message("\(number)", to: &session) == []) }
    #expect(shape(message("3", to: &session)) == ["QUEUE_FULL c"])
    _ = session.taskSaid(finishLine, goesOn: false, now: 30)
    let long = String(repeating: "x", count: 900)
    #expect(shape(message(long, to: &session)) == ["QUEUE_FULL c"])
    #expect(message("3", to: &session) == [])
  }

  @Test func abortEndsTheAnswerWhenTheProgramSaysSo() {
    var session = answering()
    #expect(says(.abort, to: &session) == [.give(.abort)])
    #expect(says(.abort, to: &session) == [])
    #expect(session.taskSaid("late", goesOn: false, now: 21) == [])
    #expect(session.taskSaid(finishLine, goesOn: false, now: 22) == [.send(finished("aborted")), .answered(since: 10)])
    #expect(says(.abort, to: &session) == [])
  }

  @Test func abortBeforeThereIsATaskEndsTheFirstMessage() {
    var session = session()
    _ = session.connected(now: 0)
    _ = message("first", to: &session)
    _ = message("second", to: &session)
    #expect(says(.abort, to: &session) == [.send(.finish(reason: "aborted", .init(), conversation: "c"))])
    let actions = session.taskReady("t1", .warm, InitBreakdown(), now: 30)
    #expect(actions.last == .give(.message(Prompt(text: "second", conversationID: "c"))))
  }

  @Test func questionWaitsForItsAnswer() {
    var session = answering()
    let asked = ServerMessage.askQuestion("sure?", conversation: "c")
    #expect(
      session.taskSaid(#"{"type":"ask_question","question":"sure?"}"#, goesOn: false, now: 21) == [.send(asked)])
    #expect(session.stateName == "asking")
    #expect(says(.answerQuestion("yes"), to: &session) == [.give(.answer("yes"))])
    #expect(shape(says(.answerQuestion("yes"), to: &session)) == ["NO_QUESTION"])
    #expect(session.taskSaid(finishLine, goesOn: false, now: 22) == [.send(finished()), .answered(since: 10)])
  }

  @Test func questionIsAskedAgainWhenTheClientIsBack() {
    for wasAskedBefore in [true, false] {
      var session = answering()
      let question = #"{"type":"ask_question","question":"sure?"}"#
      let asked = Action.send(.askQuestion("sure?", conversation: "c"))
      if wasAskedBefore { #expect(session.taskSaid(question, goesOn: false, now: 21) == [asked]) }
      #expect(session.disconnected(isGoodbye: false, now: 22) == [])
      if !wasAskedBefore { #expect(session.taskSaid(question, goesOn: false, now: 23) == []) }
      #expect(session.connected(now: 24) == [.send(.sessionRecovered(state: "asking")), asked])
    }
  }

  @Test func restOfAnAnswerIsSentAfterRecovery() {
    var session = answering()
    #expect(session.disconnected(isGoodbye: false, now: 20) == [])
    #expect(session.taskSaid("a", goesOn: false, now: 21) == [])
    #expect(session.taskSaid(finishLine, goesOn: false, now: 22) == [.answered(since: 10)])
    #expect(
      session.connected(now: 49) == [
        .send(.sessionRecovered(state: "idle")), .send(.textDelta("a", conversation: "c")), .send(finished()),
      ])
    // Only once.
    _ = session.disconnected(isGoodbye: false, now: 50)
    #expect(session.connected(now: 51) == [.send(.sessionRecovered(state: "idle"))])
  }

  @Test func taskIsNotReadWhileTooMuchIsHeldBack() {
    var session = answering()
    _ = session.disconnected(isGoodbye: false, now: 20)
    var count = 0
    while session.takesOutput, count < 1000 {
      _ = session.taskSaid("chunk", goesOn: false, now: 21)
      count += 1
    }
    #expect(count < 20)
    _ = session.connected(now: 22)
    #expect(session.takesOutput)
    _ = session.disconnected(isGoodbye: false, now: 23)
    #expect(session.takesOutput)
  }

  @Test func sessionEndsWhenItsClientDoesNotComeBack() {
    var session = answering()
    #expect(session.disconnected(isGoodbye: false, now: 20) == [])
    #expect(session.dueAt == 50)
    #expect(session.tick(now: 49) == [])
    #expect(session.tick(now: 50) == [.release, .end])
    #expect(session.dueAt == nil)
    #expect(session.connected(now: 51) == [.close(.deleted)])
    #expect(session.taskSaid("late", goesOn: false, now: 52) == [])
  }

  @Test func clientThatSaysGoodbyeEndsWhatItsSocketBegan() {
    var socketOwned = session()
    _ = socketOwned.connected(now: 0)
    #expect(socketOwned.disconnected(isGoodbye: true, now: 1) == [.end])
    var restOwned = session(isFromREST: true)
    #expect(restOwned.dueAt == 1000)
    #expect(restOwned.connected(now: 0) == [.send(.sessionReady)])
    #expect(restOwned.disconnected(isGoodbye: true, now: 1) == [])
    #expect(restOwned.deleted() == [.end])
  }

  @Test func silentClientIsCutAndMayComeBack() {
    var session = answering()
    #expect(session.dueAt == 60)
    session.heard(now: 30)
    #expect(session.dueAt == 90)
    #expect(session.tick(now: 89) == [])
    #expect(session.tick(now: 90) == [.close(.silent)])
    // The socket's own end tells nothing new.
    #expect(session.disconnected(isGoodbye: true, now: 91) == [])
    #expect(session.connected(now: 100) == [.send(.sessionRecovered(state: "answering"))])
  }

  @Test func secondSocketReplacesTheFirst() {
    var session = answering()
    #expect(session.replaced(now: 20) == [.close(.replaced)])
    #expect(session.connected(now: 20) == [.send(.sessionRecovered(state: "answering"))])
  }

  @Test func expiredTokenEndsTheSocketWithTheNextMessageButNotWithAPing() {
    for message in [ClientMessage.abort, .answerQuestion("a"), .message(Prompt(text: "x", conversationID: nil))] {
      var session = answering()
      #expect(session.received(.ping, verdict: .expired, now: 20) == [.send(.pong)])
      let actions = session.received(message, verdict: .expired, now: 20)
      #expect(shape(actions) == ["TOKEN_EXPIRED", "close(EmbeddedGateway.ProductClose.tokenExpired)"])
      #expect(session.connected(now: 21) == [.send(.sessionRecovered(state: "answering"))])
    }
  }

  @Test func newTokenIsTakenOrRefusedAndTheSessionGoesOn() {
    var session = answering()
    #expect(session.received(.updateToken("n"), verdict: .accepted, now: 20) == [.send(.tokenUpdated)])
    for (verdict, code) in [(TokenVerdict.expired, "TOKEN_EXPIRED"), (.unknown, "INVALID_TOKEN")] {
      #expect(shape(session.received(.updateToken("n"), verdict: verdict, now: 20)) == [code])
    }
    #expect(says(.ping, to: &session) == [.send(.pong)])
  }

  @Test func everyMessageThatWaitedForATaskIsRefusedAndTheNextOneTriesAgain() {
    var session = session()
    _ = session.connected(now: 0)
    _ = message("first", to: &session)
    _ = message("second", to: &session)
    let refusal = Action.send(.error(code: "TASK_RESTART_FAILED", message: "broken", conversation: "c"))
    #expect(session.taskFailed("broken") == [refusal, refusal])
    #expect(session.taskFailed("broken") == [])
    #expect(message("third", to: &session) == [.acquire])
  }

  @Test func taskThatDiesWithinAnAnswerIsToldAndReplacedForTheNextMessage() {
    var session = answering()
    _ = message("second", to: &session)
    _ = session.taskSaid("half a li", goesOn: true, now: 21)
    #expect(
      session.taskLost(code: "TASK_DIED", message: "gone", now: 22) == [
        .send(.error(code: "TASK_DIED", message: "gone", conversation: "c")), .acquire,
      ])
    _ = session.taskReady("t2", .warm, InitBreakdown(), now: 23)
    #expect(session.taskSaid("new", goesOn: false, now: 24) == [.send(.textDelta("new", conversation: "c"))])
  }

  @Test func taskThatDiesBetweenAnswersIsReplacedByTheNextMessage() {
    var session = answering()
    _ = session.taskSaid(finishLine, goesOn: false, now: 21)
    #expect(session.taskLost(code: "TASK_DIED", message: "gone", now: 22) == [])
    #expect(message("second", to: &session) == [.acquire])
  }

  @Test func taskThatDiesAfterAnAbortHasEndedTheAnswer() {
    var session = answering()
    _ = says(.abort, to: &session)
    #expect(
      session.taskLost(code: "TASK_DIED", message: "gone", now: 22) == [
        .send(.finish(reason: "aborted", .init(), conversation: "c"))
      ])
  }

  @Test func piecesOfALineAreOneChunkUpToTheBound() {
    var session = answering()
    #expect(session.taskSaid("a", goesOn: true, now: 21) == [])
    #expect(session.taskSaid("b", goesOn: false, now: 21) == [.send(.textDelta("ab", conversation: "c"))])
    let piece = String(repeating: "x", count: 60)
    #expect(session.taskSaid(piece, goesOn: true, now: 21) == [])
    #expect(session.taskSaid(piece, goesOn: true, now: 21) == [.send(.textDelta(piece, conversation: "c"))])
    #expect(session.taskSaid("", goesOn: false, now: 21) == [.send(.textDelta(piece, conversation: "c"))])
  }

  @Test func whatAProgramSaysUnaskedIsPassedOver() {
    var session = answering()
    _ = session.taskSaid(finishLine, goesOn: false, now: 21)
    for line in ["words", finishLine, #"{"type":"ask_question","question":"?"}"#] {
      #expect(session.taskSaid(line, goesOn: false, now: 22) == [], "\(line)")
    }
  }

  @Test func deletionAndTheGatewaysEndTellTheClientAndReleaseTheTask() {
    var deleted = answering()
    #expect(
      shape(deleted.deleted()) == [
        "SESSION_DELETED c", "close(EmbeddedGateway.ProductClose.deleted)", "release", "end",
      ])
    #expect(deleted.deleted() == [])
    var stopped = answering()
    _ = stopped.disconnected(isGoodbye: false, now: 20)
    #expect(stopped.stopped() == [.release, .end])
  }
}
