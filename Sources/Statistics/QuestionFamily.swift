import Glibc

/// Questions that are answered together: Holm's correction over all of them that have runs on both sides.
public struct QuestionFamily {
  /// Answers in the questions' order.
  ///
  /// A verdict is `lower` or `higher` only where Holm's procedure rejects at `alpha` and the change is at least the question's
  /// resolution and `minEffect`, a share such as 0.05:
  /// - on the ratio scale |log(new/old)| must be at least log(1 + minEffect), so that +5 % and its way back count alike, and the
  ///   medians must differ by the resolution;
  /// - on the scale of differences |change| must be at least minEffect, but never more than 5 %, of the larger median, so that of shares a rise from 0 to
  ///   2 % counts and a fall from 100 % to 99.9 % does not.
  ///
  /// A verdict is `tooFewRuns` where a side has no runs, and where the test isn't significant and could not have been at the
  /// level of Holm's first step, alpha/m: at a later step it might have been, but that depends on what the others show. `needed`
  /// runs let it speak at the first step. Questions without runs on a side take no part in the correction; for what they need, and
  /// for their `level`, the whole family counts, since they would take part with those runs.
  ///
  /// Any numbers will do: `alpha` is taken as 0…1 and `minEffect` as at least 0, NaN as 0.
  public static func answer(_ questions: [Question], alpha: Double, minEffect: Double) -> [Answer] {
    let alpha = alpha > 0 ? min(alpha, 1) : 0
    let samples = questions.map(Samples.init)
    let judged = samples.indices.filter { samples[$0].haveBothSides }
    let tests = judged.map { samples[$0].test }
    let outcomes = HolmCorrection(pValues: tests.map(\.pValue), alpha: alpha).outcomes
    var answers = samples.map { $0.unanswered(level: alpha / Double(max(1, questions.count))) }
    for (index, (test, outcome)) in zip(judged, zip(tests, outcomes)) {
      answers[index] = samples[index].answer(
        test, outcome, firstLevel: alpha / Double(judged.count), minEffect: minEffect > 0 ? minEffect : 0)
    }
    return answers
  }
}

/// A question's values without what is no number, sorted.
private struct Samples {
  let old: [Double]
  let new: [Double]
  let scale: Scale
  let resolution: Double

  init(_ question: Question) {
    old = question.old.filter { !$0.isNaN }.sorted()
    new = question.new.filter { !$0.isNaN }.sorted()
    scale = question.scale
    resolution = question.resolution
  }

  var haveBothSides: Bool { !old.isEmpty && !new.isEmpty }

  var test: RankTest { RankTest(old: old.map(scale.position), new: new.map(scale.position)) }

  func unanswered(level: Double) -> Answer {
    Answer(
      change: 0, interval: nil, pValue: 1, adjustedPValue: 1, level: level, verdict: .tooFewRuns,
      needed: RankTest.runsNeeded(old: old.count, new: new.count, alpha: level))
  }

  func answer(_ test: RankTest, _ outcome: HolmCorrection.Outcome, firstLevel: Double, minEffect: Double) -> Answer {
    let shift = test.shift
    var answer = Answer(
      change: scale.change(shift), interval: test.interval(alpha: outcome.level).map(scale.change),
      pValue: test.pValue, adjustedPValue: outcome.adjustedPValue, level: outcome.level, verdict: .noChange)
    if outcome.isRejected {
      answer.isBelowMinimum = !isLargeEnough(shift, minEffect: minEffect)
      if !answer.isBelowMinimum { answer.verdict = shift < 0 ? .lower : .higher }
    } else {
      answer.needed = RankTest.runsNeeded(old: old.count, new: new.count, alpha: firstLevel)
      if answer.needed.total > 0 { answer.verdict = .tooFewRuns }
    }
    return answer
  }

  private static let largestLimitOfDifferences = 0.05

  private func isLargeEnough(_ shift: Double, minEffect: Double) -> Bool {
    let (oldMedian, newMedian) = (median(ofSorted: old), median(ofSorted: new))
    switch scale {
    case .ratio:
      return abs(shift) >= log1p(minEffect) && !(abs(newMedian - oldMedian) < resolution)
    case .difference:
      // A limit that suits noisy latencies must not hide that a third of all requests fail.
      let limit = min(minEffect, Self.largestLimitOfDifferences)
      return abs(shift) >= limit * max(abs(oldMedian), abs(newMedian)) && !(abs(shift) < resolution)
    }
  }
}
