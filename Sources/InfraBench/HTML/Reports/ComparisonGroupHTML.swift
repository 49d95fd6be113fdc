import Latency

/// One tool under one load on both sides.
struct ComparisonGroupHTML {
  private let group: GroupComparison
  private let settings: Comparison.Settings
  private let isDrawn: Bool

  init(_ group: GroupComparison, settings: Comparison.Settings, isDrawn: Bool) {
    self.group = group
    self.settings = settings
    self.isDrawn = isDrawn
  }

  var html: HTML {
    let parameters = HTML.list([group.key.parameterText].filter { !$0.isEmpty }, class: "facts")
    return HTMLSection(
      title: "\(group.key.title): \(group.runsOld) OLD, \(group.runsNew) NEW",
      content: parameters + HTML([latencies, rates, pooled].compactMap { $0 })
    ).html
  }

  // MARK: - Changes

  private var latencies: HTML? {
    let statistics = group.metrics.flatMap(\.statistics)
    guard !statistics.isEmpty else { return nil }
    let table = table(of: statistics, caption: "Changes of latencies")
    guard isDrawn else { return table }
    let plot = ForestPlot(
      rows: statistics.map(Self.row), title: "change from OLD to NEW in percent",
      // +5 % and its way back count alike.
      band: (1 / (1 + settings.minEffect) - 1) * 100...settings.minEffect * 100)
    return HTMLFigure(
      title: "Change of latencies",
      explanation: [
        "The change from OLD to NEW with the interval that the runs allow; left of zero is faster.",
        "Within the grey band a change is too small to count. Hollow points are exploratory.",
        "Where there is no interval the runs are too few for one.",
        ForestPlot.arrows,
      ], picture: plot.picture, table: table
    ).html
  }

  private var rates: HTML? {
    // Nothing ever happened in the others.
    let shown = group.shownRates
    guard !shown.isEmpty else { return nil }
    let table = table(of: shown, caption: "Changes of rates, in percentage points")
    guard isDrawn else { return table }
    let plot = ForestPlot(
      rows: shown.map(Self.row), title: "change from OLD to NEW in percentage points", band: nil)
    return HTMLFigure(
      title: "Change of rates",
      explanation: [
        "Shares of the iterations. Those that are 0 in all runs are left out.", ForestPlot.arrows,
      ],
      picture: plot.picture, table: table
    ).html
  }

  private static func row(_ comparison: StatisticComparison) -> ForestPlot.Row {
    ForestPlot.Row(
      name: comparison.title, change: comparison.change, interval: comparison.interval,
      text: [comparison.changeText, comparison.intervalText.isEmpty ? "" : "(\(comparison.intervalText))"]
        .filter { !$0.isEmpty }.joined(separator: " "),
      verdict: comparison.shortVerdict, colour: VerdictBadge(comparison.verdict).colour,
      isExploratory: comparison.isExploratory)
  }

  private func table(of statistics: [StatisticComparison], caption: String) -> HTML {
    var table = HTMLTable(
      caption, header: ["statistic", "OLD", "NEW", "change", "interval", "p", "runs", "verdict"])
    for comparison in statistics {
      let figures = [
        // The marks are of both sides, as in the other reports.
        comparison.title + (comparison.mark?.rawValue ?? "") + (comparison.isExploratory ? "~" : ""),
        comparison.text(of: comparison.oldMedian), comparison.text(of: comparison.newMedian), comparison.changeText,
        comparison.intervalText, comparison.pText, "\(comparison.old.count)/\(comparison.new.count)",
      ]
      table.add(
        figures.map { .init(text: $0) } + [
          .init(text: comparison.verdictText, badge: VerdictBadge(comparison.verdict).style)
        ])
    }
    return table.html
  }

  // MARK: - Pooled

  /// OLD beside NEW, all runs of a side together.
  private var pooled: HTML? {
    guard !group.metrics.isEmpty else { return nil }
    var table = HTMLTable(
      "Pooled percentiles: all runs of a side together",
      header: ["metric", "side", "runs", "count", "mean", "P50", "P90", "P95", "P99", "P99.9", "max"])
    for metric in group.metrics {
      for (side, latencies) in [("OLD", metric.pooledOld), ("NEW", metric.pooledNew)] {
        guard let summary = latencies.summary else { continue }
        let figures = [summary.mean] + summary.percentiles.map { Double($0.value) } + [Double(summary.max)]
        table.add(
          [metric.name, side, "\(latencies.runs)", "\(summary.count)"]
            + figures.map { Figures.time(milliseconds: $0 / 1e6) })
      }
    }
    let headline = group.metrics.first(where: \.isHeadline) ?? group.metrics[0]
    let lines = [("OLD", headline.pooledOld), ("NEW", headline.pooledNew)].compactMap { side, latencies in
      SpectrumLine(side, latencies.histogram)
    }
    guard isDrawn, let chart = SpectrumChart(lines) else { return table.html }
    return HTMLFigure(
      title: "\(headline.name): OLD beside NEW",
      explanation: SpectrumChart.explanation + ["All runs of a side are merged: shown, not tested."],
      picture: chart.picture, key: chart.key, table: table.html
    ).html
  }
}
