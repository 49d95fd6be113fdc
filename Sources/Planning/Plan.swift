import Latency

/// Candidates side by side, and the one that is enough.
///
/// ```swift
/// let plan = Plan(model, candidates: (1...10).map { Candidate(poolSize: $0) }, requirements: [atLeast99], prices: nil)
/// if let answer = plan.answer { print(answer.candidate.poolSize, answer.hitRate.value) }
/// ```
package struct Plan: Sendable {
  package let model: PlanModel
  package let prices: Prices?
  package let requirements: [Requirement]
  /// In the order of the candidates.
  package let results: [CandidateResult]

  /// Simulates all runs of all candidates, one after another.
  package init(
    _ model: PlanModel, candidates: [Candidate], requirements: [Requirement] = [], prices: Prices? = nil
  ) {
    self.model = model
    self.prices = prices
    self.requirements = requirements
    results = candidates.map { candidate in
      var record = RunRecord(model.schedule)
      for run in 0..<model.schedule.runs {
        var simulation = PoolSimulation(model, candidate, run: run, record: record)
        // The record moves into the simulation and back: a copy would duplicate its histogram.
        record = RunRecord.placeholder
        simulation.simulate()
        record = simulation.record
      }
      return CandidateResult(candidate, model, record, prices: prices)
    }
  }

  /// The judgements of all requirements on a candidate, in the order of the requirements.
  package func judgements(of result: CandidateResult) -> [Requirement.Judgement] {
    requirements.map { $0.judge(result) }
  }

  /// Whether a candidate meets every requirement.
  package func isMet(by result: CandidateResult) -> Bool { judgements(of: result).allSatisfy(\.isMet) }

  /// The candidate with the smallest pool, and of those with the smallest instance pool, that meets every requirement;
  /// nil without requirements, or where none does.
  package var answer: CandidateResult? {
    guard !requirements.isEmpty else { return nil }
    return results.filter(isMet).min {
      ($0.candidate.poolSize, $0.candidate.instancePool) < ($1.candidate.poolSize, $1.candidate.instancePool)
    }
  }

  /// The candidate of which a day is shown: the answer, else the last one on the front.
  package var shown: CandidateResult? { answer ?? front.last ?? results.last }

  /// What the front calls cost: that of a month, or without prices the instances, or the tasks that are warm or starting.
  package func expense(of result: CandidateResult) -> Double {
    result.cost?.total ?? result.meanInstances ?? result.meanWarm + result.meanStarting
  }

  /// The wait that the front compares, in seconds: the mean, in which each shorter wait shows.
  package func wait(of result: CandidateResult) -> Double { result.waits.mean / 1e9 }

  /// The Pareto front: candidates to which no other is better in one of wait and expense and no worse in the other, by
  /// growing expense. Candidates that leave users without a task are not on it.
  package var front: [CandidateResult] {
    let served = results.filter { !$0.waits.isEmpty && $0.refused + $0.unserved == 0 }
    return served.filter { one in
      let (wait, expense) = (wait(of: one), expense(of: one))
      return !served.contains { other in
        let (otherWait, otherExpense) = (self.wait(of: other), self.expense(of: other))
        return otherWait <= wait && otherExpense <= expense && (otherWait < wait || otherExpense < expense)
      }
    }.sorted { expense(of: $0) < expense(of: $1) }
  }

  /// Where the simulation contradicts a formula; a mistake of this program.
  package var contradictions: [String] { results.compactMap(\.contradiction) }
}
