import Latency
import Planning
import Results

/// A plan for machines: `infrabench.plan/1` (docs/schema/infrabench.plan-1.schema.json). Fields are only added, never
/// removed. Rates and shares are 0…1.
package struct PlanDocument: Encodable, Sendable {
  struct Input: Encodable, Sendable {
    var name: String
    var value: String
    var source: String
  }

  struct Entry: Encodable, Sendable {
    var poolSize: Int
    var instancePool: Int
    var arrivals: UInt64
    var hits: UInt64
    var refused: UInt64
    /// Users who had no task when the simulation ended.
    var unserved: UInt64
    @AlwaysPresent var hitRate: Double?
    /// Null where the runs allow none.
    @AlwaysPresent var hitRateInterval: [Double]?
    var hitRateFormula: Double?
    var formula: String?
    /// Missing where nobody was served.
    var waits: MetricDocument?
    var noTaskAfter: [LongWait]
    var meanWarmTasks: Double
    var meanStarting: Double
    var meanSessions: Double?
    var meanInstances: Double?
    var meanStoppedInstances: Double?
    var costPerMonth: Double?
    var costParts: CostParts?
    var onFront: Bool
    var requirements: [Judgement]
  }

  struct LongWait: Encodable, Sendable {
    var seconds: Int
    var share: Double
  }

  struct CostParts: Encodable, Sendable {
    var runningInstances: Double
    var stoppedInstances: Double
    var storage: Double
    var warmTasks: Double
  }

  struct Judgement: Encodable, Sendable {
    var expression: String
    var observed: String
    var met: Bool
  }

  struct Answer: Encodable, Sendable {
    var poolSize: Int
    var instancePool: Int
    var hitRate: Double
    var costPerMonth: Double?
  }

  let schema = "infrabench.plan/1"
  let version: String
  let seed: UInt64
  let runs: Int
  let horizonSeconds: Double
  let warmupSeconds: Double
  let currency: String?
  let inputs: [Input]
  let candidates: [Entry]
  let explanation: [String]
  let notes: [String]
  /// Missing without requirements, and where no candidate meets them.
  let answer: Answer?

  package init(_ summary: PlanSummary) {
    let plan = summary.plan
    let schedule = plan.model.schedule
    version = SuiteVersion.version
    seed = schedule.seed
    runs = schedule.runs
    horizonSeconds = schedule.horizon.seconds
    warmupSeconds = schedule.warmup.seconds
    currency = plan.prices?.currency
    inputs = summary.inputs.map { Input(name: $0.name, value: $0.value, source: $0.source) }
    let front = Set(plan.front.map(\.candidate))
    candidates = plan.results.map { Entry($0, of: plan, onFront: front.contains($0.candidate)) }
    explanation = PlanExplanation(plan).sentences
    notes = summary.notes
    answer = plan.answer.map { answer in
      Answer(
        poolSize: answer.candidate.poolSize, instancePool: answer.candidate.instancePool,
        hitRate: answer.hitRate.value, costPerMonth: answer.cost?.total)
    }
  }
}

extension PlanDocument.Entry {
  fileprivate init(_ result: CandidateResult, of plan: Plan, onFront: Bool) {
    self.init(
      poolSize: result.candidate.poolSize, instancePool: result.candidate.instancePool, arrivals: result.arrivals,
      hits: result.hits, refused: result.refused, unserved: result.unserved,
      hitRate: result.arrivals > 0 ? result.hitRate.value : nil,
      hitRateInterval: result.hitRate.interval.map { [$0.lowerBound, $0.upperBound] },
      hitRateFormula: result.formulaHitRate, formula: result.choice.formula?.text, waits: MetricDocument(result.waits),
      noTaskAfter: zip([0, 1, 5, 20], result.longer).map { .init(seconds: $0, share: $1) },
      meanWarmTasks: result.meanWarm, meanStarting: result.meanStarting, meanSessions: result.meanSessions,
      meanInstances: result.meanInstances, meanStoppedInstances: result.meanStopped, costPerMonth: result.cost?.total,
      costParts: result.cost.map {
        .init(
          runningInstances: $0.runningInstances, stoppedInstances: $0.stoppedInstances, storage: $0.storage,
          warmTasks: $0.warmTasks)
      },
      onFront: onFront,
      requirements: plan.judgements(of: result).map {
        .init(expression: $0.expression, observed: $0.observed, met: $0.isMet)
      })
  }
}
