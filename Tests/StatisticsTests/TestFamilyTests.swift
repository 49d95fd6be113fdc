import Glibc
import Statistics
import TestSupport
import Testing

@Suite struct TestFamilyTests {
  static let slow = [100.0, 101, 102, 103, 104, 105]

  func outcomes(_ samples: TwoSamples..., alpha: Double = 0.05, minEffect: Double = 0) -> [TestOutcome] {
    TestFamily.outcomes(of: samples, alpha: alpha, minEffect: minEffect)
  }

  @Test func changesOnTheRatioScaleAreNewOverOld() throws {
    let outcome = outcomes(TwoSamples(old: Self.slow, new: Self.slow.map { $0 * 1.2 }, scale: .ratio))[0]
    #expect(abs(outcome.change - 0.2) < 1e-9)
    let interval = try #require(outcome.interval)
    #expect(interval.lowerBound > 0.14 && interval.upperBound < 0.26)
    #expect(outcome.verdict == .higher && outcome.needed == RunsNeeded() && outcome.level == 0.05)
    #expect(outcome.pValue == 2.0 / 924 && outcome.adjustedPValue == outcome.pValue)
    let back = outcomes(TwoSamples(old: Self.slow.map { $0 * 1.2 }, new: Self.slow, scale: .ratio))[0]
    #expect(abs(back.change - (1 / 1.2 - 1)) < 1e-9)
    #expect(back.verdict == .lower)
  }

  @Test func changesOfSharesAreDifferences() {
    let outcome = outcomes(
      TwoSamples(old: Array(repeating: 1, count: 6), new: Array(repeating: 0.6, count: 6), scale: .difference))[0]
    #expect(outcome.change == -0.4 && outcome.interval == -0.4 ... -0.4)
    #expect(outcome.verdict == .lower)
  }

  static let shares: [(Double, Double, Verdict)] = [
    (1, 0.999, .noChange), (1, 0.6, .lower), (0, 0.02, .higher), (0.02, 0, .lower), (0, 0, .noChange),
    (0.5, 0.52, .noChange), (0.5, 0.53, .higher),
  ]

  @Test(arguments: shares)
  func smallChangesOfSharesDoNotCount(old: Double, new: Double, verdict: Verdict) {
    let samples = TwoSamples(
      old: Array(repeating: old, count: 6), new: Array(repeating: new, count: 6), scale: .difference)
    let outcome = outcomes(samples, minEffect: 0.05)[0]
    #expect(outcome.verdict == verdict)
    #expect(outcome.isBelowMinimum == (verdict == .noChange && old != new))
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
    let samples = TwoSamples(old: Self.slow, new: new, scale: .ratio, resolution: minimum.resolution)
    let outcome = outcomes(samples, minEffect: minimum.minEffect)[0]
    #expect(outcome.verdict == minimum.verdict)
    #expect(outcome.isBelowMinimum == (minimum.verdict == .noChange))
    #expect(outcome.interval?.contains(0) == false)
  }

  @Test func resolutionIsAMinimumForSharesToo() {
    let samples = TwoSamples(old: [0, 0, 0, 0], new: [0.1, 0.1, 0.1, 0.1], scale: .difference, resolution: 0.2)
    #expect(outcomes(samples)[0].verdict == .noChange)
  }

  @Test func moreQuestionsNeedMoreRuns() {
    let samples = TwoSamples(old: [1, 2, 3, 4], new: [11, 12, 13, 14], scale: .difference)
    #expect(outcomes(samples)[0].verdict == .higher)
    for outcome in outcomes(samples, samples, samples, samples) {
      #expect(outcome.verdict == .tooFewRuns && outcome.needed == RunsNeeded(old: 1, new: 1))
      #expect(outcome.interval == nil && outcome.change == 10 && outcome.level == 0.05 / 4)
    }
  }

  @Test func questionWithoutRunsIsToldWhatTheFamilyNeeds() {
    let full = TwoSamples(old: [1, 2, 3, 4], new: [11, 12, 13, 14], scale: .difference)
    let found = outcomes(
      full, TwoSamples(old: [], new: [1, 2], scale: .ratio), TwoSamples(old: [.nan], new: [], scale: .ratio))
    // Two of three take no part: the first is judged at all of alpha.
    #expect(found[0].verdict == .higher && found[0].level == 0.05)
    #expect(found[1].verdict == .tooFewRuns && found[1].needed == RunsNeeded(old: 4, new: 3))
    #expect(found[2].verdict == .tooFewRuns && found[2].needed == RunsNeeded(old: 4, new: 5))
    #expect(found[1].pValue == 1 && found[1].adjustedPValue == 1 && found[1].change == 0)
  }

