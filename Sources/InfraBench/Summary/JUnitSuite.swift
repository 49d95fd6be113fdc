/// One tool's run in a JUnit report: whether it was whole, and a case per threshold.
struct JUnitSuite {
  /// What came of one case.
  enum Outcome {
    case passed
    case skipped(reason: String)
    /// It was judged, and not met.
    case failed(type: String, message: String, details: [String])
    /// It could not be judged.
    case broken(type: String, message: String, details: [String])
  }

  struct Case {
    var name: String
    var seconds = 0.0
    var outcome: Outcome
  }

  /// Also the class of its cases: a reader that collects several files takes two cases of one class and name for one.
  let name: String
  /// UTC, ISO 8601 with milliseconds.
  let startedAt: String
  private(set) var cases: [Case] = []

  /// - Parameter parts: What tells it from suites of the same tool in other files of one CI job, such as a label.
  init(_ tool: String, _ parts: [String?], startedAt: String) {
    let known = parts.compactMap(\.self)
    name = tool + (known.isEmpty ? "" : " (\(known.joined(separator: ", ")))")
    self.startedAt = startedAt
  }

  /// Adds a case. GitLab takes cases of one name for one case, so that a name that is there already gets a number.
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
  /// - Parameter causes: What may have crossed them, a line each.
  mutating func add(_ thresholds: [ResultDocument.JudgedThreshold], causes: [String]) {
    for threshold in thresholds {
      add(Case(name: threshold.expression, outcome: Self.outcome(of: threshold, causes: causes)))
    }
  }

  private static func outcome(of threshold: ResultDocument.JudgedThreshold, causes: [String]) -> Outcome {
    if threshold.skipped == true { return .skipped(reason: threshold.reason ?? "there was no sample") }
    if threshold.pass { return .passed }
    return .failed(
      type: "threshold_crossed", message: ReportTables.crossing(of: threshold),
      details: ["threshold: \(threshold.expression)", "observed: \(ReportTables.observed(threshold))"]
        + (threshold.reason.map { ["reason: \($0)"] } ?? []) + causes)
  }

  var failures: Int { cases.count { if case .failed = $0.outcome { true } else { false } } }
  var errors: Int { cases.count { if case .broken = $0.outcome { true } else { false } } }
  var skipped: Int { cases.count { if case .skipped = $0.outcome { true } else { false } } }
  var seconds: Double { cases.reduce(0) { $0 + $1.seconds } }

  var xml: String {
    // Jenkins takes a suite of the same name, id and time for the same suite read twice, and leaves it out: two quick runs may
    // begin in one second, so that milliseconds are needed. The zone, UTC, is left out, as in JUnit's own reports.
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
    // GitLab shows the text alone, many of GitHub's actions the attribute alone.
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

  /// Seconds, to the millisecond: digits and a point, which is all that schemas allow.
  static func time(_ seconds: Double) -> String {
    Figures.decimals(seconds.isFinite ? min(max(0, seconds), 1e9) : 0, 3)
  }
}
