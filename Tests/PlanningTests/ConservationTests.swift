import Latency
import Testing

@testable import Planning

/// Nobody is lost and nothing is used twice, whatever the model; by books that are kept beside the simulation.
struct ConservationTests {
  private static func length(_ stream: inout RandomStream, upTo seconds: Int) -> LengthDistribution {
    let length = Nanoseconds.milliseconds(Int(stream.below(UInt64(seconds * 1000))) + 1)
    switch stream.below(3) {
    case 0: return .constant(length)
    case 1: return .exponential(mean: length)
    default: return LogNormal(p50: length, p99: length * 3).map { .logNormal($0) } ?? .constant(length)
    }
  }

  private static func model(_ stream: inout RandomStream) -> (PlanModel, Candidate) {
    func maybe<Value>(_ value: () -> Value) -> Value? { stream.below(2) == 0 ? value() : nil }
    var rules = KeepingRules()
    let fallbacks = KeepingRules.Fallback.allCases
    rules.fallback = fallbacks[Int(stream.below(UInt64(fallbacks.count)))]
    rules.keeper = stream.below(4) == 0 ? .ecsService : .pool
    rules.afterRelease = stream.below(3) == 0 ? .recycle : .replace
    let size = Int(stream.below(12))
    if stream.below(3) == 0 { rules.replenish = .every(.milliseconds(Int(stream.below(20_000)) + 100)) }
    if stream.below(3) == 0 { rules.threshold = Int(stream.below(12)) }
    if stream.below(3) == 0 { rules.maxSize = Int(stream.below(12)) + 1 }
    if stream.below(3) == 0 { rules.parallelStarts = Int(stream.below(5)) + 1 }
    if stream.below(3) == 0 { rules.timeToLive = .milliseconds(Int(stream.below(60_000)) + 1000) }
    var times = PlanTimes()
    times.assign = length(&stream, upTo: 1)
    times.taskStart = length(&stream, upTo: 12)
    times.session = length(&stream, upTo: 120)
    times.instanceWarm = length(&stream, upTo: 20)
    times.instanceCold = length(&stream, upTo: 90)
    var capacity: Capacity?
    if stream.below(2) == 0 {
      var found = Capacity(slots: Int(stream.below(7)) + 1, fewest: Int(stream.below(3)) + 1)
      found.most = max(found.fewest + Int(stream.below(6)), size / found.slots + 1)
      found.poolRefill = length(&stream, upTo: 60)
      if stream.below(3) == 0 { found.scaleOut = .freeBelow(Int(stream.below(4)) + 1) }
      if stream.below(3) == 0 { found.scaleOut = .utilisationAbove(0.7) }
      if stream.below(2) == 0 { found.scaleIn = .milliseconds(Int(stream.below(30_000)) + 1000) }
      capacity = found
    }
    let schedule = RunSchedule(
      horizon: .seconds(400), warmup: .seconds(Int(stream.below(200))), runs: 1, seed: stream.next())
    let rate = Double(stream.below(100) + 1) / 100
    let model = PlanModel(
      arrivals: .poisson(perSecond: rate), times: times, rules: rules, capacity: capacity, schedule: schedule)
    return (model, Candidate(poolSize: size, instancePool: Int(stream.below(3))))
  }

