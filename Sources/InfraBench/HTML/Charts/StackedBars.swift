/// Whole latencies, and below each the parts that its mean is made of.
struct StackedBars {
  let stacks: [PhaseStack]
  private static let barHeight = 26.0
  private static let rowHeight = 92.0
  /// Bars that differ more in length than so many times have pictures of their own.
  private static let widestRatio = 6.0

  /// A chart per size of stacks.
  static func of(_ stacks: [PhaseStack]) -> [StackedBars] {
    var charts: [[PhaseStack]] = []
    for stack in stacks {
      let index = charts.firstIndex { others in
        others.allSatisfy { other in
          let (left, right) = (stack.length, other.length)
          return max(left, right) <= min(left, right) * widestRatio
        }
      }
      if let index { charts[index].append(stack) } else { charts.append([stack]) }
    }
    return charts.map(StackedBars.init)
  }

  /// Which colour a part has; nil for what is left over.
  static func colour(ofPart index: Int, in stack: PhaseStack) -> Int? {
    stack.parts[index].isRest ? nil : stack.parts[..<index].count { !$0.isRest } % 6
  }

  var picture: HTML {
    let longest = stacks.map(\.length).max() ?? 1
    let plot = Plot(
      height: Double(stacks.count) * Self.rowHeight + 60, left: 14, top: 8, bottom: 46,
      x: Axis(linear: 0, longest * 1.02), y: Axis(linear: 0, 1))
    let bars = stacks.enumerated().map { index, stack in
      draw(stack, at: plot.top + Double(index) * Self.rowHeight, on: plot)
    }
    return plot.picture(label, plot.columns("mean", plot.x.ticks.map { ($0, Ticks.time($0)) }) + HTML(bars))
  }

  private var label: String {
    let texts = stacks.map { stack in
      let parts = stack.parts.map { "\($0.name) \(Figures.time(milliseconds: $0.milliseconds))" }
      return "\(stack.whole.name) \(Figures.time(milliseconds: stack.whole.milliseconds)): "
        + parts.joined(separator: ", ")
    }
    return "Means of phases as stacked bars. " + texts.joined(separator: "; ")
  }

  private func draw(_ stack: PhaseStack, at top: Double, on plot: Plot) -> HTML {
    let whole = plot.px(stack.whole.milliseconds)
    let title = "\(stack.whole.name), mean \(Figures.time(milliseconds: stack.whole.milliseconds))"
    var html: HTML = """
      <text x="\(px: plot.left)" y="\(px: top + 16)">\(title)</text>
      <rect class="rest" x="\(px: plot.left)" y="\(px: top + 23)" width="\(px: whole - plot.left)" height="7">\
      <title>\(title)</title></rect>

      """
    var begin = 0.0
    for (index, part) in stack.parts.enumerated() {
      html += draw(part, colour: Self.colour(ofPart: index, in: stack), from: begin, at: top + 32, on: plot)
      begin += part.milliseconds
    }
    return html + outside(of: stack, at: top + 74, on: plot)
  }

  /// The names that don't fit into their parts, in a line below with their colours; what has no room there either is in the
  /// table.
  private func outside(of stack: PhaseStack, at y: Double, on plot: Plot) -> HTML {
    var html = HTML()
    var x = plot.left
    var begin = 0.0
    for (index, part) in stack.parts.enumerated() {
      let width = plot.px(begin + part.milliseconds) - plot.px(begin)
      begin += part.milliseconds
      let end = x + 15 + Self.width(of: part.name)
      guard !Self.fits(part.name, width), end <= plot.innerRight else { continue }
      let style = Self.colour(ofPart: index, in: stack).map { "fill c\($0)" } ?? "rest"
      html += """
        <rect class="\(style)" x="\(px: x)" y="\(px: y - 10)" width="11" height="11"/>\
        <text class="soft" x="\(px: x + 15)" y="\(px: y)">\(part.name)</text>

        """
      x = end + 14
    }
    return html
  }

  /// About: letters differ.
  private static func width(of name: String) -> Double { Double(name.count) * 8.2 }

  /// Whether a name has room in a bar.
  private static func fits(_ name: String, _ bar: Double) -> Bool { bar > width(of: name) + 8 }

  private func draw(_ part: PhaseStack.Part, colour: Int?, from begin: Double, at top: Double, on plot: Plot) -> HTML {
    let left = plot.px(begin)
    let width = plot.px(begin + part.milliseconds) - left
    let title = "\(part.name): \(Figures.time(milliseconds: part.milliseconds))"
    let style = colour.map { "fill c\($0)" } ?? "rest"
    var html: HTML = """
      <rect class="\(style)" x="\(px: left)" y="\(px: top)" width="\(px: max(width, 0.5))" height="\(px: Self.barHeight)">\
      <title>\(title)</title></rect>

      """
    if Self.fits(part.name, width) {
      let style = colour == nil ? "mid" : "mid inside"
      html += "<text class=\"\(style)\" x=\"\(px: left + width / 2)\" y=\"\(px: top + 17)\">\(part.name)</text>\n"
    }
    return html
  }
}
