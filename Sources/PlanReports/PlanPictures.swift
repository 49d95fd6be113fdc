import Glibc
import Latency
import Planning
import Reports
import TextFormatting

/// The hit rate over the pool's size, with its interval and the formula's curve.
///
/// Each further nine of the rate has the same room, as in percentile spectra: the sizes that matter all lie near 100 %.
struct HitRatePicture {
  let plan: Plan

  /// The most nines that are drawn; a rate beyond them lies at the edge.
  private static let mostNines = 5.0

  /// The place of a rate: 1 for 90 %, 2 for 99 %.
  private static func nines(_ rate: Double) -> Double {
    rate >= 1 ? mostNines : min(mostNines, -log10(1 - max(0, rate)))
  }

  private static func label(_ nines: Double) -> String {
    "\(NumberText.decimals((1 - pow(10, -nines)) * 100, max(0, Int(nines.rounded(.up)) - 2))) %"
  }

  /// The candidates with equal instance pools, by that number, at most one for each colour.
  private var series: [(instancePool: Int, results: [CandidateResult])] {
    let pools = Set(plan.results.map(\.candidate.instancePool)).sorted().prefix(6)
    return pools.map { pool in
      let own = plan.results.filter { $0.candidate.instancePool == pool && $0.arrivals > 0 }
      return (pool, own.sorted { $0.candidate.poolSize < $1.candidate.poolSize })
    }
  }

  var picture: HTML {
    let sizes = plan.results.map { Double($0.candidate.poolSize) }
    let rates: [Double] = plan.results.flatMap { result in
      [result.hitRate.value, result.hitRate.interval?.upperBound ?? 0, result.formulaHitRate ?? 0]
    }
    let top = max(1, rates.map(Self.nines).max() ?? 1)
    let (low, high) = (sizes.min() ?? 0, sizes.max() ?? 1)
    let plot = Plot(
      x: Axis(linear: low - 0.5, high + 0.5, ticks: 10), y: Axis(linear: 0, top * 1.04, ticks: Int(top.rounded(.up))))
    let columns = plot.x.ticks.filter { $0 == $0.rounded() }.map { ($0, Ticks.number($0)) }
    let drawn = series.enumerated().map { colour, series -> HTML in
      "<g class=\"c\(colour)\">\n\(draw(series.results, on: plot))</g>\n"
    }
    let text = plan.results.map { result in
      "\(result.candidate.poolSize): \(PlanTables.percent(result.hitRate.value))"
    }.joined(separator: "; ")
    return plot.picture(
      "Hit rate over the pool's size. \(text)", plot.rows(Self.label) + plot.columns("pool size", columns) + HTML(drawn)
    )
  }

  private func draw(_ results: [CandidateResult], on plot: Plot) -> HTML {
    func x(_ result: CandidateResult) -> Double { plot.px(Double(result.candidate.poolSize)) }
    let formula = results.compactMap { result in
      result.formulaHitRate.map { (x: x(result), y: plot.py(Self.nines($0))) }
    }
    let points = results.map { result -> HTML in
      let y = plot.py(Self.nines(result.hitRate.value))
      let whisker = result.hitRate.interval.map { interval -> HTML in
        let (low, high) = (plot.py(Self.nines(interval.lowerBound)), plot.py(Self.nines(interval.upperBound)))
        return """
          <line class="whisker" x1="\(px: x(result))" x2="\(px: x(result))" y1="\(px: low)" y2="\(px: high)"/>

          """
      }
      let title =
        "a pool of \(result.candidate.poolSize): \(PlanTables.percent(result.hitRate.value)), \(PlanTables.interval(result))"
      return "\(whisker)\(HTML.dot(x(result), y, class: "dot", title))"
    }
    return HTML.line(formula, class: "thin") + HTML(points)
  }

  var key: [HTMLFigure.KeyEntry] {
    series.enumerated().map { colour, series in
      .init(
        colour: colour,
        text: self.series.count > 1
          ? "instance pool of \(series.instancePool)" : "simulation" + (plan.hasFormula ? "; dashed: the formula" : ""))
    }
  }
}

