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

  /// Performs and records an iteration that was prepared. `dueAt` is when its start was due and the user was free, in ns.
  func perform(
    _ user: S.User, _ iteration: Iteration, dueAt: UInt64, into record: inout IterationRecord
  ) async {
    if !iteration.isWarmup {
      judging.measuring()
      progress?.begin()
    }
    if record.ending == .success {
      await scenario.perform(user, iteration, into: &record)
      await scenario.conclude(user, iteration)
    }
    // Work that outlived the run was waited for up to its bound, and is neither a success nor a failure.
    if record.isTimeout, isOver() { record.censor() }
    guard !iteration.isWarmup else { return }
    recorder.add(record, dueAt: dueAt)
    progress?.add(record.ending)
  }
}
