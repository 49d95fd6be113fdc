extension SuiteSummary {
  /// Why the run is no pass, a line each: what ended it, what was crossed, what went wrong, and where.
  package var failures: [String] {
    let own = tools.flatMap { tool in tool.failures.map { "\(name(of: tool)): \($0)" } }
    return ([incompleteness].compactMap(\.self) + own + comparisonFailures + (unwritten ?? [])).map(PlainText.line)
  }

  /// Why not everything was measured that was to be; nil where it was.
  var incompleteness: String? {
    switch state {
    case .finished: nil
    case .running: "the suite was still running when this was written: it goes on, or was killed"
    case .interrupted: "the suite was interrupted: \(interruption ?? "by a signal")"
    }
  }

  /// What the comparison with an earlier day has against the run; empty where it has no say.
  private var comparisonFailures: [String] {
    guard let comparison, comparison.decides, [.regression, .notJudged].contains(comparison.outcome) else { return [] }
    return comparison.lines.map { "bench-compare: \($0)" }
  }
}

extension SuiteSummary.Comparison {
  /// Its outcome and the reasons, a line each.
  var lines: [String] { ["\(outcome.rawValue)" + (with.map { ", compared with \($0)" } ?? "")] + reasons }
}

extension SuiteSummary.Tool {
  /// Why it is no pass, a line each.
  var failures: [String] {
    thresholds.filter { !$0.pass }.map(ReportTables.crossing)
      + (saturationReason.map { ["saturated: \($0). \(Saturation.advice)"] } ?? []) + breakage
      + (isPass ? [] : causes(beside: breakage))
  }

  /// Why it gave no verdict of its own, a line each; empty where it did.
  var breakage: [String] {
    switch verdict {
    case "running": return ["it was still running when this was written: it goes on, or was killed"]
    case "error", "interrupted":
      // What a tool says of wrong usage is several lines.
      let said = (messages ?? []).flatMap { $0.split(separator: "\n") }
        .map { $0.hasPrefix("error: ") ? String($0.dropFirst(7)) : String($0) }
      let lines = (reason.map { [$0] } ?? []) + said
      return lines.isEmpty ? ["verdict \(verdict), exit status \(exitStatus)"] : lines
    default: return []
    }
  }

  /// The commonest error, unless `lines` name it already.
  func causes(beside lines: [String]) -> [String] {
    guard let words = commonestError?.words, !lines.contains(where: { $0.contains(words) }) else { return [] }
    return [words]
  }

  private var isPass: Bool { verdict == "pass" || isUnstarted }

  /// Whether it was not run at all.
  var isUnstarted: Bool { verdict == "skipped" || verdict == "not run" }

  /// Why it was not run.
  var unstartedReason: String { reason ?? "it was not started" }
}
