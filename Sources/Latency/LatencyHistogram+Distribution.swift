import Glibc

/// A range of values and how many recorded values lie in it.
public struct HistogramBucket: Sendable, Equatable {
  /// The lowest value of the range, in nanoseconds.
  public let lower: UInt64
  /// The highest value of the range, in nanoseconds.
  public let upper: UInt64
  /// How many recorded values lie in the range.
  public let count: UInt64

  /// A range with its count.
  public init(lower: UInt64, upper: UInt64, count: UInt64) {
    self.lower = lower
    self.upper = upper
    self.count = count
  }
}

/// How the rows of a distribution divide its range.
public enum DistributionScale: Sendable {
  /// Rows of equal width.
  case linear
  /// Rows of equal ratio between their ends.
  case logarithmic
}

extension LatencyHistogram {
  /// The buckets that hold values, in growing order.
  public func recordedBuckets() -> [HistogramBucket] {
    counts.indices.lazy.filter { counts[$0] != 0 }.map { bucket(of: $0..<($0 + 1)) }
  }

  /// The distribution from the smallest to the largest value in about `rows` adjoining rows, empty ones included.
  ///
  /// Rows end where buckets end, so the counts are exact and add up to ``totalCount``; there are fewer rows where there
  /// are fewer buckets, and none where nothing is recorded.
  public func distribution(rows: Int, scale: DistributionScale) -> [HistogramBucket] {
    guard
      let first = counts.firstIndex(where: { $0 != 0 }),
      let last = counts.lastIndex(where: { $0 != 0 })
    else { return [] }
    let lower = Double(Swift.max(layout.lowestValue(at: first), 1))
    let upper = Double(layout.highestValue(at: last))
    var starts = [first]
    for row in 1..<Swift.max(rows, 1) {
      let share = Double(row) / Double(rows)
      let edge =
        switch scale {
        case .linear: lower + (upper - lower) * share
        case .logarithmic: lower * pow(upper / lower, share)
        }
      let start = Swift.min(layout.index(of: UInt64(edge.rounded())), last)
      if start > starts[starts.count - 1] {
        starts.append(start)
      }
    }
    return zip(starts, starts.dropFirst() + [last + 1]).map { start, end in bucket(of: start..<end) }
  }

  private func bucket(of indices: Range<Int>) -> HistogramBucket {
    HistogramBucket(
      lower: layout.lowestValue(at: indices.lowerBound),
      upper: layout.highestValue(at: indices.upperBound - 1),
      count: counts[indices].reduce(0, &+))
  }
}
