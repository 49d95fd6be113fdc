import Gateway
import Latency
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// What each message of a streaming gateway is within an answer, whatever comes in which order.
@Suite struct StreamedAnswerTests {
  /// A message, when its first byte was read, and when its last was.
  struct Message: Sendable {
    var json: String
    var at: Instant
    /// Nil: as `at`.
    var begunAt: Instant?

    init(_ json: String, _ at: Instant, begunAt: Instant? = nil) {
      (self.json, self.at, self.begunAt) = (json, at, begunAt)
    }
  }

  private static let thinking = #"{"type": "thinking"}"#
  private static let delta = #"{"type": "text_delta", "text": "a"}"#
  private static let finish = #"{"type": "finish", "usage": {"outputTokens": 3}}"#
  private static let question = #"{"type": "ask_question"}"#
  private static let error = #"{"type": "error", "error": {"message": "gone", "code": "TASK_RESTART_FAILED"}}"#

  private static func product() throws -> GatewayProfile.Session {
    try #require(BuiltInProfiles.profile("product")?.session)
  }

  /// Takes messages as the journey does: whatever may be the first response is it.
  private func run(
    _ messages: [Message], askedAt: Instant = 100, _ role: GatewayProfile.Session? = nil
  ) throws -> (steps: [StreamedAnswer.Step], answer: StreamedAnswer) {
    var answer = StreamedAnswer(SharedRole(try role ?? Self.product()), askedAt: askedAt)
    var steps: [StreamedAnswer.Step] = []
    for message in messages {
      let root = JSONNode.parse(message.json.utf8)
      let step = answer.take(root, begunAt: message.begunAt ?? message.at, receivedAt: message.at)
      steps.append(step)
      if step == .mayBeFirst { _ = answer.begin(root, at: message.at) }
    }
    return (steps, answer)
  }

  @Test func anAnswerRunsFromItsFirstPartToItsEnd() throws {
    let (steps, answer) = try run([
      Message(Self.thinking, 110), Message(Self.delta, 150), Message(Self.delta, 160), Message(Self.thinking, 200),
      Message(Self.delta, 205), Message(Self.finish, 210),
    ])
    #expect(steps == [.other, .mayBeFirst, .part, .part, .part, .complete])
    #expect(answer.firstAt == 150 && answer.completeAt == 210 && answer.isComplete)
    #expect(answer.gap == 40 && answer.hasGap)
  }

  @Test(arguments: [
    #"{"type": "text_delta"}"#, #"{"type": "content"}"#, #"{"type": "text"}"#,
  ]) func everyKindOfFirstTokenIsOne(_ json: String) throws {
    #expect(try run([Message(json, 120)]).steps == [.mayBeFirst])
  }

  @Test func whatWasBegunBeforeTheQuestionIsNoPartOfTheAnswer() throws {
    let (steps, answer) = try run([
      Message(Self.delta, 99), Message(Self.delta, 120, begunAt: 99), Message(Self.finish, 130, begunAt: 50),
      Message(Self.delta, 140),
      Message(Self.finish, 150),
    ])
    #expect(steps == [.other, .other, .other, .mayBeFirst, .complete])
    #expect(answer.firstAt == 140 && answer.gap == 10)
    // The instant of the question itself counts.
    #expect(try run([Message(Self.delta, 100)]).steps == [.mayBeFirst])
    // A question that could not be sent has no answer.
    #expect(try run([Message(Self.delta, 100)], askedAt: .distantFuture).steps == [.other])
  }

  @Test func anErrorOfBeforeTheQuestionIsOneAllTheSame() throws {
    #expect(try run([Message(Self.error, 50)]).steps == [.failed(code: "TASK_RESTART_FAILED", text: "gone")])
  }

