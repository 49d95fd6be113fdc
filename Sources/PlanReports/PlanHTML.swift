import Latency
import Planning
import Reports
import TextFormatting

/// A plan as an HTML page.
package struct PlanHTML {
  private let summary: PlanSummary
  private let plan: Plan
  private let tables: PlanTables

  package init(_ summary: PlanSummary) {
    self.summary = summary
    plan = summary.plan
    tables = PlanTables(plan)
  }

  /// The page's text.
  package var source: String { HTMLPage(title: "Plan: \(outcome)", content: content).source }

  private var outcome: String {
    plan.answer.map { "a pool of \($0.candidate.poolSize)" }
      ?? (plan.requirements.isEmpty ? "\(plan.results.count) pools" : "no pool is enough")
  }

  private var content: HTML {
    HTML([header, tiles, HTML.notes(summary.notes), hits, waits, expenses, day, explanation, input].compactMap { $0 })
  }

  private var header: HTML {
    let badge: HTML? =
      plan.requirements.isEmpty
      ? nil : "<span class=\"badge \(plan.answer == nil ? "bad" : "good")\">\(outcome)</span>"
    return """
      <header>
      <h1>Warm pool plan \(badge)</h1>
      \(HTML.list([tables.answer].compactMap { $0 }, class: "facts"))</header>

      """
  }

  private var tiles: HTML? {
    guard let shown = plan.shown else { return nil }
    var tiles = [("\(tables.name(shown))", plan.answer == nil ? "pool" : "pool that is enough")]
    if shown.arrivals > 0 { tiles.append((PlanTables.percent(shown.hitRate.value), "hit rate")) }
    if !shown.waits.isEmpty {
      tiles.append((NumberText.time(milliseconds: shown.waits.mean / 1e6), "mean wait"))
      tiles.append((NumberText.time(milliseconds: Double(shown.waits.value(atPercentile: 99)) / 1e6), "P99 of waits"))
    }
    if let cost = shown.cost, let prices = plan.prices {
      tiles.append(("\(prices.currency) \(NumberText.decimals(cost.total, 2))", "a month"))
    }
    let items = tiles.map { "<li><b>\($0.0)</b><span>\($0.1)</span></li>\n" as HTML }
    return "<ul class=\"tiles\">\n\(items)</ul>\n"
  }

  private var hits: HTML {
    let picture = HitRatePicture(plan: plan)
    return HTMLSection(
      title: "Hit rate",
      content: HTMLFigure(
        title: "Hit rate over the pool's size",
        explanation: [
          "Points are the simulation's rate over all runs, bars its 95 % interval.",
          "Each further nine of the rate has the same room.",
        ],
        picture: picture.picture, key: picture.key, table: HTMLTable("Hit rates", tables.hits).html
      ).html
    ).html
  }

  private var waits: HTML {
    HTMLSection(title: "Waits", content: HTML([waitsOverSize, distribution].compactMap { $0 })).html
  }

  private var waitsOverSize: HTML? {
    let waits = WaitPicture(plan: plan)
    guard let picture = waits.picture else { return nil }
    let pools = Set(plan.results.map { $0.candidate.instancePool })
    let instancePool = pools.count > 1 ? waits.instancePool : nil
    return HTMLFigure(
      title: "Waits over the pool's size",
      explanation: instancePool.map { ["With an instance pool of \($0)."] } ?? [],
      picture: picture, key: waits.key, table: waits.table.html
    ).html
  }

  private var distribution: HTML {
    let table = HTMLTable("From the arrival to ready", tables.waits).html + HTML.list(tables.legend, class: "legend")
    let lines = spectra.compactMap { SpectrumLine("pool \(tables.name($0))", $0.waits) }
    guard let chart = SpectrumChart(lines) else { return table }
    return HTMLFigure(
      title: "Waits of all users", explanation: SpectrumChart.explanation, picture: chart.picture, key: chart.key,
      table: table
    ).html
  }

  /// At most six candidates: those around the one that is shown.
  private var spectra: [CandidateResult] {
    let results = plan.results
    guard results.count > 6, let shown = plan.shown,
      let place = results.firstIndex(where: { $0.candidate == shown.candidate })
    else { return results }
    let first = min(max(0, place - 3), results.count - 6)
    return Array(results[first..<(first + 6)])
  }

  private var expenses: HTML {
    let table =
      HTMLTable("Tasks, instances and costs, on average over time", tables.expenses).html
      + HTML.list([PlanTables.frontLegend], class: "legend")
    let front = FrontPicture(plan: plan, tables: tables)
    guard let picture = front.picture else { return HTMLSection(title: "Costs", content: table).html }
    return HTMLSection(
      title: "Costs",
      content: HTMLFigure(
        title: "Mean wait over \(front.expenseName)",
        explanation: [
          "The line is the Pareto front. Hollow candidates are not on it: another one is better in one and no worse in the other."
        ],
        picture: picture, table: table
      ).html
    ).html
  }

  private var day: HTML? {
    guard let shown = plan.shown else { return nil }
    let day = DayPicture(result: shown)
    guard let picture = day.picture else { return nil }
    let hasSessions = shown.meanSessions != nil
    let hasInstances = shown.meanInstances != nil
    var table = HTMLTable(
      "The pool over time",
      header: ["hours", "warm", "fewest warm", "starting", "waiting"] + (hasSessions ? ["sessions"] : [])
        + (hasInstances ? ["instances"] : []))
    let points = shown.timeline
    for (place, point) in points.enumerated() where place.isMultiple(of: max(1, points.count / 24)) {
      let numbers =
        [point.warm, point.fewestWarm, point.starting, point.waiting] + (hasSessions ? [point.sessions] : [])
        + (hasInstances ? [point.instances] : [])
      table.add([NumberText.decimals(point.time.seconds / 3600, 2)] + numbers.map { "\($0)" })
    }
    return HTMLSection(
      title: "A day of the pool \(tables.name(shown))",
      content: HTMLFigure(
        title: "The pool over time", explanation: ["One run. Where no task is warm, users wait."], picture: picture,
        key: day.key, table: table.html
      ).html
    ).html
  }

  private var explanation: HTML {
    HTMLSection(title: "Formulas", content: HTML.list(PlanExplanation(plan).sentences)).html
  }

  private var input: HTML {
    var table = HTMLTable("What the plan was made from", header: ["input", "value", "from"])
    for input in summary.inputs { table.add([input.name, input.value, input.source]) }
    return HTMLSection(title: "Input", content: table.html).html
  }
}
