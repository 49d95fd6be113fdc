package import Results
import TextFormatting

/// Results as JUnit XML for Jenkins, GitLab and GitHub's actions: a suite per run, a case per threshold
/// (docs/formats.md).
package struct JUnitReport {
  private let suites: [JUnitSuite]
  private static let wholeRun = "the run is complete"

  /// Makes the report of one run.
  package init(_ document: ResultDocument) {
    let parts = [document.label, document.repetition.map { "run \($0.run) of \($0.of)" }]
    var suite = JUnitSuite(document.tool.name, parts, startedAt: document.startedAt)
    let cause = CommonestError([document])?.words
    suite.add(
      .init(name: Self.wholeRun, seconds: document.durationSeconds, outcome: Self.outcome(of: document, cause: cause)))
    for check in document.checks ?? [] { suite.add(check) }
    suite.add(document.thresholds, causes: [cause].compactMap(\.self))
    suites = [suite]
  }

  /// Makes the report of all tools in a run of the suite.
  package init(_ summary: SuiteSummary) {
    // A label that only some tools have, such as that of an additional run, names those runs and not the whole.
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

  /// The XML text. `testsuites` has no attribute `skipped`, because Jenkins' schema lacks it.
  package var xml: String {
    func sum(_ number: (JUnitSuite) -> Int) -> String { "\(suites.reduce(0) { $0 + number($1) })" }
    let attributes = [
      ("name", "InfraBench"), ("tests", sum(\.cases.count)), ("failures", sum(\.failures)), ("errors", sum(\.errors)),
      ("time", JUnitSuite.time(suites.reduce(0) { $0 + $1.seconds })),
    ]
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites\(JUnitSuite.text(attributes))>\n"
      + suites.map(\.xml).joined() + "</testsuites>\n"
  }

  /// The outcome of the run itself. A crossed threshold is a case of its own, not a failure of the run.
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

/// One tool's run in a JUnit report: a case for the run itself, and a case per threshold.
struct JUnitSuite {
  /// The outcome of one case.
  enum Outcome {
    case passed
    case skipped(reason: String)
    /// It was judged and not met.
    case failed(type: String, message: String, details: [String])
    /// It could not be judged.
    case broken(type: String, message: String, details: [String])
  }

  struct Case {
    var name: String
    var seconds = 0.0
    var outcome: Outcome
  }

  /// The suite's name, which is also the class of its cases: a reader that collects several files takes two cases with
  /// equal class and name for one.
  let name: String
  /// The run's start: UTC, ISO 8601 with milliseconds.
  let startedAt: String
  private(set) var cases: [Case] = []

  /// - Parameter parts: Distinguish this suite from those of the same tool in other files of one CI job; for instance a
  ///   label.
  init(_ tool: String, _ parts: [String?], startedAt: String) {
    let known = parts.compactMap(\.self)
    name = tool + (known.isEmpty ? "" : " (\(known.joined(separator: ", ")))")
    self.startedAt = startedAt
  }

  /// Adds a case. GitLab takes cases with equal names for one case, so a repeated name gets a number.
  mutating func add(_ added: Case) {
    var item = added
    var number = 1
    while cases.contains(where: { $0.name == item.name }) {
      number += 1
      item.name = "\(added.name) (\(number))"
    }
    cases.append(item)
  }

  /// Adds a case per threshold, which takes no time of its own.
  ///
  /// - Parameter causes: Possible causes of crossed thresholds, a line each.
  mutating func add(_ thresholds: [ResultDocument.JudgedThreshold], causes: [String]) {
    for threshold in thresholds {
      add(Case(name: threshold.expression, outcome: Self.outcome(of: threshold, causes: causes)))
    }
  }

  /// Adds a case for a check.
  mutating func add(_ check: CheckRecord) {
    let outcome: Outcome =
      switch check.verdict {
      case .pass: .passed
      case .notTested: .skipped(reason: "not tested: \(check.reason ?? "")")
      case .fail:
        .failed(
          type: "invariant_violated", message: check.violations.first?.what ?? check.claim,
          details: ["must hold: \(check.claim)"] + CheckTable.history(of: check))
      }
    add(Case(name: "check \(check.name)", seconds: check.seconds, outcome: outcome))
  }

  private static func outcome(of threshold: ResultDocument.JudgedThreshold, causes: [String]) -> Outcome {
    if threshold.skipped == true { return .skipped(reason: threshold.reason ?? "there was no sample") }
    if threshold.pass { return .passed }
    return .failed(
      type: "threshold_crossed", message: threshold.crossing,
      details: ["threshold: \(threshold.expression)", "observed: \(threshold.observedText)"]
        + (threshold.reason.map { ["reason: \($0)"] } ?? []) + causes)
  }

  var failures: Int { cases.count { if case .failed = $0.outcome { true } else { false } } }
  var errors: Int { cases.count { if case .broken = $0.outcome { true } else { false } } }
  var skipped: Int { cases.count { if case .skipped = $0.outcome { true } else { false } } }
  var seconds: Double { cases.reduce(0) { $0 + $1.seconds } }

  var xml: String {
    // Jenkins takes a second suite with equal name, id and time for one that it has read, and skips it. Two quick runs
    // may begin in one second, so the time has milliseconds. The zone (UTC) is left out, as in JUnit's own reports.
    let attributes = [
      ("name", name), ("id", "\(name)@\(startedAt)"), ("tests", "\(cases.count)"), ("failures", "\(failures)"),
      ("errors", "\(errors)"), ("skipped", "\(skipped)"), ("time", Self.time(seconds)),
      ("timestamp", startedAt.hasSuffix("Z") ? String(startedAt.dropLast()) : startedAt),
    ]
    return "  <testsuite\(Self.text(attributes))>\n" + cases.map(element).joined() + "  </testsuite>\n"
  }

  private func element(_ item: Case) -> String {
    let start =
      "    <testcase" + Self.text([("name", item.name), ("classname", name), ("time", Self.time(item.seconds))])
    // GitLab shows only the text, and many of GitHub's actions show only the attribute, so both are written.
    func child(_ name: String, _ attributes: [(String, String)], _ text: String) -> String {
      "\(start)>\n      <\(name)\(Self.text(attributes))>\(XMLText.element(text))</\(name)>\n    </testcase>\n"
    }
    switch item.outcome {
    case .passed: return "\(start)/>\n"
    case .skipped(let reason): return child("skipped", [("message", reason)], reason)
    case .failed(let type, let message, let details):
      return child("failure", [("message", message), ("type", type)], details.joined(separator: "\n"))
    case .broken(let type, let message, let details):
      return child("error", [("message", message), ("type", type)], details.joined(separator: "\n"))
    }
  }

  static func text(_ attributes: [(String, String)]) -> String {
    attributes.map { " \($0.0)=\"\(XMLText.attribute($0.1))\"" }.joined()
  }

  /// Seconds, to the millisecond, as digits and a point: schemas allow nothing else.
  static func time(_ seconds: Double) -> String {
    NumberText.decimals(seconds.isFinite ? min(max(0, seconds), 1e9) : 0, 3)
  }
}

/// Escapes foreign text for XML 1.0 (https://www.w3.org/TR/xml/, sections 2.2, 2.4, 2.11 and 3.3.3).
enum XMLText {
  /// Escapes an attribute's value in quotation marks. Line breaks are escaped too, because parsers would turn them into
  /// blanks.
  static func attribute(_ text: String) -> String { escape(text, isAttribute: true) }

  /// Escapes an element's text.
  static func element(_ text: String) -> String { escape(text, isAttribute: false) }

  private static func escape(_ text: String, isAttribute: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars where isAllowed(scalar) {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      // `>` is escaped because `]]>` is not allowed in a text.
      case ">": result += "&gt;"
      case "\"" where isAttribute: result += "&quot;"
      case "\n" where isAttribute: result += "&#10;"
      case "\t" where isAttribute: result += "&#9;"
      // Parsers would turn a bare carriage return into a line feed.
      case "\r": result += "&#13;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Whether XML allows the scalar at all; others are left out, because XML cannot hold them even escaped.
  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x9, 0xa, 0xd: true
    case ..<0x20, 0xfffe, 0xffff: false
    default: true
    }
  }
}
