import Latency

extension Crew {
  /// All users at one instant, an iteration each.
  func burst(_ plan: LoadPlan) async -> LoadRun {
    let shared = SharedPlan(plan, ramp: nil, startingAt: MonotonicClock.now())
    let barrier = StartBarrier(parties: plan.users)
    await run(plan, isOver: { shared.isOver }) { user, _ in
      await user.live { await user.runOnce($0, shared, after: barrier) }
    }
    return LoadRun(
      recording: Recording(recorders[0].catalogue), startedAt: shared.measurementStartedAt ?? shared.begunAt,
      endedAt: MonotonicClock.now())
  }
}

extension VirtualUser {
  fileprivate func runOnce(_ user: S.User, _ plan: SharedPlan, after barrier: StartBarrier) async {
    if let iteration = plan.next() {
      var record = IterationRecord()
      await scenario.prepare(user, iteration, into: &record)
      let releasedAt = await barrier.wait()
      if Task.isCancelled {
        plan.giveBack(iteration)
      } else {
        await perform(user, iteration, dueAt: releasedAt, into: &record)
      }
    } else {
      _ = await barrier.wait()
    }
  }
}
