import Latency
import Synchronization
public import Transport

/// What came of a run: a value, whole even when the run was cancelled.
public struct LoadRun: Sendable {
  /// What was recorded.
  public var recording: Recording
  /// Begin and end of the measured part, in ns of `MonotonicClock`.
  public var startedAt: UInt64
  /// See `startedAt`.
  public var endedAt: UInt64

  /// Carries out `plan` with one structured task per virtual user, each on its event loop.
  ///
  /// Cancelling the task ends the run early: nothing more is begun, what is under way is censored, and what was
  /// recorded is returned.
  public static func perform<S: Scenario>(
    _ scenario: S, plan: LoadPlan, catalogue: Catalogue, on loops: LoopGroup,
    progress: ProgressCounter? = nil
  ) async -> LoadRun {
    let begin = MonotonicClock.now()
    let shared = SharedPlan(plan, startingAt: begin)
    let barrier = plan.start == .together ? StartBarrier(parties: plan.users) : nil
    let recorders = loops.executors.map { _ in LoopRecorder(catalogue) }
    await withTaskGroup(of: Void.self) { group in
      for number in 1...max(1, plan.users) {
        let loop = (number - 1) % loops.executors.count
        let user = VirtualUser(
          number: number, scenario: scenario, executor: loops.executors[loop], recorder: recorders[loop],
          plan: shared, barrier: barrier, progress: progress)
        group.addTask(executorPreference: loops.executors[loop]) { await user.run() }
      }
    }
    var recording = Recording(catalogue)
    for recorder in recorders { recording.merge(recorder.take()) }
    return LoadRun(
      recording: recording, startedAt: shared.measurementStartedAt ?? begin, endedAt: MonotonicClock.now())
  }
}

/// The budget that all users draw from.
final class SharedPlan: Sendable {
  private let budget: Mutex<IterationBudget>

  init(_ plan: LoadPlan, startingAt now: UInt64) {
    budget = Mutex(IterationBudget(plan, startingAt: now))
  }

  var measurementStartedAt: UInt64? { budget.withLock { $0.measurementStartedAt } }

  func next() -> Iteration? { budget.withLock { $0.next(at: MonotonicClock.now()) } }

  func giveBack(_ iteration: Iteration) { budget.withLock { $0.giveBack(iteration) } }

  var isOver: Bool { budget.withLock { $0.isOver(at: MonotonicClock.now()) } }
}

/// The recording of one event loop. The lock is uncontended: only tasks of that loop take it until the run is over.
final class LoopRecorder: Sendable {
  private let recording: Mutex<Recording>

  init(_ catalogue: Catalogue) {
    recording = Mutex(Recording(catalogue))
  }

  func add(_ record: IterationRecord, dueAt: UInt64) {
    recording.withLock { $0.add(record, dueAt: dueAt) }
  }

  func take() -> Recording { recording.withLock { $0 } }
}
