import Latency
import NIOCore
import Synchronization
import TestSupport
import Testing
import Transport

@testable import LoadEngine

/// What a fake scenario saw, and what it is to do.
final class FakeScenario: Scenario {
  struct Seen {
    var users = 0
    var retired = 0
    var prepared = 0
    var preparedWhenFirstPerformed: Int?
    var performed = 0
    var warmups = 0
    var concluded = 0
    var offLoop = 0
  }

  enum Deed: Sendable {
    case succeed, fail, censor, failInPreparation
    /// Waits until the task is cancelled.
    case hang
  }

  static let catalogue = Catalogue(metrics: ["work"], counters: ["seen"])
  static let work = catalogue.metric("work")
  static let count = catalogue.counter("seen")

  let seen = Mutex(Seen())
  private let deed: @Sendable (Iteration) -> Deed
  private let onPerform: @Sendable (Int) -> Void

  init(onPerform: @escaping @Sendable (Int) -> Void = { _ in }, _ deed: @escaping @Sendable (Iteration) -> Deed) {
    self.deed = deed
    self.onPerform = onPerform
  }

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> LoopExecutor {
    seen.withLock { $0.users += 1 }
    return executor
  }

  func prepare(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
    await Task.yield()
    record.sample(Self.work, 1)
    if case .failInPreparation = deed(iteration) { record.fail("prepare", "") }
    seen.withLock { $0.prepared += 1 }
  }

  func perform(_ user: LoopExecutor, _ iteration: Iteration, into record: inout IterationRecord) async {
    let number = seen.withLock { seen in
      seen.performed += 1
      if iteration.isWarmup { seen.warmups += 1 }
      if !user.isCurrent { seen.offLoop += 1 }
      seen.preparedWhenFirstPerformed = seen.preparedWhenFirstPerformed ?? seen.prepared
      return seen.performed
    }
    onPerform(number)
    record.wrote(at: MonotonicClock.now())
    record.count(Self.count)
    await Task.yield()
    switch deed(iteration) {
    case .succeed: record.sample(Self.work, 1000)
    case .fail, .failInPreparation:
      record.sample(Self.work, 1000)
      record.fail("fake", "an example")
    case .censor: record.censor()
    case .hang:
      try? await Task.sleep(for: .seconds(3600))
      record.censor()
    }
  }

  func conclude(_ user: LoopExecutor, _ iteration: Iteration) async { seen.withLock { $0.concluded += 1 } }

  func retire(_ user: LoopExecutor) async { seen.withLock { $0.retired += 1 } }
}

