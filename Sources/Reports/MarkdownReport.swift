import Latency
package import Results
import TextFormatting

/// A result as Markdown.
package struct MarkdownReport {
  private let document: ResultDocument
  private let remarks: [String]

  /// - Parameter remarks: additional sections, placed after the latencies.
  package init(_ document: ResultDocument, remarks: [String] = []) {
    self.document = document
    self.remarks = remarks
  }

  package var text: String {
    let tables = ReportTables(document: document)
    var parts: [String] = ["# \(document.tool.name)\(label): \(document.verdict.rawValue)\n"]
    if document.generator.saturated {
      parts.append(
        "> **Saturated**: \(Markdown.escape(document.generator.saturatedReason ?? "")). \(Saturation.advice)\n")
    }
    if !document.notes.isEmpty {
      parts.append(document.notes.map { "> Note: \(Markdown.escape($0))\n" }.joined(separator: ">\n"))
    }
    parts.append(facts)
    if let checks = CheckTable(document)?.markdown { parts.append("## Checks\n\n\(checks)") }
    if document.metrics.isEmpty {
      parts.append("## Latencies\n\nThere was no sample.\n")
    } else {
      let legend = tables.legend.map { "\n\(Markdown.escape($0))\n" }.joined()
      parts.append("## Latencies\n\n\(tables.percentiles.markdown)\(legend)")
    }
    parts += remarks
    for panel in MetricPanel.all(of: document) {
      let remarks = panel.remarks.map { "\n\(Markdown.escape($0))\n" }.joined()
      parts.append("## \(panel.title)\n\n\(panel.table.markdown)\(remarks)")
    }
    if let soak = SoakReport(document) {
      parts.append("## Soak\n\n\(soak.table.markdown)" + soak.remarks.map { "\n\(Markdown.escape($0))\n" }.joined())
    }
    if !document.thresholds.isEmpty { parts.append("## Thresholds\n\n\(tables.thresholds.markdown)") }
    parts.append("## Counters\n\n\(tables.counters.markdown)")
    if !document.errors.isEmpty { parts.append("## Errors\n\n\(tables.errors.markdown)") }
    if let findings { parts.append("## Findings\n\n\(findings)") }
    if let references = tables.references?.markdown {
      parts.append(
        "## Reference figures\n\nMeasured by the team elsewhere, for comparison; not part of this run.\n\n\(references)"
      )
    }
    if let distribution = Distribution(document).text {
      parts.append("## Distribution\n\n```text\n\(distribution)```\n")
    }
    if let timeline = TimelineTable(document).text { parts.append("## Timeline\n\n\(timeline)") }
    if let shards = ShardTable(document)?.table { parts.append("## Shards\n\n\(shards.markdown)") }
    parts.append("## Parameters\n\n\(tables.parameters.markdown)")
    parts.append("## Machine\n\n\(tables.machine.markdown)")
    return parts.joined(separator: "\n")
  }

  private var label: String { document.label.map { " (\(Markdown.escape($0)))" } ?? "" }

  private var facts: String {
    var lines = [
      "started \(document.startedAt)", "\(NumberText.decimals(document.durationSeconds, 2)) s",
      "version \(document.version) (\(document.build))", "target \(target)",
      "generator CPU \(NumberText.decimals(document.generator.cpuUtilisation, 2)) cores",
    ]
    if let run = document.repetition {
      let side = run.side.map { ", \(Markdown.escape($0))" } ?? ""
      lines.append("run \(run.run) of \(run.of)\(side)")
    }
    if let shards = ShardTable.facts(of: document) { lines.append(Markdown.escape(shards)) }
    if let throughput = Throughput(document: document).line { lines.append(Markdown.escape(throughput)) }
    if let lateness = document.generator.scheduleLatenessP99Ms {
      lines.append("start lateness P99 \(NumberText.time(milliseconds: lateness))")
    }
    return lines.map { "- \($0)\n" }.joined()
  }

  private var target: String {
    Markdown.escape(document.target.words)
  }

  private var findings: String? {
    var entries = document.findings ?? [:]
    if let fileSystem = document.target.fileSystem { entries["file system"] = fileSystem }
    guard !entries.isEmpty else { return nil }
    return entries.sorted { NaturalOrder.precedes($0.key, $1.key) }.map { entry in
      guard case .object(let facts) = entry.value else { return line(entry) }
      return "- \(Markdown.escape(entry.key)):\n" + facts.sorted { $0.key < $1.key }.map { "  " + line($0) }.joined()
    }.joined()
  }

  private func line(_ fact: (key: String, value: JSONValue)) -> String {
    "- \(Markdown.escape(fact.key)): \(Markdown.escape(fact.value.description))\n"
  }
}

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
    var table = Table([metric.name, "up to", "count", ""])
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
