import Latency
import Transport

extension VirtualUsers {
  /// Starts come due on one schedule; any free user takes the next one.
  func openLoop(
    _ plan: LoadPlan, _ schedule: ArrivalSchedule, dropsWhenBusy: Bool, isPrecise: Bool
  ) async -> LoadRun {
    let begin = MonotonicClock.now()
    let users = plan.ownUsers
    let lead = SharedArrivals.lead(users: users)
    let isShared = sharedBegin != nil
    let shared = SharedArrivals(
      schedule, bounds: .init(count: plan.count, duration: plan.duration, warmup: plan.warmup, shard: plan.shard),
      dropsWhenBusy: dropsWhenBusy)
    let arrivals = await parts(of: shared, isPrecise: isPrecise)
    for loop in arrivals { shared.add(loop) }
    let allOpened = StartBarrier(
      parties: users, agreed: agreedBegin(lead: lead, isExact: false),
      beforeRelease: { measurementWindow.begin() },
      whenReached: { shared.begin(at: isShared ? $0 : $0 + lead, users: users) },
      whenRefused: { shared.close(at: MonotonicClock.now()) })
    let dropped: @Sendable () -> UInt64 = { shared.withQueue { $0.dropped } ?? 0 }
    progress?.provide(dropped: dropped)
    progress?.provide(waiting: { shared.withQueue { $0.waiting } ?? 0 })
    let endedAt = await IntervalCutter.cutting(
      by: cutters, since: { shared.withQueue { $0.measurementStartedAt } ?? nil }, dropped: dropped
    ) {
      await shared.waitingAtMost(plan.drainBound) {
        await withTaskCancellationHandler {
          await run(plan) { user, own, loop in
            await user.runOnSchedule(own, arrivals[loop], shared, after: allOpened)
          }
        } onCancel: {
          shared.close(at: MonotonicClock.now())
          shared.endWaits()
        }
      }
    }
    return collect(shared, begin: begin, endedAt: endedAt ?? MonotonicClock.now())
  }

  /// The parts of the loops, one each.
  private func parts(of shared: SharedArrivals, isPrecise: Bool) async -> [LoopArrivals] {
    var parts: [LoopArrivals] = []
    for executor in loops.executors {
      let spinLead = isPrecise ? await TimerLateness.percentile99(on: executor) : nil
      parts.append(LoopArrivals(shared, on: executor, spinLead: spinLead))
    }
    return parts
  }

  private func collect(_ shared: SharedArrivals, begin: Instant, endedAt: Instant) -> LoadRun {
    var recording = Recording(recorders[0].catalogue)
    var run = LoadRun(recording: recording, startedAt: begin, endedAt: endedAt)
    shared.withQueue { queue in
      queue.close(at: endedAt)
      recording.drop(queue.dropped)
      recording.miss(queue.missed, lateness: queue.missedLateness)
      recording.censor(queue.abandoned)
      run.startedAt = min(queue.measurementStartedAt ?? begin, endedAt)
      // The measured time ends with the last start. The iterations under way then took some time more, and dividing a
      // rate by that time would make it too low.
      run.endedAt = max(run.startedAt, min(endedAt, queue.startsEndedAt ?? endedAt))
      run.backlogMax = queue.backlogMax
    }
    run.recording = recording
    return run
  }
}

extension VirtualUser {
  fileprivate func runOnSchedule(
    _ user: S.User, _ arrivals: LoopArrivals, _ shared: SharedArrivals, after allOpened: StartBarrier
  ) async {
    var record = IterationRecord()
    // A failure here is not counted: the start that needs this user tries again.
    await scenario.open(user, into: &record)
    // The user is free from its release, however late the loop runs this.
    guard var freeSince = await allOpened.wait(as: number) else { return }
    var isFirst = true
    while !Task.isCancelled {
      guard let taken = await arrivals.next(since: freeSince, isFirst: isFirst) else { break }
      isFirst = false
      let start = taken.start
      record.reset(intendedAt: start.intendedAt)
      await scenario.prepare(user, start.iteration, into: &record)
      let couldBegin = taken.foundFreeUser ? start.intendedAt : max(start.intendedAt, freeSince)
      await perform(user, start.iteration, dueAt: couldBegin + record.occupiedFor, into: &record)
      freeSince = executor.readySince
    }
  }
}
