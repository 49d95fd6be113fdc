import ArgumentParser
import Latency
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct StoredRenderingTests {
  private static func histogram(_ values: [UInt64]) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for value in values { histogram.record(value) }
    return histogram
  }

  private static func intervals(_ text: String) throws -> [HistogramLogInterval] {
    var reader = HistogramLogReader([UInt8](text.utf8))
    var intervals: [HistogramLogInterval] = []
    while let interval = try reader.next() { intervals.append(interval) }
    return intervals
  }

  private func file(_ document: ResultDocument, _ format: ResultRendering.Format, _ metrics: [String] = []) throws
    -> String
  {
    try #require(try ResultRendering(document).files(format, metrics: metrics).first).text
  }

  private let document = {
    var document = StoredSamples.run([1_000_000, 2_000_000, 3_000_000])
    document.metrics["connect"] = SampleDocuments.metric([830_000])
    return document
  }()

  @Test func aLogHasALinePerMetric() throws {
    let intervals = try Self.intervals(try file(document, .hlog))
    #expect(
      intervals == [
        .init(
          tag: "allocation", start: 0, length: 12.345, histogram: Self.histogram([1_000_000, 2_000_000, 3_000_000])),
        .init(tag: "connect", start: 0, length: 12.345, histogram: Self.histogram([830_000])),
      ])
    #expect(try Self.intervals(try file(document, .hlog, ["connect"])).map(\.tag) == ["connect"])
    #expect(
      try file(document, .hlog).contains("#[StartTime: 1795208400.123 (seconds since epoch), 2026-11-20T21:00:00.123Z]")
    )
  }

  @Test func aTimelinesHistogramsBecomeALinePerInterval() throws {
    func data(_ values: [UInt64]) -> JSONValue {
      .string(HistogramV2Codec.encodeCompressedBase64(Self.histogram(values)))
    }
    var document = document
    document.timeline = [
      ["t": 0, "seconds": 1, "metric": "allocation", "count": 2, "histogram": data([1_000_000, 2_000_000])],
      ["t": 1, "seconds": 1.001, "metric": "allocation", "count": 0],
      ["t": 2.001, "seconds": 0.5, "metric": "allocation", "count": 1, "histogram": data([3_000_000])],
    ]
    #expect(
      try Self.intervals(try file(document, .hlog)) == [
        .init(tag: "allocation", start: 0, length: 1, histogram: Self.histogram([1_000_000, 2_000_000])),
        .init(tag: "connect", start: 0, length: 12.345, histogram: Self.histogram([830_000])),
        .init(tag: "allocation", start: 2.001, length: 0.5, histogram: Self.histogram([3_000_000])),
      ])
  }

  /// A decoded histogram takes some hundred KB: a long timeline's are decoded one after the other, when they are written.
  @Test func whatIsToBeLoggedIsKeptAsTheDocumentHasIt() throws {
    var document = document
    document.timeline = [
      ["t": 3, "seconds": 1, "metric": "allocation", "histogram": "second"],
      ["t": 0.5, "seconds": 2.5, "metric": "allocation", "histogram": "first"],
      ["t": 0, "seconds": 1, "metric": "other", "histogram": "nobody's"],
    ]
    let data = try #require(document.metrics["connect"]).histogram.data
    let entries: [HistogramLog.Entry] = [
      .init(tag: "connect", start: 0, length: 12.345, data: data),
      .init(tag: "allocation", start: 0.5, length: 2.5, data: "first"),
      .init(tag: "allocation", start: 3, length: 1, data: "second"),
    ]
    #expect(HistogramLog.entries(of: document, metrics: ["allocation", "connect", "none"]) == entries)
    #expect(try entries[0].interval().histogram == Self.histogram([830_000]))
    #expect(throws: HistogramError.self) { try entries[1].interval() }
  }

  @Test func aHostileTimelineIsAnErrorOrLeftOut() throws {
    let data = JSONValue.string(HistogramV2Codec.encodeCompressedBase64(Self.histogram([1])))
    var document = document
    document.timeline = [
      ["t": "x", "seconds": 1, "metric": "allocation", "histogram": data], ["metric": "allocation", "histogram": 3],
      ["metric": .object([:]), "t": 0, "seconds": 1, "histogram": data],
    ]
    #expect(try Self.intervals(try file(document, .hlog)).map(\.length) == [12.345, 12.345])
    document.timeline = [["t": -1, "seconds": 1, "metric": "allocation", "histogram": data]]
    #expect(throws: HistogramError.self) { try file(document, .hlog) }
  }

  @Test func everyMetricHasADistributionOfItsOwn() throws {
    let files = try ResultRendering(document).files(.hgrm, metrics: [])
    #expect(files.map(\.suffix) == ["-allocation.hgrm", "-connect.hgrm"])
    #expect(files.map(\.text)[1] == PercentileDistribution.text(of: Self.histogram([830_000])))
    #expect(try ResultRendering(document).files(.hgrm, metrics: ["connect", "all"]).map(\.suffix) == ["-connect.hgrm"])
  }

  @Test func theHeadlineIsFirst() {
    var exhaustion = SampleDocuments.polled
    exhaustion.metrics["aaa"] = exhaustion.metrics["drain"]
    #expect(ResultRendering(exhaustion).metrics == ["refill_full", "drain", "aaa"])
  }

  @Test func otherFormatsAreThoseOfTheTools() throws {
    #expect(try file(document, .csv) == CSVReport(document).text)
    #expect(try file(document, .json) == ResultCoding.encode(document))
    #expect(try file(document, .md).hasPrefix("# bench-allocation: pass\n"))
  }

  @Test func hostileTextIsHarmlessInEveryRendering() {
    let rendering = ResultRendering(SampleDocuments.hostile)
    for text in [rendering.text(usesColor: false), rendering.markdown] {
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
      #expect(!text.contains("\n# heading"))
    }
  }

  @Test func helpIsTheGoldenOne() throws {
    try Golden.expect(ReportCommand.helpMessage(columns: 100), "bench-report-help.txt")
  }
}
