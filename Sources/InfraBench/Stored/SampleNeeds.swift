import Latency

/// Which percentiles of a result rest on too few samples, and how many they would need.
struct SampleNeeds {
  /// A line for all metrics that lack the same, in the order of reports.
  let lines: [String]

  /// - Parameter document: with its histograms' own figures, as ``StoredResult`` has it.
  init(_ document: ResultDocument) {
    var groups: [(needs: String, metrics: [String])] = []
    for (name, metric) in ReportTables(document: document).metrics where !metric.fewSamples.isEmpty {
      let needs = Self.needs(of: metric.fewSamples)
      let group = groups.firstIndex { $0.needs == needs } ?? groups.endIndex
      if group == groups.endIndex { groups.append((needs, [])) }
      groups[group].metrics.append("\(name) (\(Figures.grouped(metric.count)))")
    }
    lines = groups.map { "\($0.metrics.joined(separator: ", ")): \($0.needs)" }
  }

  /// The smallest number of which ten come after the percentile's rank, which is rounded up: 1,000 for P99.
  static func samples(for percentile: Double) -> UInt64 {
    // In thousandths, which are whole for every percentile here.
    let beyond = 1000 - UInt64((percentile * 10).rounded())
    return (10 * 1000 + beyond - 1) / beyond
  }

  /// For a terminal; nil where all percentiles rest on enough.
  var text: String? { lines.isEmpty ? nil : "\(Self.title):\n" + lines.map { "\($0)\n" }.joined() }

  /// A section; nil where all percentiles rest on enough.
  var markdown: String? {
    lines.isEmpty ? nil : "## Samples\n\n\(Self.title):\n\n" + lines.map { "- \(Markdown.escape($0))\n" }.joined()
  }

  static let title = "Too few samples (a percentile needs 10 beyond it)"

  /// `P99 needs 1,000, P99.9 10,000`
  private static func needs(of percentiles: [String]) -> String {
    let needs = zip(MetricDocument.names, LatencySummary.percentiles).filter { percentiles.contains($0.0) }.map {
      name, percentile in
      (name == "p999" ? "P99.9" : name.uppercased(), Figures.grouped(samples(for: percentile)))
    }
    return needs.enumerated().map { "\($1.0) \($0 == 0 ? "needs " : "")\($1.1)" }.joined(separator: ", ")
  }
}
