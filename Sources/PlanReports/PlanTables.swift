import Latency
package import Planning
import Reports
import Results
import TextFormatting

/// Something that a plan was made from, for people.
package struct PlanInput: Sendable, Equatable {
  package var name: String
  package var value: String
  /// Where the value comes from: `given`, `default`, or what it was measured by.
  package var source: String

  package init(_ name: String, _ value: String, source: String) {
    self.name = name
    self.value = value
    self.source = source
  }
}

/// A plan with what it was made from.
package struct PlanSummary: Sendable {
  package let plan: Plan
  package let inputs: [PlanInput]
  /// Sentences that a reader of the figures must know.
  package let notes: [String]

  /// - Parameter notes: notes on the input; those on the figures are added.
  package init(_ plan: Plan, inputs: [PlanInput], notes: [String] = []) {
    self.plan = plan
    self.inputs = inputs
    self.notes = notes + PlanNotes(plan).sentences
  }
}

extension Plan {
  /// Whether a formula applies to any candidate.
  var hasFormula: Bool { results.contains { $0.formulaHitRate != nil } }
}

/// The tables of a plan, the same in all reports.
struct PlanTables {
  let plan: Plan
  private let hasInstancePools: Bool
  private let hasLosses: Bool

  init(_ plan: Plan) {
    self.plan = plan
    hasInstancePools = plan.results.contains { $0.candidate.instancePool > 0 }
    hasLosses = plan.results.contains { $0.refused + $0.unserved > 0 }
  }

  /// What a candidate is called in one cell, such as `3` or `3/2`: its pool and its instance pool.
  func name(_ result: CandidateResult) -> String {
    "\(result.candidate.poolSize)" + (hasInstancePools ? "/\(result.candidate.instancePool)" : "")
  }

  private var poolHeader: String { hasInstancePools ? "pool/instances" : "pool" }

  /// Hit rates and shares of waits, a row a candidate.
  var hits: Table {
    let hasFormula = plan.hasFormula
    var table = Table(
      [poolHeader, "hit rate", "95 % interval"] + (hasFormula ? ["formula"] : [])
        + ["no task after 0 s", "1 s", "5 s", "20 s"] + (hasLosses ? ["refused", "never"] : [])
        + (plan.requirements.isEmpty ? [] : ["meets"]))
    for result in plan.results {
      let formula = result.formulaHitRate.map(Self.percent) ?? "-"
      table.add(
        [name(result), result.arrivals > 0 ? Self.percent(result.hitRate.value) : "-", Self.interval(result)]
          + (hasFormula ? [formula] : []) + result.longer.map(Self.percent)
          + (hasLosses ? ["\(result.refused)", "\(result.unserved)"] : [])
          + (plan.requirements.isEmpty ? [] : [plan.isMet(by: result) ? "yes" : "no"]))
    }
    return table
  }

  /// Waits from the arrival to `ready`, a row a candidate.
  var waits: Table {
    var table = Table([poolHeader, "users", "mean", "P50", "P90", "P95", "P99", "P99.9", "max"])
    for result in plan.results {
      guard let metric = MetricDocument(result.waits) else {
        table.add([name(result), "0"] + [String](repeating: "-", count: 7))
        continue
      }
      let percentiles = [metric.p50, metric.p90, metric.p95, metric.p99, metric.p999]
      table.add(
        [name(result), "\(metric.count)", NumberText.time(milliseconds: metric.mean)]
          + zip(MetricDocument.names, percentiles).map { statistic, value in
            NumberText.time(milliseconds: value) + (metric.mark(of: statistic)?.rawValue ?? "")
          } + [NumberText.time(milliseconds: metric.max)])
    }
    return table
  }

  /// The meanings of the marks in ``waits``.
  var legend: [String] {
    let marks = plan.results.compactMap { MetricDocument($0.waits) }.flatMap { metric in
      MetricDocument.names.compactMap { metric.mark(of: $0) }
    }
    return MetricDocument.Mark.legend(of: Set(marks))
  }

