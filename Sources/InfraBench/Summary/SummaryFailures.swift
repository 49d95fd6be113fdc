extension SuiteSummary {
  /// Why the run is no pass, a line each: what was crossed, what went wrong, and where.
  package var failures: [String] {
    tools.flatMap { tool in
      tool.thresholds.filter { !$0.pass }.map { "\(tool.tool): \(ReportTables.crossing(of: $0))" }
        + (["error", "interrupted"].contains(tool.verdict) ? reasons(of: tool) : [])
    }
  }

  private func reasons(of tool: Tool) -> [String] {
    let words = ([tool.reason] + (tool.messages ?? [])).compactMap(\.self)
    guard !words.isEmpty else { return ["\(tool.tool): verdict \(tool.verdict), exit status \(tool.exitStatus)"] }
    return words.map { "\(tool.tool): \($0)" }
  }
}
