/// Percentiles over time, of intervals without histograms.
struct LatencyBands {
  private let intervals: [LatencyInterval]
  private static let names = [("p50", "P50"), ("p95", "P95"), ("p99", "P99"), ("max", "maximum")]
  /// An interval of the timeline: no run has more.
  private static let mostIntervals = 240

  /// Nil without a percentile.
  init?(_ intervals: [LatencyInterval]) {
    guard intervals.contains(where: { !$0.percentiles.isEmpty }) else { return nil }
    let step = max(1, (intervals.count + Self.mostIntervals - 1) / Self.mostIntervals)
    self.intervals = intervals.enumerated().filter { $0.offset.isMultiple(of: step) }.map(\.element)
  }

  var key: [HTMLFigure.KeyEntry] { Self.names.indices.map { .init(colour: $0, text: Self.names[$0].1) } }

  var picture: HTML {
    let plot = Plot(
      x: Axis(linear: 0, intervals.map(\.end).max() ?? 1),
      y: Axis(latencies: intervals.flatMap { $0.percentiles.values.map { $0 } }))
    let lines = Self.names.indices.map { index -> HTML in
      let (key, name) = Self.names[index]
      return "<g class=\"c\(index)\">\n\(draw(key, name, on: plot))</g>\n"
    }
    return plot.picture(
      "P50, P95, P99 and maximum of \(intervals.count) intervals over time",
      plot.rows(Ticks.time) + plot.secondColumns("seconds since the measurement began") + HTML(lines))
  }

  /// A line per stretch without gaps, and a point per interval.
  private func draw(_ key: String, _ name: String, on plot: Plot) -> HTML {
    var html = HTML()
    var stretch: [(x: Double, y: Double)] = []
    for interval in intervals {
      guard let value = interval.percentiles[key] else {
        html += HTML.line(stretch, class: "line")
        stretch = []
        continue
      }
      let point = (x: plot.px(interval.start + interval.length / 2), y: plot.py(value))
      stretch.append(point)
      let title =
        "\(name), \(Ticks.number(interval.start))–\(Ticks.number(interval.end)) s: \(Figures.time(milliseconds: value))"
      html += HTML.dot(point.x, point.y, radius: 2.5, class: "dot", title)
    }
    return html + HTML.line(stretch, class: "line")
  }
}
