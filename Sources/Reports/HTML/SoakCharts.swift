import Results

/// A small picture for each series of a soak: its minutes, and the slope over the time that was tested.
struct SoakCharts {
  private let soak: Soak

  /// Nil for a run that is no soak.
  init?(_ document: ResultDocument) {
    guard let soak = document.soak, soak.trends.contains(where: { !$0.values.isEmpty }) else { return nil }
    self.soak = soak
  }

  var explanation: [String] {
    [
      "A picture is a series, a point a minute (of long soaks the mean of some). Its axis begins where the series does, "
        + "not at 0.",
      "The dashed line is the slope; the shaded time is left out of it.",
    ]
  }

  var pictures: HTML {
    HTML(soak.trends.filter { !$0.values.isEmpty }.map(picture))
  }

  private func picture(_ trend: Soak.Trend) -> HTML {
    let values = trend.values.map(\.value)
    let (least, most) = (values.min() ?? 0, values.max() ?? 0)
    // A constant series lies in the middle.
    let margin = most > least ? (most - least) * 0.08 : max(abs(most) * 0.05, 0.5)
    let end = max(trend.values.last?.t ?? 1, 1e-3)
    let inMinutes = end >= 600
    let plot = Plot(
      height: 190, left: 86, top: 26, bottom: 44, x: Axis(linear: 0, inMinutes ? end / 60 : end),
      y: Axis(linear: least >= 0 ? max(0, least - margin) : least - margin, most + margin, ticks: 3))
    func x(_ seconds: Double) -> Double { plot.px(inMinutes ? seconds / 60 : seconds) }
    let points = trend.values.map { (x: x($0.t), y: plot.py($0.value)) }
    let leftOut: HTML = """
      <rect class="band" x="\(px: x(0))" y="\(px: plot.top)" width="\(px: max(x(soak.leftOutSeconds) - x(0), 0))" \
      height="\(px: plot.innerBottom - plot.top)"><title>left out of the trend</title></rect>

      """
    let name: HTML = "<text class=\"name\" x=\"\(px: plot.left)\" y=\"\(px: plot.top - 9)\">\(trend.series)</text>\n"
    return plot.picture(
      "\(trend.series) over time: \(trend.direction.rawValue)",
      leftOut + plot.rows { SoakReport.text($0, trend.unit) }
        + plot.secondColumns(inMinutes ? "minutes since the measurement began" : "seconds since the measurement began")
        + "<g class=\"c0\">\n\(name)\(HTML.line(points, class: "line"))</g>\n" + slope(of: trend, to: end, x, plot))
  }

  /// The line of the slope through the middle of the tested time, where the median is.
  private func slope(of trend: Soak.Trend, to end: Double, _ x: (Double) -> Double, _ plot: Plot) -> HTML {
    guard let perHour = trend.perHour, let median = trend.median, end > soak.leftOutSeconds else { return "" }
    let middle = (soak.leftOutSeconds + end) / 2
    let line = [soak.leftOutSeconds, end].map { t in
      (x: x(t), y: plot.py(median + perHour * (t - middle) / 3600))
    }
    return "<g class=\"c1\">\n\(HTML.line(line, class: "thin"))</g>\n"
  }
}
