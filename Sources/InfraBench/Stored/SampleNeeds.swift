import Latency

/// Which percentiles of a result rest on too few samples, and how many they would need: 10 beyond them.
struct SampleNeeds {
  /// Metrics with such percentiles, in the order of reports.
  let rows: [(metric: String, count: UInt64, needs: [(percentile: String, samples: UInt64)])]

  /// - Parameter document: with its histograms' own figures, as ``StoredResult`` has it.
  init(_ document: ResultDocument) {
    rows = ReportTables(document: document).metrics.compactMap { name, metric in
      let needs = zip(MetricDocument.names, LatencySummary.percentiles).filter { metric.fewSamples.contains($0.0) }
      guard !needs.isEmpty else { return nil }
      return (name, metric.count, needs.map { ($0.0, Self.samples(for: $0.1)) })
    }
  }

  /// The smallest number of which ten come after the percentile's rank, which is rounded up: 1,000 for P99.
  static func samples(for percentile: Double) -> UInt64 {
    // In thousandths, which are whole for every percentile here.
    let beyond = 1000 - UInt64((percentile * 10).rounded())
    return (10 * 1000 + beyond - 1) / beyond
  }

  /// For a terminal; nil where all percentiles rest on enough.
  var text: String? {
    rows.isEmpty ? nil : "Too few samples: fewer than 10 beyond a percentile say little of it.\n" + table.plain
  }

  /// A section; nil where all percentiles rest on enough.
  var markdown: String? {
    rows.isEmpty
      ? nil : "## Samples\n\nFewer than 10 samples beyond a percentile say little of it.\n\n" + table.markdown
  }

  private var table: TextTable {
    var table = TextTable(["metric", "samples", "needed"])
    for row in rows {
      let needs = row.needs.map { "\(Self.title($0.percentile)) \(Figures.grouped($0.samples))" }
      table.add([row.metric, Figures.grouped(row.count), needs.joined(separator: " · ")])
    }
    return table
  }

  private static func title(_ percentile: String) -> String {
    percentile == "p999" ? "P99.9" : percentile.uppercased()
  }
}
