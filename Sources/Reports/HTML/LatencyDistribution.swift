import Glibc
package import Latency
import TextFormatting

/// Percentile spectra of several metrics in one picture.
package struct SpectrumChart {
  /// The drawn lines, at most one per colour.
  let lines: [SpectrumLine]
  static let mostLines = 6
  /// With fewer samples a spectrum is not worth a picture.
  static let fewestSamples = 3

  /// Makes a chart; nil without lines.
  package init?(_ lines: [SpectrumLine]) {
    guard !lines.isEmpty else { return nil }
    self.lines = Array(lines.prefix(Self.mostLines))
  }

  package static let explanation = [
    "The latency that a share of the samples does not exceed; each further nine of the share has the same room.",
    "Thin and dashed, a line rests on fewer than 10 samples beyond: another run may well show another one.",
    "It ends at the largest sample.",
  ]

  package var picture: HTML {
    let values = lines.flatMap { [$0.range.min, $0.range.max] }
    let end = lines.map(\.end).max() ?? 1
    let plot = Plot(x: Axis(linear: 0, end * 1.02), y: Axis(latencies: values))
    let ticks = [(0.0, "0 %")] + Self.shown(upTo: end).map { (SpectrumLine.place(of: $0.percentile), $0.label) }
    // The label of 95 % is left out, because 90 % and 95 % are too close for two labels.
    let columns = plot.columns("share of the samples", ticks.filter { $0.1 != "95 %" })
    let series = lines.indices.map { "<g class=\"c\($0)\">\n\(draw(lines[$0], on: plot))</g>\n" as HTML }
    return plot.picture(label, plot.rows(Ticks.time) + columns + HTML(series))
  }

  package var key: [HTMLFigure.KeyEntry] {
    lines.indices.map { .init(colour: $0, text: "\(lines[$0].name) (\(lines[$0].count))") }
  }

  private var label: String {
    let parts = lines.map { line in
      "\(line.name): median \(NumberText.time(milliseconds: line.value(at: 50))), "
        + "99 % \(NumberText.time(milliseconds: line.value(at: 99))), maximum \(NumberText.time(milliseconds: line.range.max))"
    }
    return "Percentile spectrum. " + parts.joined(separator: "; ")
  }

  /// The marked percentiles up to `end`.
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
        "\(line.name), \(label): \(NumberText.time(milliseconds: value))\(support)")
    }
    return html
      + HTML.dot(
        plot.px(line.end), plot.py(line.range.max), class: "hollow",
        "\(line.name), maximum of \(line.count): \(NumberText.time(milliseconds: line.range.max))")
  }

  /// A part of a line, drawn as a staircase.
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

/// A metric's percentile spectrum: the latency that each share of the samples does not exceed.
///
/// The share p lies at log10(1/(1−p)), as in HdrHistogram's plotter, so that each further nine takes equal room.
/// https://hdrhistogram.github.io/HdrHistogram/plotFiles.html
package struct SpectrumLine {
  struct Point {
    /// log10(1/(1−p)) of the last sample with this latency.
    var place: Double
    var milliseconds: Double
  }

  let name: String
  /// The lowest and the highest latency, in ms.
  let range: (min: Double, max: Double)
  let count: UInt64
  /// The points in ascending order, at most `mostPoints`. The last one is the maximum.
  let points: [Point]
  /// The place beyond which fewer than ten samples lie.
  let fewFrom: Double
  private let histogram: LatencyHistogram

  private static let mostPoints = 240.0

  /// Makes a line; nil without samples.
  package init?(_ name: String, _ histogram: LatencyHistogram) {
    guard !histogram.isEmpty else { return nil }
    self.name = name
    self.histogram = histogram
    count = histogram.totalCount
    range = (Nanoseconds(histogram.min).milliseconds, Nanoseconds(histogram.max).milliseconds)
    let total = Double(count)
    fewFrom = Swift.max(0, log10(total / 10))
    // No sample lies beyond the last one, whose place would be infinite. It is drawn at the place of half a sample.
    let end = log10(2 * total)
    let step = end / Self.mostPoints
    var points: [Point] = []
    var seen: UInt64 = 0
    var lastKept = -Double.infinity
    for bucket in histogram.recordedBuckets() {
      seen += bucket.count
      let beyond = Double(count - seen)
      let place = beyond > 0 ? log10(total / beyond) : end
      guard place - lastKept >= step || beyond == 0 else { continue }
      points.append(Point(place: place, milliseconds: Nanoseconds(bucket.upper).milliseconds))
      lastKept = place
    }
    self.points = points
  }

  /// The place at which the line ends.
  var end: Double { points.last?.place ?? 0 }

  /// The latency at a percentile, in ms.
  func value(at percentile: Double) -> Double { Nanoseconds(histogram.value(atPercentile: percentile)).milliseconds }

  func samplesBeyond(_ percentile: Double) -> UInt64 { histogram.samplesBeyond(percentile: percentile) }

  /// The percentiles that are marked on a line, up to the line's end.
  static let marked: [(percentile: Double, label: String)] = [
    (50, "50 %"), (90, "90 %"), (95, "95 %"), (99, "99 %"), (99.9, "99.9 %"), (99.99, "99.99 %"),
    (99.999, "99.999 %"), (99.9999, "99.9999 %"), (99.99999, "99.99999 %"),
  ]

  /// The place of a percentile below 100.
  static func place(of percentile: Double) -> Double { log10(100 / (100 - percentile)) }
}

