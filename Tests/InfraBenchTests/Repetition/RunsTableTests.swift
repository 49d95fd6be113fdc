import Testing

@testable import InfraBench

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
    #expect(lines[6].first == "4" && lines[6].last == "error" && lines[6].count == 2)
    let median = lines.first { $0.first == "median" }
    #expect(median?[1] == "42.0ms")
    #expect(lines.contains { $0.joined(separator: " ").contains("leave out 3 runs, which were failed") })
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

  @Test func theMedianOfAnEvenNumberIsBetweenTheMiddleTwo() {
    #expect(Spread([3, 1, 2]) == Spread([1, 2, 3]) && Spread([3, 1, 2])?.median == 2)
    #expect(Spread([4, 1, 3, 2])?.median == 2.5)
    #expect(Spread([]) == nil)
  }
}
