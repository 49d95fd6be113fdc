import Glibc
import Statistics
import TestSupport
import Testing

@Suite struct QuestionFamilyTests {
  static let slow = [100.0, 101, 102, 103, 104, 105]

  func ask(_ questions: Question..., alpha: Double = 0.05, minEffect: Double = 0) -> [Answer] {
    QuestionFamily.answer(questions, alpha: alpha, minEffect: minEffect)
  }

  @Test func changesOnTheRatioScaleAreNewOverOld() throws {
    let answer = ask(Question(old: Self.slow, new: Self.slow.map { $0 * 1.2 }, scale: .ratio))[0]
    #expect(abs(answer.change - 0.2) < 1e-9)
    let interval = try #require(answer.interval)
    #expect(interval.lowerBound > 0.14 && interval.upperBound < 0.26)
    #expect(answer.verdict == .higher && answer.needed == RunsNeeded() && answer.level == 0.05)
    #expect(answer.pValue == 2.0 / 924 && answer.adjustedPValue == answer.pValue)
    let back = ask(Question(old: Self.slow.map { $0 * 1.2 }, new: Self.slow, scale: .ratio))[0]
    #expect(abs(back.change - (1 / 1.2 - 1)) < 1e-9)
    #expect(back.verdict == .lower)
  }

  @Test func changesOfSharesAreDifferences() {
    let answer = ask(
      Question(old: Array(repeating: 1, count: 6), new: Array(repeating: 0.6, count: 6), scale: .difference))[0]
    #expect(answer.change == -0.4 && answer.interval == -0.4 ... -0.4)
    #expect(answer.verdict == .lower)
  }

  static let shares: [(Double, Double, Verdict)] = [
    (1, 0.999, .noChange), (1, 0.6, .lower), (0, 0.02, .higher), (0.02, 0, .lower), (0, 0, .noChange),
    (0.5, 0.52, .noChange), (0.5, 0.53, .higher),
  ]

  @Test(arguments: shares)
  func smallChangesOfSharesDoNotCount(old: Double, new: Double, verdict: Verdict) {
    let question = Question(
      old: Array(repeating: old, count: 6), new: Array(repeating: new, count: 6), scale: .difference)
    let answer = ask(question, minEffect: 0.05)[0]
    #expect(answer.verdict == verdict)
    #expect(answer.isBelowMinimum == (verdict == .noChange && old != new))
  }

  struct Minimum {
    var factor: Double
    var minEffect: Double = 0
    var resolution: Double = 0
    var verdict: Verdict
  }

  static let minimums: [Minimum] = [
    Minimum(factor: 1.049, minEffect: 0.05, verdict: .noChange),
    Minimum(factor: 1.051, minEffect: 0.05, verdict: .higher),
    Minimum(factor: 1 / 1.049, minEffect: 0.05, verdict: .noChange),
    Minimum(factor: 1 / 1.051, minEffect: 0.05, verdict: .lower),
    // The median of the old runs is 102.5.
    Minimum(factor: 1.051, resolution: 5.3, verdict: .noChange),
    Minimum(factor: 1.051, resolution: 5.1, verdict: .higher),
    Minimum(factor: 1 / 1.051, resolution: 5.1, verdict: .noChange),
    Minimum(factor: 1 / 1.051, resolution: 4.9, verdict: .lower),
    Minimum(factor: 1.2, minEffect: .infinity, verdict: .noChange),
    Minimum(factor: 1.2, minEffect: .nan, resolution: .nan, verdict: .higher),
    Minimum(factor: 1.2, minEffect: -3, resolution: -1, verdict: .higher),
  ]

  @Test(arguments: minimums)
  func smallChangesOfLatenciesDoNotCount(minimum: Minimum) {
    let new = Self.slow.map { $0 * minimum.factor }
    let question = Question(old: Self.slow, new: new, scale: .ratio, resolution: minimum.resolution)
    let answer = ask(question, minEffect: minimum.minEffect)[0]
    #expect(answer.verdict == minimum.verdict)
    #expect(answer.isBelowMinimum == (minimum.verdict == .noChange))
    #expect(answer.interval?.contains(0) == false)
  }

  @Test func resolutionIsAMinimumForSharesToo() {
    let question = Question(old: [0, 0, 0, 0], new: [0.1, 0.1, 0.1, 0.1], scale: .difference, resolution: 0.2)
    #expect(ask(question)[0].verdict == .noChange)
  }

  @Test func moreQuestionsNeedMoreRuns() {
    let question = Question(old: [1, 2, 3, 4], new: [11, 12, 13, 14], scale: .difference)
    #expect(ask(question)[0].verdict == .higher)
    for answer in ask(question, question, question, question) {
      #expect(answer.verdict == .tooFewRuns && answer.needed == RunsNeeded(old: 1, new: 1))
      #expect(answer.interval == nil && answer.change == 10 && answer.level == 0.05 / 4)
    }
  }

