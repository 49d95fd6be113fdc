import Results
import TextFormatting

/// The summary of a run of the suite, for a terminal and as Markdown.
package struct SummaryReport {
  private let summary: SuiteSummary

  package init(_ summary: SuiteSummary) {
    self.summary = summary
  }

  /// A table of the tools, then the reasons why parts are missing.
  package var text: String {
    table.plain + ([summary.incompleteness].compactMap(\.self) + unstarted).map { "\(PlainText.line($0))\n" }.joined()
  }

  package var markdown: String {
    let label = summary.label.map { " (\(Markdown.escape($0)))" } ?? ""
    var parts = ["# InfraBench\(label): \(Markdown.escape(outcome))\n", "Started \(summary.startedAt).\n"]
    if let reason = summary.incompleteness { parts.append("**\(Markdown.escape(reason)).**\n") }
    parts.append(table.markdown)
    for (title, lines) in [("What failed", summary.failures), ("What was not run", unstarted), ("Notes", notes)]
    where !lines.isEmpty {
      parts.append("## \(title)\n\n" + lines.map { "- \(Markdown.escape($0))\n" }.joined())
    }
    if hasSeveralRuns {
      parts.append(
        "Of several runs: the count of all samples, the median of each figure over the runs, and each threshold as the "
          + "first run judged it that crossed it.\n")
    }
    parts.append("The percentiles of short runs rest on few samples: each tool's own report marks them.\n")
    return parts.joined(separator: "\n")
  }

  /// Why tools were not run.
  private var unstarted: [String] {
    summary.tools.filter(\.isUnstarted).map { "\(summary.name(of: $0)) was \($0.verdict): \($0.unstartedReason)" }
  }

  /// The notes, each once: first those on the whole run, then those on tools. A note names its tools unless it concerns
  /// all tools with a result.
  private var notes: [String] {
    let measured = summary.tools.filter { $0.file != nil }.map(summary.name)
    var holders: [(note: String, tools: [String])] = []
    for tool in summary.tools {
      for note in tool.notes ?? [] {
        if let index = holders.firstIndex(where: { $0.note == note }) {
          holders[index].tools.append(summary.name(of: tool))
        } else {
          holders.append((note, [summary.name(of: tool)]))
        }
      }
    }
    let ofAll = holders.filter { $0.tools.count > 1 && $0.tools == measured }.map(\.note)
    let ofSome = holders.filter { !ofAll.contains($0.note) }
    return (summary.notes ?? []) + ofAll + ofSome.map { "\($0.tools.joined(separator: ", ")): \($0.note)" }
  }

  private var outcome: String {
    switch (summary.state, summary.exitStatus) {
    case (.running, _): "running"
    case (.interrupted, _): "interrupted" + (summary.interruption.map { ": \($0)" } ?? "")
    case (_, 0): "passed"
    case (_, 99): isWorseAlone ? "slower or worse than before" : "a threshold was crossed"
    case (_, let status) where ToolExit.isInterruption(status): "interrupted"
    default: "failed"
    }
  }

  /// Whether the comparison with earlier results is the only failure of the run.
  private var isWorseAlone: Bool {
    guard let comparison = summary.comparison, comparison.decides else { return false }
    return comparison.outcome == .regression && summary.tools.allSatisfy(\.failures.isEmpty)
  }

  private var hasSeveralRuns: Bool { summary.tools.contains { $0.files != nil } }

  private var table: Table {
    var table = Table(
      [
        "tool", "verdict",
      ] + (hasSeveralRuns ? ["runs"] : []) + [
        "metric", "count", "mean", "P50", "P95", "P99", "max", "thresholds", "errors", "exit",
      ])
    for tool in summary.tools {
      let figures = tool.headline.map { [$0.mean, $0.p50, $0.p95, $0.p99, $0.max].map(NumberText.time(milliseconds:)) }
      let skipped = tool.thresholds.count { $0.skipped == true }
      let judged = tool.thresholds.count - skipped
      let passed = tool.thresholds.count { $0.pass } - skipped
      table.add(
        [summary.name(of: tool), tool.verdict + (tool.saturated ? " (saturated)" : "")]
          + (hasSeveralRuns ? ["\(tool.files?.count ?? (tool.file == nil ? 0 : 1))"] : [])
          + [tool.headline?.metric ?? "", tool.headline.map { "\($0.count)" } ?? ""]
          + (figures ?? Array(repeating: "", count: 5))
          + [judged > 0 ? "\(passed)/\(judged)" : "", "\(tool.errors)", "\(tool.exitStatus)"])
    }
    return table
  }
}