/// The waits over the pool's size: their mean, P95 and P99.
struct WaitPicture {
  /// In the order of their sizes.
  let results: [CandidateResult]

  /// All candidates, where each size is there once. Where sizes are there with several instance pools, three lines for
  /// each of these would be too many: then those with the instance pool that has the most candidates, and of several such
  /// the one of the candidate that is shown.
  init(plan: Plan) {
    let all = plan.results.filter { !$0.waits.isEmpty }
    var drawn = all
    if Set(all.map { $0.candidate.poolSize }).count < all.count {
      let shown = plan.shown?.candidate.instancePool
      let pools = Set(all.map { $0.candidate.instancePool }).sorted()
      let groups = pools.map { pool in all.filter { $0.candidate.instancePool == pool } }
      let most = groups.map { $0.count }.max() ?? 0
      let largest = groups.filter { $0.count == most }
      drawn = largest.first { $0.first?.candidate.instancePool == shown } ?? largest.first ?? []
    }
    results = drawn.sorted { $0.candidate.poolSize < $1.candidate.poolSize }
  }

  /// The instance pool of all that is drawn; nil where there are several.
  var instancePool: Int? {
    let pools = Set(results.map { $0.candidate.instancePool })
    return pools.count == 1 ? pools.first : nil
  }

  /// Such as `3`, or `3/2` where instance pools differ.
  private func name(_ result: CandidateResult) -> String {
    "\(result.candidate.poolSize)" + (instancePool == nil ? "/\(result.candidate.instancePool)" : "")
  }

  private static let statistics: [(name: String, milliseconds: @Sendable (CandidateResult) -> Double)] = [
    ("mean", { $0.waits.mean / 1e6 }), ("P95", { Double($0.waits.value(atPercentile: 95)) / 1e6 }),
    ("P99", { Double($0.waits.value(atPercentile: 99)) / 1e6 }),
  ]

  var key: [HTMLFigure.KeyEntry] {
    Self.statistics.enumerated().map { colour, statistic in .init(colour: colour, text: statistic.name) }
  }

  /// The picture's numbers.
  var table: HTMLTable {
    var table = HTMLTable(
      "Waits by size", header: [instancePool == nil ? "pool/instances" : "pool"] + Self.statistics.map(\.name))
    for result in results {
      table.add(
        [name(result)]
          + Self.statistics.map { NumberText.time(milliseconds: $0.milliseconds(result)) })
    }
    return table
  }

  /// Nil without waits to draw.
  var picture: HTML? {
    guard let first = results.first, let last = results.last else { return nil }
    let (low, high) = (Double(first.candidate.poolSize), Double(last.candidate.poolSize))
    let plot = Plot(
      x: Axis(linear: low - 0.5, high + 0.5, ticks: 10),
      y: Axis(latencies: results.flatMap { result in Self.statistics.map { $0.milliseconds(result) } }))
    let columns = plot.x.ticks.filter { $0 == $0.rounded() }.map { ($0, Ticks.number($0)) }
    let lines = Self.statistics.enumerated().map { colour, statistic -> HTML in
      let points = results.map { result in
        (x: plot.px(Double(result.candidate.poolSize)), y: plot.py(statistic.milliseconds(result)))
      }
      let dots = zip(results, points).map { result, point -> HTML in
        let title =
          "a pool of \(name(result)): \(statistic.name) "
          + NumberText.time(milliseconds: statistic.milliseconds(result))
        return HTML.dot(point.x, point.y, class: "dot", title)
      }
      return "<g class=\"c\(colour)\">\n\(HTML.line(points, class: "line"))\(dots)</g>\n"
    }
    let text = results.map { result in
      "\(name(result)): "
        + Self.statistics.map { "\($0.name) \(NumberText.time(milliseconds: $0.milliseconds(result)))" }
        .joined(separator: ", ")
    }.joined(separator: "; ")
    return plot.picture(
      "Waits over the pool's size. \(text)", plot.rows(Ticks.time) + plot.columns("pool size", columns) + HTML(lines))
  }
}

/// The mean wait over what a candidate costs, with the Pareto front.
struct FrontPicture {
  let plan: Plan
  let tables: PlanTables

