import Latency
import Synchronization
import Testing
import Transport

@testable import LoadEngine

/// Users that come and go, think, and warm up by time, in a run.
@Suite(.timeLimit(.minutes(1))) struct UserRampRunTests {
  /// Notes who performed, and when.
  private final class NotingScenario: Scenario {
    struct Span: Sendable {
      var user: Int
      var begin: Instant
      var end: Instant
    }

    let spans = Mutex<[Span]>([])

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> (number: Int, executor: LoopExecutor) {
      (number, executor)
    }

    func perform(
      _ user: (number: Int, executor: LoopExecutor), _ iteration: Iteration, into record: inout IterationRecord
    ) async {
      let begin = MonotonicClock.now()
      await user.executor.sleep(for: .milliseconds(1))
      spans.withLock { $0.append(Span(user: user.number, begin: begin, end: MonotonicClock.now())) }
    }
  }

  private func run(_ scenario: NotingScenario, _ plan: LoadPlan) async -> LoadRun {
    await LoadRun.perform(
      scenario, plan: plan, catalogue: Catalogue(metrics: ["work"], counters: []), on: LoadRunTests.loops)
  }

  @Test func usersBeyondTheRampNeverBeginAndLaterOnesBeginLater() async {
    // One user at once, the second from 1.5 s on, the third never.
    let ramp = UserRamp(
      stages: [
        UserStage(duration: .milliseconds(1_500), target: 1), UserStage(duration: 0, target: 2),
        UserStage(duration: .milliseconds(1_500), target: 2),
      ], from: 1)
    let scenario = NotingScenario()
    let before = MonotonicClock.now()
    let run = await run(scenario, .closedLoop(users: 3, count: nil, ramp: ramp))
    let spans = scenario.spans.withLock { $0 }
    #expect(Set(spans.map(\.user)).isSubset(of: [1, 2]) && !spans.isEmpty)
    #expect(spans.allSatisfy { $0.user == 1 || $0.begin >= before + .milliseconds(1_500) })
    #expect(run.recording.iterations == UInt64(spans.count))
    #expect(run.endedAt - before >= .milliseconds(1_500))
  }

  @Test func thinkingIsNoPartOfAnIterationAndEndsWithTheRun() async {
    let scenario = NotingScenario()
    _ = await run(scenario, .closedLoop(users: 1, count: 3, thinkTime: .milliseconds(100)))
    let spans = scenario.spans.withLock { $0 }
    #expect(spans.count == 3)
    for (first, second) in zip(spans, spans.dropFirst()) { #expect(second.begin - first.end >= .milliseconds(100)) }
    // Nobody thinks after the last one: an hour would not fit into this test.
    let last = await run(NotingScenario(), .closedLoop(users: 1, count: 1, thinkTime: .seconds(3_600)))
    #expect(last.recording.iterations == 1)
  }

  @Test(arguments: [false, true]) func warmUpByTimeIsInNoMetric(isOpen: Bool) async {
    let scenario = FakeScenario { $0.isWarmup ? .fail : .succeed }
    let plan: LoadPlan =
      isOpen
      ? .openLoop(OpenLoopTests.fast, users: 3, count: 20, warmup: .duration(.milliseconds(100)))
      : .closedLoop(users: 3, count: 20, warmup: .duration(.seconds(1)))
    let run = await LoadRun.perform(
      scenario, plan: plan, catalogue: FakeScenario.catalogue, on: LoadRunTests.loops)
    let seen = scenario.seen.withLock { $0 }
    #expect(seen.warmups > 0 && seen.performed == seen.warmups + 20)
    #expect(run.recording.iterations == 20 && run.recording.errors.total == 0)
    if isOpen { #expect(seen.warmups == 200) }
  }
}
