package import Latency
package import Results
import TextFormatting

/// Metrics beside one another under names that people have for them, as the tool's description asks for it: the first token and
/// the completion of streamed answers.
package struct MetricPanel {
  package struct Part {
    package var metric: String
    /// What a reader calls it.
    package var name: String
    package var figures: MetricDocument

    var title: String { "\(name) (\(metric))" }
  }

  /// In the order of time; those that the document has samples of.
  package let parts: [Part]
  package let title: String
  /// What is to be known of the columns.
  package let remarks: [String]
  private let needs: [String]

  /// The panels that the document has the metrics for.
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

  /// A column for each, with the marks of the table of percentiles.
  package var table: TextTable {
    var table = TextTable(["statistic"] + parts.map(\.title))
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

  /// The distributions of the metrics that every such result has, by their names, as far as their histograms can be read.
  package var histograms: [(name: String, histogram: LatencyHistogram)] {
    parts.filter { needs.contains($0.metric) }.compactMap { part in
      (try? HistogramV2Codec.decode(base64: part.figures.histogram.data)).map { (part.metric, $0) }
    }
  }
}
