package import Latency

/// What all runs of a candidate say about it.
package struct CandidateResult: Sendable {
  package let candidate: Candidate
  /// Users of the measured time, in all runs.
  package let arrivals: UInt64
  package let hits: UInt64
  package let refused: UInt64
  /// Users who had no task when their run had to end.
  package let unserved: UInt64
  package let hitRate: RateEstimate
  package let choice: FormulaChoice
  /// From the arrival to the task's `ready`, of those who were served.
  package let waits: LatencyHistogram
  /// The shares of the arrivals, 0…1, that had no task after 0, 1, 5 and 20 s, without the assignment's own time. A user
  /// who never got a task counts in all of them.
  package let longer: [Double]
  /// Warm tasks over time, on average.
  package let meanWarm: Double
  /// The same of tasks that the keeper starts.
  package let meanStarting: Double
  /// The same of sessions; nil where sessions are not simulated.
  package let meanSessions: Double?
  /// The same of instances that run or boot; nil without instances.
  package let meanInstances: Double?
  package let meanStopped: Double?
  /// Nil without prices.
  package let cost: MonthlyCost?
  private let runs: Int
  /// ``LengthDistribution/memory`` of the time for which a task is missing.
  private let memory: Double
  /// How the first run went, for a day at most.
  let samples: [RunRecord.Sample]

  /// The formula's hit rate; nil where none applies.
  package var formulaHitRate: Double? { choice.formula?.hitRate(size: candidate.poolSize) }

  /// A point of ``timeline``.
  package struct TimelinePoint: Sendable, Equatable {
    /// Since the measured time began.
    package var time: Nanoseconds
    package var warm: Int
    /// The fewest warm tasks since the point before.
    package var fewestWarm: Int
    package var starting: Int
    package var waiting: Int
    package var sessions: Int
    package var instances: Int
  }

  /// How the first run went, for a day at most.
  package var timeline: [TimelinePoint] {
    samples.map {
      TimelinePoint(
        time: Nanoseconds($0.time), warm: $0.warm, fewestWarm: $0.fewestWarm, starting: $0.starting,
        waiting: $0.waiting, sessions: $0.sessions, instances: $0.instances)
    }
  }

  init(_ candidate: Candidate, _ model: PlanModel, _ record: RunRecord, prices: Prices?) {
    self.candidate = candidate
    runs = record.runs.count
    memory = model.missing.memory
    arrivals = record.runs.reduce(0) { $0 + $1.arrivals }
    hits = record.runs.reduce(0) { $0 + $1.hits }
    refused = record.refused
    unserved = record.unserved
    // The parts of a single run are alike only at one rate; those of a file or of times of day are not.
    var isAlike = false
    if case .poisson = model.arrivals { isAlike = true }
    hitRate = RateEstimate(runs: record.runs.count == 1 && isAlike ? record.parts : record.runs)
    choice = model.formulaChoice(size: candidate.poolSize)
    waits = record.waits
    let all = Double(arrivals)
    let never = record.refused + record.unserved
    longer = [record.longer.0, record.longer.1, record.longer.2, record.longer.3].map { number in
      all > 0 ? Double(number + never) / all : 0
    }
    let time = Double(model.schedule.horizon.nanoseconds) * Double(record.runs.count)
    meanWarm = record.integral.warm / time
    meanStarting = record.integral.starting / time
    meanSessions = model.needsSessions ? record.integral.sessions / time : nil
    meanInstances = model.capacity == nil ? nil : record.integral.instances / time
    meanStopped = model.capacity == nil ? nil : record.integral.stopped / time
    cost = prices?.cost(
      running: meanInstances ?? 0, stopped: meanStopped ?? 0, warmTasks: meanWarm + meanStarting)
    samples = record.samples
  }

  /// Why the simulation contradicts the formula, which would be a mistake of this program; nil where it does not.
  ///
  /// They may differ by the larger of two 99.99 % intervals, that of the runs and that of the formula's own variance,
  /// and by one arrival. Below ten runs the formula's interval counts alone: Student's quantile, 28 for four runs and 6366
  /// for two, would hide any mistake.
  package var contradiction: String? {
    guard let formula = choice.formula, choice.reasonNotCompared == nil else { return nil }
    return contradiction(to: formula)
  }

  private static let fewRuns = 10

  func contradiction(to formula: Formula) -> String? {
    guard arrivals > 0 else { return nil }
    let exact = formula.hitRate(size: candidate.poolSize)
    let all = Double(arrivals)
    let ofRuns = runs < Self.fewRuns ? 0 : hitRate.halfOf9999 ?? 0
    let allowed = max(ofRuns, formula.chance(size: candidate.poolSize, arrivals: all, memory: memory)) + 1 / all
    guard abs(hitRate.value - exact) > allowed else { return nil }
    return
      "a pool of \(candidate.poolSize): the simulation's hit rate is \(hitRate.value), the formula's \(exact), and by "
      + "chance they differ by at most \(allowed) (\(arrivals) arrivals, \(formula.text), a = \(formula.load))"
  }
}
