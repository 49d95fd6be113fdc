package import Latency
package import Results
import TextFormatting

/// Metrics side by side under names that users know, such as the first token and the completion of streamed answers.
/// The tool's description defines the panels.
package struct MetricPanel {
  package struct Part {
    package var metric: String
    /// The name for readers.
    package var name: String
    package var figures: MetricDocument

    var title: String { "\(name) (\(metric))" }
  }

  /// The metrics with samples in the document, in the order in which they occur.
  package let parts: [Part]
  package let title: String
  /// Notes on the columns.
  package let remarks: [String]
  private let needs: [String]

  /// The panels whose metrics the document has.
  package static func all(of document: ResultDocument) -> [MetricPanel] {
    document.tool.panels.compactMap { MetricPanel($0, document) }
  }

  private init?(_ panel: ToolDescription.Panel, _ document: ResultDocument) {
    guard panel.needs.allSatisfy({ document.metrics[$0] != nil }) else { return nil }
    let parts = panel.columns.compactMap { column in
      document.metrics[column.metric].map { Part(metric: column.metric, name: column.name, figures: $0) }
    }
    self.parts = parts
    title = panel.title
    remarks = panel.remarks.filter { remark in parts.contains { $0.metric == remark.metric } }.map(\.sentence)
    needs = panel.needs
  }

  /// A column per metric, with the marks of the table of percentiles.
  package var table: Table {
    var table = Table(["statistic"] + parts.map(\.title))
    table.add(["count"] + parts.map { "\($0.figures.count)" })
    table.add(["mean"] + parts.map { NumberText.time(milliseconds: $0.figures.mean) })
    for (title, statistic) in [("P50", Threshold.Statistic.p50), ("P95", .p95), ("P99", .p99)] {
      table.add(
        [title]
          + parts.map { part in
            let mark = part.figures.mark(of: statistic.rawValue)?.rawValue ?? ""
            return NumberText.time(milliseconds: part.figures.value(of: statistic)) + mark
          })
    }
    return table
  }

  /// The histograms of the metrics that the panel needs, by their names for readers. Unreadable histograms are left
  /// out.
  package var histograms: [(name: String, histogram: LatencyHistogram)] {
    parts.filter { needs.contains($0.metric) }.compactMap { part in
      (try? HistogramV2Codec.decode(base64: part.figures.histogram.data)).map { (part.metric, $0) }
    }
  }
}
