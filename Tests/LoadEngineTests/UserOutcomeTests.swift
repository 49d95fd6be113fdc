import Latency
import Synchronization
import Testing
import Transport

@testable import LoadEngine

/// Every user that was asked for has an outcome, and every rate is over the time in which starts were made.
@Suite(.timeLimit(.minutes(1))) struct UserOutcomeTests {
  /// Some users never get in: opening fails at once, or is under way until the task is cancelled.
  private struct DoorScenario: Scenario {
    enum Door: Sendable { case open, shut, hanging }

    static let catalogue = Catalogue(metrics: ["work"], counters: [])
    let door: @Sendable (Int) -> Door
    var length: Nanoseconds = .milliseconds(1)
    /// Of the second user's work, where it differs.
    var shortLength: Nanoseconds?

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> (number: Int, executor: LoopExecutor) {
      (number, executor)
    }

    func open(_ user: (number: Int, executor: LoopExecutor), into record: inout IterationRecord) async {
      await pass(user, into: &record)
    }

    func prepare(
      _ user: (number: Int, executor: LoopExecutor), _ iteration: Iteration, into record: inout IterationRecord
    ) async {
      await pass(user, into: &record)
    }

    private func pass(_ user: (number: Int, executor: LoopExecutor), into record: inout IterationRecord) async {
      switch door(user.number) {
      case .open: break
      case .shut: record.fail("connect_timeout", "the door is shut")
      case .hanging:
        try? await Task.sleep(for: .seconds(3600))
        record.censor()
      }
    }

    func perform(
      _ user: (number: Int, executor: LoopExecutor), _ iteration: Iteration, into record: inout IterationRecord
    ) async {
      await user.executor.sleep(for: user.number == 2 ? shortLength ?? length : length)
      record.sample(Self.catalogue.metric("work"), length)
    }
  }

  private func run(_ scenario: DoorScenario, _ plan: LoadPlan) async -> LoadRun {
    await LoadRun.perform(scenario, plan: plan, catalogue: DoorScenario.catalogue, on: LoadRunTests.loops)
  }

  @Test func aUserThatNeverGotInIsAFailedIteration() async {
    let scenario = DoorScenario(door: { $0 <= 11 ? .open : .shut }, length: .milliseconds(50))
    let run = await run(scenario, .closedLoop(users: 50, count: nil, duration: .milliseconds(200)))
    let recording = run.recording
    #expect(recording.errors.count(of: "connect_timeout") >= 39)
    #expect(recording.iterations >= 50 && recording.errors.total < recording.iterations)
    #expect(recording.censored == 0)
  }

  @Test func failedSetUpsAreTakenFromTheCount() async {
    let run = await run(DoorScenario { $0 <= 2 ? .open : .shut }, .closedLoop(users: 5, count: 5))
    #expect(run.recording.iterations == 5 && run.recording.errors.total >= 3)
  }

  @Test func moreFailedSetUpsThanTheCountAreAllCounted() async {
    let run = await run(DoorScenario { _ in .shut }, .closedLoop(users: 5, count: 2))
    #expect(run.recording.iterations == 5 && run.recording.errors.total == 5)
  }

  @Test func anOpenLoopCountsAFailedSetUpOnlyWhereAStartNeededTheUser() async {
    let run = await run(DoorScenario { $0 == 1 ? .open : .shut }, .openLoop(OpenLoopTests.fast, users: 40, count: 3))
    #expect(run.recording.iterations == 3)
  }

  @Test(arguments: [false, true]) func usersThatAreStillAtTheDoorWhenTheRunIsInterruptedAreCensored(burst: Bool) async {
    let isAtDoor = AsyncStream.makeStream(of: Void.self)
    let scenario = DoorScenario { number in
      if number == 3 { isAtDoor.continuation.finish() }
      return .hanging
    }
    let task = Task { await run(scenario, burst ? .burst(users: 3) : .closedLoop(users: 3, count: nil)) }
    for await _ in isAtDoor.stream {}
    task.cancel()
    let recording = await task.value.recording
    #expect(recording.censored == 3 && recording.iterations == 0)
  }

  @Test func aClosedLoopsTimeIsThatInWhichStartsWereMade() async {
    // The last iterations of both users begin within the duration and end long after it.
    let run = await run(
      DoorScenario(door: { _ in .open }, length: .milliseconds(700)),
      .closedLoop(users: 2, count: nil, duration: .milliseconds(300)))
    #expect(run.recording.iterations == 2)
    #expect(run.endedAt - run.startedAt == .milliseconds(300))
  }

  @Test func aCountedClosedLoopsTimeEndsWithTheFirstStartThatItRefuses() async {
    let scenario = FakeScenario { _ in .succeed }
    // One user: every iteration is within the time.
    let run = await LoadRun.perform(
      scenario, plan: .closedLoop(users: 1, count: 5, thinkTime: .milliseconds(20)), catalogue: FakeScenario.catalogue,
      on: LoopGroup())
    #expect(run.endedAt - run.startedAt >= .milliseconds(80))
    // Two users, of which one comes back some 700 ms after the other, when the run is long over.
    let uneven = DoorScenario(door: { _ in .open }, length: .milliseconds(700), shortLength: .milliseconds(1))
    let begin = MonotonicClock.now()
    let late = await self.run(uneven, .closedLoop(users: 2, count: 2))
    #expect(late.recording.iterations == 2 && MonotonicClock.now() - begin >= .milliseconds(700))
    #expect(late.endedAt - late.startedAt < .milliseconds(600))
  }

  @Test func anOpenLoopsTimeIsThatInWhichStartsWereDue() async {
    let scenario = DoorScenario(door: { _ in .open }, length: .milliseconds(700))
    let timed = await run(scenario, .openLoop(OpenLoopTests.fast, users: 400, count: nil, duration: .milliseconds(100)))
    #expect(timed.recording.iterations == 200 && timed.endedAt - timed.startedAt == .milliseconds(100))
    // 100 starts at 2000/s: the next one would have been due after 50 ms.
    let counted = await run(scenario, .openLoop(OpenLoopTests.fast, users: 400, count: 100))
    #expect(counted.recording.iterations == 100 && counted.endedAt - counted.startedAt == .milliseconds(50))
  }

  @Test func workThatMeetsItsOwnTimeOutAfterTheEndIsAnError() async {
    let scenario = TimingOutScenario()
    for plan in [
      LoadPlan.closedLoop(users: 3, count: nil, duration: .milliseconds(100)),
      .openLoop(OpenLoopTests.fast, users: 300, count: nil, duration: .milliseconds(100)),
    ] {
      let run = await LoadRun.perform(
        scenario, plan: plan, catalogue: DoorScenario.catalogue, on: LoadRunTests.loops)
      #expect(run.recording.censored == 0 && run.recording.iterations >= 3)
      #expect(run.recording.errors.count(of: "timeout") == run.recording.iterations)
    }
  }

  /// Every operation ends by its own bound, which is after the end of the run.
  private struct TimingOutScenario: Scenario {
    func makeUser(_ number: Int, on executor: LoopExecutor) async -> LoopExecutor { executor }

    func perform(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
      await user.sleep(for: .milliseconds(300))
      record.fail("timeout", "no answer within 300 ms")
    }
  }
}
