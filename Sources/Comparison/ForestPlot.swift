import Reports

/// A forest plot: changes with their intervals, one per row.
struct ForestPlot {
  struct Row {
    var name: String
    /// The change in percent; for rates in percentage points.
    var change: Double
    /// The interval; nil if there are too few runs for one.
    var interval: ClosedRange<Double>?
    /// The change and the interval in words.
    var text: String
    var verdict: String
    /// The number of the series' colour.
    var colour: Int
    /// Whether it was judged alone, without correction for being one of many.
    var isExploratory: Bool
  }

  let rows: [Row]
  /// The axis' title.
  let title: String
  /// The range of changes that do not count; nil if this axis has no such range.
  let band: ClosedRange<Double>?

  private static let rowHeight = 24.0
  /// The approximate width of a letter in a name; `verdictLetter` is that in a verdict, which is bold.
  private static let nameLetter = 7.4
  private static let verdictLetter = 8.3
  private static let longestName = 30
  /// The end of the axis. Larger values are cut off and marked, so that one extreme statistic does not hide the others.
  private static let farthest = 300.0

  static let arrows = "An arrow at the edge goes on: a change that lies out there has its number beside it."

  var picture: HTML {
    let names = rows.map { Self.short($0.name).count }.max() ?? 0
    let verdicts = rows.map(\.verdict.count).max() ?? 0
    let plot = Plot(
      height: Double(rows.count) * Self.rowHeight + 70, left: Double(names) * Self.nameLetter + 18,
      right: min(Double(verdicts) * Self.verdictLetter + 14, 240), top: 12, x: axis, y: Axis(linear: 0, 1))
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

  /// A tick's text, such as `+5`.
  private static func signed(_ value: Double) -> String {
    let number = Ticks.number(abs(value))
    return number == "0" ? number : (value < 0 ? "−" : "+") + number
  }

  /// The name, cut to the available room.
  private static func short(_ name: String) -> String {
    name.count <= longestName ? name : "\(name.prefix(longestName - 1))…"
  }

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
    let whisker = row.interval.map { interval -> HTML in
      let (left, right) = (plot.px(interval.lowerBound), plot.px(interval.upperBound))
      return """
        <line class="whisker" x1="\(px: left)" x2="\(px: right)" y1="\(px: y)" y2="\(px: y)"/>\
        \(end(interval.lowerBound, y, on: plot))\(end(interval.upperBound, y, on: plot))

        """
    }
    return """
      <g class="c\(row.colour)"><text class="end" x="\(px: plot.left - 10)" y="\(px: y + 4)">\(Self.short(row.name))</text>
      \(whisker)\(point(of: row, y, on: plot))\
      <text class="name" x="\(px: plot.innerRight + 10)" y="\(px: y + 4)">\(row.verdict)</text></g>

      """
  }

  /// Draws the change. Beyond the axis it is a larger arrow with the number, because a point at the edge would show
  /// another change.
  private func point(of row: Row, _ y: Double, on plot: Plot) -> HTML {
    let style = row.isExploratory ? "hollow" : "dot"
    let title = "\(row.name): \(row.text), \(row.verdict)"
    let x = plot.px(row.change)
    guard let side = Self.side(of: row.change, on: plot.x) else { return HTML.dot(x, y, class: style, title) }
    let back = x - 12 * side
    let anchor = side > 0 ? "off end" : "off"
    return """
      <path class="\(style)" d="M\(px: x) \(px: y)L\(px: back) \(px: y - 7)L\(px: back) \(px: y + 7)Z"><title>\(title)</title></path>
      <text class="\(anchor)" x="\(px: back - 5 * side)" y="\(px: y + 4)">\(Self.signed(row.change))</text>

      """
  }

  /// Draws an interval's end; an arrow if the interval goes on beyond the axis.
  private func end(_ value: Double, _ y: Double, on plot: Plot) -> HTML {
    let x = plot.px(value)
    guard let side = Self.side(of: value, on: plot.x) else {
      return "<line class=\"whisker\" x1=\"\(px: x)\" x2=\"\(px: x)\" y1=\"\(px: y - 4)\" y2=\"\(px: y + 4)\"/>"
    }
    let back = x - 7 * side
    return "<path class=\"fill\" d=\"M\(px: x) \(px: y)L\(px: back) \(px: y - 5)L\(px: back) \(px: y + 5)Z\"/>"
  }

  /// The side on which a value lies beyond the axis, −1 or 1; nil within the axis.
  private static func side(of value: Double, on axis: Axis) -> Double? {
    value < axis.lower ? -1 : value > axis.upper ? 1 : nil
  }
}
