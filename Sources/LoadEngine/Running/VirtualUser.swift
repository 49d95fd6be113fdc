import Transport

/// One user: performs iterations as the plan gives them out, until there are none.
struct VirtualUser<S: Scenario>: Sendable {
  let number: Int
  let scenario: S
  let executor: LoopExecutor
  let recorder: LoopRecorder
  let isOver: @Sendable () -> Bool
  let progress: ProgressCounter?
  let judging: Judging

  /// Sets the user up, has `body` do its work, and ends it. The task's cancellation is watched once for all of it.
  func live(_ body: (S.User) async -> Void) async {
    let user = await scenario.makeUser(number, on: executor)
    await withTaskCancellationHandler {
      await body(user)
    } onCancel: {
      scenario.cancel(user)
    }
    await scenario.retire(user)
  }

  /// Performs and records an iteration that was prepared, then undoes what it left behind. `dueAt` is when its start was due and the user was free, in ns.
  func perform(
    _ user: S.User, _ iteration: Iteration, dueAt: UInt64, into record: inout IterationRecord
  ) async {
    if !iteration.isWarmup {
      judging.measuring()
      progress?.begin()
    }
    let isPrepared = record.ending == .success
    if isPrepared { await scenario.perform(user, iteration, into: &record) }
    // Work that outlived the run was waited for up to its bound, and is neither a success nor a failure.
    if record.isTimeout, isOver() { record.censor() }
    if !iteration.isWarmup {
      recorder.add(record, dueAt: dueAt)
      progress?.add(record.ending)
    }
    if isPrepared { await scenario.conclude(user, iteration) }
  }
}
