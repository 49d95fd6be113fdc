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
