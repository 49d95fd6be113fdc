import Latency
import Transport

extension Crew {
  /// Starts are due on one schedule; whichever user is free takes the next one.
  func openLoop(
    _ plan: LoadPlan, _ schedule: ArrivalSchedule, dropsWhenBusy: Bool, isPrecise: Bool
  ) async -> LoadRun {
    let begin = MonotonicClock.now()
    let shared = SharedArrivals(
      schedule, bounds: .init(count: plan.count, duration: plan.duration, warmup: plan.warmup),
      dropsWhenBusy: dropsWhenBusy)
    let arrivals = loops.executors.map { LoopArrivals(shared, on: $0, isPrecise: isPrecise) }
    let barrier = StartBarrier(parties: plan.users)
    let dropped: @Sendable () -> UInt64 = { shared.withQueue { $0.dropped } ?? 0 }
    progress?.provide(dropped: dropped)
    progress?.provide(waiting: { shared.withQueue { $0.waiting } ?? 0 })
    await TimelineKeeper.keeping(
      keeper, since: { shared.withQueue { $0.measurementStartedAt } ?? nil }, dropped: dropped
    ) {
      await shared.waitingAtMost(plan.drainBound) {
        await withTaskCancellationHandler {
          await run(plan, isOver: { shared.isPastEnd(at: MonotonicClock.now()) }) { user, loop in
            await user.live { await user.runOnSchedule($0, arrivals[loop], shared, after: barrier) }
          }
        } onCancel: {
          shared.close(at: MonotonicClock.now())
          for loop in arrivals { loop.stop() }
        }
      }
    }
    return collect(shared, begin: begin)
  }

  private func collect(_ shared: SharedArrivals, begin: UInt64) -> LoadRun {
    let endedAt = MonotonicClock.now()
    var recording = Recording(recorders[0].catalogue)
    var run = LoadRun(recording: recording, startedAt: begin, endedAt: endedAt)
    shared.withQueue { queue in
      queue.close(at: endedAt)
      recording.drop(queue.dropped)
      recording.censor(queue.abandoned)
      run.startedAt = queue.measurementStartedAt ?? begin
      run.backlogMax = queue.backlogMax
    }
    run.recording = recording
    return run
  }
}

extension VirtualUser {
  fileprivate func runOnSchedule(
    _ user: S.User, _ arrivals: LoopArrivals, _ shared: SharedArrivals, after barrier: StartBarrier
  ) async {
    await scenario.open(user)
    let releasedAt = await barrier.wait()
    if shared.begin(at: releasedAt + SharedArrivals.lead(users: barrier.parties), users: barrier.parties) {
      judging.restart()
    }
    var record = IterationRecord()
    // Free since its release, however late the loop comes to it.
    var freeAt = releasedAt
    var isFirst = true
    while !Task.isCancelled {
      guard let taken = await arrivals.next(isFirst: isFirst) else { break }
      isFirst = false
      let start = taken.start
      record.reset(intendedAt: start.intendedAt)
      await scenario.prepare(user, start.iteration, into: &record)
      let couldBegin = taken.foundFreeUser ? start.intendedAt : max(start.intendedAt, freeAt)
      let dueAt = max(couldBegin, record.occupiedUntil ?? 0)
      await perform(user, start.iteration, dueAt: dueAt, into: &record)
      freeAt = MonotonicClock.now()
    }
  }
}
