import FoundationEssentials
package import Latency
package import Results
import TextFormatting

/// Renders a stored result, or a merge of several, in any format.
package struct ResultRendering {
  /// The formats of a stored result.
  package enum Format: String, Sendable, CaseIterable {
    case md, json, html, csv, hgrm, hlog
  }

  private let document: ResultDocument

  package init(_ document: ResultDocument) {
    self.document = document
  }

  /// The text for a terminal.
  package func text(usesColor: Bool) -> String {
    let notes = document.notes.map { "note: \(PlainText.line($0))\n" }.joined()
    let remarks = [TooFewSamples(document).text, notes.isEmpty ? nil : notes].compactMap { $0 }
    return TextReport(document, usesColor: usesColor, remarks: remarks).text
  }

  package var markdown: String {
    MarkdownReport(document, remarks: TooFewSamples(document).markdown.map { [$0] } ?? []).text
  }

  /// The metrics in `.hgrm` and `.hlog`, the headline first.
  package var metrics: [String] {
    let tables = ReportTables(document: document)
    let headline = tables.headline?.name
    let names = tables.metrics.map(\.0)
    return names.filter { $0 == headline } + names.filter { $0 != headline }
  }

  /// The files of a format: the end of each name, after the stem, and the text.
  ///
  /// - Parameter chosen: the metrics in `.hgrm` and `.hlog`; empty for all. Metrics that the document lacks are
  ///   skipped.
  package func files(
    _ format: Format, metrics chosen: [String]
  ) throws -> [(suffix: String, text: String)] {
    let names = chosen.isEmpty ? metrics : chosen.filter { document.metrics[$0] != nil }
    switch format {
    case .md: return [(".md", markdown)]
    case .json: return [(".json", try ResultCoding.encode(document))]
    case .html: return [(".html", ResultHTML(document).source)]
    case .csv: return [(".csv", CSVReport(document).text)]
    case .hgrm: return try names.map { ("-\($0).hgrm", try distribution(of: $0)) }
    case .hlog: return [(".hlog", try HistogramLog(document, metrics: names).text)]
    }
  }

  private func distribution(of name: String) throws(HistogramError) -> String {
    let histogram = try document.metrics[name].map { metric throws(HistogramError) in
      try HistogramV2Codec.decode(base64: metric.histogram.data)
    }
    return PercentileDistribution.text(of: histogram ?? LatencyHistogram())
  }
}

/// A result as an HdrHistogram log: a line per metric, and a line per interval of the metric whose timeline has
/// histograms.
package struct HistogramLog {
  package let text: String

  /// - Throws: ``HistogramError`` if a histogram of the document cannot be read.
  package init(_ document: ResultDocument, metrics: [String]) throws(HistogramError) {
    let start = try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(document.startedAt)
    var writer = HistogramLogWriter(
      startTime: start?.timeIntervalSince1970 ?? 0, startText: document.startedAt,
      comment: "Logged with \(document.tool.name) \(document.version)")
    for entry in Self.entries(of: document, metrics: metrics) { try writer.add(entry.interval()) }
    text = writer.text
  }

  /// A line to be written. Its histogram stays encoded until then, because a decoded one takes a hundred times the
  /// memory.
  struct Entry: Equatable {
    var tag: String
    var start: Double
    var length: Double
    /// The histogram in the document's encoding.
    var data: String

    func interval() throws(HistogramError) -> HistogramLogInterval {
      .init(tag: tag, start: start, length: length, histogram: try HistogramV2Codec.decode(base64: data))
    }
  }

  /// The log's lines, sorted by time, as readers expect. Lines with equal times keep the order of the metrics.
  static func entries(of document: ResultDocument, metrics: [String]) -> [Entry] {
    var timelines: [String: [Entry]] = [:]
    for row in document.timeline?.rows ?? [] {
      // Intervals without a latency have no histogram.
      guard let name = row.metric, let data = row.histogram, let start = row.t, let length = row.seconds
      else { continue }
      timelines[name, default: []].append(Entry(tag: name, start: start, length: length, data: data))
    }
    let entries = metrics.flatMap { name in
      timelines[name]
        ?? document.metrics[name].map {
          [Entry(tag: name, start: 0, length: document.durationSeconds, data: $0.histogram.data)]
        } ?? []
    }
    return entries.enumerated().sorted { ($0.element.start, $0.offset) < ($1.element.start, $1.offset) }.map(\.element)
  }
}
