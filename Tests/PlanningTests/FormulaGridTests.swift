import Latency
import Testing

@testable import Planning

/// The simulation against every formula, each cell within its 99.99 % interval.
struct FormulaGridTests {
  private struct Cell {
    var name: String
    var start: LengthDistribution
    var fallback: KeepingRules.Fallback
  }

  /// Starts of one mean, of three shapes.
  private static func starts(mean: Double) throws -> [(String, LengthDistribution)] {
    let shape = try #require(LogNormal(p50: .nanoseconds(mean * 0.8e9), p99: .nanoseconds(mean * 3e9)))
    return [
      ("constant", .constant(.nanoseconds(mean * 1e9))), ("exponential", .exponential(mean: .nanoseconds(mean * 1e9))),
      ("log-normal", .logNormal(shape)),
    ]
  }

  private static func model(
    _ start: LengthDistribution, _ rules: KeepingRules, seed: UInt64, runs: Int = 4, horizon: Int = 1200
  ) -> PlanModel {
    PlanModel(
      arrivals: .poisson(perSecond: 1), times: PlanTimes(assign: .constant(.zero), taskStart: start), rules: rules,
      schedule: RunSchedule(horizon: .seconds(horizon), warmup: .seconds(250), runs: runs, seed: seed))
  }

  /// One arrival a second, so a is the mean start in seconds.
  @Test(arguments: [0.5, 2, 5, 20]) func aSimulationAgreesWithItsFormula(_ load: Double) throws {
    var compared = 0
    for (name, start) in try Self.starts(mean: load) {
      for fallback in KeepingRules.Fallback.allCases where fallback != .wait || name == "exponential" {
        var rules = KeepingRules()
        rules.fallback = fallback
        let sizes = [1, 2, 5, 10, 20].filter { fallback != .wait || Double($0) > load }
        let model = Self.model(start, rules, seed: 11)
        for result in Plan(model, candidates: sizes.map { Candidate(poolSize: $0) }).results {
          #expect(result.contradiction == nil, "\(name) \(fallback)")
          #expect(result.choice.formula != nil && result.choice.reasonNotCompared == nil, "\(result.choice)")
          compared += 1
        }
      }
    }
    #expect(compared >= 45)
  }

  @Test(arguments: [KeepingRules.Fallback.ownStart, .refuse])
  func aServiceIsALossSystemOfSessionsAndStarts(_ fallback: KeepingRules.Fallback) {
    var rules = KeepingRules()
    rules.keeper = .ecsService
    rules.fallback = fallback
    var model = Self.model(.constant(.seconds(3)), rules, seed: 5, horizon: 3000)
    model.times.session = .exponential(mean: .seconds(20))
    for result in Plan(model, candidates: [15, 23, 30].map { Candidate(poolSize: $0) }).results {
      #expect(result.contradiction == nil)
      #expect(result.choice.formula?.load == 23 && result.choice.reasonNotCompared == nil)
    }
  }

  /// The grid would pass if the comparison were blind.
  @Test func aFormulaOfALoadThatIsAFifthWrongIsContradicted() {
    let model = Self.model(.constant(.seconds(2)), KeepingRules(), seed: 3, runs: 20)
    for result in Plan(model, candidates: [1, 2, 3, 4].map { Candidate(poolSize: $0) }).results {
      for wrong in [1.6, 2.4] {
        #expect(result.contradiction(to: Formula(kind: .erlangB, load: wrong, text: "")) != nil, "\(result.candidate)")
      }
    }
  }

  @Test func noFormulaIsGivenWhereNoneHolds() {
    func reasons(_ change: (inout PlanModel) -> Void) -> FormulaChoice {
      var model = Self.model(.constant(.seconds(2)), KeepingRules(), seed: 0)
      change(&model)
      return model.formulaChoice(size: 3)
    }
    let changes: [(inout PlanModel) -> Void] = [
      { $0.capacity = Capacity(slots: 7) }, { $0.rules.parallelStarts = 4 },
      { $0.rules.replenish = .every(.seconds(30)) },
      { $0.rules.timeToLive = .seconds(60) }, { $0.rules.afterRelease = .recycle }, { $0.rules.threshold = 2 },
      { $0.rules.maxSize = 2 }, { $0.rules.fallback = .wait }, { $0.arrivals = .recorded(.init([.zero])!) },
      { ($0.rules.keeper, $0.rules.fallback) = (.ecsService, .queue) },
    ]
    for (place, change) in changes.enumerated() {
      let choice = reasons(change)
      #expect(choice.formula == nil && choice.reasons.count == 1, "change \(place): \(choice)")
    }
    #expect(reasons { $0.rules.threshold = 3 }.formula != nil)
    #expect(reasons { $0.rules.maxSize = 3 }.formula != nil)
    #expect(reasons { $0.schedule.warmup = .seconds(19) }.reasonNotCompared != nil)
    #expect(reasons { $0.schedule.warmup = .seconds(20) }.reasonNotCompared == nil)
  }
}