  @Test func oneMessageMayBeTheWholeAnswer() throws {
    var role = try Self.product()
    role.first = ProfileCondition([.init(fields: [try #require(JSONPointer("/text")): .exists(true)])])
    role.done = ProfileCondition([.init(fields: [try #require(JSONPointer("/final")): .oneOf([.bool(true)])])])
    let (steps, answer) = try run(
      [Message(#"{"text": "a", "final": true}"#, 130), Message(#"{"text": "b"}"#, 140)], role)
    #expect(steps == [.mayBeFirst, .other])
    #expect(answer.firstAt == 130 && answer.completeAt == 130 && !answer.hasGap && answer.gap == 0)
  }

  @Test func whereNoEndIsToldTheFirstResponseIsAllOfIt() throws {
    var role = try Self.product()
    role.done = nil
    let (steps, answer) = try run([Message(Self.delta, 130), Message(Self.delta, 140)], role)
    #expect(steps == [.mayBeFirst, .other] && answer.completeAt == 130 && !answer.hasGap)
  }

  @Test func anEndWithoutAnAnswerIsNone() throws {
    let (steps, answer) = try run([Message(Self.thinking, 110), Message(Self.finish, 120)])
    #expect(steps == [.other, .endedEmpty])
    #expect(answer.firstAt == nil && !answer.isComplete)
  }

  @Test func aQuestionOfTheGatewaysEndsNothingAndIsNoSilence() throws {
    let (steps, answer) = try run([
      Message(Self.question, 105), Message(Self.delta, 110), Message(Self.question, 150), Message(Self.delta, 180),
      Message(Self.finish, 190),
    ])
    #expect(steps == [.asked, .mayBeFirst, .asked, .part, .complete])
    #expect(answer.firstAt == 110 && answer.completeAt == 190)
    #expect(answer.gap == 40, "the longest time without a message, and the question is one")
  }

  @Test func anErrorFailsTheAnswerWhereverItComes() throws {
    let messages = [Self.thinking, Self.delta, Self.question, Self.delta, Self.finish]
    for place in 0...messages.count {
      var stream = messages
      stream.insert(Self.error, at: place)
      let (steps, answer) = try run(stream.enumerated().map { Message($1, 110 + .nanoseconds($0)) })
      #expect(steps[place] == .failed(code: "TASK_RESTART_FAILED", text: "gone"), "\(place)")
      if place <= 1 { #expect(steps.firstIndex(of: .mayBeFirst) ?? .max > place) }
      #expect(answer.isComplete, "what comes behind it is taken as before: the caller ends")
    }
  }

  @Test(
    arguments: [
      (#"{"type": "error"}"#, "UNKNOWN", "no message"),
      (#"{"type": "error", "error": {"code": "C"}}"#, "C", "no message"),
      (#"{"type": "error", "error": {"code": 17, "message": "m"}}"#, "17", "m"),
      (#"{"type": "error", "error": {"code": "", "message": {}}}"#, "UNKNOWN", "no message"),
      (#"{"type": "error", "error": "x"}"#, "UNKNOWN", "no message"),
    ])
  func anErrorIsNamedByWhatItHas(_ json: String, _ code: String, _ text: String) throws {
    #expect(try run([Message(json, 110)]).steps == [.failed(code: code, text: text)])
  }

  @Test func theTasksOriginIsTakenFromAnyMessage() throws {
    let early = Message(#"{"type": "progress", "source": "cold"}"#, 110)
    #expect(
      try run([early, Message(Self.delta, 120), Message(#"{"type": "finish", "source": "warm"}"#, 130)]).answer.source
        == "cold")
    #expect(
      try run([Message(Self.delta, 120), Message(#"{"type": "finish", "source": "warm"}"#, 130)]).answer.source
        == "warm")
    #expect(try run([Message(Self.delta, 120)]).answer.source == nil)
  }

  @Test func aMessageThatIsNoJSONIsAnAnswerWhereEveryFrameIs() throws {
    let role = try #require(BuiltInProfiles.embedded.session)
    #expect(try run([Message("echo: hello", 120)], role).steps == [.mayBeFirst])
    #expect(try run([Message("echo: hello", 120)]).steps == [.other])
    #expect(try run([Message(Self.error, 120)], role).steps == [.failed(code: "TASK_RESTART_FAILED", text: "gone")])
  }

  /// Every order of an answer's messages, against a plain reading of the whole list.
  @Test func everyOrderMeansWhatAReadingOfTheWholeListSays() throws {
    let kinds = [Self.thinking, Self.delta, Self.delta, Self.question, Self.finish, Self.finish]
    for (number, order) in permutations(Array(kinds.indices)).enumerated() {
      let stream = order.enumerated().map { place, kind in
        // Silences of different lengths in each order.
        Message(kinds[kind], 100 + .nanoseconds((0...place).reduce(0) { $0 + (number * 7 + $1 * 13) % 31 + 1 }))
      }
      let (steps, answer) = try run(stream)
      let first = stream.firstIndex { $0.json == Self.delta }
      let emptyEnds = stream[..<(first ?? stream.endIndex)].count { $0.json == Self.finish }
      #expect(steps.count { $0 == .endedEmpty } == emptyEnds)
      #expect(answer.firstAt == first.map { stream[$0].at })
      let end = first.flatMap { first in stream[first...].firstIndex { $0.json == Self.finish } }
      #expect(answer.completeAt == end.map { stream[$0].at })
      let whole = first.map { stream[$0...(end ?? stream.index(before: stream.endIndex))].map(\.at) } ?? []
      #expect(answer.gap == zip(whole.dropFirst(), whole).map { $0 - $1 }.max() ?? .zero)
      #expect(answer.hasGap == (whole.count > 1))
    }
  }

  private func permutations(_ items: [Int]) -> [[Int]] {
    guard let last = items.last else { return [[]] }
    return permutations(items.dropLast()).flatMap { rest in
      (0...rest.count).map { rest[..<$0] + [last] + rest[$0...] }
    }
  }
}
