import Foundation
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct ResultHTMLTests {
  @Test func pagesAreTheGoldenOnes() throws {
    try Golden.expect(ResultHTML(HTMLSamples.load).source, "report.html")
    try Golden.expect(ResultHTML(HTMLSamples.pool).source, "report-pool.html")
    try Golden.expect(ResultHTML(HTMLSamples.endToEnd).source, "report-phases.html")
  }

  /// Whatever a document says, the page has the elements that it has with a harmless word in its place.
  @Test func hostileTextBecomesNoMarkup() throws {
    let hostile = try MarkupReader(ResultHTML(HTMLSamples.filled(with: HTMLSamples.hostile)).source)
    let harmless = try MarkupReader(ResultHTML(HTMLSamples.filled(with: "word")).source)
    #expect(hostile.elements.map(\.name).sorted() == harmless.elements.map(\.name).sorted())
    #expect(Set(hostile.elements.flatMap(\.attributes.keys)) == Set(harmless.elements.flatMap(\.attributes.keys)))
    #expect(hostile.text.contains("</title></style><script>document.title='owned'</script>"))
  }

  @Test func pagesFetchAndRunNothing() throws {
    for document in [HTMLSamples.load, HTMLSamples.pool, HTMLSamples.endToEnd, SampleDocuments.typical] {
      let page = try MarkupReader(ResultHTML(document).source)
      #expect(!page.elements.contains { ["script", "img", "iframe", "object", "a", "use", "base"].contains($0.name) })
      #expect(!page.elements.flatMap(\.attributes.keys).contains { $0.hasPrefix("on") || $0 == "src" })
      #expect(page.elements.compactMap { $0.attributes["href"] } == ["data:,"])
      let policy = page.elements.first { $0.attributes["http-equiv"] == "Content-Security-Policy" }
      #expect(policy?.attributes["content"]?.hasPrefix("default-src 'none'; style-src 'unsafe-inline'; ") == true)
    }
  }

  @Test func everyPictureHasWordsAndATable() throws {
    for document in [HTMLSamples.load, HTMLSamples.pool, HTMLSamples.endToEnd] {
      let source = ResultHTML(document).source
      let page = try MarkupReader(source)
      let pictures = page.elements.filter { $0.name == "svg" && $0.attributes["class"] == "picture" }
      #expect(!pictures.isEmpty)
      #expect(pictures.allSatisfy { $0.attributes["role"] == "img" && $0.attributes["aria-label"]?.isEmpty == false })
      for figure in source.split(separator: "<figure>").dropFirst() {
        #expect(figure.contains("<figcaption>") && figure.contains("<caption>"))
      }
      #expect(page.elements.filter { $0.name == "th" }.allSatisfy { ["row", "col"].contains($0.attributes["scope"]) })
    }
  }

  /// All that the Markdown report has.
  @Test func nothingOfTheMarkdownReportIsMissing() throws {
    let document = HTMLSamples.load
    let text = try MarkupReader(ResultHTML(document).source).text
    let tables = ReportTables(document: document)
    let all = [tables.percentiles, tables.counters, tables.errors, tables.parameters, tables.machine]
    for cell in all.flatMap({ $0.rows.flatMap { $0 } }) where !cell.isEmpty { #expect(text.contains(cell), "\(cell)") }
    for note in document.notes + tables.legend { #expect(text.contains(note)) }
    for threshold in document.thresholds {
      #expect(text.contains(threshold.expression) && text.contains(threshold.observedText))
    }
    for part in ["Saturated:", Saturation.advice, "isolation", "about 1 ms", "✗ fail", "start lateness P99"] {
      #expect(text.contains(part), "\(part)")
    }
  }

  @Test func withoutATimelineThePageSaysHowToGetOne() {
    var document = SampleDocuments.typical
    document.parameters["concurrency"] = 1
    #expect(ResultHTML(document).source.contains("--timeline 1s"))
    document.tool = "bench-dirinit"
    document.parameters["concurrency"] = nil
    #expect(!ResultHTML(document).source.contains("--timeline"))
  }

  @Test func theStoredSamplesHavePages() throws {
    let folder = URL(filePath: #filePath).appending(path: "../../../../results/sample").standardized
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "json" && !$0.lastPathComponent.hasPrefix("summary") }
    #expect(!files.isEmpty)
    for file in files {
      let document = try ResultCoding.decode(String(decoding: try Data(contentsOf: file), as: UTF8.self), tools: .suite)
      let page = try MarkupReader(ResultHTML(document).source)
      #expect(page.text.contains(document.startedAt), "\(file.lastPathComponent)")
    }
  }

  /// 240 intervals of samples in every bucket, and six metrics.
  @Test(.wholeSuiteOnly) func pagesOfTheLongestRunsAreBounded() throws {
    var histogram = LatencyHistogram()
    for index in 0..<20_000 as Range<UInt64> { histogram.record(1000 + index * index * 3) }
    let metric = try #require(MetricDocument(histogram))
    var document = HTMLSamples.load
    for name in ["allocation", "b", "c", "d", "e", "f", "g"] { document.metrics[name] = metric }
    document.timeline = ResultTimeline(
      (0..<240).map { HTMLSamples.interval(Double($0), []).merging(["count": 20_000]) { $1 } })
    for index in 0..<240 { document.timeline?.rows[index]["histogram"] = .string(metric.histogram.data) }
    #expect(ResultHTML(document).source.utf8.count < 700_000)
  }

  @Test func strangeMetricsStillHaveAPage() throws {
    var document = SampleDocuments.typical
    document.metrics = [:]
    #expect(try MarkupReader(ResultHTML(document).source).text.contains("There was no sample."))
    var broken = try #require(SampleDocuments.metric([1]))
    broken.histogram.data = "no histogram"
    broken.mean = .greatestFiniteMagnitude
    document.metrics = ["allocation": broken]
    document.timeline = [["t": .double(1e308), "seconds": .double(1e308), "count": 5, "histogram": "none", "p50": -1]]
    let page = try MarkupReader(ResultHTML(document).source)
    #expect(page.elements.allSatisfy { !$0.attributes.values.contains { $0.contains("nan") || $0.contains("inf") } })
  }
}