@Suite(.timeLimit(.minutes(1))) struct LoadRunTests {
  static let loops = LoopGroup(threads: 2)

  private func run(_ scenario: FakeScenario, _ plan: LoadPlan, progress: ProgressCounter? = nil) async -> LoadRun {
    await LoadRun.perform(
      scenario, plan: plan, catalogue: FakeScenario.catalogue, on: Self.loops, progress: progress)
  }

  @Test(arguments: [1, 2, 7]) func everythingStartedIsCountedOnce(_ users: Int) async {
    let scenario = FakeScenario { $0.number % 5 == 0 ? .fail : $0.number % 7 == 0 ? .censor : .succeed }
    let progress = ProgressCounter()
    let run = await run(scenario, .closedLoop(users: users, count: 200), progress: progress)
    let seen = scenario.seen.withLock { $0 }
    let (failed, censored): (UInt64, UInt64) = (40, 28 - 5)
    #expect(seen.performed == 200 && seen.concluded == 200)
    #expect(seen.users == users && seen.retired == users && seen.offLoop == 0)
    #expect(run.recording.censored == censored)
    #expect(run.recording.iterations == 200 - censored)
    #expect(run.recording.errors.total == failed)
    #expect(progress.done == 200 - censored && progress.failed == failed)
    #expect(progress.started == 200 && progress.inFlight == 0)
    // A sample of the preparation and one of the work, of successes only.
    #expect(run.recording[FakeScenario.work]?.totalCount == 2 * (200 - censored - failed))
    #expect(run.recording[FakeScenario.count] == 200 - censored)
    #expect(run.startedAt <= run.endedAt)
  }

  @Test func warmUpIsInNoMetricAndNoCounter() async {
    let scenario = FakeScenario { $0.isWarmup ? .fail : .succeed }
    let progress = ProgressCounter()
    let run = await run(
      scenario, .closedLoop(users: 3, count: 10, warmup: .iterations(25)), progress: progress)
    let seen = scenario.seen.withLock { $0 }
    #expect(seen.warmups == 25 && seen.performed == 35 && seen.concluded == 35)
    #expect(run.recording.iterations == 10 && run.recording.errors.total == 0 && run.recording.censored == 0)
    #expect(run.recording[FakeScenario.work]?.totalCount == 20)
    #expect(run.recording[FakeScenario.count] == 10)
    #expect(run.recording.lateness.totalCount == 10)
    #expect(progress.done == 10 && progress.failed == 0 && progress.started == 10)
  }

  @Test func whatFailsInPreparationIsNeverPerformed() async {
    let scenario = FakeScenario { $0.number == 2 ? .failInPreparation : .succeed }
    let run = await run(scenario, .closedLoop(users: 1, count: 3))
    #expect(scenario.seen.withLock { $0.performed } == 2)
    #expect(run.recording.iterations == 3 && run.recording.errors.count(of: "prepare") == 1)
  }

  @Test(arguments: [1, 2, 30]) func aBurstPerformsOnlyWhenAllUsersArePrepared(_ users: Int) async {
    let scenario = FakeScenario { _ in .succeed }
    let run = await run(scenario, .burst(users: users))
    let seen = scenario.seen.withLock { $0 }
    #expect(seen.preparedWhenFirstPerformed == users)
    #expect(seen.performed == users && run.recording.iterations == UInt64(users))
  }

  @Test(arguments: [false, true]) func cancellationReturnsWhatWasRecorded(burst: Bool) async throws {
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    // In the closed loop the first 20 succeed, then all four users hang; in the burst all four hang.
    let scenario = FakeScenario(onPerform: { if $0 == (burst ? 4 : 24) { signal.finish() } }) { iteration in
      !burst && iteration.number <= 20 ? .succeed : .hang
    }
    let plan = burst ? LoadPlan.burst(users: 4) : .closedLoop(users: 4, count: 1000)
    let task = Task { await run(scenario, plan) }
    for await _ in reached {}
    task.cancel()
    let recording = await task.value.recording
    let seen = scenario.seen.withLock { $0 }
    #expect(recording.iterations == (burst ? 0 : 20))
    #expect(recording.censored == 4)
    #expect(recording.iterations + recording.censored == UInt64(seen.performed))
    #expect(seen.concluded == seen.performed && seen.retired == 4)
  }

  @Test func aRunCancelledBeforehandPerformsNothing() async {
    let scenario = FakeScenario { _ in .succeed }
    for plan in [LoadPlan.burst(users: 5), .closedLoop(users: 5, count: 5)] {
      let cancelled = await Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return await run(scenario, plan)
      }.value
      #expect(cancelled.recording.iterations == 0 && cancelled.recording.censored == 0)
    }
    #expect(scenario.seen.withLock { $0.performed } == 0)
    #expect(scenario.seen.withLock { $0.retired } == 10)
  }

  @Test func theDurationEndsARunWithoutCount() async {
    let scenario = FakeScenario { _ in .succeed }
    let run = await run(scenario, .closedLoop(users: 2, count: nil, duration: .milliseconds(500)))
    #expect(run.endedAt - run.startedAt >= .milliseconds(500))
    #expect(run.recording.iterations == UInt64(scenario.seen.withLock { $0.performed }))
    #expect(run.recording.iterations > 0)
  }
}
