import Glibc

/// One step on the way to 100 %.
public struct PercentileStep: Sendable, Equatable {
  /// The share that the step asks for, 0…1.
  public let level: Double
  /// The smallest recorded value, in nanoseconds, such that at least that share is ≤ it: the highest of its bucket.
  public let value: UInt64
  /// How many recorded values are ≤ it.
  public let totalCount: UInt64
}

extension LatencyHistogram {
  /// The distribution in steps that get smaller the nearer they are to 100 %: HdrHistogram's `PercentileIterator`.
  ///
  /// Each time the distance to 100 % halves there are `ticksPerHalfDistance` steps (≥ 1), from 0 to the first in the last bucket,
  /// and then one at 1; none where nothing is recorded. Levels are binary floating point as there, so that they are Java's.
  public func percentileSteps(ticksPerHalfDistance: Int = 5) -> [PercentileStep] {
    let buckets = recordedBuckets()
    guard let last = buckets.last else { return [] }
    var steps: [PercentileStep] = []
    var level = 0.0
    var count: UInt64 = 0
    for bucket in buckets {
      count += bucket.count
      // In the last bucket there is one step at its level, and one to 100 %.
      let isLast = bucket == last
      let percentile = 100 * Double(count) / Double(totalCount)
      while level < 100, percentile >= level {
        steps.append(PercentileStep(level: level / 100, value: bucket.upper, totalCount: count))
        level = Self.level(after: level, ticksPerHalfDistance: Swift.max(1, ticksPerHalfDistance))
        if isLast { break }
      }
    }
    steps.append(PercentileStep(level: 1, value: last.upper, totalCount: totalCount))
    return steps
  }

  /// 100 where the next level is no longer another number.
  private static func level(after level: Double, ticksPerHalfDistance: Int) -> Double {
    let halvings = (log(100 / (100 - level)) / log(2)).rounded(.down)
    let next = level + 100 / (Double(ticksPerHalfDistance) * exp2(halvings + 1))
    return next > level ? Swift.min(next, 100) : 100
  }
}
