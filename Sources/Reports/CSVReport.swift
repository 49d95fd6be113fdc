package import Results
import TextFormatting

/// A result as one long table (RFC 4180), a row per figure: docs/formats.md. New columns are added at the end only.
package struct CSVReport {
  private let document: ResultDocument

  package init(_ document: ResultDocument) {
    self.document = document
  }

  package static let columns = [
    "tool", "label", "startedAt", "kind", "name", "statistic", "t", "value", "unit", "count", "text",
  ]

  package var text: String {
    let run = [document.tool.name, document.label ?? "", document.startedAt].map(CSV.text)
    return CSV.line(Self.columns)
      + rows.map { row in
        CSV.line(
          run + [row.kind.rawValue, CSV.text(row.name), CSV.text(row.statistic)]
            + [row.t, row.value, row.unit, row.count, CSV.text(row.text)])
      }.joined()
  }

  private enum Kind: String {
    case run, parameter, note, generator, metric, counter, error, threshold, timeline
  }

  private struct Row {
    var kind: Kind
    var name: String
    var statistic = ""
    var t = ""
    var value = ""
    var unit = ""
    var count = ""
    var text = ""
  }

  private var rows: [Row] {
    run + parameters + notes + generator + metrics + counters + errors + thresholds + timeline
  }

  private var run: [Row] {
    [
      Row(kind: .run, name: "verdict", text: document.verdict.rawValue),
      Row(kind: .run, name: "duration", value: CSV.number(document.durationSeconds), unit: "s"),
      Row(kind: .run, name: "target", text: document.stableTarget),
      Row(kind: .run, name: "version", text: "\(document.version) (\(document.build))"),
    ] + (document.target.profile.map { [Row(kind: .run, name: "profile", text: $0)] } ?? [])
  }

  /// A row per parameter; parameters that were not given have no row.
  private var parameters: [Row] {
    document.parameters.filter { $0.value != .null }.sorted { $0.key < $1.key }.map { name, value in
      let number = CSV.number(value)
      return Row(kind: .parameter, name: name, value: number ?? "", text: number == nil ? value.description : "")
    }
  }

  private var notes: [Row] { document.notes.map { Row(kind: .note, name: "", text: $0) } }

  private var generator: [Row] {
    let generator = document.generator
    let rows = [
      Row(kind: .generator, name: "cpu_utilisation", value: CSV.number(generator.cpuUtilisation), unit: "cores"),
      generator.scheduleLatenessP50Ms.map { lateness("p50", $0) },
      generator.scheduleLatenessP99Ms.map { lateness("p99", $0) },
      Row(kind: .generator, name: "backlog", statistic: "max", value: "\(generator.backlogMax)"),
      Row(
        kind: .generator, name: "saturated", value: generator.saturated ? "1" : "0",
        text: generator.saturatedReason ?? ""),
    ]
    return rows.compactMap { $0 }
  }

  private func lateness(_ statistic: String, _ milliseconds: Double) -> Row {
    Row(
      kind: .generator, name: "schedule_lateness", statistic: statistic, value: CSV.number(milliseconds), unit: "ms")
  }

  private var metrics: [Row] {
    ReportTables(document: document).metrics.flatMap { name, metric in
      let count = "\(metric.count)"
      let figures =
        [
          ("mean", metric.mean), ("stddev", metric.stddev), ("min", metric.min), ("p50", metric.p50),
          ("p90", metric.p90),
          ("p95", metric.p95), ("p99", metric.p99), ("p999", metric.p999), ("max", metric.max),
        ] + (metric.resolution.map { [("resolution", $0)] } ?? [])
      return [Row(kind: .metric, name: name, statistic: "count", value: count, count: count)]
        + figures.map { statistic, value in
          Row(
            kind: .metric, name: name, statistic: statistic, value: CSV.number(value), unit: metric.unit, count: count,
            text: metric.mark(of: statistic)?.words ?? "")
        }
    }
  }

  private var counters: [Row] {
    document.counters.sorted { $0.key < $1.key }.map { Row(kind: .counter, name: $0.key, value: "\($0.value)") }
  }

  private var errors: [Row] {
    document.errors.map { Row(kind: .error, name: $0.kind, value: "\($0.count)", text: $0.example) }
  }

  private var thresholds: [Row] {
    document.thresholds.map { threshold in
      let result = threshold.skipped == true ? "skipped" : threshold.pass ? "pass" : "fail"
      return Row(
        kind: .threshold, name: threshold.expression, value: threshold.observed.map(CSV.number) ?? "",
        unit: threshold.observedUnit.rawValue, text: result + (threshold.reason.map { ": \($0)" } ?? ""))
    }
  }

  /// A row per point and key.
  private var timeline: [Row] {
    (document.timeline?.rows ?? []).flatMap { point in
      ResultTimeline.shownKeys(of: [point]).compactMap { key in Self.row(of: point, key) }
    }
  }

  /// The row of a point's key; nil for a gap. A point of one metric is named after it.
  private static func row(of point: ResultTimeline.Row, _ name: String) -> Row? {
    let key = ResultTimeline.Key(rawValue: name)
    guard key != .t, key != .metric, let value = point.values[name], value != .null else { return nil }
    var row = Row(
      kind: .timeline, name: point.metric ?? "", statistic: name, t: CSV.number(point[.t] ?? .null) ?? "",
      unit: key?.unit ?? "")
    if let number = CSV.number(value) { row.value = number } else { row.text = value.description }
    return row
  }
}

/// Cells and lines of RFC 4180.
package enum CSV {
  /// Cells, quoted where they must be, and the end of the line.
  static func line(_ cells: [String]) -> String { cells.map(quoted).joined(separator: ",") + "\r\n" }

  /// Foreign text on one line. Problem: a spreadsheet may take a text for a formula. So such a text gets an apostrophe
  /// in front. A text that begins with an apostrophe gets one too, so that a reader restores each text by removing one
  /// apostrophe.
  /// https://owasp.org/www-community/attacks/CSV_Injection
  package static func text(_ text: String) -> String {
    let line = PlainText.line(text)
    // A leading line break or tab has become a blank, and spreadsheets skip leading blanks.
    let start = line.unicodeScalars.first { $0 != " " }
    return start.map { "=+-@'＝＋－＠".unicodeScalars.contains($0) } ?? false ? "'" + line : line
  }

  /// The number's text; empty unless it is finite.
  static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "" }

  /// The number's text; nil for any other JSON value.
  static func number(_ value: JSONValue) -> String? {
    switch value {
    case .int(let number): "\(number)"
    case .double(let number): self.number(number)
    default: nil
    }
  }

  private static func quoted(_ cell: String) -> String {
    // Scalars are compared, because a combining mark behind a comma or a quotation mark makes it another Character.
    let needsQuotes = cell.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
    return needsQuotes ? "\"" + cell.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\"" : cell
  }
}