  @Test func fewRunsThatALaterStepRejectsHaveTheirVerdict() {
    // 4 beside 4 cannot be rejected at 5 %/2, but 6 beside 6 is, which leaves the whole 5 % to the other.
    let few = TwoSamples(old: [1, 2, 3, 4], new: [11, 12, 13, 14], scale: .difference)
    let many = TwoSamples(old: Self.slow, new: Self.slow.map { $0 * 2 }, scale: .ratio)
    #expect(outcomes(few, many).map(\.verdict) == [.higher, .higher])
    let unchanged = TwoSamples(old: Self.slow, new: Self.slow, scale: .ratio)
    #expect(outcomes(few, unchanged).map(\.verdict) == [.tooFewRuns, .noChange])
  }

  @Test func nothingAtAllIsNoFamily() {
    #expect(TestFamily.outcomes(of: [], alpha: 0.05, minEffect: 0.05) == [])
  }

  @Test func intervalsAndVerdictsNeverContradict() {
    var random = SeededRandom(seed: 6)
    var verdicts: [Verdict: Int] = [:]
    for round in 0..<2000 {
      let samples = (0..<Int.random(in: 1...5, using: &random)).map { _ in
        let (old, new) = RankTestTests.samples(round + Int.random(in: 0..<12, using: &random), &random)
        return round % 2 == 0
          ? TwoSamples(old: old, new: new, scale: .difference)
          : TwoSamples(old: old.map(exp), new: new.map(exp), scale: .ratio)
      }
      for outcome in TestFamily.outcomes(of: samples, alpha: 0.1, minEffect: 0) {
        verdicts[outcome.verdict, default: 0] += 1
        let isSignificant = outcome.interval.map { !$0.contains(0) } ?? false
        #expect(isSignificant == (outcome.verdict == .lower || outcome.verdict == .higher))
        #expect(isSignificant == (outcome.pValue <= outcome.level))
        #expect(isSignificant == (outcome.adjustedPValue <= 0.1))
        #expect(outcome.interval?.contains(outcome.change) ?? true)
        #expect((outcome.needed.total > 0) == (outcome.verdict == .tooFewRuns))
        if isSignificant { #expect((outcome.change < 0) == (outcome.verdict == .lower)) }
      }
    }
    #expect(verdicts.count == 4 && verdicts.values.allSatisfy { $0 > 50 })
  }

  @Test func valuesWithoutALogarithmAreStillRanked() throws {
    let values: [Double] = [0, -5, .infinity, -.infinity, .nan]
    for odd in values {
      let outcome = outcomes(TwoSamples(old: [odd, odd, odd, odd, odd], new: [1, 2, 3, 4, 5], scale: .ratio))[0]
      #expect(outcome.change.isFinite && outcome.pValue > 0 && outcome.adjustedPValue.isFinite)
      if let interval = outcome.interval { #expect(interval.lowerBound.isFinite && interval.upperBound.isFinite) }
      #expect(outcome.verdict == (odd.isNaN ? .tooFewRuns : odd == .infinity ? .lower : .higher))
    }
    // One run that says 0 beside good ones decides no more than its rank.
    let outcome = outcomes(
      TwoSamples(old: Self.slow, new: [0] + Self.slow.dropFirst().map { $0 * 2 }, scale: .ratio))[0]
    #expect(outcome.verdict == .noChange && outcome.change > 0.8 && outcome.change < 1.2)
    let interval = try #require(outcome.interval)
    #expect(interval.lowerBound >= -1 && interval.upperBound < 2)
  }

  @Test(arguments: [0, -1, 1, 9, Double.nan, .infinity, 1e-300])
  func anyAlphaHasAnOutcome(alpha: Double) {
    for odd in RankTestTests.odd {
      let samples = [
        TwoSamples(old: odd, new: Self.slow, scale: .ratio), TwoSamples(old: odd, new: odd, scale: .difference),
      ]
      for outcome in TestFamily.outcomes(of: samples, alpha: alpha, minEffect: alpha) {
        #expect(outcome.change.isFinite && outcome.level >= 0 && outcome.level <= 1)
      }
    }
  }
}
