import Glibc

/// Two-sample tests that are judged together, with Holm's correction over all of them that have runs on both sides.
///
/// ```swift
/// let p99 = TwoSamples(old: [40.1, 40.3, 39.8, 40.0], new: [44.0, 43.7, 44.2, 43.9], scale: .ratio)
/// let outcome = TestFamily.outcomes(of: [p99], alpha: 0.05, minEffect: 0.05)[0]
/// // outcome.verdict == .higher, outcome.change ≈ 0.1
/// ```
public struct TestFamily {
  /// An outcome for each element of `samples`, in their order.
  ///
  /// A verdict is `lower` or `higher` only where Holm's procedure rejects at `alpha`, and the change is at least the
  /// samples' resolution and at least `minEffect`, a share such as 0.05:
  /// - on the ratio scale |log(new/old)| must be at least log(1 + minEffect), so that a change of +5 % and the change
  ///   back are judged alike, and the medians must differ by the resolution;
  /// - on the scale of differences |change| must be at least minEffect, but never more than 5 %, of the larger median.
  ///   So a share's rise from 0 to 2 % counts, and a fall from 100 % to 99.9 % does not.
  ///
  /// A verdict is `tooFewRuns` where a side has no runs. It is so too where the test is not significant and could not
  /// be so at alpha/m, the level of Holm's first step; at a later step it might be, but that depends on the other
  /// samples. With `needed` further runs the test can reject at the first step. Samples without runs on a side take no
  /// part in the correction. Their `needed` and `level` count the whole family, because they would take part with those
  /// runs.
  ///
  /// Any numbers are accepted: `alpha` is limited to 0…1 and `minEffect` to at least 0; NaN counts as 0.
  public static func outcomes(of samples: [TwoSamples], alpha: Double, minEffect: Double) -> [TestOutcome] {
    let alpha = alpha > 0 ? min(alpha, 1) : 0
    let sorted = samples.map(SortedSamples.init)
    let tested = sorted.indices.filter { sorted[$0].haveBothSides }
    let tests = tested.map { sorted[$0].test }
    let corrected = HolmCorrection(pValues: tests.map(\.pValue), alpha: alpha).outcomes
    var outcomes = sorted.map { $0.untested(level: alpha / Double(max(1, samples.count))) }
    for (index, (test, holm)) in zip(tested, zip(tests, corrected)) {
      outcomes[index] = sorted[index].outcome(
        test, holm, firstLevel: alpha / Double(tested.count), minEffect: minEffect > 0 ? minEffect : 0)
    }
    return outcomes
  }
}

/// Two samples without NaN, sorted.
private struct SortedSamples {
  let old: [Double]
  let new: [Double]
  let scale: Scale
  let resolution: Double

  init(_ samples: TwoSamples) {
    old = samples.old.filter { !$0.isNaN }.sorted()
    new = samples.new.filter { !$0.isNaN }.sorted()
    scale = samples.scale
    resolution = samples.resolution
  }

  var haveBothSides: Bool { !old.isEmpty && !new.isEmpty }

  var test: RankTest { RankTest(old: old.map(scale.position), new: new.map(scale.position)) }

  func untested(level: Double) -> TestOutcome {
    TestOutcome(
      change: 0, interval: nil, pValue: 1, adjustedPValue: 1, level: level, verdict: .tooFewRuns,
      needed: RankTest.runsNeeded(old: old.count, new: new.count, alpha: level))
  }

