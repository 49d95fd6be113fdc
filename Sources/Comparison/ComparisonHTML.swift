import Latency
import Reports
import Results
import TextFormatting

/// A comparison as an HTML page.
package struct ComparisonHTML {
  private let comparison: Comparison
  private let report: ComparisonReport

  package init(_ comparison: Comparison) {
    self.comparison = comparison
    report = ComparisonReport(comparison)
  }

  /// The page's text.
  package var source: String { HTMLPage(title: "Comparison: \(report.outcome)", content: content).source }

  private var content: HTML {
    let groups = comparison.groups.enumerated().map { index, group in
      ComparisonGroupHTML(group, settings: comparison.settings, isDrawn: index < Self.mostDrawn).html
    }
    return HTML([header, tiles, warnings] + groups + [undrawn, notCompared, method].compactMap { $0 })
  }

  /// The most groups with pictures, because a group has several pictures of up to 50 kB each.
  private static let mostDrawn = 40

  private var header: HTML {
    let facts = [
      "OLD: \(comparison.oldName) (\(ComparisonSections.runs(comparison.runsOld)))",
      "NEW: \(comparison.newName) (\(ComparisonSections.runs(comparison.runsNew)))",
    ]
    return """
      <header>
      <h1>Comparison \(headline)</h1>
      \(HTML.list(facts, class: "facts"))</header>

      """
  }

  /// The most serious verdict.
  private var headline: HTML {
    let found = Set(comparison.judged.filter { !$0.isAllZero }.map(\.verdict))
    guard let (verdict, words) = Self.verdicts.first(where: { found.contains($0.0) }) else {
      return "<span class=\"badge\">exploratory only</span>"
    }
    return "<span class=\"badge \(VerdictBadge(verdict).style)\">\(words)</span>"
  }

  private static let verdicts: [(StatisticComparison.Verdict, String)] = [
    (.slower, "slower or worse"), (.faster, "faster or better"), (.noChange, "no change shown"),
    (.tooFewRuns, "too few runs"),
  ]

  /// The numbers of verdicts on headline metrics and rates.
  private var tiles: HTML {
    let judged = comparison.judged.filter { !$0.isAllZero }
    let items = Self.verdicts.map { verdict, words -> HTML in
      "<li><b>\(judged.count { $0.verdict == verdict })</b><span>\(words)</span></li>\n"
    }
    return """
      <ul class="tiles">
      \(items)</ul>
      <p class="soft">Statistics of headline metrics, and rates. All other metrics are exploratory and not counted here.</p>

      """
  }

  private var warnings: HTML {
    let differences = comparison.environmentDifferences.map { difference in
      difference.isSerious
        ? HTML.alert("Not the same machine:", difference.sentence, class: "bad")
        : HTML.alert("Different:", difference.sentence, class: "")
    }
    return HTML(differences) + HTML.notes(comparison.notes)
      + HTML(comparison.workloadDifferences.map { HTML.alert("Nearly alike:", $0, class: "warn") })
  }

  private var undrawn: HTML? {
    comparison.groups.count <= Self.mostDrawn
      ? nil : HTML.paragraph("Pictures are made of the first \(Self.mostDrawn) groups; the others have their tables.")
  }

  private var notCompared: HTML? {
    guard !comparison.excluded.isEmpty || !comparison.onlyOnOneSide.isEmpty else { return nil }
    var unmatched = HTMLTable("On one side only", header: ["group", "side", "runs", "parameters"])
    for group in comparison.onlyOnOneSide {
      unmatched.add([group.key.title, group.side.rawValue, "\(group.runs)", group.key.parameterText])
    }
    return HTMLSection(title: "Not compared", content: unmatched.html + HTML.excluded(comparison.excluded)).html
  }

  private var method: HTML {
    HTMLSection(
      title: "How it is judged",
      content: HTML.list(
        [
          "The unit is the run: the requests of a run share its machine and its minutes, and are no independent samples.",
          "Per statistic an exact rank test over the runs (Mann–Whitney U), and the shift with the interval that inverts "
            + "the same test (Hodges–Lehmann, for latencies of their logarithms).",
          "The statistics of a tool's headline metric are corrected together (Holm), and so are its rates.",
          "Pooled percentiles are exact merges of all runs of a side. They are shown, not tested.",
        ] + ComparisonTables.legend(of: comparison.groups, comparison.settings))
    ).html
  }
}

extension HTML {
  /// The files that were left out, and why; empty without any.
  static func excluded(_ files: [ExcludedFile]) -> HTML {
    guard !files.isEmpty else { return "" }
    return "<h3>Left out</h3>\n\(list(ComparisonSections.excluded(files).sentences))"
  }
}

/// The part of the page for one tool under one load.
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
      // The lower bound is the reverse of the upper: a change by +5 % and its reversal count alike.
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
    // The other rates are 0 in all runs.
    let shown = group.displayedRates
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
        // A mark holds for both sides, as in the other reports.
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

  /// OLD beside NEW, with all runs of a side together.
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
            + figures.map { NumberText.time(milliseconds: $0 / 1e6) })
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

/// The colours of a verdict.
struct VerdictBadge {
  /// The badge's class.
  let style: String
  /// The number of the series' colour in pictures.
  let colour: Int

  init(_ verdict: StatisticComparison.Verdict) {
    switch verdict {
    case .faster: (style, colour) = ("good", 2)
    case .slower: (style, colour) = ("bad", 1)
    case .noChange: (style, colour) = ("", 5)
    case .tooFewRuns: (style, colour) = ("warn", 4)
    }
  }
}

extension StatisticComparison {
  /// The verdict in a short form.
  var shortVerdict: String {
    switch verdict {
    case .faster, .slower, .noChange: verdictText
    case .tooFewRuns: "too few runs"
    }
  }
}
