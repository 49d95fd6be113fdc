import Foundation
import Testing

@testable import Latency

struct HistogramLogTests {
  private static let intervals = [
    HistogramLogInterval(
      tag: "allocation", start: 0, length: 1, histogram: histogram((1...500).map { $0 * 10_007 })),
    HistogramLogInterval(tag: "allocation", start: 1, length: 1.001, histogram: LatencyHistogram()),
    HistogramLogInterval(tag: "connect", start: 1.5, length: 0.25, histogram: histogram([1, 830_000, oneHour])),
    HistogramLogInterval(start: 2.001, length: 3, histogram: histogram([47_900_000])),
  ]

  private static func log(_ intervals: [HistogramLogInterval]) throws -> String {
    var writer = HistogramLogWriter(
      startTime: 1_795_208_400.123, startText: "2026-11-20T21:00:00.123Z", comment: "Logged with\na test]")
    for interval in intervals { try writer.add(interval) }
    return writer.text
  }

  private static func read(_ text: String) throws(HistogramError) -> [HistogramLogInterval] {
    var reader = HistogramLogReader([UInt8](text.utf8))
    var intervals: [HistogramLogInterval] = []
    while let interval = try reader.next() { intervals.append(interval) }
    return intervals
  }

  @Test func theHeadIsTheFormats() throws {
    let lines = try Self.log([]).split(separator: "\n")
    #expect(
      lines == [
        "#[Logged with a test ]", "#[Histogram log format version 1.3]",
        "#[StartTime: 1795208400.123 (seconds since epoch), 2026-11-20T21:00:00.123Z]",
        "#[BaseTime: 1795208400.123 (seconds since epoch)]",
        #""StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram""#,
      ])
    let line = try #require(try Self.log(Self.intervals).split(separator: "\n").dropFirst(5).first)
    #expect(line.hasPrefix("Tag=allocation,0.000,1.000,5.005,HISTFAAA"))
  }

  @Test func whatWasWrittenIsRead() throws {
    var reader = HistogramLogReader([UInt8](try Self.log(Self.intervals).utf8))
    #expect(try reader.next() == Self.intervals[0])
    #expect(reader.startTime == 1_795_208_400.123 && reader.baseTime == reader.startTime)
    #expect(try Self.read(Self.log(Self.intervals)) == Self.intervals)
    // By other systems, and without an end of the last line.
    let other = try Self.log(Self.intervals).replacing("\n", with: "\r\n").dropLast()
    #expect(try Self.read(String(other)) == Self.intervals)
    #expect(try Self.read("") == [])
  }

  @Test(arguments: ["", "a,b", "a b", "a\nb", "a\tb", "a\u{2028}b", "a\r"])
  func aTagThatReadersWouldSplitIsRefused(_ tag: String) {
    #expect(
      errorKind { try _ = Self.log([.init(tag: tag, start: 0, length: 1, histogram: LatencyHistogram())]) }
        == .corruptLog)
  }

  @Test(arguments: [-1, .nan, .infinity, 1e300])
  func aTimeThatIsNoneIsRefused(_ time: Double) {
    #expect(
      errorKind { _ = try Self.log([.init(start: time, length: 1, histogram: LatencyHistogram())]) } == .corruptLog)
    #expect(
      errorKind { _ = try Self.log([.init(start: 1, length: time, histogram: LatencyHistogram())]) } == .corruptLog)
  }

  private static let data = HistogramV2Codec.encodeCompressedBase64(histogram([47_900_000]))

  @Test(arguments: [
    ("0.0,1.0,2.0", HistogramError.Kind.corruptLog), ("0.0,1.0,2.0,", .wrongLength),
    ("0.0,1.0,2.0,\(data),x", .corruptLog), ("Tag=,0.0,1.0,2.0,\(data)", .corruptLog),
    ("Tag=a b,0.0,1.0,2.0,\(data)", .corruptLog), ("Tag=a,b,0.0,1.0,2.0,\(data)", .corruptLog),
    ("-1,1.0,2.0,\(data)", .corruptLog), ("nan,1.0,2.0,\(data)", .corruptLog), ("1e3,1.0,2.0,\(data)", .corruptLog),
    ("0x1,1.0,2.0,\(data)", .corruptLog), (".,1.0,2.0,\(data)", .corruptLog), ("1.2.3,1.0,2.0,\(data)", .corruptLog),
    ("0.0,,2.0,\(data)", .corruptLog), ("0.0,1.0,x,\(data)", .corruptLog),
    ("0.0,1.0,2.0,\(data.dropLast(8))", .wrongLength), ("0.0,1.0,2.0,AAAAAAAAAAAA", .unsupportedEncoding),
    ("0.0,1.0,2.0,\u{0}\u{fffd}", .notBase64), ("", .corruptLog), ("text", .corruptLog),
    ("#[Histogram log format version 2.0]", .unsupportedEncoding),
    ("#[StartTime: now (seconds since epoch)]", .corruptLog),
    ("#[BaseTime: ]", .corruptLog), (String(repeating: "9", count: 400) + ",1,1,\(data)", .corruptLog),
  ])
  func aLineThatIsNoneOfTheFormatsIsAnErrorThatNamesIt(line: String, kind: HistogramError.Kind) throws {
    var reader = HistogramLogReader([UInt8]("#comment\n\(line)\n0.0,1.0,2.0,\(Self.data)\n".utf8))
    do {
      _ = try reader.next()
      Issue.record("'\(line)' was read")
    } catch {
      #expect(error.kind == kind, "\(line): \(error)")
      #expect(error.message.hasPrefix("line 2: "))
    }
    // The lines behind it are whole.
    #expect(try reader.next()?.histogram.totalCount == 1)
    #expect(try reader.next() == nil)
  }

  @Test func everyCutLogIsAnErrorOrAWholePartOfIt() throws {
    let bytes = [UInt8](try Self.log(Self.intervals).utf8)
    for length in stride(from: 0, to: bytes.count, by: 3) {
      var reader = HistogramLogReader(Array(bytes[..<length]))
      var read: [HistogramLogInterval] = []
      do { while let interval = try reader.next() { read.append(interval) } } catch { continue }
      #expect(read == Array(Self.intervals.prefix(read.count)), "after \(length) bytes")
    }
  }

  @Test func randomBytesNeverCrashTheReader() throws {
    var random = SplitMix64(seed: 3)
    let bytes = [UInt8](try Self.log(Self.intervals).utf8)
    for _ in 0..<300 {
      var broken = bytes
      for _ in 0..<3 {
        broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      var reader = HistogramLogReader(broken)
      // An error ends a line, not the log: every round takes a line.
      for _ in 0..<20 { _ = try? reader.next() }
    }
  }

  private struct PythonLog: Decodable {
    struct Interval: Decodable {
      var tag: String?
      var start: Double
      var end: Double
      var count: UInt64
      var min: UInt64
      var max: UInt64
      var valuesAtRanks: [UInt64]
    }
    var startTime: Double
    var intervals: [Interval]
  }

  private static func temporaryFile() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("infrabench-\(UUID().uuidString).hlog").path
  }

  @Test(.enabled(if: PythonHistogramTests.python != nil, "INFRABENCH_PYTHON names no interpreter with hdrhistogram"))
  func pythonReadsOurLogs() throws {
    let path = Self.temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(Self.log(Self.intervals).utf8).write(to: URL(fileURLWithPath: path))
    let read = try JSONDecoder().decode(PythonLog.self, from: Data(PythonLogs.run("read", path).utf8))
    #expect(read.startTime == 1_795_208_400.123)
    #expect(read.intervals.map(\.tag) == Self.intervals.map(\.tag))
    for (theirs, ours) in zip(read.intervals, Self.intervals) {
      let histogram = ours.histogram
      #expect(abs(theirs.start - read.startTime - ours.start) < 1e-3)
      #expect(abs(theirs.end - theirs.start - ours.length) < 1e-3)
      #expect(theirs.count == histogram.totalCount && theirs.max == histogram.max)
      // By rank: this library rounds percentiles to the nearest rank, and we round up.
      let ranks = (0..<histogram.totalCount).map { Double($0 + 1) * 100 / Double(histogram.totalCount) }
      #expect(theirs.valuesAtRanks == histogram.values(atPercentiles: ranks))
    }
  }

  @Test(.enabled(if: PythonHistogramTests.python != nil, "INFRABENCH_PYTHON names no interpreter with hdrhistogram"))
  func weReadPythonsLogs() throws {
    let path = Self.temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let histograms = try histogramsOfManyShapes().map(\.histogram).filter { $0.totalCount < 1 << 31 }
    let input = histograms.map { HistogramV2Codec.encodeCompressedBase64($0) }.joined(separator: "\n")
    _ = try PythonLogs.run("write", path, input: input)
    var reader = HistogramLogReader([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
    for (number, histogram) in histograms.enumerated() {
      let interval = try #require(try reader.next())
      #expect(interval.start == Double(5 + number) && interval.length == 1 && interval.tag == nil)
      #expect(interval.histogram == histogram)
    }
    #expect(try reader.next() == nil)
    #expect(reader.startTime == 1_795_208_400.123 && reader.baseTime == 1_795_208_400.123)
  }
}
