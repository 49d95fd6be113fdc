import Latency
package import Results
import TextFormatting

/// A result as an HTML page.
package struct ResultHTML {
  let document: ResultDocument
  let tables: ReportTables

  package init(_ document: ResultDocument) {
    self.document = document
    tables = ReportTables(document: document)
  }

  /// The page's text.
  package var source: String { HTMLPage(title: title, content: content).source }

  private var title: String {
    let label = document.label.map { " (\($0))" } ?? ""
    return "\(document.tool.name)\(label): \(document.verdict.rawValue), \(document.startedAt.prefix(10))"
  }

  private var content: HTML {
    let parts: [HTML?] = [
      header, warnings, headline,
      section("Checks", CheckSequence.html(of: document)),
      section("Thresholds", document.thresholds.isEmpty ? nil : thresholds),
      section("Latencies", latencies),
      HTML(panels),
      section("Soak", soak),
      section("Latency over time", overTime),
      section("The pool over time", poolOverTime),
      section("Phases", phases),
      section("Distribution", distribution),
      section("Shards", ShardTable(document).map { HTMLTable("What each shard did", $0.table).html }),
      section("Counters", HTMLTable("Counters, and their share of the iterations", tables.counters).html),
      section("Errors", document.errors.isEmpty ? nil : HTMLTable("Errors by kind", tables.errors).html),
      section("Findings", findings),
      section("Reference figures", references),
      section("Parameters", HTMLTable("What shaped the load", tables.parameters).html),
      section("Machine", HTMLTable("Where this was run", tables.machine).html),
    ]
    return HTML(parts.compactMap { $0 })
  }

  /// A section; nil without content.
  private func section(_ title: String, _ content: HTML?) -> HTML? {
    content.flatMap { $0.source.isEmpty ? nil : HTMLSection(title: title, content: $0).html }
  }

  // MARK: - The top

  private var header: HTML {
    let label: HTML = document.label.map { " <small class=\"soft\">\($0)</small>" } ?? ""
    let verdict = Self.badge(document.verdict)
    return """
      <header>
      <h1>\(document.tool.name)\(label)<span class="badge \(verdict.class)">\(verdict.words)</span></h1>
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
      "started \(document.startedAt)", "\(NumberText.decimals(document.durationSeconds, 2)) s",
      "target: \(document.target.words)", "version \(document.version) (\(document.build))",
      "generator CPU \(NumberText.decimals(document.generator.cpuUtilisation, 2)) cores",
      document.repetition.map { run in "run \(run.run) of \(run.of)\(run.side.map { ", \($0)" } ?? "")" },
      ShardTable.facts(of: document),
      document.generator.scheduleLatenessP99Ms.map { "start lateness P99 \(NumberText.time(milliseconds: $0))" },
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

  /// The tiles of the tool's headline metric.
  private var headline: HTML? {
    guard let (name, metric) = tables.headline else { return nil }
    let mark = { (percentile: String) in metric.mark(of: percentile)?.rawValue ?? "" }
    let tiles = [
      ("\(name), P50", NumberText.time(milliseconds: metric.p50) + mark("p50")),
      ("P95", NumberText.time(milliseconds: metric.p95) + mark("p95")),
      ("P99", NumberText.time(milliseconds: metric.p99) + mark("p99")),
      ("mean", NumberText.time(milliseconds: metric.mean)), ("samples", "\(metric.count)"),
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
        [.init(text: threshold.expression), .init(text: threshold.observedText), result]
          + (hasReasons ? [.init(text: threshold.reason ?? "")] : []))
    }
    return table.html
  }

  private var soak: HTML? {
    guard let report = SoakReport(document) else { return nil }
    let table = HTMLTable("Trend of each series", report.table).html + HTML.list(report.remarks, class: "legend")
    guard let charts = SoakCharts(document) else { return table }
    return HTMLFigure(
      title: "What was watched, minute by minute", explanation: charts.explanation, picture: charts.pictures,
      table: table
    ).html
  }

  // MARK: - The end

  private var findings: HTML? {
    var entries = document.findings ?? [:]
    if let fileSystem = document.target.fileSystem { entries["file system"] = fileSystem }
    guard !entries.isEmpty else { return nil }
    var table = HTMLTable("What was found beside latencies", header: ["finding", "value"])
    for (key, value) in entries.sorted(by: { NaturalOrder.precedes($0.key, $1.key) }) {
      guard case .object(let facts) = value else {
        table.add([key, value.description])
        continue
      }
      for (name, fact) in facts.sorted(by: { $0.key < $1.key }) { table.add(["\(key): \(name)", fact.description]) }
    }
    return table.html
  }

  private var references: HTML? {
    tables.references.map { table in
      HTML.paragraph("Measured by the team elsewhere, for comparison; not part of this run.")
        + HTMLTable("Reference figures", table).html
    }
  }
}

/// The parts of a page that show latencies.
extension ResultHTML {
  /// The spectra, and the table of percentiles.
  var latencies: HTML {
    guard !document.metrics.isEmpty else { return HTML.paragraph("There was no sample.") }
    let table =
      HTMLTable("Percentiles of every metric", tables.percentiles).html + HTML.list(tables.legend, class: "legend")
      + sampleNeeds
    guard let chart = SpectrumChart(spectra) else { return table }
    let drawn = Set(chart.lines.map(\.name))
    let left = tables.metrics.map(\.0).filter { !drawn.contains($0) }
    let rest = left.isEmpty ? [] : ["Not drawn, but in the table: \(left.joined(separator: ", "))."]
    return HTMLFigure(
      title: "Percentile spectrum", explanation: SpectrumChart.explanation + rest, picture: chart.picture,
      key: chart.key, table: table
    ).html
  }

  /// The percentiles that rest on too few samples, and the number of samples that they need.
  private var sampleNeeds: HTML {
    let lines = TooFewSamples(document).lines
    return lines.isEmpty ? "" : HTML.details(TooFewSamples.title, HTML.list(lines))
  }

  /// The lines that are drawn, the headline first and set-up phases last. An unreadable histogram has no line.
  private var spectra: [SpectrumLine] {
    let headline = tables.headline?.name
    let ordered = tables.metrics.enumerated().sorted { left, right in
      (rank(left.element.0, headline), left.offset) < (rank(right.element.0, headline), right.offset)
    }
    // Histograms are decoded one by one: a document may have any number of metrics, and a histogram may be large.
    var lines: [SpectrumLine] = []
    for (_, (name, metric)) in ordered where lines.count < SpectrumChart.mostLines {
      guard let histogram = try? HistogramV2Codec.decode(base64: metric.histogram.data),
        let line = SpectrumLine(name, histogram), line.count >= SpectrumChart.fewestSamples
      else { continue }
      lines.append(line)
    }
    return lines
  }

  private func rank(_ name: String, _ headline: String?) -> Int {
    name == headline ? 0 : document.tool.isSetUp(name) ? 2 : 1
  }

  /// A heat map if the intervals have histograms, else lines. Without a timeline, a hint at the option that records
  /// one.
  var overTime: HTML? {
    let intervals = (document.timeline?.rows ?? []).compactMap { LatencyInterval($0) }
    guard !intervals.isEmpty else {
      guard document.load.hasUsers, document.timeline == nil, !document.metrics.isEmpty else { return nil }
      return HTML.paragraph(
        "This run kept no timeline: --timeline 1s adds the latencies of every second, and a picture of them.")
    }
    let name = document.timeline?.metric ?? "latency"
    let table = timelineTable("\(name) by interval")
    if let map = HeatMap(intervals) {
      let merged = map.merged > 1 ? ["A column is \(map.merged) intervals."] : []
      return HTMLFigure(
        title: "\(name) over time",
        explanation: [
          "A column is an interval, a row a range of latencies on a logarithmic axis: the stronger the colour, the more samples."
        ] + merged, picture: map.picture, key: map.key, table: table
      ).html
    }
    if let bands = LatencyBands(intervals) {
      return HTMLFigure(
        title: "\(name) over time", explanation: ["Percentiles of each interval; a gap has no samples."],
        picture: bands.picture, key: bands.key, table: table
      ).html
    }
    return table
  }

  var poolOverTime: HTML? {
    guard let chart = PoolChart(document) else { return nil }
    return HTMLFigure(
      title: "Tasks in the pool",
      explanation: [
        "Each view of the pool as it was looked at: listed and running are ECS's word, warm is the gateway's.",
        "t0 is the end of the drain; the pool was full again somewhere within the shaded stretch marked 'refilled'.",
        "Where a look was missed the line has a gap on a shaded ground.",
        "The lines are drawn a little apart where they lie on one another.",
      ], picture: chart.picture, key: chart.key, table: timelineTable("The pool at every look")
    ).html
  }

  /// The timeline as a table, folded up if it is long.
  private func timelineTable(_ caption: String) -> HTML {
    guard let (table, notes) = TimelineTable(document).table else { return "" }
    let html = HTMLTable(caption, table).html + HTML.list(notes, class: "legend")
    return table.rows.count > 12 ? HTML.details("The numbers: \(table.rows.count) rows", html) : html
  }

  var phases: HTML? {
    let stacks = PhaseStack.of(document)
    guard !stacks.isEmpty else { return nil }
    var table = HTMLTable("Means of phases", header: ["phase", "of", "mean", "share", "samples"])
    for stack in stacks {
      let whole = stack.whole
      table.add([whole.name, "", NumberText.time(milliseconds: whole.milliseconds), "100.0%", "\(whole.count)"])
      for (index, part) in stack.parts.enumerated() {
        let figures = [
          whole.name, NumberText.time(milliseconds: part.milliseconds),
          whole.milliseconds > 0 ? NumberText.percent(part.milliseconds / whole.milliseconds) : "",
          part.count.map { "\($0)" } ?? "",
        ]
        let name = HTMLTable.Cell(text: part.name, swatch: StackedBars.colour(ofPart: index, in: stack))
        table.add([name] + figures.map { .init(text: $0) })
      }
    }
    var explanation = [
      "Means, because only means add up: percentiles of phases do not make a percentile of the whole.",
      "The thin bar is the whole's own mean; what no phase was measured for is the rest.",
    ]
    for stack in stacks where stack.overlaps {
      explanation.append(
        "The phases of \(stack.whole.name) were found by polling, and each is the longest that the looks allow: they overlap."
      )
    }
    for stack in stacks where stack.excess > 0 {
      explanation.append(
        "Those of \(stack.whole.name) are together \(NumberText.time(milliseconds: stack.excess)) longer than the whole."
      )
    }
    for stack in stacks where !stack.isOfOneCount {
      explanation.append("Not every phase of \(stack.whole.name) was seen each time: see the numbers of samples.")
    }
    return HTMLFigure(
      title: "What the mean is made of", explanation: explanation, picture: HTML(StackedBars.of(stacks).map(\.picture)),
      table: table.html
    ).html
  }

  /// The headline's distribution as bars in a table.
  var distribution: HTML? {
    guard let (name, metric) = tables.headline,
      let histogram = try? HistogramV2Codec.decode(base64: metric.histogram.data), !histogram.isEmpty
    else { return nil }
    return DistributionTable([(name, histogram)]).html
  }

  /// A section per panel: its figures, and the distributions over common ranges.
  var panels: [HTML] {
    MetricPanel.all(of: document).compactMap { panel in
      section(
        panel.title,
        HTMLTable(panel.title, panel.table).html + HTML.list(panel.remarks, class: "legend")
          + DistributionTable(panel.histograms).html)
    }
  }
}
