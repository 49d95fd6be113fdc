import Glibc
import PlanReports
import Planning
import Results
import TextFormatting

/// What `bench-plan` does once its options are right.
struct PlanRun {
  let settings: PlanSettings
  let print: OutputSettings.Print
  /// The path of the HTML page; nil: no page is written.
  let html: String?
  let explains: Bool
  let console: Console

  /// Simulates and reports; returns the exit status.
  var status: Int32 {
    let plan = Plan(
      settings.model, candidates: settings.candidates, requirements: settings.requirements, prices: settings.prices)
    let summary = PlanSummary(plan, inputs: settings.inputs, notes: settings.notes)
    // The page comes first: the reader of the output may stop in the middle of it.
    guard writePage(summary), write(summary) else { return ToolExit.failed.status }
    let contradictions = plan.contradictions
    guard contradictions.isEmpty else {
      console.error(
        "the simulation contradicts a formula, which is a mistake of bench-plan: please report the command, the seed "
          + "\(settings.model.schedule.seed) and these lines")
      console.talk(contradictions.map { "  \(PlainText.line($0))\n" }.joined())
      return ToolExit.failed.status
    }
    guard !plan.requirements.isEmpty, plan.answer == nil else { return ToolExit.pass.status }
    let met = plan.requirements.filter { requirement in
      plan.results.contains { requirement.judge($0).isMet }
    }
    for requirement in plan.requirements {
      let reason =
        met.contains(requirement) ? "no candidate meets it with the other requirements" : "no candidate meets it"
      console.talk("fail: \(PlainText.line(requirement.expression)): \(reason)\n")
    }
    return ToolExit.thresholdCrossed.status
  }

  private func writePage(_ summary: PlanSummary) -> Bool {
    guard let html else { return true }
    do throws(ResultWriteError) {
      try ResultWriter.replace(html, with: PlanHTML(summary).source)
    } catch {
      console.error("the page could not be written: \(error)")
      return false
    }
    console.note("wrote \(html)")
    return true
  }

  private func write(_ summary: PlanSummary) -> Bool {
    let report = PlanReport(summary, explains: explains)
    switch print {
    case .text: console.data(report.text)
    case .md: console.data(report.markdown)
    case .json:
      guard let json = try? ResultCoding.encode(PlanDocument(summary)) else {
        console.error("the figures can't be written as JSON")
        return false
      }
      console.data(json)
    }
    return true
  }
}
