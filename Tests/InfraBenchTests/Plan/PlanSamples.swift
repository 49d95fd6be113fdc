import Latency
import PlanReports
import Planning
import Results

/// Plans for the tests of reports.
enum PlanSamples {
  /// Two instance pools, costs, a requirement, and starts without a formula.
  static func summary(naming text: String = "12 × refill_task of results/a.json") throws -> PlanSummary {
    var model = PlanModel(
      arrivals: .poisson(perSecond: 5.0 / 60), times: PlanTimes(), capacity: Capacity(slots: 7, most: 50),
      schedule: RunSchedule(horizon: .seconds(2 * 3600), warmup: .seconds(3600), runs: 3, seed: 42))
    model.capacity?.scaleIn = .seconds(300)
    let pools = [0, 2, 4].flatMap { size in [0, 1].map { Candidate(poolSize: size, instancePool: $0) } }
    let plan = Plan(
      model, candidates: pools, requirements: [try Requirement("hit >= 60%"), try Requirement("cost <= 1000")],
      prices: .lab)
    return PlanSummary(
      plan,
      inputs: [
        PlanInput("task-start", "mean 10.1s, P50 10.0s, P99 11.2s", source: text),
        PlanInput("arrivals", "Poisson, 5/m", source: "given"),
      ], notes: ["refill_task was found by polling: each time may have been up to 20ms shorter"])
  }

  /// A formula applies.
  static func withFormula(requirement: String? = "hit >= 99%") throws -> PlanSummary {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 5.0 / 60), times: PlanTimes(),
      schedule: RunSchedule(horizon: .seconds(4 * 3600), warmup: .seconds(3600), runs: 5, seed: 7))
    let plan = Plan(
      model, candidates: (1...5).map { Candidate(poolSize: $0) },
      requirements: try requirement.map { [try Requirement($0)] } ?? [])
    return PlanSummary(plan, inputs: [PlanInput("arrivals", "Poisson, 5/m", source: "given")])
  }
}
