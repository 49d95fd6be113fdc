import Latency
import Transport

/// One user: performs iterations as the plan gives them out, until there are none.
struct VirtualUser<S: Scenario>: Sendable {
  let number: Int
  let scenario: S
  let executor: LoopExecutor
  let recorder: LoopRecorder
  let progress: ProgressCounter?
  let measurementWindow: MeasurementWindow

  /// Sets the user up, has `body` do its work, and ends it when all users have done theirs. The task's cancellation is
  /// watched once for all of it. Returns when the last answer of all had been read.
  func live(until lastAnswer: StartBarrier, _ body: (S.User) async -> Void) async -> Instant {
    let user = await scenario.makeUser(number, on: executor)
    await withTaskCancellationHandler {
      await body(user)
    } onCancel: {
      scenario.cancel(user)
    }
    let endedAt = await lastAnswer.wait()
    await scenario.retire(user)
    return endedAt
  }

  /// Performs and records an iteration that was prepared, then undoes what it left behind. `dueAt` is when its start was
  /// due and the user was free.
  func perform(
    _ user: S.User, _ iteration: Iteration, dueAt: Instant, into record: inout IterationRecord
  ) async {
    if !iteration.isWarmup { measurementWindow.measuring() }
    guard record.ending == .success else { return fail(iteration, dueAt: dueAt, record) }
    if !iteration.isWarmup { progress?.begin() }
    await scenario.perform(user, iteration, into: &record)
    add(record, of: iteration, dueAt: dueAt)
    await scenario.conclude(user, iteration)
  }

  /// Records an iteration whose set-up or preparation failed, or was cut off: there was nothing to perform.
  func fail(_ iteration: Iteration, dueAt: Instant, _ record: IterationRecord) {
    scenario.failed(iteration, record)
    if !iteration.isWarmup { progress?.begin() }
    add(record, of: iteration, dueAt: dueAt)
  }

  private func add(_ record: IterationRecord, of iteration: Iteration, dueAt: Instant) {
    guard !iteration.isWarmup else { return }
    recorder.add(record, dueAt: dueAt, endedAt: executor.readySince)
    progress?.add(record.ending)
  }
}
