/// An exact two-sided Mann–Whitney U test over two samples, with the Hodges–Lehmann shift and the interval that inverts the
/// same test.
///
/// Of all differences D = new − old, U counts those below 0 or those above it, whichever are fewer. Equal values count for both
/// sides, which is to say against rejection, and U is judged by its distribution without ties: with ties the test is
/// conservative. It is exact for up to 10,000 pairs of runs (100 beside 100); beyond, p and interval both come from the normal
/// approximation with continuity correction.
///
/// Sources: Mann & Whitney, On a Test of Whether One of Two Random Variables is Stochastically Larger than the Other, 1947;
/// Hodges & Lehmann, Estimates of Location Based on Rank Tests, 1963; Hollander & Wolfe, Nonparametric Statistical Methods,
/// section 4.3, for the interval.
public struct RankTest: Sendable {
  private let differences: PairwiseDifferences
  private let distribution: MannWhitneyDistribution

  /// Two samples on the scale of the shift. Values that are NaN are left out; infinities count as half the largest number.
  public init(old: [Double], new: [Double]) {
    differences = PairwiseDifferences(old: old, new: new)
    distribution = .of(old: differences.oldCount, new: differences.newCount)
  }

  /// By how much the new sample lies above the old one: the median of all new − old (Hodges & Lehmann). 0 where a side is
  /// empty.
  public var shift: Double { differences.median() }

  /// The probability, at most 1, of samples at least as far apart where both come from one population.
  public var pValue: Double { pValue(shift: 0) }

  /// The p of the test that the new sample lies above the old one by `shift`.
  func pValue(shift: Double) -> Double {
    distribution.twoSidedP(min(differences.count(atMost: shift), differences.count(atLeast: shift)))
  }

  /// Every shift that the test doesn't reject, p > `alpha`: from the (c + 1)-th smallest difference to the (c + 1)-th largest,
  /// c being the largest U that is rejected. It holds 0 exactly where `pValue` > `alpha`.
  ///
  /// Nil where the samples are so small that nothing could be rejected: then the interval has no bounds. An `alpha` of 1 or more,
  /// which rejects everything, leaves only the middle of the differences.
  public func interval(alpha: Double) -> ClosedRange<Double>? {
    guard let c = distribution.largestRejected(alpha: alpha) else { return nil }
    return differences.value(rank: c + 1)...differences.value(rank: differences.count - c)
  }
}
