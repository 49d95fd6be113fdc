import Glibc

/// Recorded latencies in nanoseconds: an HdrHistogram of fixed size, from 1 ns to 1 h with three digits unless another
/// layout is given.
///
/// ```swift
/// var histogram = LatencyHistogram()
/// let sentAt = MonotonicClock.now()
/// // …
/// histogram.record(MonotonicClock.now() - sentAt)
/// let p99 = histogram.value(atPercentile: 99)  // in ns; 0 where nothing is recorded
/// print(LatencyText.format(p99))  // 47.9ms
///
/// var all = LatencyHistogram()
/// try all.merge(histogram)  // exact: as if all values had been recorded into one histogram
/// let text = HistogramV2Codec.encodeCompressedBase64(all)  // HISTFAAAA…
/// ```
///
/// All figures are derived from the bucket counts alone, so that a reader who decodes the counts gets equal figures.
///
/// A copy shares the counts, and the next record into either one duplicates all of them (264 KiB) first. While values
/// are being recorded, exchange the histogram for an empty one with `swap(_:_:)` instead of copying it.
public struct LatencyHistogram: Sendable, Equatable {
  /// The most values that are counted; sums of counts stay far from overflow.
  public static let maximumTotalCount: UInt64 = 1 << 62

  /// The range and the digits, which determine the buckets.
  public let layout: HistogramLayout
  /// How many values have been recorded.
  public var totalCount: UInt64 { total }
  /// How many recorded values lay outside the range and count as its nearest end. Not part of the encoding.
  public var clampedCount: UInt64 { clamped }

  @usableFromInline var counts: [UInt64]
  @usableFromInline var total: UInt64 = 0
  @usableFromInline var clamped: UInt64 = 0

  /// Makes an empty histogram.
  public init(layout: HistogramLayout = .oneHour) {
    self.layout = layout
    counts = [UInt64](repeating: 0, count: layout.bucketCount)
  }

  /// Records one value in nanoseconds; a value outside the range counts as its nearest end.
  @inlinable
  public mutating func record(_ nanoseconds: UInt64) {
    // Overflow is not checked: 2^62 single records would take a century.
    add(1, of: nanoseconds)
  }

  /// Records one latency; one outside the range counts as its nearest end.
  @inlinable
  public mutating func record(_ latency: Nanoseconds) { record(latency.nanoseconds) }

  /// Records a value in nanoseconds several times. The count is limited so that ``totalCount`` stays within
  /// ``maximumTotalCount``.
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

  /// Adds all values of another histogram. The result equals that of recording all values into one histogram.
  ///
  /// - Throws: `incompatibleLayouts` if the bucket widths differ or the other histogram has values beyond this one's
  ///   range; `countOverflow` beyond ``maximumTotalCount``. This histogram is then unchanged.
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

  /// The sum of both histograms, in the layout of the one with the larger range.
  ///
  /// - Throws: `incompatibleLayouts` if the bucket widths differ; `countOverflow` beyond ``maximumTotalCount``.
  public func merging(_ other: LatencyHistogram) throws(HistogramError) -> LatencyHistogram {
    let isLarger = other.layout.bucketCount > layout.bucketCount
    var whole = isLarger ? other : self
    try whole.merge(isLarger ? self : other)
    return whole
  }

  /// Removes all values. The memory is kept unless a copy shares it.
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

  /// The largest recorded value in nanoseconds, rounded up to its bucket like percentiles; 0 where nothing is recorded.
  public var max: UInt64 {
    counts.lastIndex { $0 != 0 }.map(layout.highestValue(at:)) ?? 0
  }

  /// The arithmetic mean in nanoseconds, with each value taken as the middle of its bucket; 0 where nothing is
  /// recorded.
  public var mean: Double {
    guard !isEmpty else { return 0 }
    var sum = 0.0
    for index in counts.indices where counts[index] != 0 {
      sum += Double(layout.middleValue(at: index)) * Double(counts[index])
    }
    return sum / Double(totalCount)
  }

  /// The standard deviation of the recorded values (divided by n) in nanoseconds; 0 where nothing is recorded.
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

/// A range of values and the number of recorded values in it.
public struct HistogramBucket: Sendable, Equatable {
  /// The lowest value of the range, in nanoseconds.
  public let lower: UInt64
  /// The highest value of the range, in nanoseconds.
  public let upper: UInt64
  /// How many recorded values lie in the range.
  public let count: UInt64

  /// Makes a range with its count.
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
  /// Rows with an equal ratio between their ends.
  case logarithmic
}

extension LatencyHistogram {
  /// The buckets that hold values, in growing order.
  public func recordedBuckets() -> [HistogramBucket] {
    counts.indices.lazy.filter { counts[$0] != 0 }.map { bucket(of: $0..<($0 + 1)) }
  }

  /// The distribution from the smallest to the largest value in about `rows` adjoining rows, empty ones included.
  ///
  /// Rows end at ends of buckets, so the counts are exact and add up to ``totalCount``. A range with few buckets has
  /// fewer rows; an empty histogram has none.
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
