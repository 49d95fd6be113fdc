import Latency

/// The first token and the completion of streamed answers beside each other: how long a user looks at nothing, and how long
/// until all is there.
struct AnswerTimes {
  struct Part {
    var metric: String
    /// What a reader calls it.
    var name: String
    var figures: MetricDocument

    var title: String { "\(name) (\(metric))" }
  }

  /// In the order of time; those that the document has samples of.
  let parts: [Part]

  static let title = "First token and completion"

  /// Metrics without one of which a result is of no streamed answers.
  static let needed = ["first_response", "complete"]

  private static let all: [(metric: String, name: String)] = [
    ("first_response", "first token"), ("message_roundtrip", "first token of later messages"),
    ("complete", "completion"),
  ]

  /// Nil where the document is of no streamed answers.
  init?(_ document: ResultDocument) {
    guard Self.needed.allSatisfy({ document.metrics[$0] != nil }) else { return nil }
    parts = Self.all.compactMap { metric, name in
      document.metrics[metric].map { Part(metric: metric, name: name, figures: $0) }
    }
  }

  /// A column for each, with the marks of the table of percentiles.
  var table: TextTable {
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

  /// What is to be known of the columns.
  var remarks: [String] {
    guard parts.contains(where: { $0.metric == "message_roundtrip" }) else { return [] }
    return ["completion is that of all messages; the first token of a session's first message stands apart"]
  }

  /// The two that every such result has, by their names, as far as their histograms can be read.
  var histograms: [(name: String, histogram: LatencyHistogram)] {
    parts.filter { Self.needed.contains($0.metric) }.compactMap { part in
      (try? HistogramV2Codec.decode(base64: part.figures.histogram.data)).map { (part.metric, $0) }
    }
  }
}