/// The number of samples in ranges of equal width, with a bar for each, for one metric or for several side by side.
struct DistributionTable {
  private struct Column {
    var name: String
    var counts: [UInt64]

    var most: UInt64 { counts.max() ?? 0 }
  }

  private let ranges: [(lower: UInt64, upper: UInt64)]
  private let columns: [Column]
  private static let rows = 12

  /// Makes a table. Several metrics share the ranges of all their samples together.
  init(_ metrics: [(name: String, histogram: LatencyHistogram)]) {
    var all = metrics.first?.histogram ?? LatencyHistogram()
    for metric in metrics.dropFirst() {
      for bucket in metric.histogram.recordedBuckets() { all.record(bucket.lower, count: bucket.count) }
    }
    let ranges = all.distribution(rows: Self.rows, scale: .linear).map { (lower: $0.lower, upper: $0.upper) }
    self.ranges = ranges
    columns = metrics.map { name, histogram in
      var counts = [UInt64](repeating: 0, count: ranges.count)
      for bucket in histogram.recordedBuckets() {
        // A bucket of another resolution may end beyond the last range.
        let row = ranges.firstIndex { bucket.lower <= $0.upper } ?? ranges.count - 1
        counts[row] += bucket.count
      }
      return Column(name: name, counts: counts)
    }
  }

  /// The counts in each range, by metric.
  var counts: [[UInt64]] { columns.map(\.counts) }

  /// The table; empty without a sample.
  var html: HTML {
    guard !ranges.isEmpty else { return "" }
    let rows = ranges.enumerated().map { row, range -> HTML in
      let cells = columns.enumerated().map { place, column in cell(column, row, colour: place) }
      return """
        <tr><th scope="row">\(LatencyText.format(range.lower))</th><td class="n">\(LatencyText.format(range.upper))</td>\
        \(cells)</tr>

        """
    }
    let names = columns.map(\.name).joined(separator: ", ")
    return """
      <div class="scroll" role="region" tabindex="0" aria-label="Distribution of \(names)">
      <table>
      <caption>Distribution of \(names)</caption>
      <thead><tr><th scope="col">from</th><th scope="col" class="n">up to</th>\(columns.map(heading))</tr></thead>
      <tbody>
      \(rows)</tbody>
      </table>
      </div>

      """
  }

  private func heading(_ column: Column) -> HTML {
    columns.count == 1
      ? "<th scope=\"col\" class=\"n\">count</th><th scope=\"col\">share</th>"
      : "<th scope=\"col\" class=\"n\">\(column.name)</th><th scope=\"col\">share</th>"
  }

  private func cell(_ column: Column, _ row: Int, colour: Int) -> HTML {
    let width = Double(column.counts[row]) / max(Double(column.most), 1) * 100
    return """
      <td class="n">\(column.counts[row])</td><td><svg class="bar c\(colour)" viewBox="0 0 100 10" \
      preserveAspectRatio="none" aria-hidden="true"><rect width="\(px: width)" height="10" fill="var(--c)"/></svg></td>
      """
  }
}
