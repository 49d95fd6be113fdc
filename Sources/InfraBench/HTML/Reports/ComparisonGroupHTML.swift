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
      rows: statistics.map(Self.row), title: "change from OLD to NEW", unit: "%",
      // +5 % and its way back count alike.
      band: (1 / (1 + settings.minEffect) - 1) * 100...settings.minEffect * 100)
    return HTMLFigure(
      title: "Change of latencies",
      explanation: [
        "The change from OLD to NEW with the interval that the runs allow; left of zero is faster.",
        "Within the grey band a change is too small to count. Hollow points are exploratory.",
        "Where there is no interval the runs are too few for one.",
      ], picture: plot.picture, table: table
    ).html
  }

  private var rates: HTML? {
    guard !group.rates.isEmpty else { return nil }
    let table = table(of: group.rates, caption: "Changes of rates, in percentage points")
    // Nothing ever happened in the others.
    let shown = group.rates.filter { !$0.isAllZero }
    guard isDrawn, !shown.isEmpty else { return table }
    let plot = ForestPlot(
      rows: shown.map(Self.row), title: "change from OLD to NEW in percentage points", unit: "", band: nil)
    return HTMLFigure(
      title: "Change of rates",
      explanation: ["Shares of the iterations; those that are 0 in all runs are in the table alone."],
      picture: plot.picture, table: table
    ).html
  }

  private static func name(_ comparison: StatisticComparison) -> String {
    switch comparison.statistic {
    case .mean: "\(comparison.metric) mean"
    case .rate: comparison.metric
    default: "\(comparison.metric) \(comparison.statistic.rawValue.uppercased())"
    }
  }

  private static func row(_ comparison: StatisticComparison) -> ForestPlot.Row {
    let badge = VerdictBadge(comparison)
    return ForestPlot.Row(
      name: name(comparison), change: comparison.change, interval: comparison.interval, verdict: badge.words,
      colour: badge.colour, isExploratory: comparison.isExploratory)
  }

  private func table(of statistics: [StatisticComparison], caption: String) -> HTML {
    var table = HTMLTable(
      caption, header: ["statistic", "OLD", "NEW", "change", "interval", "p", "runs", "verdict", ""])
    for comparison in statistics {
      let isRate = comparison.statistic == .rate
      let value = { (value: Double) in
        isRate ? "\(Figures.decimals(value, 2))%" : Figures.time(milliseconds: value)
      }
      let unit = isRate ? "" : "%"
      let interval = comparison.interval.map {
        "\(ForestPlot.signed($0.lowerBound, unit)) to \(ForestPlot.signed($0.upperBound, unit))"
      }
      let figures = [
        Self.name(comparison) + (comparison.mark?.rawValue ?? ""), value(comparison.oldMedian),
        value(comparison.newMedian), ForestPlot.signed(comparison.change, unit), interval ?? "",
        Figures.decimals(comparison.pValue, 4), "\(comparison.old.count) and \(comparison.new.count)",
      ]
      table.add(
        figures.map { .init(text: $0) } + [
          .init(text: VerdictBadge.sentence(of: comparison), badge: VerdictBadge(comparison).style),
          .init(text: comparison.isExploratory ? "exploratory" : ""),
        ])
    }
    return table.html
      + HTML.list(MetricDocument.Mark.legend(of: Set(statistics.compactMap(\.mark))), class: "legend")
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
