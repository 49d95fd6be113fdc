import Latency

/// The distribution of a result's headline as bars of text.
struct Distribution {
  private let metric: (name: String, histogram: LatencyHistogram)?
  private static let rows = 12
  private static let widestBar = 50

  init(_ document: ResultDocument) {
    guard let (name, metric) = ReportTables(document: document).headline,
      let histogram = try? HistogramV2Codec.decode(base64: metric.histogram.data)
    else {
      self.metric = nil
      return
    }
    self.metric = (name, histogram)
  }

  /// A line per interval, bars in proportion to the counts; nil without samples.
  var text: String? {
    guard let metric, !metric.histogram.isEmpty else { return nil }
    let buckets = metric.histogram.distribution(rows: Self.rows, scale: .linear)
    let most = buckets.map(\.count).max() ?? 1
    var table = TextTable([metric.name, "up to", "count", ""])
    for bucket in buckets {
      let width = Int((Double(bucket.count) / Double(most) * Double(Self.widestBar)).rounded(.up))
      let bar = String(repeating: "█", count: width)
      table.add([
        LatencyText.format(bucket.lower), LatencyText.format(bucket.upper), "\(bucket.count)",
        bar + String(repeating: " ", count: Self.widestBar - width),
      ])
    }
    return table.plain
  }
}
