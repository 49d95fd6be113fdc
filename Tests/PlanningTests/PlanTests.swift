import Latency
import Testing

@testable import Planning

/// Lengths, arrivals, requirements, costs, and which candidate is the answer.
struct PlanTests {
  // MARK: Lengths and arrivals

  @Test func lengthsHaveTheirMeansAndPercentiles() throws {
    var histogram = LatencyHistogram()
    for number in 1...1000 { histogram.record(Nanoseconds.milliseconds(number)) }
    let shape = try #require(LogNormal(p50: .seconds(5), p99: .seconds(9)))
    let measured = try #require(MeasuredLengths(histogram))
    let cases: [(LengthDistribution, Double, Double)] = [
      (.constant(.seconds(3)), 3, 3), (.exponential(mean: .seconds(10)), 10, 6.931), (.logNormal(shape), shape.mean, 5),
      (.measured(measured), 0.5005, 0.5005),
      (.sum([.constant(.seconds(3)), .measured(measured)]), 3.5005, 3.5005),
    ]
    for (length, mean, median) in cases {
      var stream = RandomStream(seed: 5, run: 0, .starts)
      let samples = (0..<20_000).map { _ in Double(length.sample(&stream)) / 1e9 }.sorted()
      let average = samples.reduce(0, +) / 20_000
      #expect(abs(length.mean / mean - 1) < 0.001, "\(length)")
      #expect(abs(average / mean - 1) < 0.03 && abs(samples[10_000] / median - 1) < 0.04, "\(length): \(average)")
    }
    #expect(abs(shape.sample(0.99) / 9e9 - 1) < 1e-9)
    #expect(LogNormal(p50: .seconds(2), p99: .seconds(1)) == nil && LogNormal(p50: .zero, p99: .zero) == nil)
    #expect(abs((LogNormal(p50: .seconds(2), p99: .seconds(2))?.mean ?? 0) - 2) < 1e-9)
    #expect(MeasuredLengths(LatencyHistogram()) == nil && MeasuredLengths([Nanoseconds]()) == nil)
  }

