/// How a histogram maps values to buckets: the HdrHistogram layout (http://hdrhistogram.org).
///
/// Up to 2 × 10^digits units each value has a bucket of its own. Beyond that each doubling of the value doubles the
/// bucket width, so a bucket is never wider than 10^-digits of its values.
public struct HistogramLayout: Sendable, Equatable {
  /// The lowest value that differs from 0 in the histogram (≥ 1). Rounded down to a power of two it is the width of the
  /// narrowest bucket.
  public let lowestDiscernibleValue: UInt64
  /// The highest value that is recorded without being clamped.
  public let highestTrackableValue: UInt64
  /// Significant decimal digits kept of every value, 1…5.
  public let significantDigits: Int
  /// The number of buckets. Each takes eight bytes in a histogram.
  public let bucketCount: Int

  /// log2 of the narrowest bucket's width.
  @usableFromInline let unitMagnitude: Int
  /// log2 of the number of buckets per doubling of the value.
  @usableFromInline let bucketsPerDoublingMagnitude: Int
  /// The largest value of the linear first part, as a mask.
  @usableFromInline let linearMask: UInt64
  /// The number of leading zeros of a value at the end of the linear part.
  @usableFromInline let leadingZerosBase: Int

  /// 1 ns to 1 h with three digits: the layout of all latencies that this suite records (33 792 buckets, 264 KiB).
  public static let oneHour = HistogramLayout(validLowest: 1, highest: 3_600_000_000_000, digits: 3)

  /// Makes a layout for a range of values.
  ///
  /// - Parameters:
  ///   - lowestDiscernibleValue: at least 1.
  ///   - highestTrackableValue: from twice the lowest value to 2^63 − 1.
  ///   - significantDigits: 1…5.
  /// - Throws: `invalidLayout` if a parameter is out of its range, or the lowest value leaves no room for the digits.
  public init(
    lowestDiscernibleValue: UInt64, highestTrackableValue: UInt64, significantDigits: Int
  ) throws(HistogramError) {
    guard (1...5).contains(significantDigits) else {
      throw HistogramError(.invalidLayout, "a histogram keeps 1 to 5 significant digits, not \(significantDigits)")
    }
    guard lowestDiscernibleValue >= 1 else {
      throw HistogramError(.invalidLayout, "the lowest discernible value of a histogram must be at least 1")
    }
    guard highestTrackableValue <= UInt64(Int64.max), lowestDiscernibleValue <= highestTrackableValue / 2 else {
      throw HistogramError(
        .invalidLayout,
        "the highest trackable value \(highestTrackableValue) must be at least twice the lowest discernible value "
          + "\(lowestDiscernibleValue) and below 2^63")
    }
    let magnitude =
      Self.log2Floor(lowestDiscernibleValue) + Self.bucketsPerDoublingMagnitude(digits: significantDigits)
    guard magnitude <= 61 else {
      throw HistogramError(
        .invalidLayout,
        "\(significantDigits) digits of values from \(lowestDiscernibleValue) on do not fit into 63 bits")
    }
    self.init(validLowest: lowestDiscernibleValue, highest: highestTrackableValue, digits: significantDigits)
  }

  private init(validLowest lowest: UInt64, highest: UInt64, digits: Int) {
    lowestDiscernibleValue = lowest
    highestTrackableValue = highest
    significantDigits = digits
    unitMagnitude = Self.log2Floor(lowest)
    bucketsPerDoublingMagnitude = Self.bucketsPerDoublingMagnitude(digits: digits)
    let linearMagnitude = bucketsPerDoublingMagnitude + 1
    linearMask = ((1 << UInt64(linearMagnitude)) - 1) << UInt64(unitMagnitude)
    leadingZerosBase = 64 - unitMagnitude - linearMagnitude
    let doublings = max(0, Self.log2Floor(highest) + 1 - unitMagnitude - linearMagnitude)
    bucketCount = (doublings + 2) << bucketsPerDoublingMagnitude
  }

  private static func log2Floor(_ value: UInt64) -> Int { 63 - value.leadingZeroBitCount }

  private static func bucketsPerDoublingMagnitude(digits: Int) -> Int {
    let linearValues = (0..<digits).reduce(UInt64(2)) { product, _ in product * 10 }
    return log2Floor(linearValues - 1)
  }

  /// Whether a value is recorded without being clamped. One comparison suffices, because the difference wraps around
  /// below the lowest value.
  @inlinable
  func contains(_ value: UInt64) -> Bool {
    value &- lowestDiscernibleValue <= highestTrackableValue &- lowestDiscernibleValue
  }

  /// The end of the range that is nearest to a value outside it.
  @inlinable
  func nearest(to value: UInt64) -> UInt64 {
    value < lowestDiscernibleValue ? lowestDiscernibleValue : highestTrackableValue
  }

  /// The index of a value's bucket. It grows with the value and is below ``bucketCount`` for all trackable values.
  @inlinable
  func index(of value: UInt64) -> Int {
    let doubling = leadingZerosBase &- (value | linearMask).leadingZeroBitCount
    let offset = Int(truncatingIfNeeded: value &>> UInt64(truncatingIfNeeded: doubling &+ unitMagnitude))
    return (doubling &<< bucketsPerDoublingMagnitude) &+ offset
  }

  /// The lowest value that falls into a bucket.
  func lowestValue(at index: Int) -> UInt64 {
    let bucketsPerDoubling = 1 << bucketsPerDoublingMagnitude
    let doubling = doubling(at: index)
    let offset = doubling == 0 ? index : (index & (bucketsPerDoubling - 1)) + bucketsPerDoubling
    return UInt64(offset) << UInt64(doubling + unitMagnitude)
  }

  /// The highest value that falls into a bucket.
  func highestValue(at index: Int) -> UInt64 { lowestValue(at: index) + width(at: index) - 1 }

  /// The value in the middle of a bucket; sums take it for all values of the bucket.
  func middleValue(at index: Int) -> UInt64 { lowestValue(at: index) + width(at: index) / 2 }

  private func width(at index: Int) -> UInt64 { 1 << UInt64(doubling(at: index) + unitMagnitude) }

  private func doubling(at index: Int) -> Int { max(0, (index >> bucketsPerDoublingMagnitude) - 1) }
}

/// Why a histogram could not be laid out, merged or decoded.
public struct HistogramError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of failure.
  public enum Kind: String, Sendable {
    /// The range or the number of digits is impossible.
    case invalidLayout
    /// Two histograms cannot be merged exactly.
    case incompatibleLayouts
    /// More values than ``LatencyHistogram/maximumTotalCount``.
    case countOverflow
    /// The text is not base64.
    case notBase64
    /// The bytes end too early, or more bytes follow the histogram.
    case wrongLength
    /// The bytes have another format or an unsupported version.
    case unsupportedEncoding
    /// zlib rejects the compressed bytes.
    case corruptCompression
    /// The encoded counts are cut off or reach beyond the histogram's range.
    case corruptCounts
    /// A line of a histogram log does not have the log's format.
    case corruptLog
  }

  /// The kind of failure.
  public let kind: Kind
  /// What is wrong, as a sentence for people.
  public let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The message, for output.
  public var description: String { message }
}
