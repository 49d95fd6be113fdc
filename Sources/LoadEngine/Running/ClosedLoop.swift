import Latency
import Transport

extension VirtualUsers {
  /// Each user starts its next iteration when its last one is done.
  ///
  /// All users are opened first, so that no latency contains the time that opening costs their loop. The users of a
  /// ramp open when their turn comes instead, because arriving users are part of that load.
  func closedLoop(_ plan: LoadPlan, thinkTime: Nanoseconds, ramp: UserRamp?) async -> LoadRun {
    let shared = SharedIterations(plan, ramp: ramp, startingAt: MonotonicClock.now())
    let parts = loops.executors.map { _ in LoopIterations(shared, loops: loops.executors.count) }
    let allOpened = StartBarrier(
      parties: max(1, plan.users), beforeRelease: { measurementWindow.begin() }, whenReached: { shared.begin(at: $0) })
    let now = await IntervalCutter.cutting(by: cutters, since: { shared.measurementStartedAt }) {
      await withTaskCancellationHandler {
        await run(plan) { user, own, loop in
          let isIn = await user.open(own, shared, after: allOpened, waitsForTurn: ramp != nil)
          await user.runUntilFulfilled(own, shared, parts[loop], isIn: isIn, thinkTime: thinkTime, ramp: ramp)
        }
      } onCancel: {
        shared.endStarts(at: MonotonicClock.now())
      }
    }
    let startedAt = shared.measurementStartedAt ?? shared.begunAt
    return LoadRun(
      recording: Recording(recorders[0].catalogue), startedAt: min(startedAt, now),
      endedAt: max(startedAt, shared.startsEndedAt(at: now)), judgesLateness: false, failedSetUps: shared.charged)
  }
}

extension VirtualUser {
  /// How long a user pauses after a failure, so that a target that refuses at once is not flooded.
  private static var pauseAfterFailure: Nanoseconds { .milliseconds(10) }

  /// Opens the user and waits for the others; false when opening failed. The failure is counted at once, so that each
  /// planned user has an outcome even if the warm-up or the count leaves no iteration for it.
  fileprivate func open(
    _ user: S.User, _ plan: SharedIterations, after allOpened: StartBarrier, waitsForTurn: Bool
  ) async -> Bool {
    var record = IterationRecord()
    if !waitsForTurn {
      await scenario.open(user, into: &record)
      switch record.ending {
      case .success: break
      case .failure: fail(plan.charge(), dueAt: .distantPast, record)
      case .censored: fail(Iteration(number: number, isWarmup: false), dueAt: .distantPast, record)
      }
    }
    _ = await allOpened.wait()
    return record.ending == .success
  }

  fileprivate func runUntilFulfilled(
    _ user: S.User, _ plan: SharedIterations, _ part: LoopIterations, isIn: Bool, thinkTime: Nanoseconds,
    ramp: UserRamp?
  ) async {
    if !isIn { await executor.sleep(for: Self.pauseAfterFailure) }
    var record = IterationRecord()
    while await isActive(ramp, plan), !Task.isCancelled, let iteration = part.next() {
      record.reset()
      await scenario.prepare(user, iteration, into: &record)
      // A failure is counted even when no iteration would begin any more.
      guard record.ending != .success || !Task.isCancelled && (iteration.isWarmup || !part.isOver) else {
        plan.giveBack(iteration)
        break
      }
      await perform(user, iteration, dueAt: executor.readySince, into: &record)
      if record.isFailure { await executor.sleep(for: Self.pauseAfterFailure) }
      if thinkTime > .zero { await executor.sleep(for: min(thinkTime, plan.remaining)) }
    }
  }

  /// Waits until the ramp has room for this user; false when it will never have room again.
  private func isActive(_ ramp: UserRamp?, _ plan: SharedIterations) async -> Bool {
    guard let ramp else { return true }
    let begin = plan.begunAt
    while !Task.isCancelled {
      let offset = MonotonicClock.now() - begin
      guard let next = ramp.nextActive(user: number, from: offset) else { return false }
      if next <= offset { return true }
      await executor.sleep(for: next - offset)
    }
    return false
  }
}
