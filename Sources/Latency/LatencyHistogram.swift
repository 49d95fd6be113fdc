import Glibc

/// Recorded latencies in nanoseconds: an HdrHistogram of fixed size, 1 ns to 1 h with three digits unless laid out otherwise.
///
/// Everything it reports is derived from the bucket counts alone, so that whoever decodes them gets the same figures.
///
/// A copy shares the counts, and the next record into either copies all of them (264 KiB) first. Where values are being
/// recorded, take a histogram out with `swap(_:_:)` against an empty one rather than by copying it.
public struct LatencyHistogram: Sendable, Equatable {
  /// More values than this are never counted: sums of counts stay far from overflow.
  public static let maximumTotalCount: UInt64 = 1 << 62

  /// The range, the digits and with them the buckets.
  public let layout: HistogramLayout
  /// How many values have been recorded.
  public var totalCount: UInt64 { total }
  /// How many of them lay outside the range and were recorded as its nearest end. Not part of the encoding.
  public var clampedCount: UInt64 { clamped }

  @usableFromInline var counts: [UInt64]
  @usableFromInline var total: UInt64 = 0
  @usableFromInline var clamped: UInt64 = 0

  /// An empty histogram.
  public init(layout: HistogramLayout = .oneHour) {
    self.layout = layout
    counts = [UInt64](repeating: 0, count: layout.bucketCount)
  }

  /// Records one value in nanoseconds; a value outside the range counts as its nearest end.
  @inlinable
  public mutating func record(_ nanoseconds: UInt64) {
    // No overflow check: 2^62 single records would take a century.
    add(1, of: nanoseconds)
  }

  /// Records one latency; one outside the range counts as its nearest end.
  @inlinable
  public mutating func record(_ latency: Nanoseconds) { record(latency.nanoseconds) }

  /// Records a value in nanoseconds several times. A count that would exceed ``maximumTotalCount`` is cut to what is left.
  public mutating func record(_ nanoseconds: UInt64, count: UInt64) {
    let room = Self.maximumTotalCount - Swift.min(total, Self.maximumTotalCount)
    add(Swift.min(count, room), of: nanoseconds)
  }

  @inlinable @inline(__always)
  mutating func add(_ count: UInt64, of nanoseconds: UInt64) {
    var value = nanoseconds
    if !layout.contains(value) {
      value = layout.nearest(to: value)
      clamped &+= count
    }
    counts[layout.index(of: value)] &+= count
    total &+= count
  }

  /// Adds all values of another histogram: the result is that of recording all values into one.
  ///
  /// - Throws: `incompatibleLayouts` where the bucket widths differ or the other has values beyond this one's range;
  ///   `countOverflow` beyond ``maximumTotalCount``. The histogram is then unchanged.
  public mutating func merge(_ other: LatencyHistogram) throws(HistogramError) {
    guard
      layout.significantDigits == other.layout.significantDigits,
      layout.unitMagnitude == other.layout.unitMagnitude
    else {
      throw HistogramError(
        .incompatibleLayouts,
        "cannot merge histograms of different resolution: \(layout.significantDigits) digits from "
          + "\(layout.lowestDiscernibleValue) on, and \(other.layout.significantDigits) digits from "
          + "\(other.layout.lowestDiscernibleValue) on")
    }
    guard other.counts.dropFirst(counts.count).allSatisfy({ $0 == 0 }) else {
      throw HistogramError(
        .incompatibleLayouts,
        "cannot merge a histogram with values up to \(other.max) into one that ends at \(layout.highestTrackableValue)")
    }
    guard totalCount + other.totalCount <= Self.maximumTotalCount else {
      throw HistogramError(.countOverflow, "cannot merge histograms of more than 2^62 values together")
    }
    for index in 0..<Swift.min(counts.count, other.counts.count) {
      counts[index] &+= other.counts[index]
    }
    total += other.total
    clamped += other.clamped
  }

  /// Both together, in the layout of the one that reaches further.
  ///
  /// - Throws: `incompatibleLayouts` where the bucket widths differ; `countOverflow` beyond ``maximumTotalCount``.
  public func merging(_ other: LatencyHistogram) throws(HistogramError) -> LatencyHistogram {
    let isLarger = other.layout.bucketCount > layout.bucketCount
    var whole = isLarger ? other : self
    try whole.merge(isLarger ? self : other)
    return whole
  }

  /// Forgets all values, and keeps the memory where no copy shares it.
  public mutating func reset() {
    for index in counts.indices {
      counts[index] = 0
    }
    total = 0
    clamped = 0
  }
}

extension LatencyHistogram {
  /// Whether nothing has been recorded.
  public var isEmpty: Bool { totalCount == 0 }

  /// The smallest recorded value in nanoseconds, rounded down to its bucket; 0 where nothing is recorded.
  public var min: UInt64 {
    counts.firstIndex { $0 != 0 }.map(layout.lowestValue(at:)) ?? 0
  }

  /// The largest recorded value in nanoseconds, rounded up to its bucket, as percentiles are; 0 where nothing is recorded.
  public var max: UInt64 {
    counts.lastIndex { $0 != 0 }.map(layout.highestValue(at:)) ?? 0
  }

  /// The arithmetic mean in nanoseconds, every value taken as the middle of its bucket; 0 where nothing is recorded.
  public var mean: Double {
    guard !isEmpty else { return 0 }
    var sum = 0.0
    for index in counts.indices where counts[index] != 0 {
      sum += Double(layout.middleValue(at: index)) * Double(counts[index])
    }
    return sum / Double(totalCount)
  }

  /// The standard deviation of the recorded values (÷ n) in nanoseconds; 0 where nothing is recorded.
  public var standardDeviation: Double {
    guard !isEmpty else { return 0 }
    let mean = self.mean
    var sum = 0.0
    for index in counts.indices where counts[index] != 0 {
      let deviation = Double(layout.middleValue(at: index)) - mean
      sum += deviation * deviation * Double(counts[index])
    }
    return (sum / Double(totalCount)).squareRoot()
  }
}

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
