import Glibc
import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing
import Transport

@testable import LoadEngine

/// The generator is overloaded on purpose, and the target is stalled on purpose.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SaturationTests {
  /// Holds up the loop itself: work of the generator, such as decoding, that takes too long.
  private struct HoggingScenario: Scenario {
    let length: Nanoseconds

    func makeUser(_ number: Int, on executor: LoopExecutor) async {}

    func perform(_ user: Void, _ iteration: Iteration, into record: inout IterationRecord) async {
      let begin = MonotonicClock.now()
      record.wrote(at: begin)
      while MonotonicClock.now() - begin < length {}
    }
  }

  @Test func anOverloadedGeneratorSaysThatItIsSaturated() async {
    let loops = LoopGroup()
    let monitor = GeneratorMonitor(loops)
    // 500 starts a second of 4 ms each: twice what one loop can do.
    let run = await LoadRun.perform(
      HoggingScenario(length: .milliseconds(4)),
      plan: .openLoop(
        ArrivalSchedule(rate: ArrivalRate(starts: 500, period: .seconds(1)), arrival: .constant), users: 50,
        count: nil, duration: .milliseconds(1_200)),
      catalogue: Catalogue(metrics: ["work"], counters: []), on: loops, monitor: monitor)
    let report = await monitor.finish(run.recording, backlogMax: run.backlogMax)
    #expect(report.saturated && report.saturatedReason != nil)
    // By both rules: a start that a parked user was free for is late whoever takes it.
    #expect(run.recording.lateness.value(atPercentile: 99) > GeneratorReport.latenessBound.nanoseconds)
  }

  @Test func aLoopThatIsBusyForASecondIsSeenHoweverShortTheRun() async {
    let loops = LoopGroup()
    let monitor = GeneratorMonitor(loops)
    // One start, of 1.2 s: nothing is late.
    let run = await LoadRun.perform(
      HoggingScenario(length: .milliseconds(1_200)), plan: .openLoop(OpenLoopTests.fast, users: 1, count: 1),
      catalogue: Catalogue(metrics: ["work"], counters: []), on: loops, monitor: monitor)
    let report = await monitor.finish(run.recording)
    // The thread ran or wanted to all the time, however much of it somebody else got.
    #expect(report.saturated && report.busiestSecond > 0.9, "\(report)")
  }

  private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
  }

  private static func spin(_ length: Nanoseconds) {
    let begin = MonotonicClock.now()
    while MonotonicClock.now() - begin < length {}
  }

  @Test func aLoopThatDoesNotComeToItsRestartIsBusy() async {
    let loops = LoopGroup()
    let monitor = GeneratorMonitor(loops)
    let isAsked = Flag()
    loops.executors[0].execute {
      while !isAsked.isSet {}
      Self.spin(.milliseconds(1_100))
    }
    monitor.restart()
    isAsked.set()
    let report = await monitor.finish(Recording(Catalogue(metrics: [], counters: [])))
    #expect(report.busiestSecond > 0.9 && report.saturated)
  }

  @Test func aLoopThatIsBlockedOffTheCPUIsBusyToo() async {
    let loops = LoopGroup()
    let monitor = GeneratorMonitor(loops)
    // Blocked on purpose: no CPU is used or waited for, and the thread is of no use all the same.
    loops.executors[0].execute { usleep(2_200_000) }
    let report = await monitor.finish(Recording(Catalogue(metrics: [], counters: [])))
    #expect(report.busiestSecond > 0.9 && report.saturated)
  }

  private final class Crowd: Sendable {
    let waiting = Mutex<[UnsafeContinuation<Void, Never>]>([])
    let order = Mutex<[String]>([])

    func note(_ event: String) { order.withLock { $0.append(event) } }
  }

  @Test(.wholeSuiteOnly, arguments: [0, 30, 60, 90]) func aStopOfLittleMoreThanASecondIsSeenWhereverItFalls(
    _ phase: UInt32
  ) async {
    let loops = LoopGroup()
    let monitor = GeneratorMonitor(loops)
    // The thread itself stands still: a task that waits would leave it free.
    loops.executors[0].execute(after: .milliseconds(450 + UInt64(phase))) { usleep(1_050_000) }
    try? await Task.sleep(for: .milliseconds(2000))
    let report = await monitor.finish(Recording(Catalogue(metrics: [], counters: [])))
    #expect(report.busiestSecond > 0.9 && report.saturated && report.wasBlocked, "\(report)")
  }

  @Test(arguments: [1, 2]) func spinningForPreciseStartsIsNoUseOfCPU(threads: Int) async throws {
    let loops = LoopGroup(threads: threads)
    let monitor = GeneratorMonitor(loops)
    // Starts every 10 ms, of which 50 µs are spun: a loop that counts its sleep as spinning has spun for seconds.
    let schedule = ArrivalSchedule(rate: ArrivalRate(starts: 100, period: .seconds(1)), arrival: .constant)
    let run = await LoadRun.perform(
      FakeScenario { _ in .succeed },
      plan: .openLoop(schedule, users: 4, count: nil, duration: .milliseconds(1_500), isPrecise: true),
      catalogue: FakeScenario.catalogue, on: loops, monitor: monitor)
    _ = await monitor.finish(run)
    var spun = Nanoseconds.zero
    for loop in loops.executors { spun += await loop.submit { loop.spunFor } }
    #expect(spun > .zero && spun < .milliseconds(700), "\(spun)")
  }

  /// 20,000 starts a second against nothing: the loop spins for most of its time, and that is no load.
  ///
  /// A machine may be too slow for the rate, or busy with other work. So only the spinning is judged: what a thread has
  /// spun in its worst second is not in that second's use.
  @Test func aLoopThatSpinsAllTheTimeIsNotBusyByThat() async throws {
    let length: Nanoseconds = .milliseconds(1_200)
    let schedule = ArrivalSchedule(rate: ArrivalRate(starts: 20_000, period: .seconds(1)), arrival: .constant)
    var found: [String] = []
    // Other work on this machine may hold the thread up in one run.
    for _ in 1...3 {
      let loops = LoopGroup()
      let monitor = GeneratorMonitor(loops)
      let run = await LoadRun.perform(
        HoggingScenario(length: .zero),
        plan: .openLoop(schedule, users: 4, count: nil, duration: length, isPrecise: true),
        catalogue: Catalogue(metrics: ["work"], counters: []), on: loops, monitor: monitor)
      let report = await monitor.finish(run)
      let spun = await loops.executors[0].submit { loops.executors[0].spunFor }
      // The worst second has at least what did not fit into the rest of the run.
      let spunInWorst = (spun - (length - .seconds(1))).seconds
      if spunInWorst > 0.1, report.busiestSecond <= 1 - spunInWorst + 0.05 { return }
      found.append("spun \(spun) of \(length), busiest second \(report.busiestSecond)")
    }
    Issue.record("\(found)")
  }

  @Test func settingUpAndTakingDownAreNotJudged() async {
    let loops = LoopGroup()
    let monitor = GeneratorMonitor(loops)
    let run = await LoadRun.perform(
      SlowFrameScenario(), plan: .closedLoop(users: 1, count: 3), catalogue: FakeScenario.catalogue, on: loops,
      monitor: monitor)
    let report = await monitor.finish(run)
    #expect(!report.saturated && report.busiestSecond < 0.9, "\(report)")
  }

  /// Its set-up and its tear-down hold the loop for more than a second.
  private struct SlowFrameScenario: Scenario {
    func makeUser(_ number: Int, on executor: LoopExecutor) async -> LoopExecutor { executor }
    private static let length: Nanoseconds = .milliseconds(1_300)

    func open(_ user: LoopExecutor, into record: inout IterationRecord) async { SaturationTests.spin(Self.length) }
    func perform(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {}
    func retire(_ user: LoopExecutor) async { SaturationTests.spin(Self.length) }
  }

  @Test func aBatchOfAnswersIsWorkedOffInSharesSoThatUsersAndStartsDoNotWait() async throws {
    let executor = LoopGroup(for: .secureOrSockets).executors[0]
    let crowd = Crowd()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask(executorPreference: executor) {
          await withUnsafeContinuation { continuation in crowd.waiting.withLock { $0.append(continuation) } }
          crowd.note("user")
        }
      }
      while crowd.waiting.withLock({ $0.count }) < 100 { try await Task.sleep(for: .milliseconds(1)) }
      try await executor.eventLoop.submit {
        executor.betweenBatches = { crowd.note("schedule") }
        for continuation in crowd.waiting.withLock({ $0 }) {
          crowd.note("answer")
          continuation.resume()
          executor.didRead()
        }
        executor.betweenBatches = nil
      }.get()
      try await group.waitForAll()
    }
    let events = crowd.order.withLock { $0 }
    // No user waits for more than 15 answers that are read after its own, and the schedule is looked at each time.
    #expect(events.count { $0 == "user" } == 100 && events.count { $0 == "schedule" } == 6)
    #expect(events.prefix(33).count { $0 == "user" } == 16 && events.lastIndex(of: "schedule") == 197, "\(events)")
  }

  /// Two users on a loop each. The second is the last to be ready, and then the first one's loop is held up.
  private struct LateScenario: Scenario {
    static let delay: Nanoseconds = .milliseconds(100)
    let loops: LoopGroup
    private let isFirstReady = Flag()

    init(_ loops: LoopGroup) { self.loops = loops }

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> (number: Int, executor: LoopExecutor) {
      (number, executor)
    }

    func open(_ user: (number: Int, executor: LoopExecutor), into record: inout IterationRecord) async {
      guard user.number == 2 else { return isFirstReady.set() }
      while !isFirstReady.isSet { await user.executor.sleep(for: .milliseconds(1)) }
      for other in loops.executors where other !== user.executor {
        other.execute { SaturationTests.spin(Self.delay) }
      }
    }

    func perform(
      _ user: (number: Int, executor: LoopExecutor), _ iteration: Iteration, into record: inout IterationRecord
    ) async {
      record.wrote(at: MonotonicClock.now())
      await user.executor.sleep(for: Self.delay * 2)
    }
  }

  @Test(arguments: [false, true]) func aFirstStartThatTheGeneratorHoldsUpIsLateAndNotDropped(_ drops: Bool) async {
    let loops = LoopGroup(threads: 2)
    let run = await LoadRun.perform(
      LateScenario(loops), plan: .openLoop(OpenLoopTests.fast, users: 2, count: 2, dropsWhenBusy: drops),
      catalogue: Catalogue(metrics: ["work"], counters: []), on: loops)
    #expect(run.recording.lateness.totalCount == 2 && run.recording.dropped == 0 && run.backlogMax == 0)
    // Due some 10 ms after both users were ready, and begun 100 ms after it at the earliest.
    #expect(run.recording.lateness.max > LateScenario.delay.nanoseconds / 2)
  }

  @Test func aSlowTargetsBacklogIsNoLatenessOfTheGenerator() async {
    let run = await LoadRun.perform(
      BlockingScenario(length: .milliseconds(100)),
      plan: .openLoop(OpenLoopTests.fast, users: 2, count: 20), catalogue: BlockingScenario.catalogue, on: LoopGroup())
    #expect(run.backlogMax >= 15)
    // A second of backlog, and next to no lateness: compared, as no test depends on a machine's speed.
    let response = run.recording[BlockingScenario.work.response]?.max ?? 0
    #expect(response >= 900_000_000 && run.recording.lateness.value(atPercentile: 50) < response / 10)
  }
}
