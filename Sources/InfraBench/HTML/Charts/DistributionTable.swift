import Latency

/// How many samples of one metric, or of several beside one another, lie in ranges of equal width, with a bar for each.
struct DistributionTable {
  private struct Column {
    var name: String
    var counts: [UInt64]

    var most: UInt64 { counts.max() ?? 0 }
  }

  private let ranges: [(lower: UInt64, upper: UInt64)]
  private let columns: [Column]
  private static let rows = 12

  /// Of more than one the ranges are those of all together.
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
        // What was recorded with another resolution may end beyond the last range by its own width.
        let row = ranges.firstIndex { bucket.lower <= $0.upper } ?? ranges.count - 1
        counts[row] += bucket.count
      }
      return Column(name: name, counts: counts)
    }
  }

  /// By metric, in each range.
  var counts: [[UInt64]] { columns.map(\.counts) }

  /// Nothing without a sample.
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
