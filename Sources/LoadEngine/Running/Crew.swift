import Latency
import Transport

/// The users of one run, and where they record.
struct Crew<S: Scenario>: Sendable {
  let scenario: S
  let loops: LoopGroup
  let recorders: [LoopRecorder]
  let judging: Judging
  let progress: ProgressCounter?
  let keeper: TimelineKeeper?

  /// Runs `body` for each user in a task of its own on the user's loop, whose number it gets too. `isOver` tells
  /// whether the end of the plan has been reached.
  func run(
    _ plan: LoadPlan, isOver: @escaping @Sendable () -> Bool,
    _ body: @escaping @Sendable (VirtualUser<S>, _ loop: Int) async -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      for number in 1...max(1, plan.users) {
        let loop = (number - 1) % loops.executors.count
        let user = VirtualUser(
          number: number, scenario: scenario, executor: loops.executors[loop], recorder: recorders[loop],
          isOver: isOver, progress: progress, judging: judging)
        group.addTask(executorPreference: loops.executors[loop]) { await body(user, loop) }
      }
    }
  }
}