  @Test func everyUserIsServedRefusedOrWaitsAndNoSlotIsUsedTwice() {
    var fullInstances = 0
    for seed in 0..<UInt64(150) {
      var stream = RandomStream(seed: seed, run: 0, .sessions)
      let (model, candidate) = Self.model(&stream)
      let (checker, record) = PoolSimulation.checked(model, candidate)
      #expect(checker.mistakes == [], "seed \(seed): \(model) \(candidate)")
      let (from, to) = (model.schedule.warmup.nanoseconds, (model.schedule.warmup + model.schedule.horizon).nanoseconds)
      let counts = checker.counts(from: from, to: to)
      let tally = record.runs[0]
      // Who comes is known without the simulation, and each of them is in one of its three counters.
      #expect(Self.arrivals(of: model, from: from, to: to) == Int(tally.arrivals), "seed \(seed): \(model)")
      #expect(
        tally.arrivals == record.waits.totalCount + record.refused + record.unserved,
        "seed \(seed): \(model) \(candidate)")
      #expect(
        [counts.arrivals, counts.hits, counts.refused, counts.here, counts.served]
          == [
            Int(tally.arrivals), Int(tally.hits), Int(record.refused), Int(record.unserved),
            Int(record.waits.totalCount),
          ],
        "seed \(seed): \(model) \(candidate)")
      if let most = model.capacity?.mostTasks { #expect(checker.mostTasks <= most, "seed \(seed): \(model)") }
      if let slots = model.capacity?.slots, checker.mostOnAnInstance == slots { fullInstances += 1 }
      if let most = model.rules.parallelStarts {
        #expect(checker.mostStarting <= most, "seed \(seed): \(model)")
      }
    }
    // The bound of slots is tried.
    #expect(fullInstances > 30)
  }

  /// The arrivals of a time, straight from their stream.
  private static func arrivals(of model: PlanModel, from: UInt64, to: UInt64) -> Int {
    var stream = ArrivalStream(
      model.arrivals, origin: from, stream: RandomStream(seed: model.schedule.seed, run: 0, .arrivals))
    var count = 0
    while let time = stream.next(), time < to { count += time >= from ? 1 : 0 }
    return count
  }

  /// The books notice a third task on two slots, and a task without a slot.
  @Test func theBooksOfSlotsAreNotBlind() {
    let model = PlanModel(
      arrivals: .poisson(perSecond: 1), times: PlanTimes(), capacity: Capacity(slots: 2, most: 1))
    func mistakes(_ instances: [Int]) -> [String] {
      var checker = TraceChecker(model)
      for (task, instance) in instances.enumerated() { checker.take(.started(task: task, instance: instance, at: 0)) }
      return checker.mistakes
    }
    #expect(mistakes([0, 0]) == [])
    #expect(mistakes([0, 0, 0]) == ["instance 0 has 3 tasks and 2 slots"])
    #expect(mistakes([0, 1]) == ["2 instances, and at most 1"])
    #expect(mistakes([-1]).contains("task 0 has no slot"))
  }

  @Test func aLimitOfStartsHoldsOnceThePoolHasBegun() {
    var model = PlanModel(
      arrivals: .poisson(perSecond: 1), times: PlanTimes(taskStart: .exponential(mean: .seconds(3))))
    model.rules.parallelStarts = 4
    for fallback in [KeepingRules.Fallback.ownStart, .queue] {
      model.rules.fallback = fallback
      model.schedule = RunSchedule(horizon: .seconds(2000), warmup: .zero, runs: 1, seed: 9)
      #expect(PoolSimulation.checked(model, Candidate(poolSize: 2)).0.mostStarting == 4)
    }
  }

  @Test func theLargestSizeHolds() {
    var model = PlanModel(arrivals: .poisson(perSecond: 1), times: PlanTimes(taskStart: .constant(.seconds(3))))
    model.rules.fallback = .queue
    model.rules.maxSize = 5
    model.schedule = RunSchedule(horizon: .seconds(2000), warmup: .zero, runs: 1, seed: 9)
    #expect(PoolSimulation.checked(model, Candidate(poolSize: 4)).0.mostWarmOrStarting == 5)
  }

  @Test func allCandidatesSeeTheSameUsersWithTheSameSessions() {
    var model = PlanModel(
      arrivals: .poisson(perSecond: 0.5), times: PlanTimes(taskStart: .exponential(mean: .seconds(5))))
    model.capacity = Capacity(slots: 3, most: 200)
    model.times.session = .exponential(mean: .seconds(40))
    model.schedule = RunSchedule(horizon: .seconds(800), warmup: .seconds(100), runs: 1, seed: 77)
    for run in 0..<3 {
      let books = [0, 1, 4, 9].map { PoolSimulation.checked(model, Candidate(poolSize: $0), run: run).0 }
      for other in books.dropFirst() {
        // A user who waited longer is still here at the end, or came after the end of the other simulation.
        let users = Set(books[0].arrivals.keys).intersection(other.arrivals.keys)
        #expect(users.count > 300)
        #expect(users.allSatisfy { books[0].arrivals[$0] == other.arrivals[$0] })
        let sessions = Set(books[0].sessions.keys).intersection(other.sessions.keys)
        #expect(sessions.count > 300)
        #expect(sessions.allSatisfy { books[0].sessions[$0] == other.sessions[$0] })
      }
    }
    let runs = (0..<2).map { PoolSimulation.checked(model, Candidate(poolSize: 2), run: $0).0.arrivals[0] }
    #expect(runs[0] != runs[1])
  }
}
