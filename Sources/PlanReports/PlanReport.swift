import Planning
import Reports
import Results
import TextFormatting

/// A plan as text for a terminal, and as Markdown.
package struct PlanReport {
  private let summary: PlanSummary
  private let tables: PlanTables
  private let explains: Bool

  /// - Parameter explains: whether to say for each candidate which formula applies, and why.
  package init(_ summary: PlanSummary, explains: Bool) {
    self.summary = summary
    self.explains = explains
    tables = PlanTables(summary.plan)
  }

  package var text: String {
    var parts = [title + "\n", inputs.plain, tables.hits.plain, tables.waits.plain + lines(tables.legend)]
    parts.append(tables.expenses.plain + lines([PlanTables.frontLegend]))
    if explains { parts.append(lines(explanation)) }
    if !summary.notes.isEmpty { parts.append(lines(summary.notes.map { "note: \($0)" })) }
    if let answer = tables.answer { parts.append("answer: \(PlainText.line(answer))\n") }
    return parts.joined(separator: "\n")
  }

  package var markdown: String {
    var parts = [
      "## \(tables.answer.map { Markdown.escape("Plan: \($0)") } ?? "Plan")\n", Markdown.escape(title) + "\n",
    ]
    parts.append("### Input\n\n\(inputs.markdown)")
    parts.append("### Hit rate\n\n\(tables.hits.markdown)")
    parts.append(
      "### Waits\n\n\(tables.waits.markdown)" + tables.legend.map { "\n\(Markdown.escape($0))\n" }.joined())
    parts.append("### Tasks and costs\n\n\(tables.expenses.markdown)\n\(Markdown.escape(PlanTables.frontLegend))\n")
    if explains { parts.append("### Formulas\n\n" + items(explanation)) }
    if !summary.notes.isEmpty { parts.append("### Notes\n\n" + items(summary.notes)) }
    return parts.joined(separator: "\n")
  }

  private var title: String {
    let schedule = summary.plan.model.schedule
    let arrivals = summary.plan.results.first?.arrivals ?? 0
    return "bench-plan \(SuiteVersion.version) · seed \(schedule.seed) · \(schedule.runs) "
      + "run\(schedule.runs == 1 ? "" : "s"), \(arrivals) arrivals"
  }

  private var inputs: Table {
    var table = Table(["input", "value", "from"])
    for input in summary.inputs { table.add([input.name, input.value, input.source]) }
    return table
  }

  /// Which formula applies and why; candidates with equal reasons together.
  var explanation: [String] { PlanExplanation(summary.plan).sentences }

  private func lines(_ sentences: [String]) -> String { sentences.map { "\(PlainText.line($0))\n" }.joined() }
  private func items(_ sentences: [String]) -> String { sentences.map { "- \(Markdown.escape($0))\n" }.joined() }
}

/// What formulas say: of the candidate that is shown how long its refill takes and how many users there are, then which
/// formula applies to which candidates, and why or why not.
struct PlanExplanation {
  let sentences: [String]

  init(_ plan: Plan) {
    var groups: [(choice: FormulaChoice, results: [CandidateResult])] = []
    for result in plan.results {
      if let place = groups.firstIndex(where: { $0.choice.reasons == result.choice.reasons }) {
        groups[place].results.append(result)
      } else {
        groups.append((result.choice, [result]))
      }
    }
    let others = plan.shown.map { plan.model.otherFigures(size: $0.candidate.poolSize) } ?? []
    sentences =
      others
      + groups.flatMap { choice, results in
        let sizes = groups.count == 1 ? "" : "pool \(Self.sizes(results)): "
        guard choice.formula != nil else {
          return ["\(sizes)no formula applies, because \(PlainText.list(choice.reasons, "and"))"]
        }
        return choice.reasons.map { sizes + $0 }
          + results.map { result in
            "S = \(result.candidate.poolSize): hit rate \(PlanTables.percent(result.formulaHitRate ?? 0)) by the formula, "
              + "\(PlanTables.percent(result.hitRate.value)) by the simulation"
          }
      }
  }

  private static func sizes(_ results: [CandidateResult]) -> String {
    PlainText.list(results.map { "\($0.candidate.poolSize)" }, "and")
  }
}
