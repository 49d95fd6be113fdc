import Results
import TextFormatting

/// What a run has checked, as a table, and the history of each violation, as text and as Markdown.
struct CheckTable {
  private let checks: [CheckRecord]
  /// The most violations of a check whose history is shown; all of them are in the document.
  private static let mostViolations = 5

  /// Makes the table; nil where the run has checked nothing.
  init?(_ document: ResultDocument) {
    guard let checks = document.checks, !checks.isEmpty else { return nil }
    self.checks = checks
  }

  var plain: String {
    let stories = checks.map { check in
      Self.history(of: check).map { PlainText.line($0) + "\n" }.joined()
    }
    return ([plainTable] + stories.filter { !$0.isEmpty }).joined(separator: "\n")
  }

  /// A line a check: its verdict, what must hold or why it was not tested.
  private var plainTable: String {
    let width = checks.map(\.name.count).max() ?? 0
    return checks.map { check in
      let name = check.name + String(repeating: " ", count: width - check.name.count)
      let words = check.words + String(repeating: " ", count: max(0, 10 - check.words.count))
      return PlainText.line("\(name)  \(words)  \(Self.remark(on: check))") + "\n"
    }.joined()
  }

  var markdown: String {
    var table = Table(["check", "verdict", "what must hold"])
    for check in checks { table.add([check.name, check.words, Self.remark(on: check)]) }
    let stories = checks.map { check -> String in
      let lines = Self.history(of: check)
      guard !lines.isEmpty else { return "" }
      // A block of code, in which nothing is markup.
      let text = lines.map { PlainText.line($0).replacing("`", with: "'") + "\n" }.joined()
      return "\n### \(Markdown.escape(check.name))\n\n```text\n\(text)```\n"
    }
    return table.markdown + stories.joined()
  }

  private static func remark(on check: CheckRecord) -> String {
    switch (check.verdict, check.reason) {
    case (.notTested, let reason): "not tested: \(reason ?? "")"
    case (_, let reason?): "\(check.claim) (\(reason))"
    case (_, nil): check.claim
    }
  }

  /// The violations of a check, each with the events that led to it, a line each; empty without violations.
  static func history(of check: CheckRecord) -> [String] {
    let shown = check.violations.prefix(mostViolations)
    let lines = shown.flatMap { violation -> [String] in
      let events = violation.events.filter(check.events.indices.contains).map { "    " + check.line(check.events[$0]) }
      return ["  \(NumberText.decimals(violation.t, 3)) s  \(violation.counter): \(violation.what)"] + events
    }
    guard !lines.isEmpty else { return [] }
    let rest = check.violations.count - shown.count
    return ["\(check.name):"] + lines + (rest > 0 ? ["  \(rest) more are in the JSON document"] : [])
  }
}
