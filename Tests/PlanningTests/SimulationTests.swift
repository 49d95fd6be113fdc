import Latency
import Testing

@testable import Planning

/// What single events do, and quantities that are known without a hit rate.
struct SimulationTests {
  /// A burst of `users` when the measured time begins, at a pool of `size`.
  private static func burst(
    _ users: Int, size: Int, start: LengthDistribution = .constant(.seconds(10)), run: Int = 0,
    _ change: (inout PlanModel) -> Void = { _ in }
  ) throws -> (checker: TraceChecker, record: RunRecord, waits: [Double]) {
    let arrivals = try #require(RecordedArrivals([Nanoseconds](repeating: .seconds(100), count: users)))
    var model = PlanModel(
      arrivals: .recorded(arrivals), times: PlanTimes(taskStart: start),
      schedule: RunSchedule(horizon: .seconds(1), warmup: .zero, runs: 1, seed: 1))
    change(&model)
    let (checker, record) = PoolSimulation.checked(model, Candidate(poolSize: size, instancePool: 1), run: run)
    let waits = checker.given.map { user, time in Double(time - (checker.arrivals[user] ?? 0)) / 1e9 }
    return (checker, record, waits.sorted())
  }

  @Test func theFirstUsersOfABurstHitAndTheOthersWaitForTheirOwnStart() throws {
    let burst = try Self.burst(5, size: 3)
    #expect(burst.waits == [0, 0, 0, 10, 10])
    #expect(burst.record.runs == [.init(arrivals: 5, hits: 3)])
    #expect(burst.record.longer == (2, 2, 2, 0))
    // The wait that is recorded is observed, with the assignment on top.
    #expect(abs(Double(burst.record.waits.min) / 0.26e9 - 1) < 1e-3)
    #expect(abs(Double(burst.record.waits.max) / 10.26e9 - 1) < 1e-3)
  }

  @Test func usersInAQueueAreServedInTheirOrder() throws {
    let burst = try Self.burst(6, size: 2, start: .exponential(mean: .seconds(10))) { $0.rules.fallback = .queue }
    let order = burst.checker.given.sorted { $0.key < $1.key }.map(\.value)
    #expect(order == order.sorted() && burst.waits.count == 6)
  }

  /// With one warm task, each user who waits gets the task that replaces the one given before.
  @Test func aWaitThatOrdersNothingGetsTheReplacementsOfThePoolAlone() throws {
    let burst = try Self.burst(4, size: 1) { $0.rules.fallback = .wait }
    #expect(burst.waits == [0, 10, 20, 30])
    let queue = try Self.burst(4, size: 1) { $0.rules.fallback = .queue }
    #expect(queue.waits == [0, 10, 10, 10])
  }

  @Test func aRefusedUserOrdersNothing() throws {
    let burst = try Self.burst(4, size: 3) { $0.rules.fallback = .refuse }
    #expect(burst.waits == [0, 0, 0] && burst.record.refused == 1)
  }

  /// Of a pool that acts every 30 s, the starts begin 30 s after the last look.
  @Test func aKeeperThatLooksNowAndThenActsOnlyThen() throws {
    let burst = try Self.burst(3, size: 2) {
      $0.rules.fallback = .queue
      $0.rules.replenish = .every(.seconds(30))
      $0.schedule.warmup = .seconds(100)
    }
    // The burst comes 100 s after the beginning; the keeper looks at 120 s.
    #expect(burst.waits == [0, 0, 30])
  }

  @Test func aWarmTaskThatIsTooOldIsReplaced() throws {
    let burst = try Self.burst(1, size: 1) {
      $0.rules.timeToLive = .seconds(60)
      $0.schedule.warmup = .seconds(65)
    }
    // The first task ends at 60 s, and the next one is warm at 70 s: the user, who comes at 65 s, starts another.
    #expect(burst.waits == [10] && burst.record.runs[0].hits == 0)
  }

