import FoundationEssentials

/// P50, P95 and P99 by day: the median of a day's runs, and their range.
struct TrendChart {
  private struct Series {
    var name: String
    /// By the day's place on the axis.
    var points: [(place: Double, day: String, spread: Spread)]
  }

  private static let labelWidth = 86.0

  private let series: [Series]
  private let days: [(place: Double, day: String)]

  /// Nil where no day has a value.
  init?(_ metric: MetricTrend) {
    let days = metric.days.compactMap { day in Self.place(of: day.day).map { (place: $0, day: day.day) } }
    let figures: [(String, KeyPath<MetricTrend.Day, Spread?>)] = [("P50", \.p50), ("P95", \.p95), ("P99", \.p99)]
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

  /// From the last day back, as many as there is room for.
  private func labels(on plot: Plot) -> [(value: Double, label: String)] {
    var labels: [(value: Double, label: String)] = []
    for (place, day) in days.reversed() {
      if let last = labels.last, plot.px(last.value) - plot.px(place) < Self.labelWidth { continue }
      labels.append((place, day))
    }
    return labels
  }

  /// Beside one another, so that ranges don't hide each other.
  private func draw(_ series: Series, shift: Double, on plot: Plot) -> HTML {
    let points = series.points.map { (x: plot.px($0.place) + shift, y: plot.py($0.spread.median)) }
    let marks = zip(series.points, points).map { entry, point -> HTML in
      let title =
        "\(series.name), \(entry.day): median \(Figures.time(milliseconds: entry.spread.median)), "
        + "\(Figures.time(milliseconds: entry.spread.min)) to \(Figures.time(milliseconds: entry.spread.max))"
      return """
        <line class="whisker" x1="\(px: point.x)" x2="\(px: point.x)" y1="\(px: plot.py(entry.spread.min))" \
        y2="\(px: plot.py(entry.spread.max))"/>\(HTML.dot(point.x, point.y, class: "dot", title))
        """
    }
    return HTML.line(points, class: "line") + HTML(marks)
  }

  /// Days since 1970; nil for what is no day.
  private static func place(of day: String) -> Double? {
    (try? Date.ISO8601FormatStyle().parse("\(day)T00:00:00Z")).map { ($0.timeIntervalSince1970 / 86_400).rounded() }
  }
}
