import Foundation
import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results
import TextFormatting

/// Reports of streamed answers: the first token and the completion beside each other, and what the team measured.
@Suite struct StreamedReportTests {
  @Test func theReportsAreTheGoldenOnes() throws {
    let document = try StreamedSamples.real()
    try Golden.expect(MarkdownReport(document).text, "report-streamed.md")
    try Golden.expect(ResultHTML(document).source, "report-streamed.html")
  }

  @Test func bothStandBesideEachOtherWithTheirFigures() throws {
    let document = try StreamedSamples.real()
    let table = try #require(MetricPanel.all(of: document).first).table
    #expect(table.header.dropFirst().map { String($0.prefix(11)) } == ["first token", "first token", "completion "])
    #expect(table.rows.map { $0[0] } == ["count", "mean", "P50", "P95", "P99"])
    #expect(table.rows[0].dropFirst() == ["8", "16", "24"])
    for (row, statistic) in zip(table.rows.dropFirst(), [Threshold.Statistic.mean, .p50, .p95, .p99]) {
      for (cell, metric) in zip(row.dropFirst(), ["first_response", "message_roundtrip", "complete"]) {
        let figure = try #require(document.metrics[metric]).value(of: statistic)
        #expect(cell.hasPrefix(NumberText.time(milliseconds: figure)), "\(metric) \(statistic)")
      }
    }
    let heading = "## First token and completion\n\n| statistic | first token (first_response) |"
    #expect(MarkdownReport(document).text.contains(heading))
  }

  @Test func theDistributionsHaveCommonRangesAndLoseNothing() throws {
    let times = try #require(MetricPanel.all(of: StreamedSamples.real()).first)
    let bars = DistributionTable(times.histograms).html.source.split(separator: "<rect").count - 1
    #expect(bars == 12 * 2)
    let columns = DistributionTable(times.histograms).counts
    #expect(columns.map { $0.reduce(0, +) } == [8, 24])
    // Of other resolution, as another tool may have written it.
    var coarse = LatencyHistogram(
      layout: try HistogramLayout(
        lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000_000, significantDigits: 2))
    for value in [1_000_000, 900_000_000] as [UInt64] { coarse.record(value) }
    let mixed = DistributionTable([times.histograms[0], ("other", coarse)]).counts
    #expect(mixed.map { $0.reduce(0, +) } == [8, 2])
    #expect(DistributionTable([]).html == "" && DistributionTable([("none", LatencyHistogram())]).html == "")
  }

  @Test func whatIsNotStreamedHasNoSuchPart() throws {
    for missing in ["first_response", "complete"] {
      var document = try StreamedSamples.real()
      document.metrics[missing] = nil
      #expect(MetricPanel.all(of: document).isEmpty)
      #expect(
        !MarkdownReport(document).text.contains("First token") && !ResultHTML(document).source.contains("First token"))
      #expect(
        !MarkdownReport(document).text.contains("4268") && MarkdownReport(document).text.contains("whole restart"))
    }
    var plain = try StreamedSamples.real()
    plain.metrics["message_roundtrip"] = nil
    let panel = try #require(MetricPanel.all(of: plain).first)
    #expect(panel.parts.count == 2 && panel.remarks == [])
  }

  /// The tool's name has no say.
  @Test func referenceFiguresBelongToWhatWasMeasured() throws {
    var document = try StreamedSamples.real()
    document.tool = "bench-later"
    let figures = try #require(ReportTables(document: document).references)
    #expect(figures.rows.map { $0[1] } == ["4268 / 3869 ms", "6848 / 6624 ms", "7624–8484 ms", "12363–20414 ms"])
    document.metrics["complete"] = nil
    #expect(ReportTables(document: document).references == nil)
    #expect(try MarkupReader(ResultHTML(StreamedSamples.real()).source).text.contains("4268 / 3869 ms"))
  }

  // MARK: The headline

  @Test func theLastLineIsOfTheWholeWay() throws {
    let document = try StreamedSamples.real()
    let line = try #require(TextReport(document).text.split(separator: "\n").last)
    #expect(line.hasPrefix("Average: ") && !line.contains("("))
  }

  @Test(arguments: [["end_to_end"], ["end_to_end", "end_to_end_cold"]])
  func withoutTheUsualHeadlineTheLastLineNamesWhatStandsForIt(missing: [String]) throws {
    var document = try StreamedSamples.real()
    for name in missing { document.metrics[name] = nil }
    let name = missing.count == 1 ? "end_to_end_cold" : "first_response"
    #expect(ReportTables(document: document).headline?.name == name)
    #expect(TextReport(document).text.hasSuffix(" (\(name))\n"))
    let tool = SuiteSummary.Tool(tool: document.tool.name, exitStatus: 0, results: [("a.json", document)])
    #expect(tool.headline?.metric == name && tool.verdict == "pass")
    var merged = document
    merged.startedAt = "2026-11-20T11:00:00.000Z"
    let scratch = try ScratchDirectory()
    #expect(try ResultMerge.merge(StoredSamples.stored([document, merged], in: scratch)).verdict == .pass)
  }

  /// A run in which connections alone were measured is worthless.
  @Test func setUpAloneIsNothing() throws {
    #expect(["connect", "tls", "upgrade"].allSatisfy(EndToEndBenchmark.description.isSetUp))
    var document = try StreamedSamples.real()
    document.metrics = document.metrics.filter { ["connect", "upgrade"].contains($0.key) }
    var later = document
    later.startedAt = "2026-11-20T11:00:00.000Z"
    let scratch = try ScratchDirectory()
    #expect(try ResultMerge.merge(StoredSamples.stored([document, later], in: scratch)).verdict == .error)
  }
}