  @Test func aServiceReplacesATaskWhenItsSessionHasEnded() throws {
    let burst = try Self.burst(2, size: 1) {
      $0.rules.keeper = .ecsService
      $0.rules.fallback = .queue
      $0.times.assign = .constant(.seconds(1))
      $0.times.session = .constant(.seconds(50))
    }
    #expect(burst.waits == [0, 61])
  }

  @Test func aRecycledTaskServesTheNextUserAtOnce() throws {
    let burst = try Self.burst(2, size: 1) {
      $0.rules.keeper = .ecsService
      $0.rules.afterRelease = .recycle
      $0.rules.fallback = .queue
      $0.times.assign = .constant(.seconds(1))
      $0.times.session = .constant(.seconds(50))
    }
    #expect(burst.waits == [0, 51])
  }

  /// Two slots an instance: the one that runs has the pool's task and one slot more, the next one comes from the instance
  /// pool, and the one after it is created.
  @Test func usersShareTheInstanceThatBoots() throws {
    let burst = try Self.burst(6, size: 1) {
      $0.capacity = Capacity(slots: 2, fewest: 1, most: 10)
      $0.times.instanceWarm = .constant(.seconds(17))
      $0.times.instanceCold = .constant(.seconds(81))
      $0.rules.fallback = .ownStart
    }
    // The hit orders a start, which takes the free slot. Two users share the instance of the instance pool, and three wait
    // for instances that are created.
    #expect(burst.waits == [0, 27, 27, 91, 91, 91])
  }

  @Test func anOwnStartWithoutRoomIsRefused() throws {
    let burst = try Self.burst(5, size: 1) { $0.capacity = Capacity(slots: 3, fewest: 1, most: 1) }
    // One task in use, one that replaces it, one own start.
    #expect(burst.waits == [0, 10] && burst.record.refused == 3)
  }

  /// A burst drains the pool, and all its tasks are started anew.
  @Test(arguments: [(5, 5), (5, 2), (7, 3), (1, 4)])
  func aRefillTakesAsLongAsItsFormulaSays(_ tasks: Int, _ parallel: Int) throws {
    func refill(_ start: LengthDistribution, run: Int = 0) throws -> Double {
      let burst = try Self.burst(tasks, size: tasks, start: start, run: run) {
        $0.rules.parallelStarts = parallel
        $0.rules.fallback = .refuse
        $0.schedule.horizon = .seconds(10_000)
      }
      return Double(burst.checker.lastWarm) / 1e9
    }
    let constant = try refill(.constant(.seconds(10)))
    #expect(constant == ClosedForms.refill(starts: tasks, parallel: parallel, constant: 10))
    let times = try (0..<400).map { try refill(.exponential(mean: .seconds(10)), run: $0) }
    let mean = times.reduce(0, +) / 400
    let deviation = (times.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399 / 400).squareRoot()
    let expected = ClosedForms.refill(starts: tasks, parallel: parallel, exponentialMean: 10)
    #expect(abs(mean - expected) < 4 * deviation, "\(mean) \(expected)")
  }

