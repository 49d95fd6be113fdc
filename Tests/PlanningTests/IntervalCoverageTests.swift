import Latency
import Testing

@testable import Planning

/// How often a 95 % interval holds the truth, which the formula gives.
struct IntervalCoverageTests {
  /// 1,000 plans of six runs each, of 120 s with an arrival a second.
  private static func coverage(size: Int, load: Int) -> Double {
    var holding = 0
    for seed in 0..<UInt64(1000) {
      let model = PlanModel(
        arrivals: .poisson(perSecond: 1),
        times: PlanTimes(assign: .constant(.zero), taskStart: .constant(.seconds(load))),
        schedule: RunSchedule(horizon: .seconds(120), warmup: .seconds(5 * load), runs: 6, seed: seed))
      let result = Plan(model, candidates: [Candidate(poolSize: size)]).results[0]
      let exact = ClosedForms.hitRateWhereMissesStartTheirOwn(size: size, load: Double(load))
      if result.hitRate.interval?.contains(exact) == true { holding += 1 }
    }
    return Double(holding) / 1000
  }

  @Test(arguments: [(2, 1), (3, 2)]) func aNinetyFivePercentIntervalHoldsTheTruthIn95Percent(_ size: Int, _ load: Int) {
    let coverage = Self.coverage(size: size, load: load)
    #expect(abs(coverage - 0.95) <= 0.03, "\(coverage)")
  }

  /// Without one miss in all runs the runs do not differ, and an interval from their differences would have no width.
  @Test func anIntervalHasAWidthEvenWhereNoMissWasSeen() throws {
    let tally = RunRecord.Tally(arrivals: 1000, hits: 1000)
    let none = try #require(RateEstimate(runs: [tally, tally]).interval)
    #expect(none.upperBound == 1)
    // Garwood's upper end of nothing seen is −ln 0.025 = 3.689.
    #expect(abs(none.lowerBound - (1 - 3.689 / 2000)) < 1e-6)
    let all = try #require(RateEstimate(runs: [.init(arrivals: 500, hits: 0), .init(arrivals: 500, hits: 0)]).interval)
    #expect(all.lowerBound == 0 && abs(all.upperBound - 3.689 / 1000) < 1e-6)
  }

  /// By hand: rates 0.9 and 0.7 of equal runs; 0.8 ± 12.706 × 0.1.
  @Test func theIntervalIsStudentsOverRuns() throws {
    let estimate = RateEstimate(runs: [.init(arrivals: 100_000, hits: 51_000), .init(arrivals: 100_000, hits: 50_000)])
    let interval = try #require(estimate.interval)
    #expect(estimate.value == 0.505)
    #expect(abs(interval.lowerBound - (0.505 - 12.7062 * 0.005)) < 1e-5)
    #expect(abs(interval.upperBound - (0.505 + 12.7062 * 0.005)) < 1e-5)
  }

  @Test func oneRunHasAnIntervalOnlyWhereItsPartsAreAlike() throws {
    var model = PlanModel(
      arrivals: .poisson(perSecond: 1), times: PlanTimes(taskStart: .constant(.seconds(1))),
      schedule: RunSchedule(horizon: .seconds(2000), warmup: .seconds(60), runs: 1, seed: 4))
    let one = Plan(model, candidates: [Candidate(poolSize: 2)]).results[0]
    #expect(one.hitRate.interval?.contains(0.8) == true)
    let profile = try #require(DailyProfile([.init(start: .zero, perSecond: 1)]))
    model.arrivals = .profile(profile)
    #expect(Plan(model, candidates: [Candidate(poolSize: 2)]).results[0].hitRate.interval == nil)
  }

  @Test func nobodyWhoComesGivesNoInterval() {
    #expect(RateEstimate(runs: [.init(), .init()]).interval == nil)
    #expect(RateEstimate(runs: []).value == 0)
  }
}
