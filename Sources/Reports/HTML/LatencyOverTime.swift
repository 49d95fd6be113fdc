import Glibc
import Latency
import Results
import TextFormatting

/// Latencies over time: a column per interval, a row per range of latencies, and a stronger colour for more samples.
struct HeatMap {
  /// One or more intervals together.
  private struct Column {
    var start: Double
    var end: Double
    /// The buckets in ascending order, at least one.
    var buckets: [HistogramBucket]
    /// The number of samples in each row.
    var counts: [UInt64] = []
  }

  private static let mostColumns = 80
  private static let rows = 24
  private static let shades = 6

  private let columns: [Column]
  /// The ends of the rows in ns, with equal ratios; one more than the rows.
  private let edges: [Double]
  private let most: UInt64
  /// The end of the timeline in seconds, including last intervals without samples.
  private let end: Double

  /// The number of intervals per column.
  let merged: Int

  /// Makes a map; nil unless all intervals with samples have histograms, and there are samples.
  init?(_ intervals: [LatencyInterval]) {
    guard intervals.allSatisfy({ $0.encodedHistogram != nil || $0.count == 0 }) else { return nil }
    let merged = max(1, (intervals.count + Self.mostColumns - 1) / Self.mostColumns)
    let columns = stride(from: 0, to: intervals.count, by: merged).compactMap { first in
      Self.column(intervals[first..<min(first + merged, intervals.count)])
    }
    guard let least = columns.compactMap(\.buckets.first?.lower).min(),
      let greatest = columns.compactMap(\.buckets.last?.upper).max()
    else { return nil }
    let lower = Double(max(least, 1))
    // The range is at least 5 % wide, because all samples may be in one bucket.
    let ratio = max(Double(greatest) / lower, 1.05)
    let edges = (0...Self.rows).map { lower * pow(ratio, Double($0) / Double(Self.rows)) }
    self.merged = merged
    end = intervals.map(\.end).max() ?? 1
    self.edges = edges
    self.columns = columns.map { column in
      Column(
        start: column.start, end: column.end, buckets: column.buckets, counts: Self.counts(column.buckets, edges))
    }
    most = self.columns.flatMap(\.counts).max() ?? 0
  }

  /// Joins intervals to a column; nil without a sample.
  private static func column(_ intervals: ArraySlice<LatencyInterval>) -> Column? {
    guard let first = intervals.first, let last = intervals.last else { return nil }
    var sum: LatencyHistogram?
    for text in intervals.compactMap(\.encodedHistogram) {
      guard let histogram = try? HistogramV2Codec.decode(base64: text), !histogram.isEmpty else { continue }
      // A merge fails only for histograms with different buckets, which the suite's documents do not have.
      if sum == nil { sum = histogram } else { try? sum?.merge(histogram) }
    }
    return sum.map { Column(start: first.start, end: last.end, buckets: $0.recordedBuckets()) }
  }

