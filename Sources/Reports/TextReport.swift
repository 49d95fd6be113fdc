package import Results
import TextFormatting

/// A result for a terminal. Its last line is kept for scripts written for earlier versions, which search for it.
package struct TextReport {
  private let document: ResultDocument
  private let usesColor: Bool
  private let remarks: [String]

  /// - Parameter remarks: additional paragraphs, placed after the figures.
  package init(_ document: ResultDocument, usesColor: Bool = false, remarks: [String] = []) {
    self.document = document
    self.usesColor = usesColor
    self.remarks = remarks
  }

  package var text: String {
    let tables = ReportTables(document: document)
    var parts: [String] = []
    if document.generator.saturated {
      parts.append(
        paint("SATURATED: \(PlainText.line(document.generator.saturatedReason ?? "")). \(Saturation.advice)\n", .red))
    }
    parts.append(
      PlainText.line("\(document.tool.name) \(document.version) · \(document.startedAt) · \(document.target.words)")
        + "\n")
    if !document.metrics.isEmpty { parts.append(tables.percentiles.plain + lines(tables.legend)) }
    parts += remarks
    if let checks = CheckTable(document)?.plain { parts.append(checks) }
    parts.append(counterLine + "\n")
    if let throughput = Throughput(document: document).line { parts.append(PlainText.line(throughput) + "\n") }
    if let shards = ShardTable(document) { parts.append(shards.table.plain) }
    if let facts = ShardTable.facts(of: document) { parts.append(PlainText.line(facts) + "\n") }
    if let soak = SoakReport(document) { parts.append(soak.table.plain + lines(soak.remarks)) }
    if let findings = document.findings, !findings.isEmpty {
      parts.append(Self.lines(findings, indent: ""))
    }
    if !document.errors.isEmpty { parts.append(tables.errors.plain) }
    if !document.thresholds.isEmpty { parts.append(tables.thresholds.plain) }
    let color: Color = document.verdict == .pass ? .green : .red
    parts.append("verdict: " + paint(document.verdict.rawValue, color) + "\n")
    if let summary = summaryLine { parts.append(summary + "\n") }
    return parts.joined(separator: "\n")
  }

  private var counterLine: String {
    document.counters.filter { $0.value > 0 || $0.key == "iterations" || $0.key == "errors" }
      .sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: " · ")
  }

  /// `Average: 48ms, P50: …, P95: 62ms, P99: 78ms` of the tool's headline metric, which is named if it is not the usual
  /// one.
  private var summaryLine: String? {
    let usual = document.tool.headlines.first
    guard let (name, metric) = ReportTables(document: document).headline else {
      return usual.map { "no sample of \($0)" }
    }
    let figures = [("Average", metric.mean), ("P50", metric.p50), ("P95", metric.p95), ("P99", metric.p99)]
    return figures.map { "\($0.0): \(NumberText.time(milliseconds: $0.1))" }.joined(separator: ", ")
      + (usual == nil || usual == name ? "" : " (\(name))")
  }

  private static func lines(_ findings: [String: JSONValue], indent: String) -> String {
    findings.sorted { NaturalOrder.precedes($0.key, $1.key) }.map { key, value in
      guard case .object(let facts) = value else { return PlainText.line("\(indent)\(key): \(value)") + "\n" }
      return PlainText.line("\(indent)\(key):") + "\n" + lines(facts, indent: indent + "  ")
    }.joined()
  }

  private func lines(_ texts: [String]) -> String { texts.map { $0 + "\n" }.joined() }

  private enum Color: String {
    case red = "31"
    case green = "32"
  }

  private func paint(_ text: String, _ color: Color) -> String {
    usesColor ? "\u{1b}[\(color.rawValue)m\(text)\u{1b}[0m" : text
  }
}
