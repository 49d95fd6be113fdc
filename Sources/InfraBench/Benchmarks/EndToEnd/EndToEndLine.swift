import Latency
import LoadEngine

/// An iteration's line on standard output.
enum EndToEndLine {
  static func text(_ record: IterationRecord) -> String {
    let parts: [(String, Metric)] =
      [
        ("end_to_end", EndToEndMetrics.endToEnd.response), ("end_to_end_cold", EndToEndMetrics.cold.response),
        ("ready", EndToEndMetrics.ready.response), ("process_start", EndToEndMetrics.processStart),
        ("first_response", EndToEndMetrics.firstResponse), ("complete", EndToEndMetrics.complete),
        ("recovery", EndToEndMetrics.recovery),
      ] + EndToEndMetrics.taskStarts.phases
    let figures = parts.compactMap { name, metric in
      record.value(of: metric).map { "\(name)=\(LatencyText.format($0))" }
    }
    return figures.isEmpty ? "not a warm start, not counted" : figures.joined(separator: " ")
  }
}
