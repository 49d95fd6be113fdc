import Latency

/// A stored result, or a merge of several, in any of the formats.
package struct StoredRendering {
  /// What a stored result can be written as.
  package enum Format: String, Sendable, CaseIterable {
    case md, json, html, csv, hgrm, hlog
  }

  private let document: ResultDocument

  package init(_ document: ResultDocument) {
    self.document = document
  }

  /// For a terminal.
  package func text(usesColor: Bool) -> String {
    let notes = document.notes.map { "note: \(PlainText.line($0))\n" }.joined()
    let remarks = [SampleNeeds(document).text, notes.isEmpty ? nil : notes].compactMap { $0 }
    return TextReport(document, usesColor: usesColor, remarks: remarks).text
  }

  package var markdown: String {
    MarkdownReport(document, remarks: SampleNeeds(document).markdown.map { [$0] } ?? []).text
  }

  /// The metrics of `.hgrm` and `.hlog`, the headline first.
  package var metrics: [String] {
    let tables = ReportTables(document: document)
    let headline = tables.headline?.name
    let names = tables.metrics.map(\.0)
    return names.filter { $0 == headline } + names.filter { $0 != headline }
  }

  /// The files of a format: what follows the stem, and the text.
  ///
  /// - Parameter chosen: the metrics of `.hgrm` and `.hlog`; empty for all. Those that the document lacks are passed over.
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
