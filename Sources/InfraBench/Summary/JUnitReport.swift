/// A run of the suite as JUnit XML, as GitHub and GitLab read it: a suite per tool, a case per threshold.
package struct JUnitReport {
  private let summary: SuiteSummary

  package init(_ summary: SuiteSummary) {
    self.summary = summary
  }

  package var xml: String {
    let suites = summary.tools.map(suite)
    let tests = suites.reduce(0) { $0 + $1.tests }
    let failures = suites.reduce(0) { $0 + $1.failures }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      + "<testsuites name=\"InfraBench\" tests=\"\(tests)\" failures=\"\(failures)\">\n"
      + suites.map(\.xml).joined() + "</testsuites>\n"
  }

  private struct Suite {
    var tests: Int
    var failures: Int
    var xml: String
  }

  private struct Case {
    var name: String
    /// Nil when it passed.
    var failure: String?
    var isSkipped = false
    /// Why it was skipped.
    var reason: String?
  }

  private func suite(_ tool: SuiteSummary.Tool) -> Suite {
    let cases = cases(of: tool)
    let failures = cases.count { $0.failure != nil }
    let skipped = cases.count { $0.isSkipped }
    let name = Self.escape(tool.tool)
    let head =
      "  <testsuite name=\"\(name)\" tests=\"\(cases.count)\" failures=\"\(failures)\" skipped=\"\(skipped)\" "
      + "timestamp=\"\(Self.escape(summary.startedAt))\">\n"
    let body = cases.map { item in
      let start = "    <testcase classname=\"\(name)\" name=\"\(Self.escape(item.name))\""
      if let failure = item.failure {
        return
          "\(start)>\n      <failure message=\"\(Self.escape(failure))\">\(Self.escape(failure))</failure>\n    </testcase>\n"
      }
      guard item.isSkipped else { return "\(start)/>\n" }
      let message = item.reason.map { " message=\"\(Self.escape($0))\"" } ?? ""
      return "\(start)>\n      <skipped\(message)/>\n    </testcase>\n"
    }
    return Suite(tests: cases.count, failures: failures, xml: head + body.joined() + "  </testsuite>\n")
  }

  private func cases(of tool: SuiteSummary.Tool) -> [Case] {
    let isUnstarted = tool.verdict == "skipped" || tool.verdict == "not run"
    let isWhole = tool.verdict == "pass" || tool.verdict == "fail" && !tool.saturated
    var run = Case(name: "the run is complete", isSkipped: isUnstarted, reason: tool.reason)
    if !isWhole, !isUnstarted {
      run.failure =
        tool.saturated
        ? "the generator was saturated: the figures are its own, not the target's"
        : "verdict \(tool.verdict), exit status \(tool.exitStatus)"
    }
    return [run]
      + tool.thresholds.map { threshold in
        guard !threshold.pass else {
          return Case(name: threshold.expression, isSkipped: threshold.skipped == true)
        }
        let reason = threshold.reason.map { " (\($0))" } ?? ""
        return Case(
          name: threshold.expression,
          failure: "\(threshold.expression): observed \(ReportTables.observed(threshold))\(reason)")
      }
  }

  /// XML 1.0, sections 2.2 and 2.4: markup escaped, characters that XML cannot have left out.
  static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", "\t", "\r": result += " "
      case _ where scalar.value < 0x20 || scalar.value == 0xfffe || scalar.value == 0xffff: break
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