  @Test func questionWithoutRunsIsToldWhatTheFamilyNeeds() {
    let full = Question(old: [1, 2, 3, 4], new: [11, 12, 13, 14], scale: .difference)
    let answers = ask(
      full, Question(old: [], new: [1, 2], scale: .ratio), Question(old: [.nan], new: [], scale: .ratio))
    // Two of three take no part: the first is judged at all of alpha.
    #expect(answers[0].verdict == .higher && answers[0].level == 0.05)
    #expect(answers[1].verdict == .tooFewRuns && answers[1].needed == RunsNeeded(old: 4, new: 3))
    #expect(answers[2].verdict == .tooFewRuns && answers[2].needed == RunsNeeded(old: 4, new: 5))
    #expect(answers[1].pValue == 1 && answers[1].adjustedPValue == 1 && answers[1].change == 0)
  }

  @Test func fewRunsThatALaterStepRejectsHaveTheirVerdict() {
    // 4 beside 4 cannot be rejected at 5 %/2, but 6 beside 6 is, which leaves the whole 5 % to the other.
    let few = Question(old: [1, 2, 3, 4], new: [11, 12, 13, 14], scale: .difference)
    let many = Question(old: Self.slow, new: Self.slow.map { $0 * 2 }, scale: .ratio)
    #expect(ask(few, many).map(\.verdict) == [.higher, .higher])
    let unchanged = Question(old: Self.slow, new: Self.slow, scale: .ratio)
    #expect(ask(few, unchanged).map(\.verdict) == [.tooFewRuns, .noChange])
  }

  @Test func nothingAtAllIsNoFamily() {
    #expect(QuestionFamily.answer([], alpha: 0.05, minEffect: 0.05) == [])
  }

  @Test func intervalsAndVerdictsNeverContradict() {
    var random = SeededRandom(seed: 6)
    var verdicts: [Verdict: Int] = [:]
    for round in 0..<2000 {
      let questions = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        let (old, new) = RankTestTests.samples(round + Int.random(in: 0..<12, using: &random), &random)
        return round % 2 == 0
          ? Question(old: old, new: new, scale: .difference)
          : Question(old: old.map(exp), new: new.map(exp), scale: .ratio)
      }
      for answer in QuestionFamily.answer(questions, alpha: 0.1, minEffect: 0) {
        verdicts[answer.verdict, default: 0] += 1
        let isSignificant = answer.interval.map { !$0.contains(0) } ?? false
        #expect(isSignificant == (answer.verdict == .lower || answer.verdict == .higher))
        #expect(isSignificant == (answer.pValue <= answer.level))
        #expect(isSignificant == (answer.adjustedPValue <= 0.1))
        #expect(answer.interval?.contains(answer.change) ?? true)
        #expect((answer.needed.total > 0) == (answer.verdict == .tooFewRuns))
        if isSignificant { #expect((answer.change < 0) == (answer.verdict == .lower)) }
      }
    }
    #expect(verdicts.count == 4 && verdicts.values.allSatisfy { $0 > 50 })
  }

  @Test func valuesWithoutALogarithmAreStillRanked() throws {
    let values: [Double] = [0, -5, .infinity, -.infinity, .nan]
    for odd in values {
      let answer = ask(Question(old: [odd, odd, odd, odd, odd], new: [1, 2, 3, 4, 5], scale: .ratio))[0]
      #expect(answer.change.isFinite && answer.pValue > 0 && answer.adjustedPValue.isFinite)
      if let interval = answer.interval { #expect(interval.lowerBound.isFinite && interval.upperBound.isFinite) }
      #expect(answer.verdict == (odd.isNaN ? .tooFewRuns : odd == .infinity ? .lower : .higher))
    }
    // One run that says 0 beside good ones decides no more than its rank.
    let answer = ask(Question(old: Self.slow, new: [0] + Self.slow.dropFirst().map { $0 * 2 }, scale: .ratio))[0]
    #expect(answer.verdict == .noChange && answer.change > 0.8 && answer.change < 1.2)
    let interval = try #require(answer.interval)
    #expect(interval.lowerBound >= -1 && interval.upperBound < 2)
  }

  @Test(arguments: [0, -1, 1, 9, Double.nan, .infinity, 1e-300])
  func anyAlphaHasAnAnswer(alpha: Double) {
    for samples in RankTestTests.odd {
      let questions = [
        Question(old: samples, new: Self.slow, scale: .ratio), Question(old: samples, new: samples, scale: .difference),
      ]
      for answer in QuestionFamily.answer(questions, alpha: alpha, minEffect: alpha) {
        #expect(answer.change.isFinite && answer.level >= 0 && answer.level <= 1)
      }
    }
  }
}
