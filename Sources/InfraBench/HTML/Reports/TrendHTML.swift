import Latency

/// A trend as a page of its own.
package struct TrendHTML {
  private let trend: Trend
  private let name: String

  /// - Parameter name: where the results are, as the user wrote it.
  package init(_ trend: Trend, name: String) {
    self.trend = trend
    self.name = name
  }

  /// The whole file.
  package var source: String { HTMLPage(title: "Trend of \(name)", content: content).source }

  /// Of all metrics of all groups.
  private static let mostPictures = 120

  private var content: HTML {
    var html: HTML = """
      <header>
      <h1>Trend</h1>
      \(HTML.list([name] + (days.map { [$0] } ?? []), class: "facts"))</header>

      """
    html += HTML.notes(trend.notes)
    if trend.groups.isEmpty { html += HTML.paragraph("There is no result to show.") }
    var pictures = 0
    for group in trend.groups {
      var parts = HTML.list([group.key.parameterText].filter { !$0.isEmpty }, class: "facts")
      for metric in group.metrics {
        parts += self.metric(metric, isDrawn: pictures < Self.mostPictures)
        pictures += 1
      }
      parts += rates(group.rates.filter { !$0.isAllZero })
      html += HTMLSection(title: "\(group.key.title): \(ComparisonRemarks.runs(group.runs))", content: parts).html
    }
    if pictures > Self.mostPictures {
      html += HTML.paragraph(
        "Pictures are made of the first \(Self.mostPictures) metrics; the others have their tables.")
    }
    guard !trend.excluded.isEmpty else { return html }
    return html + HTMLSection(title: "Not shown", content: HTML.excluded(trend.excluded)).html
  }

  /// `2026-11-01 to 2026-11-20`
  private var days: String? {
    let days = trend.groups.flatMap(\.metrics).flatMap(\.days).map(\.day)
    guard let first = days.min(), let last = days.max() else { return nil }
    return first == last ? first : "\(first) to \(last)"
  }

  private func metric(_ metric: MetricTrend, isDrawn: Bool) -> HTML {
    var table = HTMLTable(
      "\(metric.name): the median of each day's runs, and their range",
      header: ["day", "runs", "samples", "P50", "range", "P95", "range", "P99", "range"])
    for day in metric.days {
      let figures = [day.p50, day.p95, day.p99].map { spread -> [String] in
        guard let spread else { return ["unreliable", ""] }
        return [
          Figures.time(milliseconds: spread.median),
          "\(Figures.time(milliseconds: spread.min))–\(Figures.time(milliseconds: spread.max))",
        ]
      }
      var cells = [day.day, "\(day.runs)", day.pooled.summary.map { "\($0.count)" } ?? ""] + figures.flatMap { $0 }
      cells[7] += day.p99 == nil ? "" : day.mark?.rawValue ?? ""
      table.add(cells)
    }
    let marks = Set(metric.days.compactMap(\.mark))
    let numbers = table.html + HTML.list(MetricDocument.Mark.legend(of: marks), class: "legend")
    guard isDrawn, let chart = TrendChart(metric) else { return numbers }
    return HTMLFigure(
      title: metric.name + (metric.isHeadline ? " (headline)" : ""),
      explanation: ["A point is the median of a day's runs, the line through it their range."],
      picture: chart.picture(of: metric.name), key: chart.key, table: numbers
    ).html
  }

  private func rates(_ rates: [RateTrend]) -> HTML {
    var table = HTMLTable(
      "Rates by day: the median of the day's runs, and their range", header: ["day", "rate", "runs", "median", "range"])
    for rate in rates {
      for day in rate.days {
        let share = day.share
        table.add([
          day.day, rate.name, "\(day.runs)", StatisticComparison.percent(share.median),
          "\(StatisticComparison.percent(share.min))–\(StatisticComparison.percent(share.max))",
        ])
      }
    }
    return table.html
  }
}
