import Latency

/// A result as a page of its own, made from the document alone.
package struct ResultHTML {
  let document: ResultDocument
  let tables: ReportTables

  package init(_ document: ResultDocument) {
    self.document = document
    tables = ReportTables(document: document)
  }

  /// The whole file.
  package var source: String { HTMLPage(title: title, content: content).source }

  private var title: String {
    let label = document.label.map { " (\($0))" } ?? ""
    return "\(document.tool)\(label): \(document.verdict.rawValue), \(document.startedAt.prefix(10))"
  }

  private var content: HTML {
    let parts: [HTML?] = [
      header, warnings, headline,
      section("Thresholds", document.thresholds.isEmpty ? nil : thresholds),
      section("Latencies", latencies),
      section(AnswerTimes.title, answerTimes),
      section("Latency over time", overTime),
      section("The pool over time", poolOverTime),
      section("Phases", phases),
      section("Distribution", distribution),
      section("Counters", HTMLTable("Counters, and their share of the iterations", tables.counters).html),
      section("Errors", document.errors.isEmpty ? nil : HTMLTable("Errors by kind", tables.errors).html),
      section("Findings", findings),
      section("Reference figures", references),
      section("Parameters", HTMLTable("What shaped the load", tables.parameters).html),
      section("Machine", HTMLTable("Where this was run", tables.machine).html),
    ]
    return HTML(parts.compactMap { $0 })
  }

  /// Nothing without content.
  private func section(_ title: String, _ content: HTML?) -> HTML? {
    content.flatMap { $0.source.isEmpty ? nil : HTMLSection(title: title, content: $0).html }
  }

  // MARK: - The top

  private var header: HTML {
    let label: HTML = document.label.map { " <small class=\"soft\">\($0)</small>" } ?? ""
    let verdict = Self.badge(document.verdict)
    return """
      <header>
      <h1>\(document.tool)\(label)<span class="badge \(verdict.class)">\(verdict.words)</span></h1>
      \(HTML.list(facts, class: "facts"))</header>

      """
  }

  private static func badge(_ verdict: ResultDocument.Verdict) -> (class: String, words: String) {
    switch verdict {
    case .pass: ("good", "✓ pass")
    case .fail: ("bad", "✗ fail")
    case .error: ("bad", "✗ error")
    case .interrupted: ("warn", "‖ interrupted")
    }
  }

  private var facts: [String] {
    let facts = [
      "started \(document.startedAt)", "\(Figures.decimals(document.durationSeconds, 2)) s",
      "target: \(document.target.words)", "version \(document.version) (\(document.build))",
      "generator CPU \(Figures.decimals(document.generator.cpuUtilisation, 2)) cores",
      document.repetition.map { run in "run \(run.run) of \(run.of)\(run.side.map { ", \($0)" } ?? "")" },
      document.generator.scheduleLatenessP99Ms.map { "start lateness P99 \(Figures.time(milliseconds: $0))" },
      Throughput(document: document).line,
    ]
    return facts.compactMap { $0 }
  }

  private var warnings: HTML {
    var html = HTML()
    if document.generator.saturated {
      let reason = document.generator.saturatedReason ?? ""
      html += HTML.alert("Saturated:", "\(reason). \(Saturation.advice)", class: "bad")
    }
    return html + HTML.notes(document.notes)
  }

  /// The tool's most important figures.
  private var headline: HTML? {
    guard let (name, metric) = tables.headline else { return nil }
    let mark = { (percentile: String) in metric.mark(of: percentile)?.rawValue ?? "" }
    let tiles = [
      ("\(name), P50", Figures.time(milliseconds: metric.p50) + mark("p50")),
      ("P95", Figures.time(milliseconds: metric.p95) + mark("p95")),
      ("P99", Figures.time(milliseconds: metric.p99) + mark("p99")),
      ("mean", Figures.time(milliseconds: metric.mean)), ("samples", "\(metric.count)"),
      ("errors", "\(document.counters["errors"] ?? 0)"),
    ]
    let items = tiles.map { "<li><b>\($0.1)</b><span>\($0.0)</span></li>\n" as HTML }
    let shown = Set(["p50", "p95", "p99"].compactMap(metric.mark))
    return """
      <ul class="tiles">
      \(items)</ul>
      \(HTML.list(MetricDocument.Mark.legend(of: shown), class: "legend"))
      """
  }

  private var thresholds: HTML {
    let hasReasons = document.thresholds.contains { $0.reason != nil }
    var table = HTMLTable(
      "Pass criteria", header: ["threshold", "observed", "result"] + (hasReasons ? ["why"] : []))
    for threshold in document.thresholds {
      let result: HTMLTable.Cell =
        threshold.skipped == true
        ? .init(text: "– skipped", badge: "")
        : threshold.pass ? .init(text: "✓ pass", badge: "good") : .init(text: "✗ FAIL", badge: "bad")
      table.add(
        [.init(text: threshold.expression), .init(text: ReportTables.observed(threshold)), result]
          + (hasReasons ? [.init(text: threshold.reason ?? "")] : []))
    }
    return table.html
  }

  // MARK: - The end

  private var findings: HTML? {
    var entries = document.findings ?? [:]
    if let fileSystem = document.target.fileSystem { entries["file system"] = fileSystem }
    guard !entries.isEmpty else { return nil }
    var table = HTMLTable("What was found beside latencies", header: ["finding", "value"])
    for (key, value) in entries.sorted(by: { Natural.precedes($0.key, $1.key) }) {
      guard case .object(let facts) = value else {
        table.add([key, value.description])
        continue
      }
      for (name, fact) in facts.sorted(by: { $0.key < $1.key }) { table.add(["\(key): \(name)", fact.description]) }
    }
    return table.html
  }

  private var references: HTML? {
    ReferenceFigures.table(for: document).map { table in
      HTML.paragraph("Measured by the team elsewhere, for comparison; not part of this run.")
        + HTMLTable("Reference figures", table).html
    }
  }
}
