/// An exact two-sided Mann–Whitney U test over two samples, with the Hodges–Lehmann shift and the confidence interval
/// that inverts the test.
///
/// U is the number of differences D = new − old below 0, or of those above 0, whichever is smaller. Ties, D = 0, count
/// for both sides, which makes rejection harder. U is judged by its distribution without ties, so with ties the test is
/// conservative. It is exact for up to 10,000 pairs of runs (100 and 100); beyond that, p and interval both come from
/// the normal approximation with continuity correction.
///
/// Sources: Mann & Whitney, On a Test of Whether One of Two Random Variables is Stochastically Larger than the Other,
/// 1947; Hodges & Lehmann, Estimates of Location Based on Rank Tests, 1963; Hollander & Wolfe, Nonparametric
/// Statistical Methods, section 4.3, for the interval.
public struct RankTest: Sendable {
  private let differences: PairwiseDifferences
  private let distribution: MannWhitneyDistribution

  /// Two samples on the scale of the shift. Values that are NaN are left out; infinities count as half the largest
  /// number.
  public init(old: [Double], new: [Double]) {
    differences = PairwiseDifferences(old: old, new: new)
    distribution = .of(old: differences.oldCount, new: differences.newCount)
  }

  /// How far the new sample lies above the old one: the median of all new − old (Hodges & Lehmann); 0 where a side is
  /// empty.
  public var shift: Double { differences.median() }

  /// The probability, at most 1, of samples at least this far apart where both come from one population.
  public var pValue: Double { pValue(shift: 0) }

  /// The p of the test that the new sample lies above the old one by `shift`.
  func pValue(shift: Double) -> Double {
    distribution.twoSidedP(min(differences.count(atMost: shift), differences.count(atLeast: shift)))
  }

  /// All shifts that the test does not reject, which have p > `alpha`: from the (c + 1)-th smallest difference to the
  /// (c + 1)-th largest, where c is the largest U that is rejected. It contains 0 if and only if `pValue` > `alpha`.
  ///
  /// Nil where the samples are too small for any rejection: then the interval has no bounds. An `alpha` of 1 or more,
  /// which rejects everything, leaves the middle of the differences only.
  public func interval(alpha: Double) -> ClosedRange<Double>? {
    guard let c = distribution.largestRejected(alpha: alpha) else { return nil }
    return differences.value(rank: c + 1)...differences.value(rank: differences.count - c)
  }
}

/// How many further runs a comparison needs before its test can reject.
public struct RunsNeeded: Sendable, Equatable {
  /// Further runs of the old side.
  public var old: Int
  /// Further runs of the new side.
  public var new: Int
  /// Further runs of both sides together.
  public var total: Int { old + new }

  /// By default, no further runs.
  public init(old: Int = 0, new: Int = 0) {
    self.old = old
    self.new = new
  }
}

extension RankTest {
  /// The smallest p that samples of these sizes can have for any values: 2 / C(old + new, old), at most 1; 1 where a
  /// side is empty. Beyond 10,000 pairs it is that of the normal approximation.
  public static func smallestPValue(old: Int, new: Int) -> Double {
    MannWhitneyDistribution.smallestP(old: old, new: new)
  }

  /// The fewest further runs with which the test can reject at `alpha`. They are spread so that both sides become as
  /// even as possible; an odd one goes to the new side. 0 where the test can reject already.
  public static func runsNeeded(old: Int, new: Int, alpha: Double) -> RunsNeeded {
    let wanted = alpha > 0 ? alpha : 0
    let (old, new) = (max(0, old), max(0, new))
    var needed = RunsNeeded()
    // The most even spread of a number of runs has the smallest p, because C(n + m, n) is largest there.
    while smallestPValue(old: old + needed.old, new: new + needed.new) > wanted {
      if old + needed.old < new + needed.new { needed.old += 1 } else { needed.new += 1 }
    }
    return needed
  }
}
