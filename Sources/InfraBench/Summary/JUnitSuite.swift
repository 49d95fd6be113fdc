/// One tool's run in a JUnit report: whether it was whole, and a case per threshold.
struct JUnitSuite {
  /// What came of one case.
  enum Outcome {
    case passed
    case skipped(reason: String?)
    /// It was judged, and not met.
    case failed(type: String, message: String, details: [String])
    /// It could not be judged.
    case broken(type: String, message: String)
  }

  struct Case {
    var name: String
    var seconds = 0.0
    var outcome: Outcome
  }

  var name: String
  /// The tool: what GitLab shows as the suite.
  var className: String
  /// ISO 8601; nil of a tool that was not started.
  var startedAt: String?
  private(set) var cases: [Case] = []

  init(name: String, className: String, startedAt: String?) {
    self.name = name
    self.className = className
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
  mutating func add(_ thresholds: [ResultDocument.JudgedThreshold]) {
    for threshold in thresholds { add(Case(name: threshold.expression, outcome: Self.outcome(of: threshold))) }
  }

  private static func outcome(of threshold: ResultDocument.JudgedThreshold) -> Outcome {
    if threshold.skipped == true { return .skipped(reason: threshold.reason) }
    if threshold.pass { return .passed }
    return .failed(
      type: "threshold_crossed", message: ReportTables.crossing(of: threshold),
      details: ["threshold: \(threshold.expression)", "observed: \(ReportTables.observed(threshold))"]
        + (threshold.reason.map { ["reason: \($0)"] } ?? []))
  }

  var failures: Int { cases.count { if case .failed = $0.outcome { true } else { false } } }
  var errors: Int { cases.count { if case .broken = $0.outcome { true } else { false } } }
  var skipped: Int { cases.count { if case .skipped = $0.outcome { true } else { false } } }
  var seconds: Double { cases.reduce(0) { $0 + $1.seconds } }

  var xml: String {
    var attributes = [
      ("name", name), ("tests", "\(cases.count)"), ("failures", "\(failures)"), ("errors", "\(errors)"),
      ("skipped", "\(skipped)"), ("time", Self.time(seconds)),
    ]
    // As JUnit's schema has it: without a fraction and a zone. It is UTC.
    if let startedAt { attributes.append(("timestamp", String(startedAt.prefix(19)))) }
    return "  <testsuite\(Self.text(attributes))>\n" + cases.map(element).joined() + "  </testsuite>\n"
  }

  private func element(_ item: Case) -> String {
    let start =
      "    <testcase"
      + Self.text([("name", item.name), ("classname", className), ("time", Self.time(item.seconds))])
    func child(_ name: String, _ attributes: [(String, String)], _ text: String) -> String {
      "\(start)>\n      <\(name)\(Self.text(attributes))>\(XMLText.element(text))</\(name)>\n    </testcase>\n"
    }
    switch item.outcome {
    case .passed: return "\(start)/>\n"
    // GitLab shows the text alone, others the attribute alone.
    case .skipped(let reason): return child("skipped", [("message", reason ?? "")], reason ?? "")
    case .failed(let type, let message, let details):
      return child("failure", [("message", message), ("type", type)], details.joined(separator: "\n"))
    case .broken(let type, let message): return child("error", [("message", message), ("type", type)], message)
    }
  }

  static func text(_ attributes: [(String, String)]) -> String {
    attributes.map { " \($0.0)=\"\(XMLText.attribute($0.1))\"" }.joined()
  }

  /// Seconds, to the millisecond.
  static func time(_ seconds: Double) -> String { Figures.decimals(seconds, 3) }
}
