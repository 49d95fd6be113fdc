import Results
import TextFormatting

/// A latency, and the phases whose means add up to its mean, or nearly.
struct PhaseStack {
  struct Part {
    var name: String
    /// The mean.
    var milliseconds: Double
    /// The number of its samples; nil for the rest.
    var count: UInt64?
    /// Whether this is the rest: the time that no measured phase covers.
    var isRest: Bool { count == nil }
  }

  let whole: (name: String, milliseconds: Double, count: UInt64)
  /// The phases in the order in which they occur.
  private(set) var parts: [Part]
  /// Whether each phase is the longest that polling allows, so that phases overlap.
  let overlaps: Bool

  var sum: Double { parts.reduce(0) { $0 + $1.milliseconds } }

  /// The length of the longer of its two bars, in ms.
  var length: Double { max(whole.milliseconds, sum) }

  /// How much longer than the whole the phases are together, in ms.
  var excess: Double { max(0, sum - whole.milliseconds) }

  /// Whether all phases have as many samples as the whole, so that they seem to belong to equal iterations.
  var isOfOneCount: Bool { parts.allSatisfy { $0.count == nil || $0.count == whole.count } }

  /// The stacks for which the document has samples.
  static func of(_ document: ResultDocument) -> [PhaseStack] {
    document.tool.breakdowns.compactMap { plan -> PhaseStack? in
      guard let whole = document.metrics[plan.whole], plan.unless.map({ document.metrics[$0] == nil }) ?? true else {
        return nil
      }
      let parts = plan.parts.flatMap { Self.parts(of: $0, in: document.metrics, whole: whole.count) }
      guard !parts.isEmpty else { return nil }
      var stack = PhaseStack(
        whole: (plan.whole, whole.mean, whole.count), parts: parts, overlaps: plan.overlaps)
      let rest = whole.mean - stack.sum
      if rest > 0 { stack.parts.append(Part(name: "rest of \(plan.whole)", milliseconds: rest)) }
      return stack
    }
  }

  private static func parts(
    of part: ToolDescription.Breakdown.Part, in metrics: [String: MetricDocument], whole: UInt64
  ) -> [Part] {
    switch part {
    case .fitting(let names):
      let found = names.first { metrics[$0]?.count == whole } ?? names.first { metrics[$0] != nil }
      return found.map { parts(of: .metric($0), in: metrics, whole: whole) } ?? []
    case .metric(let name):
      return metrics[name].map { [Part(name: name, milliseconds: $0.mean, count: $0.count)] } ?? []
    case .enclosing(let name, let inner):
      let inside = inner.flatMap { parts(of: .metric($0), in: metrics, whole: whole) }
      guard let outer = metrics[name] else { return inside }
      guard !inside.isEmpty else { return [Part(name: name, milliseconds: outer.mean, count: outer.count)] }
      let rest = outer.mean - inside.reduce(0) { $0 + $1.milliseconds }
      return inside + (rest > 0 ? [Part(name: "rest of \(name)", milliseconds: rest)] : [])
    }
  }
}

/// Whole latencies, each with the parts of its mean below it.
struct StackedBars {
  let stacks: [PhaseStack]
  private static let barHeight = 26.0
  private static let rowHeight = 92.0
  /// Bars whose lengths differ by more than this factor get separate pictures.
  private static let widestRatio = 6.0

  /// Groups stacks of similar length into charts.
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

  /// The number of a part's colour; nil for the rest.
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
      let parts = stack.parts.map { "\($0.name) \(NumberText.time(milliseconds: $0.milliseconds))" }
      return "\(stack.whole.name) \(NumberText.time(milliseconds: stack.whole.milliseconds)): "
        + parts.joined(separator: ", ")
    }
    return "Means of phases as stacked bars. " + texts.joined(separator: "; ")
  }

  private func draw(_ stack: PhaseStack, at top: Double, on plot: Plot) -> HTML {
    let whole = plot.px(stack.whole.milliseconds)
    let title = "\(stack.whole.name), mean \(NumberText.time(milliseconds: stack.whole.milliseconds))"
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

  /// The names that do not fit into their parts, on a line below with their colours. The table has those that find no
  /// room there.
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

  /// The approximate width of a name, because letters differ in width.
  private static func width(of name: String) -> Double { Double(name.count) * 8.2 }

  /// Whether a name fits into a bar of this width.
  private static func fits(_ name: String, _ bar: Double) -> Bool { bar > width(of: name) + 8 }

  private func draw(_ part: PhaseStack.Part, colour: Int?, from begin: Double, at top: Double, on plot: Plot) -> HTML {
    let left = plot.px(begin)
    let width = plot.px(begin + part.milliseconds) - left
    let title = "\(part.name): \(NumberText.time(milliseconds: part.milliseconds))"
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