  /// Concurrent sessions are Poisson with mean λ·E[session].
  @Test func sessionsAtOnceAreAsManyAsComeInAMeanSession() throws {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 1),
      times: PlanTimes(
        assign: .constant(.zero), taskStart: .constant(.seconds(1)), session: .exponential(mean: .seconds(30))),
      capacity: Capacity(slots: 5),
      schedule: RunSchedule(horizon: .seconds(3000), warmup: .seconds(600), runs: 8, seed: 2))
    let result = Plan(model, candidates: [Candidate(poolSize: 6)]).results[0]
    let mean = try #require(result.meanSessions)
    // The variance of a mean over time T is 2·a·E[session]/T.
    let deviation = (2.0 * 30 * 30 / 24_000).squareRoot()
    #expect(abs(mean - 30) < 5 * deviation, "\(mean)")
    let instances = try #require(result.meanInstances)
    #expect(instances * 5 >= mean + result.meanWarm + result.meanStarting - 0.001)
  }

  @Test func emptyInstancesAreStoppedOnlyWhereThatIsAskedFor() {
    var model = PlanModel(
      arrivals: .profile(
        DailyProfile([.init(start: .zero, perSecond: 0.5), .init(start: .seconds(3600), perSecond: 0)])!),
      times: PlanTimes(session: .exponential(mean: .seconds(60))), capacity: Capacity(slots: 3),
      schedule: RunSchedule(horizon: .seconds(4 * 3600), warmup: .zero, runs: 1, seed: 3))
    let kept = Plan(model, candidates: [Candidate(poolSize: 2)]).results[0]
    model.capacity?.scaleIn = .seconds(120)
    let stopped = Plan(model, candidates: [Candidate(poolSize: 2)]).results[0]
    #expect(kept.timeline.last?.instances ?? 0 > 8)
    // Each warm task keeps its instance.
    #expect((1...2).contains(stopped.timeline.last?.instances ?? 0))
    #expect((stopped.meanInstances ?? 0) < (kept.meanInstances ?? 0) / 1.5)
  }

  @Test func slotsThatAreKeptFreeSpareUsersTheBoot() {
    var model = PlanModel(
      arrivals: .poisson(perSecond: 0.2), times: PlanTimes(session: .exponential(mean: .seconds(120))),
      capacity: Capacity(slots: 4, scaleIn: .seconds(60)),
      schedule: RunSchedule(horizon: .seconds(4000), warmup: .seconds(900), runs: 4, seed: 8))
    func run(_ rule: Capacity.ScaleOut?) -> (longWaits: Double, instances: Double) {
      model.capacity?.scaleOut = rule
      let result = Plan(model, candidates: [Candidate(poolSize: 2)]).results[0]
      return (result.longer[3], result.meanInstances ?? 0)
    }
    let none = run(nil)
    #expect(none.longWaits > 0.005)
    // 24 sessions, 2 tasks of the pool and 2 starts are 7 instances; 12 free slots are 3 more.
    for rule in [Capacity.ScaleOut.freeBelow(12), .utilisationAbove(0.5)] {
      let ahead = run(rule)
      #expect(ahead.longWaits < none.longWaits / 3)
      #expect(ahead.instances > none.instances && ahead.instances < 20, "\(ahead)")
    }
  }

  @Test func equalSeedsGiveEqualPlans() {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 0.3), times: PlanTimes(taskStart: .exponential(mean: .seconds(4))),
      schedule: RunSchedule(horizon: .seconds(1000), warmup: .seconds(60), runs: 3, seed: 6))
    let plans = (0..<2).map { _ in Plan(model, candidates: [Candidate(poolSize: 2)]).results[0] }
    #expect(plans[0].hitRate == plans[1].hitRate && plans[0].waits == plans[1].waits)
    var other = model
    other.schedule.seed = 7
    #expect(Plan(other, candidates: [Candidate(poolSize: 2)]).results[0].waits != plans[0].waits)
  }

  @Test func theCalendarGivesEventsByTimeThenKindThenNumber() {
    var calendar = EventCalendar()
    var stream = RandomStream(seed: 1, run: 0, .starts)
    var expected: [(UInt64, UInt64, Int)] = []
    let kinds: [EventCalendar.Kind] = [.sessionEnds, .instanceReady, .taskReady, .instancePoolRefilled, .instanceIdle]
    for _ in 0..<500 {
      let (time, kind, subject) = (stream.below(40), kinds[Int(stream.below(5))], Int(stream.below(9)))
      calendar.add(kind, subject, at: time)
      expected.append((time, kind.rawValue, subject))
    }
    var found: [(UInt64, UInt64, Int)] = []
    while calendar.count > 0 {
      let event = calendar.removeFirst()
      found.append((event.time, event.kind.rawValue, event.subject))
    }
    #expect(zip(found, expected.sorted { $0 < $1 }).allSatisfy { $0 == $1 } && found.count == 500)
  }
}
