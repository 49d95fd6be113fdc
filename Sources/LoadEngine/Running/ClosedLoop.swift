import Latency
import Transport

extension Crew {
  /// Every user starts its next iteration when its last one is done.
  func closedLoop(_ plan: LoadPlan, thinkTime: UInt64, ramp: UserRamp?) async -> LoadRun {
    let shared = SharedPlan(plan, ramp: ramp, startingAt: MonotonicClock.now())
    await TimelineKeeper.keeping(keeper, since: { shared.measurementStartedAt }) {
      await run(plan, isOver: { shared.isOver }) { user, _ in
        await user.live { await user.runUntilFulfilled($0, shared, thinkTime: thinkTime, ramp: ramp) }
      }
    }
    return LoadRun(
      recording: Recording(recorders[0].catalogue), startedAt: shared.measurementStartedAt ?? shared.begunAt,
      endedAt: MonotonicClock.now())
  }
}

extension VirtualUser {
  /// After a failure a closed loop pauses for so many ns: a target that refuses at once is not hammered.
  private static var pauseAfterFailure: UInt64 { 10_000_000 }

  fileprivate func runUntilFulfilled(
    _ user: S.User, _ plan: SharedPlan, thinkTime: UInt64, ramp: UserRamp?
  ) async {
    var record = IterationRecord()
    while await isActive(ramp, since: plan.begunAt), !Task.isCancelled, let iteration = plan.next() {
      record.reset()
      await scenario.prepare(user, iteration, into: &record)
      guard !Task.isCancelled, iteration.isWarmup || !plan.isOver else {
        plan.giveBack(iteration)
        break
      }
      await perform(user, iteration, dueAt: MonotonicClock.now(), into: &record)
      if record.isFailure { await executor.sleep(nanoseconds: Self.pauseAfterFailure) }
      if thinkTime > 0 { await executor.sleep(nanoseconds: min(thinkTime, plan.remaining)) }
    }
  }

  /// Waits until the ramp has room for this user; false when it never has again.
  private func isActive(_ ramp: UserRamp?, since begin: UInt64) async -> Bool {
    guard let ramp else { return true }
    while !Task.isCancelled {
      let offset = MonotonicClock.now() - begin
      guard let next = ramp.nextActive(user: number, from: offset) else { return false }
      if next <= offset { return true }
      await executor.sleep(nanoseconds: next - offset)
    }
    return false
  }
}
