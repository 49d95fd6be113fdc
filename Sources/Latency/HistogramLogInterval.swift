/// One line of an HdrHistogram log: what was recorded from one moment to another.
public struct HistogramLogInterval: Sendable, Equatable {
  /// What was recorded, where a log holds several things: without commas, blanks and line breaks.
  public var tag: String?
  /// When it began, in seconds from the log's base time.
  public var start: Double
  /// How long it was, in seconds.
  public var length: Double
  /// What was recorded.
  public var histogram: LatencyHistogram

  /// An interval; the writer checks it.
  public init(tag: String? = nil, start: Double, length: Double, histogram: LatencyHistogram) {
    self.tag = tag
    self.start = start
    self.length = length
    self.histogram = histogram
  }

  /// Whether `tag` can stand in a log: readers split lines at commas and blanks.
  static func isTag(_ tag: String) -> Bool {
    !tag.isEmpty && tag.unicodeScalars.allSatisfy { $0 != "," && $0.value > 0x20 && !$0.properties.isWhitespace }
  }
}