  func outcome(
    _ test: RankTest, _ holm: HolmCorrection.Outcome, firstLevel: Double, minEffect: Double
  ) -> TestOutcome {
    let shift = test.shift
    var outcome = TestOutcome(
      change: scale.change(shift), interval: test.interval(alpha: holm.level).map(scale.change),
      pValue: test.pValue, adjustedPValue: holm.adjustedPValue, level: holm.level, verdict: .noChange)
    if holm.isRejected {
      outcome.isBelowMinimum = !isLargeEnough(shift, minEffect: minEffect)
      if !outcome.isBelowMinimum { outcome.verdict = shift < 0 ? .lower : .higher }
    } else {
      outcome.needed = RankTest.runsNeeded(old: old.count, new: new.count, alpha: firstLevel)
      if outcome.needed.total > 0 { outcome.verdict = .tooFewRuns }
    }
    return outcome
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

/// What a two-sample test compares: one statistic of two sets of runs, with one value for each run.
public struct TwoSamples: Sendable, Equatable {
  /// The values of the old runs; NaN counts as no run.
  public var old: [Double]
  /// The values of the new runs; NaN counts as no run.
  public var new: [Double]
  /// The scale on which they are compared.
  public var scale: Scale
  /// Smaller changes, in the values' own unit, cannot be seen, such as those below a poll interval; 0 where there is no
  /// such bound.
  public var resolution: Double

  /// A statistic's values, one for each run.
  public init(old: [Double], new: [Double], scale: Scale, resolution: Double = 0) {
    self.old = old
    self.new = new
    self.scale = scale
    self.resolution = resolution
  }
}

/// The judgement on a statistic.
public enum Verdict: Sendable, Equatable {
  /// The new runs' values are lower.
  case lower
  /// The new runs' values are higher.
  case higher
  /// No change is shown, or the change is too small to count.
  case noChange
  /// Too few runs: even fully separated samples would not be significant.
  case tooFewRuns
}

/// The result of a test; every number in it is finite.
public struct TestOutcome: Sendable, Equatable {
  /// The Hodges–Lehmann estimate of the change: new/old − 1 on the ratio scale, new − old on the scale of differences;
  /// 0 where a side has no runs.
  public var change: Double
  /// The changes that the test does not reject at `level`. It excludes 0 if and only if the test rejects at that level;
  /// nil where it has no bounds, because no values of so few runs could be rejected.
  public var interval: ClosedRange<Double>?
  /// The p of this statistic without correction.
  public var pValue: Double
  /// Holm's adjusted p; at most the family's alpha if and only if the statistic's change is significant.
  public var adjustedPValue: Double
  /// The level at which Holm's procedure judged this statistic; `interval` is at this level.
  public var level: Double
  /// The judgement on the statistic.
  public var verdict: Verdict
  /// How many further runs let the test reject; 0 unless the verdict is `tooFewRuns`.
  public var needed: RunsNeeded
  /// Whether the change is significant, but smaller than the minimal effect or the resolution: the verdict is
  /// `noChange` then.
  public var isBelowMinimum: Bool

  /// An outcome of the given parts.
  public init(
    change: Double, interval: ClosedRange<Double>?, pValue: Double, adjustedPValue: Double, level: Double,
    verdict: Verdict, needed: RunsNeeded = RunsNeeded(), isBelowMinimum: Bool = false
  ) {
    self.change = change
    self.interval = interval
    self.pValue = pValue
    self.adjustedPValue = adjustedPValue
    self.level = level
    self.verdict = verdict
    self.needed = needed
    self.isBelowMinimum = isBelowMinimum
  }
}

/// The scale on which two sets of runs are compared.
public enum Scale: Sendable, Equatable {
  /// Values above 0, such as latencies, compared by their logarithms: a change is new/old − 1.
  ///
  /// A file can hold values without a logarithm: 0 and negative values count as the smallest positive number, infinity
  /// as the largest. So the order stays, and no NaN arises.
  case ratio
  /// Shares of 0 to 1, or any numbers, compared by their differences: a change is new − old.
  case difference

  /// A value's place on the scale of shifts.
  func position(_ value: Double) -> Double {
    switch self {
    case .ratio: log(min(max(value, .leastNonzeroMagnitude), .greatestFiniteMagnitude))
    case .difference: value
    }
  }

  /// A shift as the reported change; finite.
  func change(_ shift: Double) -> Double {
    switch self {
    case .ratio: min(expm1(shift), .greatestFiniteMagnitude)
    case .difference: shift
    }
  }

  func change(_ interval: ClosedRange<Double>) -> ClosedRange<Double> {
    let (low, high) = (change(interval.lowerBound), change(interval.upperBound))
    return min(low, high)...max(low, high)
  }
}
