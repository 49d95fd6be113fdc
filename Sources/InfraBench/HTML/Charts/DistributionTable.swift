import Latency

/// How many samples lie in ranges of equal width, with a bar for each.
struct DistributionTable {
  private let name: String
  private let buckets: [HistogramBucket]
  private static let rows = 12

  init(_ name: String, _ histogram: LatencyHistogram) {
    self.name = name
    buckets = histogram.distribution(rows: Self.rows, scale: .linear)
  }

  var html: HTML {
    let most = Double(buckets.map(\.count).max() ?? 1)
    let rows = buckets.map { bucket -> HTML in
      let width = Double(bucket.count) / max(most, 1) * 100
      return """
        <tr><th scope="row">\(LatencyText.format(bucket.lower))</th><td class="n">\(LatencyText.format(bucket.upper))</td>\
        <td class="n">\(bucket.count)</td><td><svg class="bar c0" viewBox="0 0 100 10" preserveAspectRatio="none" \
        aria-hidden="true"><rect width="\(px: width)" height="10" fill="var(--c)"/></svg></td></tr>

        """
    }
    return """
      <div class="scroll" role="region" tabindex="0" aria-label="Distribution of \(name)">
      <table>
      <caption>Distribution of \(name)</caption>
      <thead><tr><th scope="col">from</th><th scope="col" class="n">up to</th><th scope="col" class="n">count</th>\
      <th scope="col">share</th></tr></thead>
      <tbody>
      \(rows)</tbody>
      </table>
      </div>

      """
  }
}
