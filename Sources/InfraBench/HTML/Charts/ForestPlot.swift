/// Changes with their intervals, a row each: a forest plot.
struct ForestPlot {
  struct Row {
    var name: String
    /// In percent, or in percentage points.
    var change: Double
    /// Nil where the runs are too few for one.
    var interval: ClosedRange<Double>?
    /// The change and the interval in words.
    var text: String
    var verdict: String
    /// Which of the series' colours.
    var colour: Int
    /// Judged alone, as one of many.
    var isExploratory: Bool
  }

  let rows: [Row]
  /// What the axis is.
  let title: String
  /// Changes within it don't count; nil where there is no such range on this axis.
  let band: ClosedRange<Double>?

  private static let rowHeight = 24.0
  private static let left = 236.0
  private static let right = 150.0
  /// What lies further out is cut off, and said so: one wild statistic must not hide the others.
  private static let farthest = 300.0

  var picture: HTML {
    let plot = Plot(
      height: Double(rows.count) * Self.rowHeight + 70, left: Self.left, right: Self.right, top: 12, x: axis,
      y: Axis(linear: 0, 1))
    let band = band.map { band -> HTML in
      let (left, right) = (plot.px(band.lowerBound), plot.px(band.upperBound))
      return """
        <rect class="band" x="\(px: left)" y="\(px: plot.top)" width="\(px: right - left)" \
        height="\(px: plot.innerBottom - plot.top)"><title>too small to count</title></rect>

        """
    }
    let zero = plot.px(0)
    let lines = rows.enumerated().map { index, row in
      draw(row, at: plot.top + (Double(index) + 0.5) * Self.rowHeight + 2, on: plot)
    }
    return plot.picture(
      label,
      "\(band)" + plot.columns(title, plot.x.ticks.map { ($0, Self.signed($0)) })
        + "<line class=\"rule\" x1=\"\(px: zero)\" x2=\"\(px: zero)\" y1=\"\(px: plot.top)\" y2=\"\(px: plot.innerBottom)\"/>\n"
        + HTML(lines))
  }

  /// A tick's text, `+5`.
  private static func signed(_ value: Double) -> String {
    let number = Ticks.number(abs(value))
    return number == "0" ? number : (value < 0 ? "−" : "+") + number
  }

  /// As much of a name as there is room for.
  private static func short(_ name: String) -> String { name.count <= 34 ? name : "\(name.prefix(33))…" }

  private var axis: Axis {
    let values = rows.flatMap { [$0.change] + ($0.interval.map { [$0.lowerBound, $0.upperBound] } ?? []) }
    let far = (values + [band?.upperBound ?? 0].map { $0 * 2 }).map { min(max($0, -Self.farthest), Self.farthest) }
    let lower = min(far.min() ?? 0, 0)
    let upper = max(far.max() ?? 0, 0)
    let margin = max((upper - lower) * 0.06, 0.5)
    return Axis(linear: min(lower - margin, (band?.lowerBound ?? 0) * 1.5), upper + margin)
  }

  private var label: String {
    "\(title). "
      + rows.map { "\($0.name) \($0.text), \($0.verdict)" }.joined(separator: "; ")
  }

  private func draw(_ row: Row, at y: Double, on plot: Plot) -> HTML {
    let x = plot.px(row.change)
    let title = "\(row.name): \(row.text), \(row.verdict)"
    let whisker = row.interval.map { interval -> HTML in
      let (left, right) = (plot.px(interval.lowerBound), plot.px(interval.upperBound))
      return """
        <line class="whisker" x1="\(px: left)" x2="\(px: right)" y1="\(px: y)" y2="\(px: y)"/>\
        \(end(left, y, isCut: interval.lowerBound < plot.x.lower, direction: -1))\
        \(end(right, y, isCut: interval.upperBound > plot.x.upper, direction: 1))

        """
    }
    return """
      <g class="c\(row.colour)"><text class="end" x="\(px: plot.left - 10)" y="\(px: y + 4)">\(Self.short(row.name))</text>
      \(whisker)\(HTML.dot(x, y, class: row.isExploratory ? "hollow" : "dot", title))\
      <text class="name" x="\(px: plot.innerRight + 10)" y="\(px: y + 4)">\(row.verdict)</text></g>

      """
  }

  /// An interval's end; an arrow where it goes on.
  private func end(_ x: Double, _ y: Double, isCut: Bool, direction: Double) -> HTML {
    guard isCut else {
      return "<line class=\"whisker\" x1=\"\(px: x)\" x2=\"\(px: x)\" y1=\"\(px: y - 4)\" y2=\"\(px: y + 4)\"/>"
    }
    let back = x - 7 * direction
    return "<path class=\"fill\" d=\"M\(px: x) \(px: y)L\(px: back) \(px: y - 5)L\(px: back) \(px: y + 5)Z\"/>"
  }
}
