/// The summary of a run of the suite, for a terminal and as Markdown.
package struct SummaryReport {
  private let summary: SuiteSummary

  package init(_ summary: SuiteSummary) {
    self.summary = summary
  }

  /// One table, and what it leaves open.
  package var text: String { table.plain + reasons.map { "\($0)\n" }.joined() }

  package var markdown: String {
    var parts = ["# InfraBench: \(outcome)\n", "Started \(summary.startedAt).\n", table.markdown]
    if !reasons.isEmpty { parts.append(reasons.map { "- \(Markdown.escape($0))\n" }.joined()) }
    let failures = summary.tools.flatMap { tool in
      tool.thresholds.filter { !$0.pass }.map { (tool.tool, $0) }
    }
    if !failures.isEmpty {
      var crossed = TextTable(["crossed threshold", "tool", "observed"])
      for (tool, threshold) in failures {
        crossed.add([threshold.expression, tool, ReportTables.observed(threshold)])
      }
      parts.append("## Crossed thresholds\n\n\(crossed.markdown)")
    }
    if hasSeveralRuns {
      parts.append(
        "Of several runs: the count of all samples, the median of each figure over the runs, and each threshold as the "
          + "first run judged it that crossed it.\n")
    }
    parts.append("The percentiles of short runs rest on few samples: each tool's own report marks them.\n")
    return parts.joined(separator: "\n")
  }

  /// Why tools were not started.
  private var reasons: [String] {
    summary.tools.compactMap { tool in tool.reason.map { "\(tool.tool) was \(tool.verdict): \($0)" } }
  }

  private var outcome: String {
    switch summary.exitStatus {
    case 0: "passed"
    case 99: "a threshold was crossed"
    case let status where ToolExit.isInterruption(status): "interrupted"
    default: "failed"
    }
  }

  private var hasSeveralRuns: Bool { summary.tools.contains { $0.files != nil } }

  private var table: TextTable {
    var table = TextTable(
      [
        "tool", "verdict",
      ] + (hasSeveralRuns ? ["runs"] : []) + [
        "metric", "count", "mean", "P50", "P95", "P99", "max", "thresholds", "errors", "exit",
      ])
    for tool in summary.tools {
      let figures = tool.headline.map { [$0.mean, $0.p50, $0.p95, $0.p99, $0.max].map(Figures.time(milliseconds:)) }
      let skipped = tool.thresholds.count { $0.skipped == true }
      let judged = tool.thresholds.count - skipped
      let passed = tool.thresholds.count { $0.pass } - skipped
      table.add(
        [tool.tool, tool.verdict + (tool.saturated ? " (saturated)" : "")]
          + (hasSeveralRuns ? ["\(tool.files?.count ?? (tool.file == nil ? 0 : 1))"] : [])
          + [tool.headline?.metric ?? "", tool.headline.map { "\($0.count)" } ?? ""]
          + (figures ?? Array(repeating: "", count: 5))
          + [judged > 0 ? "\(passed)/\(judged)" : "", "\(tool.errors)", "\(tool.exitStatus)"])
    }
    return table
  }
}