  private var results: [CandidateResult] { plan.results.filter { !$0.waits.isEmpty } }

  /// What the horizontal axis shows.
  var expenseName: String {
    if let prices = plan.prices { return "cost of a month in \(prices.currency)" }
    return plan.model.capacity == nil ? "warm and starting tasks, on average" : "instances, on average"
  }

  /// Nil without waits to draw.
  var picture: HTML? {
    guard !results.isEmpty else { return nil }
    let expenses = results.map(plan.expense)
    let plot = Plot(
      x: Axis(linear: (expenses.min() ?? 0) * 0.95, (expenses.max() ?? 1) * 1.05),
      y: Axis(latencies: results.map { plan.wait(of: $0) * 1000 }))
    func point(_ result: CandidateResult) -> (x: Double, y: Double) {
      (plot.px(plan.expense(of: result)), plot.py(plan.wait(of: result) * 1000))
    }
    let front = plan.front
    let onFront = Set(front.map(\.candidate))
    let points = results.map { result -> HTML in
      let (x, y) = point(result)
      let title =
        "\(tables.name(result)): \(Ticks.number(plan.expense(of: result))), mean wait \(Ticks.time(plan.wait(of: result) * 1000))"
      return """
        \(HTML.dot(x, y, class: onFront.contains(result.candidate) ? "dot" : "hollow", title))\
        <text class="off" x="\(px: x + 7)" y="\(px: y - 7)">\(tables.name(result))</text>

        """
    }
    let columns = plot.columns(expenseName, plot.x.ticks.map { ($0, Ticks.number($0)) })
    let text = results.map { "\(tables.name($0)): \(Ticks.number(plan.expense(of: $0)))" }.joined(separator: "; ")
    return plot.picture(
      "Mean wait over \(expenseName). \(text)",
      plot.rows(Ticks.time) + columns + "<g class=\"c0\">\n\(HTML.line(front.map(point), class: "line"))\(points)</g>\n"
    )
  }
}

/// A day of a pool's first run: its warm and starting tasks and its waiting users over time.
struct DayPicture {
  let result: CandidateResult

  private typealias Point = CandidateResult.TimelinePoint
  private static let views: [(name: String, colour: Int, number: @Sendable (Point) -> Int)] = [
    ("warm tasks, the fewest of each stretch", 0, { $0.fewestWarm }), ("starting tasks", 2, { $0.starting }),
    ("waiting users", 1, { $0.waiting }),
  ]

  private var shown: [(name: String, colour: Int, number: @Sendable (Point) -> Int)] {
    Self.views.filter { view in result.timeline.contains { view.number($0) > 0 } }
  }

  var key: [HTMLFigure.KeyEntry] { shown.map { .init(colour: $0.colour, text: $0.name) } }

  /// Nil without two points.
  var picture: HTML? {
    let points = result.timeline
    guard points.count > 1, let last = points.last else { return nil }
    let shown = shown
    let most = points.flatMap { point in shown.map { $0.number(point) } }.max() ?? 1
    let hours = last.time.seconds / 3600
    let plot = Plot(
      height: 320, x: Axis(linear: 0, hours, ticks: 8),
      y: Axis(linear: 0, Double(max(most, 1)) * 1.1, ticks: min(max(most, 1), 6)))
    let lines = shown.map { view -> HTML in
      var path: [(x: Double, y: Double)] = []
      for point in points {
        let (x, y) = (plot.px(point.time.seconds / 3600), plot.py(Double(view.number(point))))
        if let previous = path.last { path.append((x, previous.y)) }
        path.append((x, y))
      }
      return "<g class=\"c\(view.colour)\">\n\(HTML.line(path, class: "line"))</g>\n"
    }
    return plot.picture(
      "A pool of \(result.candidate.poolSize) over \(Ticks.number(hours)) hours: \(shown.map(\.name).joined(separator: ", "))",
      plot.rows(Ticks.number) + plot.columns("hours of the first run", plot.x.ticks.map { ($0, Ticks.number($0)) })
        + HTML(lines))
  }
}
