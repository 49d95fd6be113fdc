import FoundationEssentials
package import Latency

/// A result as an HdrHistogram log: a line per metric, and per interval of the one whose time line has histograms.
package struct HistogramLog {
  package let text: String

  /// - Throws: where a histogram of the document can't be read.
  package init(_ document: ResultDocument, metrics: [String]) throws(HistogramError) {
    let start = try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(document.startedAt)
    var writer = HistogramLogWriter(
      startTime: start?.timeIntervalSince1970 ?? 0, startText: document.startedAt,
      comment: "Logged with \(document.tool) \(document.version)")
    var intervals: [HistogramLogInterval] = []
    for name in metrics { intervals += try Self.intervals(of: name, in: document) }
    // Readers expect growing times. The order of the metrics stays where the times are the same.
    let ordered = intervals.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }
    for (_, interval) in ordered { try writer.add(interval) }
    text = writer.text
  }

  private static func intervals(
    of name: String, in document: ResultDocument
  ) throws(HistogramError) -> [HistogramLogInterval] {
    var intervals: [HistogramLogInterval] = []
    for row in document.timeline ?? [] where row["metric"] == .string(name) {
      // Intervals without a latency have no histogram.
      guard case .string(let data)? = row["histogram"], let start = seconds(row["t"]),
        let length = seconds(row["seconds"])
      else { continue }
      intervals.append(
        .init(tag: name, start: start, length: length, histogram: try HistogramV2Codec.decode(base64: data)))
    }
    guard intervals.isEmpty, let metric = document.metrics[name] else { return intervals }
    return [
      .init(
        tag: name, start: 0, length: document.durationSeconds,
        histogram: try HistogramV2Codec.decode(base64: metric.histogram.data))
    ]
  }

  private static func seconds(_ value: JSONValue?) -> Double? {
    switch value {
    case .int(let number)?: Double(number)
    case .double(let number)?: number
    default: nil
    }
  }
}
