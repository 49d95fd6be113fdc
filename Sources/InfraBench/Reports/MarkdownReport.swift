import Latency

/// A result as Markdown, made from the document alone.
package struct MarkdownReport {
  private let document: ResultDocument
  private let remarks: [String]

  /// - Parameter remarks: sections about the latencies, which follow them.
  package init(_ document: ResultDocument, remarks: [String] = []) {
    self.document = document
    self.remarks = remarks
  }

  package var text: String {
    let tables = ReportTables(document: document)
    var parts: [String] = ["# \(document.tool)\(label): \(document.verdict.rawValue)\n"]
    if document.generator.saturated {
      parts.append(
        "> **Saturated**: \(Markdown.escape(document.generator.saturatedReason ?? "")). \(Saturation.advice)\n")
    }
    if !document.notes.isEmpty {
      parts.append(document.notes.map { "> Note: \(Markdown.escape($0))\n" }.joined(separator: ">\n"))
    }
    parts.append(facts)
    if document.metrics.isEmpty {
      parts.append("## Latencies\n\nThere was no sample.\n")
    } else {
      let legend = tables.legend.map { "\n\(Markdown.escape($0))\n" }.joined()
      parts.append("## Latencies\n\n\(tables.percentiles.markdown)\(legend)")
    }
    parts += remarks
    if let times = AnswerTimes(document) {
      let remarks = times.remarks.map { "\n\(Markdown.escape($0))\n" }.joined()
      parts.append("## \(AnswerTimes.title)\n\n\(times.table.markdown)\(remarks)")
    }
    if !document.thresholds.isEmpty { parts.append("## Thresholds\n\n\(tables.thresholds.markdown)") }
    parts.append("## Counters\n\n\(tables.counters.markdown)")
    if !document.errors.isEmpty { parts.append("## Errors\n\n\(tables.errors.markdown)") }
    if let findings { parts.append("## Findings\n\n\(findings)") }
    if let references = ReferenceFigures.table(for: document)?.markdown {
      parts.append(
        "## Reference figures\n\nMeasured by the team elsewhere, for comparison; not part of this run.\n\n\(references)"
      )
    }
    if let distribution = Distribution(document).text {
      parts.append("## Distribution\n\n```text\n\(distribution)```\n")
    }
    if let timeline = TimelineTable(document).text { parts.append("## Timeline\n\n\(timeline)") }
    parts.append("## Parameters\n\n\(tables.parameters.markdown)")
    parts.append("## Machine\n\n\(tables.machine.markdown)")
    return parts.joined(separator: "\n")
  }

  private var label: String { document.label.map { " (\(Markdown.escape($0)))" } ?? "" }

  private var facts: String {
    var lines = [
      "started \(document.startedAt)", "\(Figures.decimals(document.durationSeconds, 2)) s",
      "version \(document.version) (\(document.build))", "target \(target)",
      "generator CPU \(Figures.decimals(document.generator.cpuUtilisation, 2)) cores",
    ]
    if let run = document.repetition {
      let side = run.side.map { ", \(Markdown.escape($0))" } ?? ""
      lines.append("run \(run.run) of \(run.of)\(side)")
    }
    if let throughput = Throughput(document: document).line { lines.append(Markdown.escape(throughput)) }
    if let lateness = document.generator.scheduleLatenessP99Ms {
      lines.append("start lateness P99 \(Figures.time(milliseconds: lateness))")
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
    return entries.sorted { Natural.precedes($0.key, $1.key) }.map { entry in
      guard case .object(let facts) = entry.value else { return line(entry) }
      return "- \(Markdown.escape(entry.key)):\n" + facts.sorted { $0.key < $1.key }.map { "  " + line($0) }.joined()
    }.joined()
  }

  private func line(_ fact: (key: String, value: JSONValue)) -> String {
    "- \(Markdown.escape(fact.key)): \(Markdown.escape(fact.value.description))\n"
  }
}
