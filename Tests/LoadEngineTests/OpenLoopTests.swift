import Latency
import Synchronization
import TestSupport
import Testing
import Transport

@testable import LoadEngine

/// The open loop over scenarios that do nothing but what a test asks for.
@Suite(.timeLimit(.minutes(1))) struct OpenLoopTests {
  static let fast = ArrivalSchedule(rate: ArrivalRate(starts: 2000, period: .seconds(1)), arrival: .constant)

  private func run(
    _ scenario: FakeScenario, _ plan: LoadPlan, loops: LoopGroup = LoadRunTests.loops,
    progress: ProgressCounter? = nil
  ) async -> LoadRun {
    await LoadRun.perform(scenario, plan: plan, catalogue: FakeScenario.catalogue, on: loops, progress: progress)
  }

  @Test(arguments: [1, 2, 7]) func everyDueStartIsCountedOnce(_ users: Int) async {
    let scenario = FakeScenario { $0.number % 5 == 0 ? .fail : $0.number % 7 == 0 ? .censor : .succeed }
    let progress = ProgressCounter()
    let run = await run(scenario, .openLoop(Self.fast, users: users, count: 200), progress: progress)
    let seen = scenario.seen.withLock { $0 }
    let (failed, censored): (UInt64, UInt64) = (40, 28 - 5)
    #expect(seen.performed == 200 && seen.concluded == 200 && seen.offLoop == 0)
    #expect(seen.users == users && seen.retired == users)
    #expect(run.recording.iterations == 200 - censored && run.recording.censored == censored)
    #expect(run.recording.errors.total == failed && run.recording.dropped == 0)
    #expect(progress.done == 200 - censored && progress.failed == failed)
    // The schedule alone takes 199 / 2000 s.
    #expect(run.endedAt - run.startedAt >= .microseconds(99_500))
  }

  @Test func warmUpIsInNoMetricAndNoCounter() async {
    let scenario = FakeScenario { $0.isWarmup ? .fail : .succeed }
    let run = await run(scenario, .openLoop(Self.fast, users: 3, count: 10, warmup: .iterations(25)))
    #expect(scenario.seen.withLock { $0.warmups } == 25)
    #expect(run.recording.iterations == 10 && run.recording.errors.total == 0 && run.recording.dropped == 0)
  }

  @Test func aTimedRunLastsAsLongAsItsScheduleAndStartsWhatIsDueInIt() async {
    let scenario = FakeScenario { _ in .succeed }
    let run = await run(scenario, .openLoop(Self.fast, users: 4, count: nil, duration: .milliseconds(100)))
    #expect(run.recording.iterations == 200)
    #expect(run.endedAt - run.startedAt >= .milliseconds(100))
  }

  @Test func stagesEndTheRun() async {
    let ramp = ArrivalSchedule(
      stages: [RateStage(duration: .milliseconds(200), target: ArrivalRate(starts: 1000, period: .seconds(1)))],
      from: ArrivalRate(starts: 0, period: .seconds(1)), arrival: .constant)
    let scenario = FakeScenario { _ in .succeed }
    let run = await run(scenario, .openLoop(ramp, users: 4, count: nil))
    // The area under the ramp, and the start at its foot.
    #expect((100...101).contains(run.recording.iterations))
  }

  @Test(arguments: [false, true]) func aBusyUserMakesStartsWaitOrDrop(drops: Bool) async {
    let scenario = BlockingScenario(length: .milliseconds(20))
    let run = await LoadRun.perform(
      scenario, plan: .openLoop(Self.fast, users: 2, count: 40, dropsWhenBusy: drops),
      catalogue: BlockingScenario.catalogue, on: LoopGroup())
    let recording = run.recording
    #expect(recording.iterations + recording.dropped == 40 && recording.censored == 0)
    if drops {
      #expect(recording.dropped >= 30 && run.backlogMax == 0)
    } else {
      #expect(recording.dropped == 0 && run.backlogMax >= 30)
      // 40 starts due within 20 ms, served two at a time in 20 ms each: the last one waits for almost 400 ms.
      #expect((recording[BlockingScenario.work.response]?.max ?? 0) >= 360_000_000)
      #expect((recording[BlockingScenario.work.service]?.value(atPercentile: 50) ?? .max) < 360_000_000)
    }
  }

  @Test(arguments: [1, 3]) func cancellationCensorsWhatIsUnderWayAndWhatWaits(threads: Int) async {
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    let scenario = FakeScenario(onPerform: { if $0 == 24 { signal.finish() } }) { $0.number <= 20 ? .succeed : .hang }
    let task = Task {
      await run(scenario, .openLoop(Self.fast, users: 4, count: nil), loops: LoopGroup(threads: threads))
    }
    for await _ in reached {}
    try? await Task.sleep(for: .milliseconds(50))
    task.cancel()
    let result = await task.value
    let seen = scenario.seen.withLock { $0 }
    #expect(result.recording.iterations == 20 && seen.performed == 24)
    // Four hang, and what came due in 50 ms at 2000/s waits for them.
    #expect(result.recording.censored >= 4 + 50)
    #expect(seen.concluded == seen.performed && seen.retired == 4)
    #expect(result.backlogMax >= 50)
  }

  /// The first user of the others' order is idle for longest; it would come first again without this rule.
  @Test func eachUserHasOneStartAndThenTheLastFreedOneTakesThemAll() async {
    let scenario = TakerScenario()
    let slow = ArrivalSchedule(rate: ArrivalRate(starts: 100, period: .seconds(1)), arrival: .constant)
    _ = await LoadRun.perform(
      scenario, plan: .openLoop(slow, users: 4, count: 12), catalogue: BlockingScenario.catalogue, on: LoopGroup())
    let takers = scenario.takers.withLock { $0 }
    #expect(takers.prefix(4).sorted() == [1, 2, 3, 4])
    #expect(Set(takers.dropFirst(3)).count == 1, "\(takers)")
  }

  @Test func aRunCancelledBeforehandPerformsNothing() async {
    let scenario = FakeScenario { _ in .succeed }
    let cancelled = await Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await run(scenario, .openLoop(Self.fast, users: 5, count: 5))
    }.value
    #expect(cancelled.recording.iterations == 0)
    #expect(scenario.seen.withLock { $0.performed } == 0 && scenario.seen.withLock { $0.retired } == 5)
  }

  @Test(.wholeSuiteOnly) func whatHangsAtTheEndIsGivenUpAfterTheBound() async {
    let scenario = FakeScenario { $0.number == 10 ? .hang : .succeed }
    var plan = LoadPlan.openLoop(Self.fast, users: 1, count: 30)
    plan.drainBound = .seconds(2)
    let run = await run(scenario, plan)
    // The tenth hangs, and twenty wait for its user.
    #expect(run.recording.iterations == 9 && run.recording.censored == 21)
  }

  @Test func aUserThatHadToConnectAgainWasNotFree() async {
    let scenario = ReconnectingScenario()
    let run = await LoadRun.perform(
      scenario, plan: .openLoop(Self.fast, users: 1, count: 5), catalogue: FakeScenario.catalogue, on: LoopGroup())
    // 50 ms of connecting each are no lateness of the generator's: 250 ms in all, and the fifth start waits for most of it.
    #expect(run.recording.lateness.totalCount == 5)
    #expect(run.recording.lateness.value(atPercentile: 50) < (run.endedAt - run.startedAt).nanoseconds / 10)
  }

  @Test(arguments: [1, 3], [false, true])
  func everyStartIsTakenOnceByManyLoopsWithAndWithoutSpinning(threads: Int, isPrecise: Bool) async {
    for drops in [false, true] {
      let scenario = FakeScenario { $0.number % 9 == 0 ? .fail : .succeed }
      let run = await run(
        scenario,
        .openLoop(Self.fast, users: 7, count: 150, dropsWhenBusy: drops, isPrecise: isPrecise),
        loops: LoopGroup(threads: threads))
      let performed = UInt64(scenario.seen.withLock { $0.performed })
      #expect(performed == run.recording.iterations)
      #expect(run.recording.iterations + run.recording.dropped == 150 && run.recording.censored == 0)
      if !drops { #expect(run.recording.dropped == 0) }
    }
  }

  @Test func aStartThatAParkedUserWasFreeForIsLateWhoeverTakesIt() {
    var queue = ArrivalQueue(
      Self.fast, bounds: .init(count: nil, duration: nil, warmup: .iterations(0)), dropsWhenBusy: false, beginsAt: 0)
    _ = queue.userBecameFree(at: 0)
    #expect(queue.userBecameFree(at: 1) == .parked && queue.hasFreeUsers)
    // Its loop has not come to the timer; another user is done first.
    guard case .start(let start) = queue.userBecameFree(at: 600_000) else {
      Issue.record("no start")
      return
    }
    #expect(start.intendedAt == 500_000 && queue.hasFreeUsers)
  }

  @Test func preciseStartsAreNeverEarly() async {
    let starts = Mutex<[Instant]>([])
    let scenario = FakeScenario(onPerform: { _ in starts.withLock { $0.append(MonotonicClock.now()) } }) { _ in .succeed
    }
    let slow = ArrivalSchedule(rate: ArrivalRate(starts: 500, period: .seconds(1)), arrival: .constant)
    let plan = LoadPlan.openLoop(slow, users: 2, count: 50, isPrecise: true)
    let run = await run(scenario, plan, loops: LoopGroup())
    for (index, instant) in starts.withLock({ $0 }).enumerated() {
      #expect(instant >= run.startedAt + index * .milliseconds(2))
    }
  }
}

/// Keeps its user busy for a time without holding up the loop.
struct BlockingScenario: Scenario {
  static let catalogue = Catalogue(metrics: ["work", "work_service"], counters: [])
  static let work = catalogue.operation("work")
  let length: Nanoseconds

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> LoopExecutor { executor }

  func perform(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
    let begin = MonotonicClock.now()
    record.wrote(at: begin)
    await user.sleep(for: length)
    record.sample(Self.work, from: begin, to: MonotonicClock.now())
  }
}

/// Notes which user takes each start.
private final class TakerScenario: Scenario {
  let takers = Mutex<[Int]>([])

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> Int { number }

  func perform(_ user: Int, _ iteration: Iteration, into record: inout IterationRecord) async {
    takers.withLock { $0.append(user) }
    record.wrote(at: MonotonicClock.now())
  }
}

/// Has to connect before every iteration.
private struct ReconnectingScenario: Scenario {
  func makeUser(_ number: Int, on executor: LoopExecutor) async -> LoopExecutor { executor }

  func prepare(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
    let begin = MonotonicClock.now()
    await user.sleep(for: .milliseconds(50))
    record.occupied(from: begin, to: user.readySince)
  }

  func perform(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
    record.wrote(at: MonotonicClock.now())
  }
}
