/// A comparison for people: for a terminal, and as Markdown for a comment on a pull request.
package struct ComparisonReport {
  private let comparison: Comparison

  package init(_ comparison: Comparison) {
    self.comparison = comparison
  }

  package var text: String {
    var parts = [PlainText.line(sides) + "\n"]
    for group in comparison.groups {
      let tables = ComparisonTables(group: group)
      parts.append(PlainText.line(title(of: group)) + "\n" + PlainText.line(group.key.parameterText) + "\n")
      parts += [tables.headline, tables.rates, tables.pooled, tables.others].compactMap { $0?.plain }
    }
    parts.append(legend.map { "\($0)\n" }.joined())
    parts += ComparisonRemarks(comparison).sections.map(\.text)
    parts.append("\(outcome)\n")
    return parts.joined(separator: "\n")
  }

  package var markdown: String {
    var parts = ["## Comparison: \(outcome)\n", Markdown.escape(sides) + "\n"]
    for group in comparison.groups {
      let tables = ComparisonTables(group: group)
      parts.append("### \(Markdown.escape(title(of: group)))\n")
      parts.append(Markdown.escape(group.key.parameterText) + "\n")
      parts += [tables.headline, tables.rates, tables.pooled].compactMap { $0?.markdown }
      // Folded up: in a pull request they would hide what counts.
      if let others = tables.others {
        parts.append("<details><summary>Exploratory</summary>\n\n\(others.markdown)\n</details>\n")
      }
    }
    parts += legend.map { Markdown.escape($0) + "\n" }
    parts += ComparisonRemarks(comparison).sections.map(\.markdown)
    return parts.joined(separator: "\n")
  }

  private var sides: String {
    "OLD: \(comparison.oldName) (\(ComparisonRemarks.runs(comparison.runsOld))), "
      + "NEW: \(comparison.newName) (\(ComparisonRemarks.runs(comparison.runsNew)))"
      + (comparison.excluded.isEmpty ? "" : "; left out: \(comparison.excluded.count), see below")
  }

  private var legend: [String] { ComparisonTables.legend(of: comparison.groups, comparison.settings) }

  private func title(of group: GroupComparison) -> String {
    "\(group.key.title): \(ComparisonRemarks.runs(group.runsOld)) against \(group.runsNew)"
  }

  /// What became of the statistics that were not judged alone: `2 slower or worse, 6 no change shown`.
  var outcome: String {
    let judged = comparison.judged.filter { !$0.isAllZero || !comparison.settings.only.isEmpty }
    let counts = [
      (StatisticComparison.Verdict.slower, "slower or worse"), (.faster, "faster or better"),
      (.noChange, "no change shown"), (.tooFewRuns, "with too few runs"),
    ].map { verdict, words in (judged.count { $0.verdict == verdict }, words) }
    let texts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return texts.isEmpty ? "exploratory only" : texts.joined(separator: ", ")
  }
}
