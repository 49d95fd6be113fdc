import Latency
import Testing

@testable import InfraBench

/// What a visit's latencies are made of: the event loop's stamps, and no instant of the task that goes on later.
@Suite struct VisitTimesTests {
  private let origin = Instant.distantPast + .seconds(1000)

  private func at(_ milliseconds: Double) -> Instant { origin + .milliseconds(milliseconds) }

  private var entry: UserVisit.Entry { .init(task: "t1", source: "warm", askedAt: at(5), canWorkAt: at(35)) }

  @Test func theEntryIsFromTheRequestToTheMessageThatTheUserCanWork() {
    #expect(entry.latency == .milliseconds(30))
  }

  @Test func anAnswerIsFromTheMessageToItsFirstPart() {
    let answer = UserVisit.Answer(text: "hello", askedAt: at(40), firstAt: at(52), completeAt: at(90))
    #expect(answer.firstAfter == .milliseconds(12))
  }

  @Test func aVisitEndsWithItsWholeAnswerAndWithoutAQuestionWhenTheUserCanWork() {
    let answer = UserVisit.Answer(text: "hello", askedAt: at(40), firstAt: at(52), completeAt: at(90))
    #expect(entry.end(answer) == at(90) && entry.end(nil) == at(35))
  }
}
