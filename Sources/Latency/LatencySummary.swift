/// The figures of a histogram that a report shows, all in nanoseconds.
public struct LatencySummary: Sendable, Equatable {
  /// How many values were recorded.
  public let count: UInt64
  /// How many of them lay outside the histogram's range and were recorded as its nearest end.
  public let clampedCount: UInt64
  /// The arithmetic mean.
  public let mean: Double
  /// The standard deviation (÷ n).
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

  /// Which percentiles there are, growing, in percent.
  public static let percentiles: [Double] = [50, 90, 95, 99, 99.9]

  /// The figures of a histogram; `nil` of an empty one, which has none.
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

  /// All percentiles, growing.
  public var percentiles: [PercentileFigure] { [p50, p90, p95, p99, p999] }
}

/// One percentile, and what it rests on.
public struct PercentileFigure: Sendable, Equatable {
  /// Which percentile: 99.9 is the value that 99.9 % of the values do not exceed.
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
  /// Only so many samples, 1…9, lie beyond it: another run may well show another value.
  case few(samplesBeyond: UInt64)
  /// No sample lies beyond it: it is the largest value and says nothing of the percentile.
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
