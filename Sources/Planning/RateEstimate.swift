import Glibc
import Statistics

/// A rate with its interval over runs.
package struct RateEstimate: Sendable, Equatable {
  /// 0…1: all hits over all arrivals. 0 where nobody came.
  package let value: Double
  /// The 95 % interval; nil where the runs allow none.
  package let interval: ClosedRange<Double>?
  /// Half the width of the 99.99 % interval; nil where the runs allow none.
  let halfOf9999: Double?

  /// The runs are the samples, because the arrivals of one run depend on one another: a miss is seldom alone.
  ///
  /// The rate is that of all runs together, the ratio of two sums. Its standard error is that of a ratio (Cochran:
  /// Sampling Techniques, 1977, ch. 6.4), and Student's t makes the interval.
  ///
  /// Where misses are rare, their number is skewed, and the interval of the rate itself ends too high: it promises more
  /// than the pool holds. So the interval is that of the logarithm of misses to hits, which is nearly symmetric, with its
  /// error by the delta method (Agresti: Categorical Data Analysis, 2013, ch. 3.1), and its ends are turned back into
  /// rates. That method takes the logarithm as straight, which it is only near the rate: where half the interval of the
  /// logarithm is more than 1, the interval is that of the rate itself, within 0…1. Two runs, whose quantile is 12.7,
  /// would otherwise have one of nearly all rates. Where few hits or few misses were seen, the runs hardly differ, and
  /// both ends are widened to those of the exact interval of a Poisson number (Garwood, Biometrika 28 (1936)).
  init(runs: [RunRecord.Tally]) {
    let arrivals = runs.reduce(0) { $0 + Double($1.arrivals) }
    let hits = runs.reduce(0) { $0 + Double($1.hits) }
    let rate = arrivals > 0 ? hits / arrivals : 0
    value = rate
    guard runs.count >= 2, arrivals > 0 else {
      interval = nil
      halfOf9999 = nil
      return
    }
    let squares = runs.reduce(0) { sum, run in
      let deviation = Double(run.hits) - rate * Double(run.arrivals)
      return sum + deviation * deviation
    }
    let count = Double(runs.count)
    let standardError = sqrt(squares / (count - 1) / count) / (arrivals / count)
    let student = StudentT(degreesOfFreedom: runs.count - 1)
    let misses = arrivals - hits
    var (low, high) = (rate, rate)
    if hits > 0, misses > 0 {
      let (odds, half) = (log(misses / hits), standardError * student.twoSidedQuantile(level: 0.95))
      let halfOfOdds = half / (rate * (1 - rate))
      if halfOfOdds <= 1 {
        low = 1 / (1 + exp(odds + halfOfOdds))
        high = 1 / (1 + exp(odds - halfOfOdds))
      } else {
        (low, high) = (rate - half, rate + half)
      }
    }
    if misses < Self.boundOfFew {
      low = min(low, 1 - Self.highest(of: misses) / arrivals)
      high = max(high, 1 - Self.lowest(of: misses) / arrivals)
    }
    if hits < Self.boundOfFew {
      low = min(low, Self.lowest(of: hits) / arrivals)
      high = max(high, Self.highest(of: hits) / arrivals)
    }
    interval = max(0, low)...min(1, high)
    halfOf9999 = standardError * student.twoSidedQuantile(level: 0.9999)
  }

  /// Below this number the differences of runs say little.
  private static let boundOfFew = 30.0

  /// The upper end of the 95 % interval of a Poisson number's mean, where `number` was seen: the mean with which a number
  /// as small has a probability of 2.5 %.
  private static func highest(of number: Double) -> Double {
    let seen = Int(number)
    var (low, high) = (number, number + 10 + 5 * number.squareRoot())
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if ClosedForms.poisson(atMost: seen, mean: middle) > 0.025 { low = middle } else { high = middle }
    }
    return high
  }

  /// The lower end: the mean with which a number as large has a probability of 2.5 %; 0 where nothing was seen.
  private static func lowest(of number: Double) -> Double {
    let seen = Int(number)
    guard seen > 0 else { return 0 }
    var (low, high) = (0.0, number)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if ClosedForms.poisson(atMost: seen - 1, mean: middle) > 0.975 { low = middle } else { high = middle }
    }
    return low
  }
}
