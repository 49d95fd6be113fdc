import Latency
import Transport

/// One virtual user.
struct VirtualUser<S: Scenario>: Sendable {
  let number: Int
  let scenario: S
  let executor: LoopExecutor
  let recorder: LoopRecorder
  let progress: ProgressCounter?
  let measurementWindow: MeasurementWindow

  /// Sets the user up, runs `body`, and ends the user when the `body` of every user has returned. Cancellation is
  /// watched once for all of this, which costs less than in each call. Returns the instant at which the last answer of
  /// all users had been read.
  func live(until lastAnswer: StartBarrier, _ body: (S.User) async -> Void) async -> Instant {
    let user = await scenario.makeUser(number, on: executor)
    await withTaskCancellationHandler {
      await body(user)
    } onCancel: {
      scenario.cancel(user)
    }
    let endedAt = await lastAnswer.wait(as: number) ?? MonotonicClock.now()
    await scenario.retire(user)
    return endedAt
  }

  /// Performs and records a prepared iteration, then undoes what it left behind. `dueAt` is the instant from which its
  /// start was due and the user free.
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

  /// Records an iteration that was not performed because its set-up or preparation failed or was cut off.
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
