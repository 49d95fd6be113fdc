import Glibc

extension LatencyHistogram {
  /// The smallest recorded value such that at least `percentile` % of the values are ≤ it, in nanoseconds.
  ///
  /// As in all HdrHistograms it is the highest value of its bucket; at 0 % it is the lowest value of the first recorded
  /// bucket. The percentile is limited to 0…100. The result is 0 where nothing is recorded.
  public func value(atPercentile percentile: Double) -> UInt64 {
    var scan = RankScan(counts: counts)
    return value(atPercentile: percentile, &scan)
  }

  /// The values at several percentiles in nanoseconds, in the order of `percentiles`, found in one pass over the
  /// buckets.
  public func values(atPercentiles percentiles: [Double]) -> [UInt64] {
    var values = [UInt64](repeating: 0, count: percentiles.count)
    var scan = RankScan(counts: counts)
    for position in percentiles.indices.sorted(by: { rank(of: percentiles[$0]) < rank(of: percentiles[$1]) }) {
      values[position] = value(atPercentile: percentiles[position], &scan)
    }
    return values
  }

  /// The number of recorded values that rank after the percentile's value: 1 of 100 at 99 %, 0 at 100 %.
  public func samplesBeyond(percentile: Double) -> UInt64 {
    totalCount - rank(of: percentile)
  }

  /// The number of recorded values that are ≤ `value` (in nanoseconds) or share its bucket.
  public func countAtOrBelow(_ value: UInt64) -> UInt64 {
    let last = Swift.min(layout.index(of: value), counts.count - 1)
    return counts[...last].reduce(0, &+)
  }

  /// The rank of a percentile among the sorted values, 1…totalCount: the first rank with at least that share of the
  /// values at or below it.
  ///
  /// The HdrHistograms for Java, Rust and Swift round up like this. Those for C, Go and Python round to the nearest
  /// rank, so they can give the value before, with less than that share at or below it.
  func rank(of percentile: Double) -> UInt64 {
    guard percentile > 0 else { return Swift.min(1, totalCount) }
    guard percentile < 100 else { return totalCount }
    let exact = percentile * Double(totalCount) / 100
    // 99.9 has no exact binary form: without the correction 99.9 % of 1000 could exceed 999 slightly and be rounded up.
    let roundedUp = (exact - 4 * exact.ulp).rounded(.up)
    return Swift.min(Swift.max(UInt64(roundedUp), 1), totalCount)
  }

  private func value(atPercentile percentile: Double, _ scan: inout RankScan) -> UInt64 {
    guard totalCount > 0 else { return 0 }
    let index = scan.index(ofRank: rank(of: percentile))
    return percentile > 0 ? layout.highestValue(at: index) : layout.lowestValue(at: index)
  }
}

/// Finds the buckets of growing ranks in one pass. It sums the counts in blocks, which the compiler vectorises.
private struct RankScan {
  let counts: [UInt64]
  private var block = 0
  private var countBeforeBlock: UInt64 = 0

  /// Every layout's bucket count is a multiple of 16, because there are at least 16 buckets per doubling.
  private static let blockSize = 16

  init(counts: [UInt64]) { self.counts = counts }

  /// The index of the bucket with this rank. Ranks must not decrease from call to call.
  mutating func index(ofRank rank: UInt64) -> Int {
    counts.withUnsafeBufferPointer { counts in
      while block + Self.blockSize < counts.count {
        var sum: UInt64 = 0
        for index in block..<(block + Self.blockSize) {
          sum &+= counts[index]
        }
        if countBeforeBlock &+ sum >= rank { break }
        countBeforeBlock &+= sum
        block += Self.blockSize
      }
      var index = block
      var count = countBeforeBlock &+ counts[index]
      while count < rank && index + 1 < counts.count {
        index += 1
        count &+= counts[index]
      }
      return index
    }
  }
}

/// One step on the way to 100 %.
public struct PercentileStep: Sendable, Equatable {
  /// The share of the step, 0…1.
  public let level: Double
  /// The smallest recorded value, in nanoseconds, such that at least that share of the values is ≤ it: the highest
  /// value of its bucket.
  public let value: UInt64
  /// The number of recorded values that are ≤ ``value``.
  public let totalCount: UInt64
}

