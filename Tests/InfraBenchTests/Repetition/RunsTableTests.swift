import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

/// The table over the runs.
@Suite struct RunsTableTests {
  private func document(_ milliseconds: [UInt64], _ verdict: ResultDocument.Verdict = .pass) -> ResultDocument {
    var document = SampleDocuments.typical
    document.verdict = verdict
    document.metrics["allocation"] = SampleDocuments.metric(milliseconds.map { $0 * 1_000_000 })
    return document
  }

  private func table(_ documents: [ResultDocument?], alternates: Bool = false) -> RunsTable {
    var table = RunsTable()
    let runs = RunPlan(count: documents.count / (alternates ? 2 : 1), alternates: alternates, seed: 1, draw: nil).runs
    for (run, document) in zip(runs, documents) { table.add(run, document == nil ? .failed : .pass, document) }
    return table
  }

  @Test func medianAndRangeOverTheRuns() throws {
    let table = table([[40, 60], [44, 90], [50, 70]].map { document($0) })
    try Golden.expect(table.text, "runs.txt")
    try Golden.expect(table.markdown, "runs.md")
  }

  @Test func eachSideHasItsOwn() throws {
    try Golden.expect(table([[40], [80], [84], [44]].map { document($0) }, alternates: true).text, "runs-ab.txt")
  }

  @Test func whatIsNotTheTargetsFigureIsLeftOut() {
    var saturated = document([900])
    saturated.generator.saturated = true
    let lines = table([document([40]), saturated, document([1], .interrupted), nil, document([44])]).text
      .split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(lines[5].first == "4" && lines[5].last == "error" && lines[5].count == 2)
    let median = lines.first { $0.first == "median" }
    #expect(median?[1] == "42.0ms")
    #expect(lines.contains { $0.joined(separator: " ").contains("leave out 3 runs, which were worthless") })
  }

  @Test func tooFewRunsAreSaid() {
    func says(_ count: Int, alternates: Bool = false) -> Bool {
      table((0..<count).map { _ in document([40]) }, alternates: alternates).text.contains("--repeat 5")
    }
    #expect(says(4) && !says(5))
    #expect(says(8, alternates: true) && !says(10, alternates: true))
  }

  @Test func withoutASampleTheTableStillNamesTheRuns() {
    #expect(table([nil, nil]).text.hasPrefix("2 runs: no sample"))
  }

  @Test func twoGatewaysAreComparedAsBenchCompareWould() async {
    func runs(_ side: String, _ latencies: [UInt64]) -> [ResultDocument] {
      latencies.enumerated().map { index, latency in
        var document = document(Array(repeating: latency, count: 20))
        document.startedAt = "2026-11-20T21:0\(side == "a" ? 0 : 1):0\(index).123Z"
        document.target = .init(kind: "remote", gatewayUrl: "http://\(side).example", ecsEndpointUrl: nil)
        document.label = side
        document.repetition = .init(run: 2 * index + (side == "a" ? 1 : 2), of: 10, side: side)
        return document
      }
    }
    let comparison = ABComparison(a: runs("a", [40, 41, 42, 43, 44]), b: runs("b", [60, 61, 62, 63, 64]))
    let text = await comparison.report(asMarkdown: false)
    #expect(text.contains("OLD: a http://a.example (5 runs), NEW: b http://b.example (5 runs)"), "\(text)")
    #expect(text.contains("slower"))
    #expect(await comparison.report(asMarkdown: true).hasPrefix("## Comparison: "))
    let nothing = await ABComparison(a: runs("a", [40]), b: []).report(asMarkdown: false)
    #expect(nothing.hasPrefix("a and b cannot be compared:\n"), "\(nothing)")
  }
}