  private static func counts(_ buckets: [HistogramBucket], _ edges: [Double]) -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: edges.count - 1)
    var row = 0
    for bucket in buckets {
      while row + 1 < counts.count, Double(bucket.upper) > edges[row + 1] { row += 1 }
      counts[row] += bucket.count
    }
    return counts
  }

  /// The shade of a count, 1…6. Shades have equal ratios, so that few samples are visible beside many.
  private func shade(_ count: UInt64) -> Int {
    guard most > 1 else { return Self.shades }
    let share = log(Double(count)) / log(Double(most))
    return min(Self.shades, 1 + Int(share * Double(Self.shades)))
  }

  var picture: HTML {
    let plot = Plot(
      height: 366, x: Axis(linear: 0, end),
      y: Axis(logarithmic: (edges.first ?? 1) / 1e6, (edges.last ?? 10) / 1e6))
    let cells = columns.map { column -> HTML in
      HTML(
        column.counts.indices.filter { column.counts[$0] > 0 }.map { cell(column, row: $0, plot) })
    }
    return plot.picture(
      "Heat map of \(columns.count) columns: latencies from \(NumberText.time(milliseconds: (edges.first ?? 0) / 1e6)) "
        + "to \(NumberText.time(milliseconds: (edges.last ?? 0) / 1e6)) over \(Ticks.number(end)) seconds",
      plot.rows(Ticks.time) + plot.secondColumns("seconds since the measurement began") + HTML(cells))
  }

  private func cell(_ column: Column, row: Int, _ plot: Plot) -> HTML {
    let count = column.counts[row]
    let (low, high) = (edges[row] / 1e6, edges[row + 1] / 1e6)
    let (left, right) = (plot.px(column.start), plot.px(column.end))
    let title =
      "\(Ticks.number(column.start))–\(Ticks.number(column.end)) s, \(NumberText.time(milliseconds: low))–"
      + "\(NumberText.time(milliseconds: high)): \(count)"
    return """
      <rect class="h h\(shade(count))" x="\(px: left)" y="\(px: plot.py(high))" width="\(px: max(right - left, 1))" \
      height="\(px: plot.py(low) - plot.py(high))"><title>\(title)</title></rect>

      """
  }

  /// The meanings of the shades.
  var key: [HTMLFigure.KeyEntry] {
    (1...Self.shades).compactMap { shade in
      range(of: shade).map { .init(swatch: "h h\(shade)", text: $0 == "1" ? "1 sample" : "\($0) samples") }
    }
  }

  /// The range of counts with a shade; nil if no count has it.
  private func range(of shade: Int) -> String? {
    guard most > 1 else { return shade == Self.shades ? "1" : nil }
    let bound = { (shade: Int) in pow(Double(most), Double(shade - 1) / Double(Self.shades)) }
    let low = UInt64(bound(shade).rounded(.up))
    let high = shade == Self.shades ? most : UInt64(bound(shade + 1).rounded(.up)) - 1
    guard low <= high else { return nil }
    return low == high ? "\(low)" : "\(low)–\(high)"
  }
}

/// Percentiles over time, for intervals without histograms.
struct LatencyBands {
  private let intervals: [LatencyInterval]
  private static let names: [(ResultTimeline.Key, String)] = [
    (.p50, "P50"), (.p95, "P95"), (.p99, "P99"), (.max, "maximum"),
  ]
  /// The most intervals of a run's timeline.
  private static let mostIntervals = 240

  /// Makes the bands; nil without percentiles.
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
  private func draw(_ key: ResultTimeline.Key, _ name: String, on plot: Plot) -> HTML {
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
        "\(name), \(Ticks.number(interval.start))–\(Ticks.number(interval.end)) s: \(NumberText.time(milliseconds: value))"
      html += HTML.dot(point.x, point.y, radius: 2.5, class: "dot", title)
    }
    return html + HTML.line(stretch, class: "line")
  }
}

/// A row of a load run's timeline: the latencies of one interval.
struct LatencyInterval {
  /// Seconds since the measured part began.
  var start: Double
  var length: Double
  var count: UInt64
  var errors: UInt64
  /// The percentiles in ms; empty without a latency.
  var percentiles: [ResultTimeline.Key: Double]
  /// The interval's histogram in the document's encoding, if it has one. It stays encoded, because a decoded one is
  /// large.
  var encodedHistogram: String?

  var end: Double { start + length }

  /// Reads a row; nil for a row of another kind of timeline.
  init?(_ row: ResultTimeline.Row) {
    guard let start = row.t, let length = row.seconds, start >= 0, length >= 0 else { return nil }
    self.start = start
    self.length = length
    count = row.count ?? 0
    errors = row.errors ?? 0
    percentiles = [:]
    for name in Self.names { percentiles[name] = row.number(name) }
    encodedHistogram = row.histogram
  }

  /// The figures that are drawn for an interval without a histogram.
  static let names: [ResultTimeline.Key] = [.p50, .p95, .p99, .max]
}
