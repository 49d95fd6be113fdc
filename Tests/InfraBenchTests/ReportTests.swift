import Testing

@testable import InfraBench
@testable import Reports
@testable import Results
import TextFormatting

@Suite struct ReportTests {
  @Test func theTextReportIsTheGoldenOne() throws {
    try Golden.expect(TextReport(SampleDocuments.typical).text, "report.txt")
  }

  @Test func theMarkdownReportIsTheGoldenOne() throws {
    try Golden.expect(MarkdownReport(SampleDocuments.typical).text, "report.md")
  }

  @Test func polledTimesStandBesideTheirResolution() throws {
    try Golden.expect(TextReport(SampleDocuments.polled).text, "report-polled.txt")
    try Golden.expect(MarkdownReport(SampleDocuments.polled).text, "report-polled.md")
    #expect(CSVReport(SampleDocuments.polled).text.contains(",metric,refill_full,resolution,,500.0,ms,2,"))
  }

  @Test func hostileTextIsHarmlessInMarkdown() throws {
    let text = MarkdownReport(SampleDocuments.hostile).text
    #expect(!text.contains("<script>") && !text.contains("[a](b)"))
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
    #expect(!text.contains("\n# heading"))
    // A cell stays a cell: every row of a table has as many bars as its header.
    for table in text.split(separator: "\n\n") where table.hasPrefix("|") {
      let bars = table.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
        line.replacing("\\|", with: "").count { $0 == "|" }
      }
      #expect(Set(bars).count == 1, "\(table)")
    }
    try Golden.expect(text, "report-hostile.md")
  }

  @Test func hostileTextIsHarmlessOnATerminal() {
    let text = TextReport(SampleDocuments.hostile).text
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
    #expect(!text.contains("\n# heading"))
  }

  @Test func theLastLineIsTheOneTheScriptsLookFor() {
    #expect(
      TextReport(SampleDocuments.typical).text.hasSuffix("\nAverage: 51.5ms, P50: 47.0ms, P95: 78.1ms, P99: 78.1ms\n"))
  }

  /// Connecting is no allocation: its figures must not pass for the tool's.
  @Test func withoutASampleOfWhatTheToolMeasuresThereIsNoLastLine() {
    var document = SampleDocuments.typical
    document.metrics["allocation"] = nil
    document.metrics["gateway_latency"] = nil
    #expect(!TextReport(document).text.contains("Average"))
  }

  @Test func coloursAreOnlyThereWhenAsked() {
    #expect(!TextReport(SampleDocuments.typical).text.contains("\u{1b}"))
    #expect(TextReport(SampleDocuments.typical, usesColor: true).text.contains("\u{1b}[31mfail\u{1b}[0m"))
  }

  @Test func marksHaveALegend() {
    var document = SampleDocuments.typical
    document.metrics = ["allocation": SampleDocuments.metric([1000], failed: FailedPart(2, of: 100))].compactMapValues {
      $0
    }
    let text = TextReport(document).text
    #expect(text.contains("1.00µs!") && text.contains("1.00µs^"))
    #expect(text.contains("! so many") && text.contains("^ no sample"))
  }

  @Test func columnsLineUp() {
    var table = Table(["a", "number"])
    table.add(["longer", "1"])
    table.add(["b", "1234567"])
    #expect(table.plain == "a        number\nlonger        1\nb       1234567\n")
    #expect(table.markdown == "| a | number |\n| --- | ---: |\n| longer | 1 |\n| b | 1234567 |\n")
  }

  @Test(
    arguments: [
      (0, "0.00µs"), (0.0005, "0.50µs"), (0.83, "830µs"), (0.9996, "1000µs"), (1, "1.00ms"), (47.94, "47.9ms"),
      (999.4, "999ms"), (1520, "1.52s"), (61_000, "61.0s"), (3_600_000, "3600s"), (-1.5, "-1.50ms"),
    ] as [(Double, String)])
  func timesHaveThreeFigures(_ milliseconds: Double, _ text: String) {
    #expect(NumberText.time(milliseconds: milliseconds) == text)
  }

  @Test func numbersThatAreNoneDoNotTrap() {
    for value in [Double.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 1e18, -1e300] {
      #expect(!NumberText.time(milliseconds: value).isEmpty && !NumberText.decimals(value, 3).isEmpty)
    }
    #expect(NumberText.decimals(-0.001, 2) == "0.00" && NumberText.decimals(2.005, 0) == "2")
    #expect(NumberText.percent(0.125) == "12.5%")
  }

  @Test func aLongTimelineIsThinnedOutAndKeepsItsEnd() throws {
    var document = SampleDocuments.typical
    document.timeline = ResultTimeline(
      (0..<1000).map { number -> ResultTimeline.Row in
        ["t": .double(Double(number) + 0.5), "warm": .int(Int64(number))]
      })
    let text = MarkdownReport(document).text
    #expect(
      text.contains("| 999.50 | 999 |") && text.contains("One of every 25 points is shown, and the last; all 1000 are"))
    #expect(text.split(separator: "\n").filter { $0.contains(".50 |") }.count <= 41)
  }

  @Test func aLoadRunsTimelineIsATableOfItsIntervals() throws {
    var document = SampleDocuments.typical
    document.timeline = SampleDocuments.loadTimeline
    let timeline = try #require(MarkdownReport(document).text.split(separator: "## Timeline\n\n").last)
    let lines = timeline.split(separator: "\n").prefix(5)
    #expect(
      lines == [
        "| t (s) | length (s) | iterations | errors | dropped | metric | count | P50 | P90 | P95 | P99 | max | added_later |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        #"| 0.00 | 1.00 | 500 | 0 | 0 | allocation | 500 | 1.20ms | 2.00ms | 2.50ms | 3.40ms\* | 5.60ms |  |"#,
        "| 1.00 | 1.00 | 0 | 0 | 2 | allocation | 0 |  |  |  |  |  |  |",
        #"| 2.00 | 0.50 | 120 | 1 | 0 | allocation | 119 | 250µs | 500µs | 750µs\* | 1.50s\* | 1.50s! | x |"#,
      ])
    #expect(timeline.contains("\n\\* fewer than 10 samples") && !timeline.contains("\n^"))
  }

  @Test func everyIntervalOfALoadRunIsShown() {
    var document = SampleDocuments.typical
    document.timeline = ResultTimeline((0..<240).map { ["t": .int($0), "seconds": 1, "iterations": 7] })
    let text = MarkdownReport(document).text
    #expect(text.split(separator: "\n").count { $0.hasSuffix("| 1.00 | 7 |") } == 240)
    #expect(!text.contains("is shown"))
  }

  /// As in the table of the whole run.
  @Test func intervalsMarkPercentilesThatRestOnFewSamples() throws {
    for count in [1, 9, 10, 11, 99, 100, 199, 200, 999, 1000] {
      let metric = try #require(SampleDocuments.metric((1...UInt64(count)).map { $0 * 1_000_000 }))
      var document = SampleDocuments.typical
      document.timeline = [
        ["t": 0, "seconds": 1, "count": .int(Int64(count)), "p50": 1, "p90": 1, "p95": 1, "p99": 1, "max": 1]
      ]
      let row = try #require(TimelineTable(document).text?.split(separator: "\n").dropFirst(2).first)
      let cells = row.replacing("\\*", with: "*").split(separator: " | ").dropFirst(3).prefix(4)
      let expected = ["p50", "p90", "p95", "p99"].map { "1.00ms" + (metric.mark(of: $0)?.rawValue ?? "") }
      #expect(cells.map(String.init) == expected, "\(count)")
    }
  }

  @Test func countersOfWhatBecameNoIterationAreASharesOfWhatWasDue() {
    var document = SampleDocuments.typical
    document.counters = ["iterations": 331, "errors": 33, "dropped": 1668, "censored": 1, "misses": 400]
    let text = ReportTables(document: document).counters.markdown
    for row in [
      "| errors | 33 | 10.0% |", "| dropped | 1668 | 83.4% of due |", "| censored | 1 | 0.1% of due |",
      "| misses | 400 |  |", "| iterations | 331 |  |",
    ] { #expect(text.contains(row + "\n"), "\(row) in \(text)") }
    document.counters = ["iterations": 0, "errors": 0, "dropped": 5, "censored": 0]
    #expect(ReportTables(document: document).counters.markdown.contains("| dropped | 5 | 100.0% of due |"))
  }

  @Test func theLegendExplainsOnlyMarksThatAreShown() {
    var document = SampleDocuments.typical
    // All of its percentiles are the maximum, and unreliable: that hides the former mark.
    document.metrics = ["allocation": SampleDocuments.metric([1000], failed: FailedPart(1, of: 1))].compactMapValues {
      $0
    }
    #expect(ReportTables(document: document).legend.map(\.first) == ["!"])
    document.metrics = ["allocation": SampleDocuments.metric([1000])].compactMapValues { $0 }
    #expect(ReportTables(document: document).legend.map(\.first) == ["^"])
  }
}
