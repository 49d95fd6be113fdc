/// Why a histogram could not be laid out, merged or decoded.
public struct HistogramError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of failure, for callers that tell them apart.
  public enum Code: String, Sendable {
    /// The range or the number of digits is impossible.
    case invalidLayout
    /// Two histograms cannot be merged exactly.
    case incompatibleLayouts
    /// More values than ``LatencyHistogram/maximumTotalCount``.
    case countOverflow
    /// The text is not base64.
    case notBase64
    /// The bytes end too early, or go on after the end.
    case wrongLength
    /// The bytes are of another format, or of a version that is not read.
    case unsupportedEncoding
    /// zlib rejects the compressed bytes.
    case corruptCompression
    /// The encoded counts are cut off or reach beyond the histogram's range.
    case corruptCounts
    /// A line of a histogram log is none of the format's.
    case corruptLog
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong, in a sentence for people.
  public let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message, for output.
  public var description: String { message }
}
