import Reports
package import Results
import TextFormatting

/// The headline metric of several runs side by side, with their median and range.
package struct RunsTable {
  /// The fewest runs a side for which an exact rank test can show anything, with Holm's correction over the statistics
  /// of a headline metric.
  static let fewest = 5

  private struct Row {
    var run: RunPlan.Run
    var verdict: String
    var document: ResultDocument?
    /// Whether its figures are the target's, and of a complete run.
    var counts: Bool
  }

  private var rows: [Row] = []

  package init() {}

  /// Adds a run; `document` is nil where it gave none.
  package mutating func add(_ run: RunPlan.Run, _ exit: ToolExit, _ document: ResultDocument?) {
    let verdict: String
    switch (document?.verdict, exit) {
    case (let known?, _): verdict = known.rawValue
    case (nil, .interrupted): verdict = ResultDocument.Verdict.interrupted.rawValue
    case (nil, _): verdict = ResultDocument.Verdict.error.rawValue
    }
    let saturated = document?.generator.saturated ?? false
    var document = document
    // The timeline is long, and the table does not use it.
    document?.timeline = nil
    rows.append(
      Row(
        run: run, verdict: verdict + (saturated ? " (saturated)" : ""), document: document,
        counts: !saturated && [.pass, .fail].contains(document?.verdict)))
  }

  /// The documents of one gateway's runs.
  func documents(of side: RunPlan.Side) -> [ResultDocument] {
    rows.filter { $0.run.side == side }.compactMap(\.document)
  }

  package var text: String { title + "\n" + table.plain + notes.map { $0 + "\n" }.joined() }

  package var markdown: String { "## \(title)\n\n\(table.markdown)" + notes.map { "\n\($0)\n" }.joined() }

  private var title: String {
    let runs = rows.count == 1 ? "1 run" : "\(rows.count) runs"
    return metric.map { "\(runs): \($0)" } ?? "\(runs): no sample of what the tool is there for"
  }

  /// The headline metric of the first run that has a sample.
  private var metric: String? {
    rows.lazy.compactMap { $0.document.flatMap { ReportTables(document: $0).headline?.name } }.first
  }

  private static let figures: [(title: String, statistic: Threshold.Statistic)] = [
    ("P50", .p50), ("P95", .p95), ("P99", .p99), ("max", .max),
  ]

  private func sample(_ row: Row) -> MetricDocument? { metric.flatMap { row.document?.metrics[$0] } }

  private var table: Table {
    var table = Table(["run"] + Self.figures.map(\.title) + ["verdict"])
    for row in rows {
      let metric = sample(row)
      table.add(
        [name(of: row.run)]
          + Self.figures.map { figure in metric.map { Self.text($0, figure.statistic) } ?? "" }
          + [row.verdict])
    }
    for side in sides {
      let samples = rows.filter { $0.run.side == side && $0.counts }.compactMap(sample)
      let spreads = Self.figures.map { figure in
        MedianAndRange(samples.filter { Self.isReliable($0, figure.statistic) }.map { $0.value(of: figure.statistic) })
      }
      guard samples.count > 1 else { continue }
      let suffix = side.map { " \($0.rawValue)" } ?? ""
      table.add(["median" + suffix] + spreads.map { $0.map { Self.time($0.median) } ?? "" } + [""])
      table.add(
        ["range" + suffix] + spreads.map { $0.map { "\(Self.time($0.min))–\(Self.time($0.max))" } ?? "" } + [""])
    }
    return table
  }

  private var sides: [RunPlan.Side?] {
    rows.contains { $0.run.side != nil } ? RunPlan.Side.allCases.map { $0 } : [nil]
  }

  private func name(of run: RunPlan.Run) -> String { "\(run.number)" + (run.side.map { " \($0.rawValue)" } ?? "") }

  private var notes: [String] {
    let leftOut = rows.count { !$0.counts }
    var notes: [String] = []
    if leftOut > 0 {
      let runs = leftOut == 1 ? "1 run, which was" : "\(leftOut) runs, which were"
      notes.append("The median and the range leave out \(runs) worthless, interrupted or saturated.")
    }
    if rows.compactMap(sample).contains(where: { sample in
      Self.figures.contains { !Self.isReliable(sample, $0.statistic) }
    }) {
      notes.append(
        "! so many iterations failed that it says nothing (of a maximum one is enough): the median and the range leave it "
          + "out")
    }
    if sides.contains(where: { side in rows.count { $0.run.side == side && $0.counts } < Self.fewest }) {
      notes.append(
        "With fewer than \(Self.fewest) runs a side bench-compare cannot show a change: --repeat \(Self.fewest) or more."
      )
    }
    return notes
  }

  private static func isReliable(_ metric: MetricDocument, _ statistic: Threshold.Statistic) -> Bool {
    metric.mark(of: statistic.rawValue) != .unreliable
  }

  private static func text(_ metric: MetricDocument, _ statistic: Threshold.Statistic) -> String {
    time(metric.value(of: statistic)) + (isReliable(metric, statistic) ? "" : "!")
  }

  private static func time(_ milliseconds: Double) -> String { NumberText.time(milliseconds: milliseconds) }
}
