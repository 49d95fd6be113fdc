import Foundation
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

@Suite struct CSVTests {
  private static let isAvailable = Python.canImport("csv")

  private static var withTimeline: ResultDocument {
    var document = SampleDocuments.typical
    document.timeline = SampleDocuments.loadTimeline
    document.label = "nightly"
    return document
  }

  @Test func theTableIsTheGoldenOne() throws {
    try Golden.expect(CSVReport(Self.withTimeline).text, "report.csv")
  }

  @Test(arguments: [
    ("plain", "plain"), ("", ""), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "' =1"), ("\r\n=1", "'  =1"), ("  =1", "'  =1"), ("＝1", "'＝1"), ("=\u{301}1", "'=\u{301}1"),
    ("'quoted", "''quoted"), ("a=b", "a=b"), ("a\nb\u{0}\u{1b}c", "a b  c"), ("http://h/?a=-1", "http://h/?a=-1"),
  ])
  func textThatMightBeAFormulaIsNone(_ text: String, _ cell: String) {
    #expect(CSV.text(text) == cell)
  }

  @Test(arguments: [
    (["a", "b"], "a,b"), (["a,b", ""], "\"a,b\","), (["a\"b"], "\"a\"\"b\""), ([",\u{301}"], "\",\u{301}\""),
    (["\"\u{301}"], "\"\"\"\u{301}\""),
  ])
  func cellsAreQuotedWhereTheyMustBe(_ cells: [String], _ line: String) {
    #expect(Array(CSV.line(cells).unicodeScalars) == Array((line + "\r\n").unicodeScalars))
  }

  @Test(.enabled(if: isAvailable, "needs python3; INFRABENCH_PYTHON names an interpreter"))
  func pythonsReaderFindsEveryRowWhole() async throws {
    for document in [Self.withTimeline, SampleDocuments.hostile] {
      let rows = try await Self.parsed(CSVReport(document).text)
      #expect(rows[0] == CSVReport.columns)
      #expect(rows.allSatisfy { $0.count == CSVReport.columns.count })
      let cells = rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(CSVReport.columns, $0)) }
      #expect(cells.allSatisfy { $0["tool"] == document.tool.name && $0["label"] == CSV.text(document.label ?? "") })
      // Every figure of every metric, to the last digit.
      for (name, metric) in document.metrics {
        for (statistic, value) in [
          ("mean", metric.mean), ("stddev", metric.stddev), ("p99", metric.p99), ("max", metric.max),
        ] {
          let row = try #require(
            cells.first { $0["kind"] == "metric" && $0["name"] == name && $0["statistic"] == statistic })
          #expect(Double(row["value"] ?? "") == value && row["unit"] == "ms" && row["count"] == "\(metric.count)")
        }
      }
      #expect(cells.count { $0["kind"] == "counter" } == document.counters.count)
      #expect(cells.first { $0["kind"] == "error" }?["text"] == CSV.text(document.errors[0].example))
      let gaps = (document.timeline?.rows ?? []).map { $0.values.keys.count { !["t", "metric"].contains($0) } }
      #expect(cells.count { $0["kind"] == "timeline" } == gaps.reduce(0, +))
      // Numbers are numbers, and nothing else is in their columns.
      #expect(cells.allSatisfy { $0["value"] == "" || Double($0["value"] ?? "x") != nil })
    }
  }

  /// Of bench-exhaustion: a view that had nothing to say has no row.
  @Test func gapsOfATimelineHaveNoRow() {
    var document = SampleDocuments.typical
    document.timeline = [["t": 0.5, "listed": 5, "running": .null, "warm": 4], ["t": 1, "listed": .null]]
    let lines = CSVReport(document).text.split(separator: "\r\n").filter { $0.contains(",timeline,") }
    #expect(lines.map { $0.split(separator: ",timeline,").last } == [",listed,0.5,5,,,", ",warm,0.5,4,,,"])
  }

  @Test func parametersAndNotesAreInTheTable() {
    var document = SampleDocuments.typical
    document.parameters = ["count": .null, "rate": "200/s", "seed": 42, "hold": false, "headers": .array(["=a", "b"])]
    document.notes = ["one, two", "=three"]
    let lines = CSVReport(document).text.split(separator: "\r\n")
    #expect(
      lines.compactMap { $0.split(separator: ",parameter,").dropFirst().first } == [
        "headers,,,,,,\"'=a, b\"", "hold,,,,,,no", "rate,,,,,,200/s", "seed,,,42,,,",
      ])
    #expect(
      lines.compactMap { $0.split(separator: ",note,").dropFirst().first } == [",,,,,,\"one, two\"", ",,,,,,'=three"])
    #expect(lines.contains { $0.hasSuffix(",generator,schedule_lateness,p50,,0.04,ms,,") })
  }

  @Test func marksOfPercentilesAreInTheTable() {
    let text = CSVReport(SampleDocuments.typical).text
    #expect(text.contains(",metric,allocation,p50,,") && text.contains(",10,few samples\r\n"))
    #expect(text.contains(",10,unreliable\r\n") && text.contains(",1,maximum\r\n"))
  }

  private static func parsed(_ text: String) async throws -> [[String]] {
    let scratch = try ScratchDirectory()
    let script = """
      import csv, json, sys
      json.dump(list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8"), strict=True)), sys.stdout)
      """
    let result = try await Python.run(["-c", script, try scratch.write("table.csv", text)])
    try #require(result.status == 0, "\(result.output)")
    return try JSONDecoder().decode([[String]].self, from: Data(result.output.utf8))
  }
}