  /// Tasks, instances and costs over time, a row a candidate.
  var expenses: Table {
    let first = plan.results.first
    let currency = plan.prices?.currency ?? ""
    var header = [poolHeader, "warm tasks", "starting"]
    if first?.meanSessions != nil { header.append("sessions") }
    if first?.meanInstances != nil { header += ["instances", "stopped"] }
    if plan.prices != nil {
      header += ["instances", "stopped", "storage", "warm tasks", "a month"].map { "\($0) \(currency)" }
    }
    var table = Table(header + ["front"])
    let front = Set(plan.front.map(\.candidate))
    for result in plan.results {
      var row = [name(result), NumberText.decimals(result.meanWarm, 2), NumberText.decimals(result.meanStarting, 2)]
      if let sessions = result.meanSessions { row.append(NumberText.decimals(sessions, 2)) }
      if let instances = result.meanInstances, let stopped = result.meanStopped {
        row += [NumberText.decimals(instances, 2), NumberText.decimals(stopped, 2)]
      }
      if let cost = result.cost {
        row += [cost.runningInstances, cost.stoppedInstances, cost.storage, cost.warmTasks, cost.total].map {
          NumberText.decimals($0, 2)
        }
      }
      table.add(row + [front.contains(result.candidate) ? "yes" : "no"])
    }
    return table
  }

  static let frontLegend =
    "front: no other candidate is cheaper with as short a mean wait, or has a shorter one and is as cheap"

  static func percent(_ share: Double) -> String { "\(NumberText.decimals(share * 100, 3))%" }

  static func interval(_ result: CandidateResult) -> String {
    result.hitRate.interval.map { "\(percent($0.lowerBound)) – \(percent($0.upperBound))" } ?? "-"
  }

  /// The answer in a sentence; nil without requirements.
  var answer: String? {
    guard !plan.requirements.isEmpty else { return nil }
    let wanted = PlainText.list(plan.requirements.map(\.expression), "and")
    guard let answer = plan.answer else {
      let best = plan.results.max { $0.hitRate.value < $1.hitRate.value }
      let observed = best.map { best in
        "; the best hit rate, of \(name(best)), has "
          + PlainText.list(plan.judgements(of: best).map { "\($0.expression): \($0.observed)" }, "and")
      }
      return "no candidate meets \(wanted)\(observed ?? "")"
    }
    let judged = plan.judgements(of: answer).map { "\($0.expression): \($0.observed)" }
    return "a pool of \(answer.candidate.poolSize)"
      + (hasInstancePools ? " and an instance pool of \(answer.candidate.instancePool)" : "")
      + " meets \(PlainText.list(judged, "and"))"
  }
}

/// What a reader of a plan's figures must know.
struct PlanNotes {
  let sentences: [String]

  init(_ plan: Plan) {
    var notes: [String] = []
    if plan.model.schedule.runs == 1 {
      notes.append(
        plan.results.first?.hitRate.interval == nil
          ? "one run allows no interval: give --runs 2 or more"
          : "one run: its intervals come from 20 parts of its time, whose neighbours depend on one another a little")
    }
    if (2...4).contains(plan.model.schedule.runs) {
      notes.append("intervals of fewer than five runs say little: give --runs 5 or more")
    }
    if case .recorded = plan.model.arrivals {
      notes.append(
        "arrivals are the file's in each run: intervals show how starts and sessions differ, not how arrivals would")
    }
    let (model, warmup) = (plan.model, plan.model.schedule.warmup)
    if model.needsSessions, warmup.seconds < model.secondsToSettle {
      // No clock counts more than 584 years.
      let time = DurationText.write(.seconds(min(model.secondsToSettle, 1e10).rounded()))
      let settling = model.settlesSlowly ? "\(time), since lengths vary much," : "ten sessions, \(time),"
      notes.append(
        "a run begins with nobody there, which shows for about \(settling) "
          + "and the warm-up is \(DurationText.write(warmup)): sessions, instances and costs are too low")
    }
    let strains = model.strainsOfPeak(plan.results.map(\.candidate))
    notes += strains.map { "at the day's highest rate \($0)" }
    if let reason = plan.results.compactMap(\.choice.reasonNotCompared).first {
      notes.append("the simulation is not held against the formula: \(reason)")
    }
    let unserved = plan.results.filter { $0.unserved > 0 }
    if !unserved.isEmpty {
      notes.append(
        "users of the pools \(PlainText.list(unserved.map { "\($0.candidate.poolSize)" }, "and")) had no task when the "
          + "simulation ended: waits are of the others, and so too short")
    }
    let clamped = plan.results.reduce(UInt64(0)) { $0 + $1.waits.clampedCount }
    if clamped > 0 {
      notes.append("\(clamped) waits were longer than 1 h, and count as 1 h: the mean and the maximum are too short")
    }
    sentences = notes
  }
}