  @Test func aProfileHasItsRatesAtTheTimesOfDay() throws {
    let profile = try #require(
      DailyProfile([
        .init(start: .zero, perSecond: 0.1), .init(start: .seconds(9 * 3600), perSecond: 0.5),
        .init(start: .seconds(18 * 3600), perSecond: 0),
      ]))
    #expect(abs(profile.meanPerSecond - (0.1 * 9 + 0.5 * 9) / 24) < 1e-12)
    // Three days, after a warm-up of 30 hours: the day begins at its end.
    let hour: UInt64 = 3_600_000_000_000
    var stream = ArrivalStream(.profile(profile), origin: 30 * hour, stream: RandomStream(seed: 3, run: 0, .arrivals))
    var counts = [0, 0, 0]
    while let time = stream.next(), time < 102 * hour {
      guard time >= 30 * hour else { continue }
      let ofDay = (time - 30 * hour) % (24 * hour) / hour
      counts[ofDay < 9 ? 0 : ofDay < 18 ? 1 : 2] += 1
    }
    for (count, expected) in zip(counts, [0.1, 0.5, 0].map { $0 * 3 * 9 * 3600 }) {
      #expect(abs(Double(count) - expected) <= 5 * expected.squareRoot(), "\(counts)")
    }
  }

  @Test(
    arguments: [
      [], [(1.0, 1.0)], [(0, 1), (0, 2)], [(0, 1), (9, 2), (8, 1)], [(0, 0)], [(0, 1), (24, 2)], [(0, -1)], [(0, .nan)],
      [(0, .infinity)],
    ] as [[(Double, Double)]])
  func anImpossibleProfileIsNone(_ steps: [(Double, Double)]) {
    #expect(DailyProfile(steps.map { .init(start: .nanoseconds($0.0 * 3.6e12), perSecond: $0.1) }) == nil)
  }

  @Test func aVeryLowRateNeverOverflows() {
    var stream = ArrivalStream(.poisson(perSecond: 1e-12), origin: 0, stream: RandomStream(seed: 3, run: 0, .arrivals))
    #expect((stream.next() ?? 0) > 1_000_000_000)
    let model = PlanModel(arrivals: .poisson(perSecond: 1e-12), times: PlanTimes())
    let result = Plan(model, candidates: [Candidate(poolSize: 1)]).results[0]
    #expect(result.arrivals == 0 && result.waits.isEmpty && result.contradiction == nil)
  }

  // MARK: Requirements

  @Test(arguments: [
    "hit", "hit 99%", "hit >= 99", "hit >= 101%", "hit >= -1%", "hit >= nan%", "wait < 5s", "wait.p98 < 5s",
    "wait.count > 3", "wait.p99 < 5", "cost <= $100", "cost <= 1e3", "hits >= 99%", "instances <= x", "", ">= 99%",
    "refused == 0",
  ])
  func aWrongRequirementIsRefused(_ text: String) {
    #expect(throws: (any Error).self) { try Requirement(text) }
  }

  @Test func requirementsAreJudgedByTheirFigures() throws {
    var model = PlanModel(arrivals: .poisson(perSecond: 0.5), times: PlanTimes(taskStart: .constant(.seconds(2))))
    model.schedule = RunSchedule(horizon: .seconds(2000), warmup: .seconds(60), runs: 3, seed: 1)
    let result = Plan(model, candidates: [Candidate(poolSize: 2)]).results[0]
    // a = 1: 1 − ErlangB(2, 1) = 80 %.
    let expected = [
      "hit >= 80%": true, "hit > 80.001%": false, "hit < 80%": false, "wait.p50 < 261ms": true,
      "wait.p50 < 250ms": false,
      "wait.max <= 2300ms": true, "refused == 0%": true, "cost <= 100": false, "instances <= 3": false,
    ]
    for (text, isMet) in expected {
      let judgement = try Requirement(text).judge(result)
      #expect(judgement.isMet == isMet, "\(judgement)")
    }
    #expect(try Requirement("hit>=80%").judge(result).observed == "80.000% by the formula")
    // Without a formula the worse end of the interval counts.
    model.rules.timeToLive = .seconds(100_000)
    let unsure = Plan(model, candidates: [Candidate(poolSize: 2)]).results[0]
    let percent = Double(Int(unsure.hitRate.value * 1e6)) / 1e4
    #expect(!(try Requirement("hit >= \(percent)%").judge(unsure).isMet))
    #expect(try Requirement("hit >= \(percent - 5)%").judge(unsure).isMet)
  }

  /// A refused user's wait is unknown, and might be the longest.
  @Test func aWaitIsNoneWhereUsersWereRefused() throws {
    var model = PlanModel(arrivals: .poisson(perSecond: 0.5), times: PlanTimes(taskStart: .constant(.seconds(2))))
    model.rules.fallback = .refuse
    model.schedule = RunSchedule(horizon: .seconds(1000), warmup: .seconds(60), runs: 2, seed: 1)
    let result = Plan(model, candidates: [Candidate(poolSize: 1)]).results[0]
    #expect(result.refused > 0)
    #expect(!(try Requirement("wait.p99 < 10s").judge(result).isMet))
    #expect(!(try Requirement("refused <= 1%").judge(result).isMet))
  }

  // MARK: Answer, front and costs

  private static let plan: Plan? = {
    guard let hit = try? Requirement("hit >= 99%") else { return nil }
    let model = PlanModel(
      arrivals: .poisson(perSecond: 5.0 / 60), times: PlanTimes(), capacity: Capacity(slots: 7, scaleIn: .seconds(300)),
      schedule: RunSchedule(horizon: .seconds(7200), warmup: .seconds(3600), runs: 2, seed: 2))
    let pools = [5, 1, 3, 7].flatMap { size in [0, 2].map { Candidate(poolSize: size, instancePool: $0) } }
    return Plan(model, candidates: pools, requirements: [hit], prices: .lab)
  }()

  @Test func theAnswerIsTheSmallestPoolThatMeetsEveryRequirement() throws {
    let plan = try #require(Self.plan)
    let meeting = plan.results.filter(plan.isMet).map(\.candidate)
    #expect(!meeting.isEmpty && meeting.count < plan.results.count)
    let smallest = meeting.map { ($0.poolSize, $0.instancePool) }.min { $0 < $1 }
    let answer = plan.answer?.candidate
    #expect(answer?.poolSize == smallest?.0 && answer?.instancePool == smallest?.1)
  }

  @Test func theFrontHoldsWhatNoOtherCandidateBeats() throws {
    let plan = try #require(Self.plan)
    let front = plan.front
    #expect(!front.isEmpty && front.count < plan.results.count)
    for (cheap, dear) in zip(front, front.dropFirst()) {
      #expect(plan.expense(of: cheap) < plan.expense(of: dear) && plan.wait(of: cheap) > plan.wait(of: dear))
    }
    for result in plan.results where !front.contains(where: { $0.candidate == result.candidate }) {
      #expect(
        front.contains {
          plan.expense(of: $0) <= plan.expense(of: result) && plan.wait(of: $0) <= plan.wait(of: result)
        })
    }
  }

  @Test func aMonthHas730HoursOfEachPrice() throws {
    let prices = Prices(
      currency: "$", runningInstancePerHour: 0.02, stoppedInstancePerHour: 0.001, storagePerInstanceMonth: 0.5,
      warmTaskPerHour: 0.003)
    let cost = prices.cost(running: 10, stopped: 2, warmTasks: 4)
    #expect(abs(cost.runningInstances - 146) < 1e-9 && abs(cost.stoppedInstances - 1.46) < 1e-9)
    #expect(cost.storage == 6 && abs(cost.warmTasks - 8.76) < 1e-9 && abs(cost.total - 162.22) < 1e-9)
    let result = try #require(Self.plan?.results.first)
    let expected = (result.meanInstances ?? 0) * 0.0208 * 730 + (result.meanStopped ?? 0) * 0.0008 * 730
    #expect(abs((result.cost?.total ?? 0) - expected) < 1e-9)
  }

  // MARK: Impossible plans

  /// 20 users within 0.08 s are 237.5 a second, for a moment.
  @Test func aBurstIsNoSteadyLoad() throws {
    let recorded = try #require(RecordedArrivals((0..<20).map { .milliseconds($0 * 4) }))
    var model = PlanModel(arrivals: .recorded(recorded), times: PlanTimes(), capacity: Capacity(slots: 7, most: 5))
    model.rules.parallelStarts = 5
    model.schedule = RunSchedule(horizon: .seconds(2), warmup: .zero, runs: 2)
    #expect(model.impossibilities([Candidate(poolSize: 3)]) == [])
    model.rules.fallback = .wait
    #expect(model.impossibilities([Candidate(poolSize: 3)]) == [])
    #expect(
      model.impossibilities([Candidate(poolSize: 0), Candidate(poolSize: 36)]).map(\.cause) == [.poolSize, .poolSize])
    #expect(recorded.most(within: .milliseconds(8)) == 3 && recorded.most(within: .seconds(1)) == 20)
  }

  /// Starts of 2 h: waits are known to be longer than the histogram's top, and no more.
  @Test func aWaitBeyondTheTopMeetsNothing() throws {
    var model = PlanModel(
      arrivals: .poisson(perSecond: 1.0 / 3600), times: PlanTimes(taskStart: .constant(.seconds(7200))))
    model.schedule = RunSchedule(horizon: .seconds(40 * 3600), warmup: .zero, runs: 3, seed: 1)
    let result = Plan(model, candidates: [Candidate(poolSize: 0)]).results[0]
    for text in ["wait.p50 < 90m", "wait.mean < 90m", "wait.max < 90m"] {
      let judgement = try Requirement(text).judge(result)
      #expect(!judgement.isMet && judgement.observed.hasPrefix("more than"), "\(judgement)")
    }
  }

  /// One of 20 starts at a time: the other orders have not begun.
  @Test func anOrderThatHasNotBegunIsNoStartingTask() {
    var model = PlanModel(arrivals: .poisson(perSecond: 1), times: PlanTimes(taskStart: .constant(.seconds(60))))
    (model.rules.parallelStarts, model.rules.fallback) = (1, .refuse)
    model.schedule = RunSchedule(horizon: .seconds(2000), warmup: .seconds(100), runs: 1, seed: 1)
    let result = Plan(model, candidates: [Candidate(poolSize: 20)]).results[0]
    #expect(PoolSimulation.checked(model, Candidate(poolSize: 20)).0.mostStarting == 1)
    #expect(result.meanStarting > 0.9 && result.meanStarting <= 1)
  }

  /// No task was warm in the first half of the warm-up.
  @Test func theFirstPointKnowsNothingOfTheWarmUp() {
    var record = RunRecord(RunSchedule(horizon: .seconds(1000), warmup: .seconds(100), runs: 1))
    func level(_ warm: Int) -> RunRecord.Level {
      .init(warm: warm, starting: 0, waiting: 0, sessions: 0, instances: 0, stopped: 0)
    }
    record.hold(from: 0, to: 50_000_000_000, level(0))
    record.hold(from: 50_000_000_000, to: 300_000_000_000, level(4))
    #expect(record.samples.first?.fewestWarm == 4)
  }

  @Test func whatCanNotBeServedIsSaidWithItsArithmetic() {
    func causes(size: Int = 3, _ change: (inout PlanModel) -> Void) -> [ImpossiblePlan] {
      var model = PlanModel(arrivals: .poisson(perSecond: 0.1), times: PlanTimes())
      change(&model)
      return model.impossibilities([Candidate(poolSize: size)])
    }
    #expect(causes { _ in } == [])
    let overload = causes { $0.capacity = Capacity(slots: 7, most: 20) }
    #expect(overload.map(\.cause) == [.instances])
    #expect(
      overload.first?.sentence.contains(
        "0.1/s × (10 s start + 0.26 s assignment + 1800 s session) = 181.026 tasks at once, and 20 instances × 7 slots = 140"
      )
        == true, "\(overload)")
    #expect(causes { $0.capacity = Capacity(slots: 7, most: 27) } == [])
    // 180.026 tasks of users and 3 of the pool are more than 182.
    #expect(causes { $0.capacity = Capacity(slots: 7, most: 26) }.map(\.cause) == [.poolSize])
    #expect(causes(size: 200) { $0.capacity = Capacity(slots: 7, most: 26) }.map(\.cause) == [.poolSize])
    #expect(causes { $0.rules.parallelStarts = 1 }.map(\.cause) == [.parallelStarts])
    #expect(causes { $0.rules.parallelStarts = 2 } == [])
    #expect(causes(size: 1) { $0.rules.fallback = .wait }.map(\.cause) == [.poolSize])
    #expect(causes(size: 2) { $0.rules.fallback = .wait } == [])
    #expect(causes(size: 0) { $0.rules.fallback = .wait }.map(\.cause) == [.poolSize])
    #expect(causes { ($0.rules.keeper, $0.rules.fallback) = (.ecsService, .queue) }.map(\.cause) == [.poolSize])
    #expect(causes(size: 1) { ($0.rules.fallback, $0.rules.maxSize) = (.queue, 1) }.map(\.cause) == [.maxSize])
    #expect(causes { $0.rules.maxSize = 2 }.map(\.cause) == [.maxSize])
    #expect(causes { ($0.rules.fallback, $0.rules.maxSize) = (.queue, 0) }.map(\.cause) == [.maxSize])
    #expect(causes { ($0.rules.fallback, $0.rules.threshold) = (.wait, 0) }.map(\.cause) == [.threshold])
    #expect(
      causes { ($0.rules.fallback, $0.rules.replenish) = (.wait, .every(.seconds(40))) }.map(\.cause) == [.poolSize])
    #expect(causes { ($0.rules.keeper, $0.rules.parallelStarts) = (.ecsService, 1) }.map(\.cause) == [.parallelStarts])
    #expect(causes { $0.arrivals = .poisson(perSecond: 1e6) }.map(\.cause).contains(.horizon))
    #expect(causes { $0.times.taskStart = .constant(.seconds(200_000_000)) }.map(\.cause).contains(.session))
  }
}
