import Latency

extension VirtualUsers {
  /// Releases all users at one instant; each performs one iteration.
  func burst(_ plan: LoadPlan) async -> LoadRun {
    let shared = SharedIterations(plan, ramp: nil, startingAt: MonotonicClock.now())
    let allPrepared = StartBarrier(
      parties: plan.ownUsers, agreed: agreedBegin(lead: .zero, isExact: true),
      beforeRelease: { measurementWindow.begin() }, whenReached: { shared.begin(at: $0) })
    let endedAt = await run(plan) { user, own, _ in await user.runOnce(own, shared, after: allPrepared) }
    return LoadRun(
      recording: Recording(recorders[0].catalogue), startedAt: min(shared.begunAt, endedAt), endedAt: endedAt)
  }
}

extension VirtualUser {
  fileprivate func runOnce(_ user: S.User, _ plan: SharedIterations, after allPrepared: StartBarrier) async {
    guard let iteration = plan.next() else {
      _ = await allPrepared.wait(as: number)
      return
    }
    var record = IterationRecord()
    await scenario.prepare(user, iteration, into: &record)
    guard let releasedAt = await allPrepared.wait(as: number) else { return plan.giveBack(iteration) }
    if record.ending == .success, Task.isCancelled {
      plan.giveBack(iteration)
    } else {
      await perform(user, iteration, dueAt: releasedAt, into: &record)
    }
  }
}
