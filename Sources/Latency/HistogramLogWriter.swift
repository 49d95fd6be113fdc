/// Writes an HdrHistogram log (`.hlog`), format 1.3, as HdrHistogram's HistogramLogWriter.java does.
public struct HistogramLogWriter: Sendable {
  /// The log so far.
  public private(set) var text: String
  /// Of the format; 1.3 is the one with tags.
  public static let version = "1.3"

  /// Begins a log: comment, version, start and base time, and the legend.
  ///
  /// - Parameters:
  ///   - startTime: seconds since 1970; intervals are relative to it.
  ///   - startText: the same for people.
  ///   - comment: what wrote it, on one line.
  public init(startTime: Double, startText: String, comment: String) {
    let seconds = FixedPoint.text(startTime, decimals: 3)
    text = """
      #[\(Self.line(comment))]
      #[Histogram log format version \(Self.version)]
      #[StartTime: \(seconds) (seconds since epoch), \(Self.line(startText))]
      #[BaseTime: \(seconds) (seconds since epoch)]
      "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"

      """
  }

  /// Adds a line; the maximum in it is in ms.
  ///
  /// - Throws: `corruptLog` where the tag or a time cannot stand in a log.
  public mutating func add(_ interval: HistogramLogInterval) throws(HistogramError) {
    if let tag = interval.tag, !HistogramLogInterval.isTag(tag) {
      throw HistogramError(.corruptLog, "'\(Self.line(tag))' is no tag: it is empty, or holds commas or blanks")
    }
    for time in [interval.start, interval.length] where !(0..<1e12).contains(time) {
      throw HistogramError(.corruptLog, "an interval begins at \(interval.start) s and lasts \(interval.length) s")
    }
    let numbers = [interval.start, interval.length, Double(interval.histogram.max) / 1e6]
    let fields = numbers.map { FixedPoint.text($0, decimals: 3) }
    let tag = interval.tag.map { ["Tag=\($0)"] } ?? []
    let data = HistogramV2Codec.encodeCompressedBase64(interval.histogram)
    text += (tag + fields + [data]).joined(separator: ",") + "\n"
  }

  /// Without what would end the line or the comment.
  private static func line(_ text: String) -> String {
    String(text.map { $0.isNewline || $0 == "]" ? " " : $0 })
  }
}
