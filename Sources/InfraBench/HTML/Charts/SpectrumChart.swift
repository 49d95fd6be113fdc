/// Percentile spectra of several metrics in one picture.
struct SpectrumChart {
  /// At most as many as there are colours are drawn.
  let lines: [SpectrumLine]
  static let mostLines = 6
  /// Of fewer there is no spectrum worth a picture.
  static let fewestSamples = 3

  /// Nil without a line.
  init?(_ lines: [SpectrumLine]) {
    guard !lines.isEmpty else { return nil }
    self.lines = Array(lines.prefix(Self.mostLines))
  }

  static let explanation = [
    "The latency that a share of the samples does not exceed; each further nine of the share has the same room.",
    "Thin and dashed, a line rests on fewer than 10 samples beyond: another run may well show another one.",
    "It ends at the largest sample.",
  ]

  var picture: HTML {
    let values = lines.flatMap { [$0.range.min, $0.range.max] }
    let end = lines.map(\.end).max() ?? 1
    let plot = Plot(x: Axis(linear: 0, end * 1.02), y: Axis(latencies: values))
    let ticks = [(0.0, "0 %")] + Self.shown(upTo: end).map { (SpectrumLine.place(of: $0.percentile), $0.label) }
    // 95 % and 90 % are too near to one another for two texts.
    let columns = plot.columns("share of the samples", ticks.filter { $0.1 != "95 %" })
    let series = lines.indices.map { "<g class=\"c\($0)\">\n\(draw(lines[$0], on: plot))</g>\n" as HTML }
    return plot.picture(label, plot.rows(Ticks.time) + columns + HTML(series))
  }

  var key: [HTMLFigure.KeyEntry] {
    lines.indices.map { .init(colour: $0, text: "\(lines[$0].name) (\(lines[$0].count))") }
  }

  private var label: String {
    let parts = lines.map { line in
      "\(line.name): median \(Figures.time(milliseconds: line.value(at: 50))), "
        + "99 % \(Figures.time(milliseconds: line.value(at: 99))), maximum \(Figures.time(milliseconds: line.range.max))"
    }
    return "Percentile spectrum. " + parts.joined(separator: "; ")
  }

  /// Marks to the left of an end.
  private static func shown(upTo end: Double) -> [(percentile: Double, label: String)] {
    SpectrumLine.marked.filter { SpectrumLine.place(of: $0.percentile) <= end }
  }

  private func draw(_ line: SpectrumLine, on plot: Plot) -> HTML {
    let solid = Self.steps(of: line, from: 0, to: line.fewFrom, plot)
    let thin = Self.steps(of: line, from: line.fewFrom, to: line.end, plot)
    var html = HTML.line(solid, class: "line") + HTML.line(thin, class: "thin")
    for (percentile, label) in Self.shown(upTo: line.end) {
      let value = line.value(at: percentile)
      let beyond = line.samplesBeyond(percentile)
      let support = beyond < 10 ? " (\(beyond) samples beyond)" : ""
      html += HTML.dot(
        plot.px(SpectrumLine.place(of: percentile)), plot.py(value), class: "dot",
        "\(line.name), \(label): \(Figures.time(milliseconds: value))\(support)")
    }
    return html
      + HTML.dot(
        plot.px(line.end), plot.py(line.range.max), class: "hollow",
        "\(line.name), maximum of \(line.count): \(Figures.time(milliseconds: line.range.max))")
  }

  /// A part of a line as the staircase that it is.
  private static func steps(
    of line: SpectrumLine, from start: Double, to end: Double, _ plot: Plot
  ) -> [(x: Double, y: Double)] {
    guard end > start else { return [] }
    var result: [(x: Double, y: Double)] = []
    var left = start
    for point in line.points where point.place > start {
      let right = min(point.place, end)
      result += [(plot.px(left), plot.py(point.milliseconds)), (plot.px(right), plot.py(point.milliseconds))]
      left = right
      if right >= end { break }
    }
    return result
  }
}
