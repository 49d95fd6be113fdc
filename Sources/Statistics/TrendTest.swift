import Glibc

/// Whether a series rises or falls with time, and how steeply: the Mann–Kendall test with the correction for
/// autocorrelation by Hamed and Rao, and the slope by Theil and Sen with its interval.
///
/// ```swift
/// guard let trend = TrendTest(times: hours, values: megabytes) else { return }  // fewer than 4 points
/// let interval = trend.slopeInterval(confidence: 0.95)  // megabytes per hour
/// let rises = interval.lowerBound > 0
/// ```
///
/// The sources are Mann (1945) and Kendall (1975) for S and its variance with ties; Hamed and Rao, "A modified
/// Mann-Kendall trend test for autocorrelated data", Journal of Hydrology 204 (1998); Sen, "Estimates of the regression
/// coefficient based on Kendall's tau", JASA 63 (1968). Figures agree with `pymannkendall` and SciPy's `theilslopes`.
package struct TrendTest: Sendable, Equatable {
  /// Which autocorrelations of the series' ranks, after its slope is taken out, make the variance of S larger.
  package enum Correction: Sendable, CaseIterable {
    /// The Mann–Kendall test without correction: its points are taken as independent.
    case none
    /// Every lag whose autocorrelation is significant at 5 %, as pymannkendall's `hamed_rao_modification_test` has it.
    /// Problem: all autocorrelations of a series add up to −½. So chance correlations at long lags cancel the true
    /// ones at short lags: of series of 432 points with an autocorrelation of 0.8 and no trend, 26 % had a "trend".
    case significantLags
    /// The lags from 1 on until the autocorrelation is no longer positive: 6 % of the same series.
    case leadingLags
  }

  /// The number of points that were tested, after blocks were made.
  package let points: Int
  /// The number of successive points whose mean became one point.
  package let block: Int
  /// S: the pairs of points that rise less those that fall.
  package let score: Double
  /// The variance of S, corrected for ties and autocorrelation.
  package let variance: Double
  /// How many times as large the autocorrelation makes the variance.
  package let inflation: Double
  /// The probability of an S at least as far from 0 in a series without a trend, two-sided.
  package let p: Double
  /// The median of the slopes of all pairs of points, in the values' unit per unit of time.
  package let slope: Double

  /// The slopes of all pairs of points, sorted.
  private let slopes: [Double]

  /// Fewer points have no trend that could be significant.
  package static let fewestPoints = 4
  /// The most points that are compared pairwise: half a million pairs, 4 MB. A longer series, such as the 10,080
  /// minutes of a week, is divided into blocks of equal numbers of points, whose means are compared.
  package static let mostPoints = 1_000

  /// Tests the points with finite time and value; others are gaps. Their order does not matter.
  ///
  /// Returns nil where fewer than ``fewestPoints`` points are left, or all are at one time.
  package init?(times: [Double], values: [Double], correction: Correction = .leadingLags) {
    let known = zip(times, values).filter { $0.isFinite && $1.isFinite }.sorted { $0.0 < $1.0 }
    let block = max(1, (known.count + Self.mostPoints - 1) / Self.mostPoints)
    let means = Self.means(known, block)
    self.block = block
    points = means.count
    guard points >= Self.fewestPoints else { return nil }
    let (t, x) = (means.map(\.time), means.map(\.value))
    var score = 0.0
    var slopes: [Double] = []
    slopes.reserveCapacity(points * (points - 1) / 2)
    for later in 1..<points {
      for earlier in 0..<later {
        let rise = x[later] - x[earlier]
        score += rise > 0 ? 1 : rise < 0 ? -1 : 0
        let run = t[later] - t[earlier]
        if run > 0 { slopes.append(rise / run) }
      }
    }
    guard !slopes.isEmpty else { return nil }
    slopes.sort()
    self.slopes = slopes
    self.score = score
    slope = median(ofSorted: slopes)
    let steepness = slope
    inflation = Self.inflation(of: zip(t, x).map { $1 - $0 * steepness }, correction)
    variance = Self.variance(of: x) * inflation
    // One is taken off S for continuity.
    let z = score == 0 || variance <= 0 ? 0 : (abs(score) - 1) / variance.squareRoot()
    p = min(1, erfc(z / 2.0.squareRoot()))
  }

  /// The interval that holds the true slope with a probability of `confidence`, 0…1. It is that of Sen as
  /// `theilslopes` has it, with the variance of S corrected for autocorrelation: without the correction SciPy's own.
  package func slopeInterval(confidence: Double) -> ClosedRange<Double> {
    let z = NormalDistribution.quantile(0.5 + confidence / 2)
    let spread = z * max(0, variance).squareRoot()
    let count = Double(slopes.count)
    func rank(_ position: Double) -> Double { position.rounded(.toNearestOrEven) }
    let upper = Int(min(max(0, rank((count + spread) / 2)), count - 1))
    let lower = Int(min(max(0, rank((count - spread) / 2) - 1), Double(upper)))
    return slopes[lower]...slopes[upper]
  }

  private static func means(_ points: [(Double, Double)], _ block: Int) -> [(time: Double, value: Double)] {
    stride(from: 0, to: points.count, by: block).map { start in
      let part = points[start..<min(start + block, points.count)]
      let count = Double(part.count)
      return (part.reduce(0) { $0 + $1.0 / count }, part.reduce(0) { $0 + $1.1 / count })
    }
  }

  /// The variance of S for independent points: n(n−1)(2n+5)/18, less the same of each group of equal values.
  private static func variance(of values: [Double]) -> Double {
    func term(_ count: Int) -> Double {
      let n = Double(count)
      return n * (n - 1) * (2 * n + 5) / 18
    }
    return groups(of: values.sorted()).reduce(term(values.count)) { $0 - term($1) }
  }

  /// The sizes of the groups of equal numbers in a sorted list.
  private static func groups(of sorted: [Double]) -> [Int] {
    var sizes: [Int] = []
    for (index, value) in sorted.enumerated() {
      if index > 0, sorted[index - 1] == value { sizes[sizes.count - 1] += 1 } else { sizes.append(1) }
    }
    return sizes
  }

  /// Ranks from 1; equal numbers share the mean of their ranks.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = values
    var first = 0
    for size in groups(of: order.map { values[$0] }) {
      for place in first..<(first + size) { ranks[order[place]] = Double(2 * first + size + 1) / 2 }
      first += size
    }
    return ranks
  }

  /// n/n* of Hamed and Rao: 1 + 2/(n(n−1)(n−2)) · Σ (n−i)(n−i−1)(n−i−2) ρ(i).
  private static func inflation(of detrended: [Double], _ correction: Correction) -> Double {
    guard correction != .none else { return 1 }
    let n = Double(detrended.count)
    let ranks = ranks(detrended)
    let mean = (n + 1) / 2
    func covariance(_ lag: Int) -> Double {
      zip(ranks, ranks.dropFirst(lag)).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) }
    }
    let whole = covariance(0)
    // A series that its slope explains wholly has no autocorrelation.
    guard whole > 0 else { return 1 }
    let significant = NormalDistribution.quantile(0.975) / n.squareRoot()
    var sum = 0.0
    for lag in 1..<detrended.count {
      let correlation = covariance(lag) / whole
      if correction == .leadingLags, correlation <= 0 { break }
      if correction == .significantLags, abs(correlation) <= significant { continue }
      let rest = n - Double(lag)
      sum += rest * (rest - 1) * (rest - 2) * correlation
    }
    let inflation = 1 + 2 / (n * (n - 1) * (n - 2)) * sum
    // A variance is not negative. Where chance correlations make it so, nothing is corrected.
    return inflation > 0 ? inflation : 1
  }
}
