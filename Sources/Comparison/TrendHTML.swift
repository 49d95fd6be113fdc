import FoundationEssentials
import Latency
import Reports
import Results
import TextFormatting

/// A trend as an HTML page.
package struct TrendHTML {
  private let trend: Trend
  private let name: String

  /// - Parameter name: the path of the results as the user gave it.
  package init(_ trend: Trend, name: String) {
    self.trend = trend
    self.name = name
  }

  /// The page's text.
  package var source: String { HTMLPage(title: "Trend of \(name)", content: content).source }

  /// The most pictures, over all metrics of all groups.
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
      html += HTMLSection(title: "\(group.key.title): \(ComparisonSections.runs(group.runs))", content: parts).html
    }
    if pictures > Self.mostPictures {
      html += HTML.paragraph(
        "Pictures are made of the first \(Self.mostPictures) metrics; the others have their tables.")
    }
    guard !trend.excluded.isEmpty else { return html }
    return html + HTMLSection(title: "Not shown", content: HTML.excluded(trend.excluded)).html
  }

  /// The first and the last day, `2026-11-01 to 2026-11-20`.
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
          NumberText.time(milliseconds: spread.median),
          "\(NumberText.time(milliseconds: spread.min))–\(NumberText.time(milliseconds: spread.max))",
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

/// P50, P95 and P99 by day, each with the median and the range of the day's runs.
struct TrendChart {
  private struct Series {
    var name: String
    /// The points, sorted by the day's place on the axis.
    var points: [(place: Double, day: String, spread: MedianAndRange)]
  }

  private static let labelWidth = 86.0

  private let series: [Series]
  private let days: [(place: Double, day: String)]

  /// Makes a chart; nil if no day has a value.
  init?(_ metric: MetricTrend) {
    let days = metric.days.compactMap { day in Self.place(of: day.day).map { (place: $0, day: day.day) } }
    let figures: [(String, KeyPath<MetricTrend.Day, MedianAndRange?>)] = [
      ("P50", \.p50), ("P95", \.p95), ("P99", \.p99),
    ]
    series = figures.map { name, path in
      Series(
        name: name,
        points: metric.days.compactMap { day in
          guard let place = Self.place(of: day.day), let spread = day[keyPath: path] else { return nil }
          return (place, day.day, spread)
        })
    }
    self.days = days
    guard series.contains(where: { !$0.points.isEmpty }) else { return nil }
  }

  var key: [HTMLFigure.KeyEntry] { series.indices.map { .init(colour: $0, text: series[$0].name) } }

  func picture(of metric: String) -> HTML {
    let first = days.map(\.place).min() ?? 0
    let last = days.map(\.place).max() ?? 0
    let margin = max((last - first) * 0.04, 0.5)
    let plot = Plot(
      height: 320, x: Axis(linear: first - margin, last + margin),
      y: Axis(latencies: series.flatMap(\.points).flatMap { [$0.spread.min, $0.spread.max] }))
    let lines = series.indices.map { index -> HTML in
      "<g class=\"c\(index)\">\n\(draw(series[index], shift: Double(index - 1) * 4, on: plot))</g>\n"
    }
    return plot.picture(
      "\(metric) by day from \(days.first?.day ?? "") to \(days.last?.day ?? ""): P50, P95 and P99",
      plot.rows(Ticks.time) + plot.columns("day (UTC)", labels(on: plot)) + HTML(lines))
  }

  /// The days' labels, from the last day back, as far as there is room.
  private func labels(on plot: Plot) -> [(value: Double, label: String)] {
    var labels: [(value: Double, label: String)] = []
    for (place, day) in days.reversed() {
      if let last = labels.last, plot.px(last.value) - plot.px(place) < Self.labelWidth { continue }
      labels.append((place, day))
    }
    return labels
  }

  /// Draws a series, shifted sideways so that the ranges of several series do not hide each other.
  private func draw(_ series: Series, shift: Double, on plot: Plot) -> HTML {
    let points = series.points.map { (x: plot.px($0.place) + shift, y: plot.py($0.spread.median)) }
    let marks = zip(series.points, points).map { entry, point -> HTML in
      let title =
        "\(series.name), \(entry.day): median \(NumberText.time(milliseconds: entry.spread.median)), "
        + "\(NumberText.time(milliseconds: entry.spread.min)) to \(NumberText.time(milliseconds: entry.spread.max))"
      return """
        <line class="whisker" x1="\(px: point.x)" x2="\(px: point.x)" y1="\(px: plot.py(entry.spread.min))" \
        y2="\(px: plot.py(entry.spread.max))"/>\(HTML.dot(point.x, point.y, class: "dot", title))
        """
    }
    return HTML.line(points, class: "line") + HTML(marks)
  }

  /// A day's place: days since 1970; nil for a text that is no day.
  private static func place(of day: String) -> Double? {
    (try? Date.ISO8601FormatStyle().parse("\(day)T00:00:00Z")).map { ($0.timeIntervalSince1970 / 86_400).rounded() }
  }
}
