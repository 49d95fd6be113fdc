import Latency
import Transport

/// The users of one run, and where they record.
struct VirtualUsers<S: Scenario>: Sendable {
  let scenario: S
  let loops: LoopGroup
  let recorders: [LoopRecorder]
  let measurementWindow: MeasurementWindow
  let progress: ProgressCounter?
  /// What cuts the run into intervals.
  let cutters: [IntervalCutter]
  /// Waits for a begin that is shared with other generators, and returns it; nil: the run begins when all users are
  /// ready.
  var sharedBegin: (@Sendable () async -> Instant?)?

  func agreedBegin(lead: Nanoseconds, isExact: Bool) -> AgreedBegin? {
    sharedBegin.map { AgreedBegin(instant: $0, lead: lead, isExact: isExact) }
  }

  /// Runs `body` for each user in a task of its own on the user's loop, and passes it the loop's number. Returns the
  /// instant at which the last answer had been read.
  ///
  /// Problem: closing a connection takes about 30 µs of its loop, and the last answers of a run would wait while
  /// thousands are closed. So users who are done keep their connections until the last user is done.
  func run(
    _ plan: LoadPlan, _ body: @escaping @Sendable (VirtualUser<S>, S.User, _ loop: Int) async -> Void
  ) async -> Instant {
    let users = plan.ownUsers
    let lastAnswer = StartBarrier(parties: users, whenReached: { _ in measurementWindow.end() })
    return await withTaskGroup(of: Instant.self) { group in
      for place in 0..<users {
        // Not by the number: with as many shards as loops, all users would be on one loop.
        let loop = place % loops.executors.count
        let user = VirtualUser(
          number: plan.shard.number(at: place), scenario: scenario, executor: loops.executors[loop],
          recorder: recorders[loop], progress: progress, measurementWindow: measurementWindow)
        group.addTask(executorPreference: loops.executors[loop]) {
          await user.live(until: lastAnswer) { await body(user, $0, loop) }
        }
      }
      return await group.reduce(.distantPast) { max($0, $1) }
    }
  }
}
