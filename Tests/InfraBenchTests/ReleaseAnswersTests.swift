import Gateway
import Latency
import Testing

@testable import InfraBench
@testable import Results

/// What answers to releases tell of the gateway.
@Suite struct ReleaseAnswersTests {
  private static let apart = ReleaseAnswers.pagesApart

  /// After three missing pages, some time apart: there is no such call.
  private func concluded() -> ReleaseAnswers {
    var answers = ReleaseAnswers()
    for number in 0..<3 { _ = answers.foundNoPage("t\(number)", at: .distantPast + number * Self.apart) }
    return answers
  }

  @Test func severalMissingPagesSomeTimeApartSayThatThereIsNoSuchCall() {
    var answers = ReleaseAnswers()
    let readAfter: [Nanoseconds] = [0, 1, Self.apart - 1, Self.apart, Self.apart + 1, Self.apart * 2, Self.apart * 3]
    let conclusions = readAfter.map { answers.foundNoPage("t", at: .distantPast + $0) }
    #expect(conclusions == [false, false, false, false, false, true, false])
    #expect(answers.isUnsupported && answers.mayBeUnsupported && !answers.hasCall)
  }

  @Test(arguments: [true, false]) func anAnswerOfTheCallRefutesThatForGood(isRefusal: Bool) {
    var answers = concluded()
    let refutes = isRefusal ? answers.wasRefused("t").refutesPages : answers.succeeded("t")
    #expect(refutes && answers.hasCall && !answers.isUnsupported && !answers.mayBeUnsupported)
    for number in 0..<10 {
      let isConcluded = answers.foundNoPage("u\(number)", at: .distantPast + number * Self.apart)
      #expect(!isConcluded && !answers.isUnsupported)
    }
    let refutesAgain = answers.succeeded("t")
    #expect(!refutesAgain)
  }

  @Test func aCallThatHasAnsweredBeforeIsNotMissing() {
    var answers = ReleaseAnswers()
    let refutes = answers.succeeded("t")
    for number in 0..<5 { _ = answers.foundNoPage("t", at: .distantPast + number * Self.apart) }
    #expect(!refutes && !answers.isUnsupported)
  }

  @Test func onlyAGatewayOfOneNodeKnowsThatATaskThatItRefusesHasEnded() {
    for isOfOneNode in [true, false] {
      var answers = ReleaseAnswers()
      answers.isOfOneNode = isOfOneNode
      answers.gotNoAnswer("t")
      let hasEnded = answers.wasRefused("t").hasEnded
      #expect(hasEnded == isOfOneNode)
    }
  }

  @Test func aTaskIsNoDuplicateWhereItsReleaseMayHaveBeenDone() {
    var answers = ReleaseAnswers()
    answers.gotNoAnswer("unanswered")
    _ = answers.wasRefused("refused")
    let first = ["unanswered", "refused", "other"].map { answers.isGivenOut($0) }
    let second = ["unanswered", "refused", "other"].map { answers.isGivenOut($0) }
    #expect(first == [true, true, false] && second == [false, false, false])
    // Where there is no such call nothing was given back.
    var held = concluded()
    let isNoDuplicate = held.isGivenOut("t0")
    #expect(!isNoDuplicate)
  }
}
