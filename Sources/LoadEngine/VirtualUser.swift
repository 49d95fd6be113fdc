import Latency
import Transport

/// One user: draws iterations from the plan and performs them until there are none.
struct VirtualUser<S: Scenario>: Sendable {
  let number: Int
  let scenario: S
  let executor: LoopExecutor
  let recorder: LoopRecorder
  let plan: SharedPlan
  let barrier: StartBarrier?
  let progress: ProgressCounter?

  nonisolated(nonsending) func run() async {
    let user = await scenario.makeUser(number, on: executor)
    await withTaskCancellationHandler {
      if let barrier {
        await runOnce(user, after: barrier)
      } else {
        await runUntilFulfilled(user)
      }
    } onCancel: {
      scenario.cancel(user)
    }
    await scenario.retire(user)
  }

  private nonisolated(nonsending) func runUntilFulfilled(_ user: S.User) async {
    var record = IterationRecord()
    while !Task.isCancelled, let iteration = plan.next() {
      record.reset()
      await scenario.prepare(user, iteration, into: &record)
      guard !Task.isCancelled, iteration.isWarmup || !plan.isOver else {
        plan.giveBack(iteration)
        break
      }
      await perform(user, iteration, dueAt: MonotonicClock.now(), into: &record)
    }
  }

  private nonisolated(nonsending) func runOnce(_ user: S.User, after barrier: StartBarrier) async {
    var record = IterationRecord()
    guard let iteration = plan.next() else {
      _ = await barrier.wait()
      return
    }
    await scenario.prepare(user, iteration, into: &record)
    let releasedAt = await barrier.wait()
    guard !Task.isCancelled else { return plan.giveBack(iteration) }
    await perform(user, iteration, dueAt: releasedAt, into: &record)
  }

  private nonisolated(nonsending) func perform(
    _ user: S.User, _ iteration: Iteration, dueAt: UInt64, into record: inout IterationRecord
  ) async {
    if record.ending == .success {
      await scenario.perform(user, iteration, into: &record)
      // Work that outlived the run was waited for up to its bound: that says nothing of the target's failures.
      if record.isTimeout, plan.isOver { record.censor() }
      await scenario.conclude(user, iteration)
    }
    guard !iteration.isWarmup else { return }
    recorder.add(record, dueAt: dueAt)
    progress?.add(record.ending)
  }
}