extension LatencyHistogram {
  /// The distribution in steps that get smaller the nearer they are to 100 %: HdrHistogram's `PercentileIterator`.
  ///
  /// Each time the distance to 100 % halves there are `ticksPerHalfDistance` steps (≥ 1). The steps go from 0 to the
  /// first one in the last bucket, and end with a step at 1. An empty histogram has no steps. Levels are computed in
  /// binary floating point like Java's, so that they equal Java's.
  public func percentileSteps(ticksPerHalfDistance: Int = 5) -> [PercentileStep] {
    let buckets = recordedBuckets()
    guard let last = buckets.last else { return [] }
    var steps: [PercentileStep] = []
    var level = 0.0
    var count: UInt64 = 0
    for bucket in buckets {
      count += bucket.count
      // The last bucket has one step at its level and one at 100 %.
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

  /// The level after `level`; 100 if the two would be equal numbers.
  private static func level(after level: Double, ticksPerHalfDistance: Int) -> Double {
    let halvings = (log(100 / (100 - level)) / log(2)).rounded(.down)
    let next = level + 100 / (Double(ticksPerHalfDistance) * exp2(halvings + 1))
    return next > level ? Swift.min(next, 100) : 100
  }
}

/// The figures of a histogram that a report shows, all in nanoseconds.
public struct LatencySummary: Sendable, Equatable {
  /// The number of recorded values.
  public let count: UInt64
  /// How many recorded values lay outside the histogram's range and count as its nearest end.
  public let clampedCount: UInt64
  /// The arithmetic mean.
  public let mean: Double
  /// The standard deviation (divided by n).
  public let standardDeviation: Double
  /// The smallest value.
  public let min: UInt64
  /// The median.
  public let p50: PercentileFigure
  /// The 90th percentile.
  public let p90: PercentileFigure
  /// The 95th percentile.
  public let p95: PercentileFigure
  /// The 99th percentile.
  public let p99: PercentileFigure
  /// The 99.9th percentile.
  public let p999: PercentileFigure
  /// The largest value.
  public let max: UInt64

  /// The percentiles of a summary, in percent, ascending.
  public static let percentiles: [Double] = [50, 90, 95, 99, 99.9]

  /// Makes the figures of a histogram; nil for an empty one.
  public init?(_ histogram: LatencyHistogram) {
    guard !histogram.isEmpty else { return nil }
    count = histogram.totalCount
    clampedCount = histogram.clampedCount
    mean = histogram.mean
    standardDeviation = histogram.standardDeviation
    min = histogram.min
    max = histogram.max
    let figures = zip(Self.percentiles, histogram.values(atPercentiles: Self.percentiles)).map { percentile, value in
      PercentileFigure(
        percentile: percentile, value: value,
        support: PercentileSupport(samplesBeyond: histogram.samplesBeyond(percentile: percentile)))
    }
    (p50, p90, p95, p99, p999) = (figures[0], figures[1], figures[2], figures[3], figures[4])
  }

  /// All percentiles, ascending.
  public var percentiles: [PercentileFigure] { [p50, p90, p95, p99, p999] }
}

/// One percentile, and how well the samples support it.
public struct PercentileFigure: Sendable, Equatable {
  /// The percentile in percent: at 99.9, 99.9 % of the values do not exceed ``value``.
  public let percentile: Double
  /// Its value in nanoseconds.
  public let value: UInt64
  /// How far the samples support it.
  public let support: PercentileSupport
}

/// How far the samples support a percentile.
public enum PercentileSupport: Sendable, Equatable {
  /// At least ten samples lie beyond it.
  case sufficient
  /// Only 1 to 9 samples lie beyond it: another run may well show another value.
  case few(samplesBeyond: UInt64)
  /// No sample lies beyond it: the figure is the largest value and says nothing about the percentile.
  case maximum

  init(samplesBeyond: UInt64) {
    self =
      switch samplesBeyond {
      case 0: .maximum
      case 1..<10: .few(samplesBeyond: samplesBeyond)
      default: .sufficient
      }
  }
}
