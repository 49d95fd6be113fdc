/// Results as JUnit XML, as Jenkins, GitLab and GitHub's actions read it: a suite per run, a case per threshold (docs/formats.md).
package struct JUnitReport {
  private let suites: [JUnitSuite]
  private static let wholeRun = "the run is complete"

  /// One run.
  package init(_ document: ResultDocument) {
    let parts = [document.label, document.repetition.map { "run \($0.run) of \($0.of)" }]
    var suite = JUnitSuite(document.tool, parts, startedAt: document.startedAt)
    let cause = CommonestError([document])?.words
    suite.add(
      .init(name: Self.wholeRun, seconds: document.durationSeconds, outcome: Self.outcome(of: document, cause: cause)))
    suite.add(document.thresholds, causes: [cause].compactMap(\.self))
    suites = [suite]
  }

  /// All tools of a run of the suite.
  package init(_ summary: SuiteSummary) {
    // One that only some tools have, such as that of a further run, tells those runs and not the whole.
    let labels = Set(summary.tools.filter { $0.file != nil }.map(\.label))
    let label = summary.label ?? (labels.count == 1 ? labels.first ?? nil : nil)
    var suites = [JUnitSuite("bench-suite", [label], startedAt: summary.startedAt)]
    suites[0].add(.init(name: "the suite is complete", outcome: Self.outcome(of: summary)))
    for tool in summary.tools {
      let hasSeveral = summary.tools.count { $0.tool == tool.tool } > 1
      var suite = JUnitSuite(
        tool.tool, [hasSeveral ? tool.label : label], startedAt: tool.startedAt ?? summary.startedAt)
      suite.add(.init(name: Self.wholeRun, seconds: tool.durationSeconds ?? 0, outcome: Self.outcome(of: tool)))
      suite.add(tool.thresholds, causes: tool.causes(beside: []))
      suites.append(suite)
    }
    if let comparison = summary.comparison, comparison.decides {
      var suite = JUnitSuite("bench-compare", [label], startedAt: summary.startedAt)
      suite.add(.init(name: "nothing got worse", outcome: Self.outcome(of: comparison)))
      suites.append(suite)
    }
    self.suites = suites
  }

  /// Without `skipped`, which Jenkins' schema doesn't have on this element.
  package var xml: String {
    func sum(_ number: (JUnitSuite) -> Int) -> String { "\(suites.reduce(0) { $0 + number($1) })" }
    let attributes = [
      ("name", "InfraBench"), ("tests", sum(\.cases.count)), ("failures", sum(\.failures)), ("errors", sum(\.errors)),
      ("time", JUnitSuite.time(suites.reduce(0) { $0 + $1.seconds })),
    ]
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites\(JUnitSuite.text(attributes))>\n"
      + suites.map(\.xml).joined() + "</testsuites>\n"
  }

  /// A crossed threshold is a case of its own, and no fault of the run.
  private static func outcome(of document: ResultDocument, cause: String?) -> JUnitSuite.Outcome {
    if document.failsBySaturation { return saturated(document.generator.saturatedReason) }
    if document.verdict == .pass || document.verdict == .fail { return .passed }
    let verdict = "verdict \(document.verdict.rawValue)"
    return .broken(
      type: document.verdict.rawValue, message: ([verdict] + [cause].compactMap(\.self)).joined(separator: "; "),
      details: [verdict] + [cause].compactMap(\.self) + document.notes)
  }

  private static func outcome(of tool: SuiteSummary.Tool) -> JUnitSuite.Outcome {
    if tool.isUnstarted { return .skipped(reason: tool.unstartedReason) }
    if let reason = tool.saturationReason, tool.verdict == "fail" { return saturated(reason) }
    guard let first = tool.breakage.first else { return .passed }
    let facts = ["verdict \(tool.verdict), exit status \(tool.exitStatus)"].filter { $0 != first }
    return .broken(
      type: tool.verdict, message: first,
      details: tool.breakage + tool.causes(beside: tool.breakage) + (tool.verdict == "running" ? [] : facts))
  }

  private static func outcome(of summary: SuiteSummary) -> JUnitSuite.Outcome {
    if let reason = summary.incompleteness {
      return .broken(type: summary.state.rawValue, message: reason, details: [reason] + (summary.unwritten ?? []))
    }
    guard let unwritten = summary.unwritten, let first = unwritten.first else { return .passed }
    return .broken(type: "unwritten", message: first, details: unwritten)
  }

  private static func outcome(of comparison: SuiteSummary.Comparison) -> JUnitSuite.Outcome {
    let lines = comparison.lines
    switch comparison.outcome {
    case .noRegression: return .passed
    case .noEarlierDay: return .skipped(reason: lines.joined(separator: "; "))
    case .regression: return .failed(type: "regression", message: lines[0], details: lines)
    case .notJudged: return .broken(type: "not_judged", message: lines[0], details: lines)
    }
  }

  private static func saturated(_ reason: String?) -> JUnitSuite.Outcome {
    let message = "the generator was saturated: the figures are its own, not the target's"
    let known = reason.flatMap { $0.isEmpty ? nil : "reason: \($0)" }
    return .failed(type: "saturated", message: message, details: [message] + [known].compactMap(\.self))
  }
}
