/// Results as JUnit XML, as GitHub's actions and GitLab read it: a suite per run, a case per threshold (docs/formats.md).
package struct JUnitReport {
  private let suites: [JUnitSuite]
  private static let wholeRun = "the run is complete"

  /// One run.
  package init(_ document: ResultDocument) {
    // A reader that collects several files takes two cases of one class and name for one.
    let parts = [document.label, document.repetition.map { "run \($0.run) of \($0.of)" }].compactMap { $0 }
    let name = document.tool + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
    var suite = JUnitSuite(
      name: name, className: document.repetition == nil ? document.tool : name, startedAt: document.startedAt)
    suite.add(
      .init(
        name: Self.wholeRun, seconds: document.durationSeconds,
        outcome: Self.outcome(
          verdict: document.verdict.rawValue, isSaturated: document.generator.saturated,
          saturatedReason: document.generator.saturatedReason)))
    suite.add(document.thresholds)
    suites = [suite]
  }

  /// All tools of a run of the suite.
  package init(_ summary: SuiteSummary) {
    var suites = summary.tools.map { tool in
      var suite = JUnitSuite(name: tool.tool, className: tool.tool, startedAt: tool.startedAt ?? summary.startedAt)
      let isUnstarted = tool.verdict == "skipped" || tool.verdict == "not run"
      suite.add(
        .init(
          name: Self.wholeRun, seconds: tool.durationSeconds ?? 0,
          outcome: isUnstarted
            ? .skipped(reason: tool.reason)
            : Self.outcome(verdict: tool.verdict, isSaturated: tool.saturated, exitStatus: tool.exitStatus)))
      suite.add(tool.thresholds)
      return suite
    }
    // Between two tools none of them was interrupted.
    if let interruption = summary.interruption, !summary.tools.contains(where: { $0.verdict == "interrupted" }) {
      var suite = JUnitSuite(name: "bench-suite", className: "bench-suite", startedAt: summary.startedAt)
      suite.add(
        .init(name: Self.wholeRun, outcome: .broken(type: "interrupted", message: "interrupted: \(interruption)")))
      suites.append(suite)
    }
    self.suites = suites
  }

  package var xml: String {
    func sum(_ number: (JUnitSuite) -> Int) -> String { "\(suites.reduce(0) { $0 + number($1) })" }
    let attributes = [
      ("name", "InfraBench"), ("tests", sum(\.cases.count)), ("failures", sum(\.failures)), ("errors", sum(\.errors)),
      ("skipped", sum(\.skipped)), ("time", JUnitSuite.time(suites.reduce(0) { $0 + $1.seconds })),
    ]
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites\(JUnitSuite.text(attributes))>\n"
      + suites.map(\.xml).joined() + "</testsuites>\n"
  }

  /// A crossed threshold is a case of its own, and no fault of the run.
  private static func outcome(
    verdict: String, isSaturated: Bool, saturatedReason: String? = nil, exitStatus: Int32? = nil
  ) -> JUnitSuite.Outcome {
    if verdict == "pass" || verdict == "fail" && !isSaturated { return .passed }
    if isSaturated, verdict == "fail" {
      return .failed(
        type: "saturated", message: "the generator was saturated: the figures are its own, not the target's",
        details: ["the generator was saturated: the figures are its own, not the target's"]
          + (saturatedReason.map { ["reason: \($0)"] } ?? []))
    }
    let status = exitStatus.map { ", exit status \($0)" } ?? ""
    return .broken(type: verdict, message: "verdict \(verdict)\(status)")
  }
}
