import Latency
import Synchronization
import Testing
import Transport

@testable import LoadEngine

/// A run is set-up, measured part, tear-down: no two of them overlap on a load thread, or the work of one would be in the
/// latencies of the other.
@Suite(.timeLimit(.minutes(1))) struct RunPhasesTests {
  /// Notes in which order users are opened, perform and are retired. User 1 is slow in all of it.
  private final class OrderScenario: Scenario {
    enum Event: Equatable { case opened, began, ended, retired }

    let events = Mutex<[Event]>([])
    private let slowOpening: Nanoseconds
    private let slowPerforming: Nanoseconds

    init(slowOpening: Nanoseconds = .zero, slowPerforming: Nanoseconds = .zero) {
      self.slowOpening = slowOpening
      self.slowPerforming = slowPerforming
    }

    func makeUser(_ number: Int, on executor: LoopExecutor) async -> (number: Int, executor: LoopExecutor) {
      (number, executor)
    }

    func open(_ user: (number: Int, executor: LoopExecutor), into record: inout IterationRecord) async {
      if user.number == 1 { await user.executor.sleep(for: slowOpening) }
      add(.opened)
    }

    func perform(
      _ user: (number: Int, executor: LoopExecutor), _ iteration: Iteration, into record: inout IterationRecord
    ) async {
      add(.began)
      if iteration.number == 1 { await user.executor.sleep(for: slowPerforming) }
      add(.ended)
    }

    func retire(_ user: (number: Int, executor: LoopExecutor)) async { add(.retired) }

    private func add(_ event: Event) { events.withLock { $0.append(event) } }
  }

  private static let plans: [LoadPlan] = [
    .closedLoop(users: 6, count: 12), .openLoop(OpenLoopTests.fast, users: 6, count: 12), .burst(users: 6),
    .openLoop(OpenLoopTests.fast, users: 6, count: nil, duration: .milliseconds(20)),
    .openLoop(OpenLoopTests.fast, users: 6, count: 12, dropsWhenBusy: true),
  ]

  private func events(of scenario: OrderScenario, _ plan: LoadPlan, threads: Int) async -> [OrderScenario.Event] {
    _ = await LoadRun.perform(
      scenario, plan: plan, catalogue: FakeScenario.catalogue, on: LoopGroup(threads: threads))
    return scenario.events.withLock { $0 }
  }

  @Test(arguments: plans, [1, 2]) func nobodyIsRetiredBeforeTheLastAnswer(_ plan: LoadPlan, _ threads: Int) async {
    let events = await events(of: OrderScenario(slowPerforming: .milliseconds(150)), plan, threads: threads)
    let (last, first) = (events.lastIndex(of: .ended), events.firstIndex(of: .retired))
    #expect(events.filter { $0 == .retired }.count == 6)
    #expect((last ?? .max) < (first ?? .min), "\(events)")
  }

  @Test(arguments: plans.filter { $0.arrivals != .burst }, [1, 2])
  func nobodyIsSetUpWhileOthersMeasure(_ plan: LoadPlan, _ threads: Int) async {
    let events = await events(of: OrderScenario(slowOpening: .milliseconds(100)), plan, threads: threads)
    let (last, first) = (events.lastIndex(of: .opened), events.firstIndex(of: .began))
    #expect(events.filter { $0 == .opened }.count == 6)
    #expect((last ?? .max) < (first ?? .min), "\(events)")
  }

  @Test func usersOfARampComeWhenItIsTheirTurn() async {
    let ramp = UserRamp(stages: [UserStage(duration: .milliseconds(300), target: 3)], from: 1)
    let scenario = OrderScenario()
    let events = await events(of: scenario, .closedLoop(users: 3, count: nil, ramp: ramp), threads: 1)
    #expect(events.contains(.ended) && events.filter { $0 == .retired }.count == 3)
  }
}
