/// One line of an HdrHistogram log: the values recorded in an interval.
public struct HistogramLogInterval: Sendable, Equatable {
  /// The name of the recorded series, where a log has several: without commas, blanks and line breaks.
  public var tag: String?
  /// The interval's begin in seconds from the log's base time.
  public var start: Double
  /// The interval's length in seconds.
  public var length: Double
  /// The recorded values.
  public var histogram: LatencyHistogram

  /// Makes an interval. ``HistogramLogWriter/add(_:)`` checks it.
  public init(tag: String? = nil, start: Double, length: Double, histogram: LatencyHistogram) {
    self.tag = tag
    self.start = start
    self.length = length
    self.histogram = histogram
  }

  /// Whether a log can hold `tag`: readers split lines at commas and blanks.
  static func isTag(_ tag: String) -> Bool {
    !tag.isEmpty && tag.unicodeScalars.allSatisfy { $0 != "," && $0.value > 0x20 && !$0.properties.isWhitespace }
  }
}

/// Writes an HdrHistogram log (`.hlog`), format 1.3, as HdrHistogram's HistogramLogWriter.java does.
public struct HistogramLogWriter: Sendable {
  /// The log so far.
  public private(set) var text: String
  /// The version of the format: 1.3 has tags.
  public static let version = "1.3"

  /// Begins a log: comment, version, start and base time, and the legend.
  ///
  /// - Parameters:
  ///   - startTime: seconds since 1970; intervals are relative to it.
  ///   - startText: `startTime` as text for people.
  ///   - comment: the program that wrote the log, on one line.
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

  /// Adds a line, whose maximum is in ms.
  ///
  /// - Throws: `corruptLog` if a log cannot hold the tag or a time.
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

  /// The text without characters that would end the line or the comment.
  private static func line(_ text: String) -> String {
    String(text.map { $0.isNewline || $0 == "]" ? " " : $0 })
  }
}

/// Reads an HdrHistogram log (`.hlog`) interval by interval, so that a long log needs the memory of one histogram only.
///
/// Format: HdrHistogram's HistogramLogReader.java, versions 1.0 to 1.3, with V2 histograms. The Java reader skips a
/// malformed line; this one throws, so that data missing from a cut or edited log is not missed silently.
public struct HistogramLogReader: Sendable {
  /// The value of `#[StartTime:` in seconds since 1970; nil until it has been read.
  public private(set) var startTime: Double?
  /// The value of `#[BaseTime:` in seconds since 1970, which intervals are relative to; nil until it has been read.
  public private(set) var baseTime: Double?

  private let bytes: [UInt8]
  private var place = 0
  private var lineNumber = 0

  /// Makes a reader for the bytes of a whole log.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads the next interval; nil at the end.
  ///
  /// - Throws: `corruptLog` for a line that is no comment, legend or interval, `unsupportedEncoding` for another
  ///   version, and the errors of ``HistogramV2Codec/decode(base64:)``. The message names the line. The next call reads
  ///   the line after it.
  public mutating func next() throws(HistogramError) -> HistogramLogInterval? {
    while let line = nextLine() {
      do throws(HistogramError) {
        if line.hasPrefix("#") {
          try readComment(line)
        } else if !line.hasPrefix("\"StartTimestamp\"") {
          return try Self.interval(line)
        }
      } catch {
        throw HistogramError(error.kind, "line \(lineNumber): \(error.message)")
      }
    }
    return nil
  }

  private mutating func nextLine() -> String? {
    guard place < bytes.count else { return nil }
    let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    var line = bytes[place..<end]
    place = end + 1
    lineNumber += 1
    if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
    return String(decoding: line, as: UTF8.self)
  }

  private mutating func readComment(_ line: String) throws(HistogramError) {
    if let rest = Self.rest(of: line, after: "#[StartTime: ") {
      startTime = try Self.seconds(rest.prefix { $0 != " " })
    } else if let rest = Self.rest(of: line, after: "#[BaseTime: ") {
      baseTime = try Self.seconds(rest.prefix { $0 != " " })
    } else if let rest = Self.rest(of: line, after: "#[Histogram log format version ") {
      let version = rest.prefix { $0 != "]" }
      guard ["1.0", "1.1", "1.2", "1.3"].contains(version) else {
        throw HistogramError(
          .unsupportedEncoding, "the log is of version '\(version.prefix(20))', and 1.0 to 1.3 are read")
      }
    }
  }

  private static func interval(_ line: String) throws(HistogramError) -> HistogramLogInterval {
    var fields = line.split(separator: ",", omittingEmptySubsequences: false)[...]
    var tag: String?
    if let first = fields.first, let name = rest(of: first, after: "Tag=") {
      guard HistogramLogInterval.isTag(String(name)) else {
        throw HistogramError(.corruptLog, "the tag is empty, or holds blanks")
      }
      tag = String(name)
      fields = fields.dropFirst()
    }
    guard fields.count == 4, let data = fields.last else {
      throw HistogramError(.corruptLog, "this is no comment, no legend and no interval of a histogram log")
    }
    let times = fields.prefix(3).map { $0 }
    let (start, length) = (try seconds(times[0]), try seconds(times[1]))
    // The line's own maximum may be in any unit, so only its form is checked; the histogram has the maximum.
    _ = try seconds(times[2])
    return HistogramLogInterval(
      tag: tag, start: start, length: length, histogram: try HistogramV2Codec.decode(base64: String(data)))
  }

  /// Parses a plain decimal number, which all writers give by `%.3f` or `%f`.
  private static func seconds(_ text: Substring) throws(HistogramError) -> Double {
    let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    guard isPlain, (1...40).contains(text.utf8.count), let number = Double(String(text)) else {
      throw HistogramError(.corruptLog, "'\(text.prefix(20))' is no number of seconds")
    }
    return number
  }

  private static func rest(of text: some StringProtocol, after prefix: String) -> Substring? {
    text.hasPrefix(prefix) ? Substring(text.dropFirst(prefix.count)) : nil
  }
}
