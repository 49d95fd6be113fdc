import AWS
import Latency
import ProcessControl
import Results
import Synchronization

/// The tasks that this run has started and has not stopped.
final class StartedTasks: Sendable {
  private struct State {
    var ledger = TaskLedger()
    var stopped: UInt64 = 0
    /// The number of RunTask calls that ended without an answer and may have started a task.
    var lostAnswers = 0
    /// Tasks that were found by the mark and that no RunTask answer has named.
    var found: Set<String> = []
    var isAnnounced = false
    /// By task id: why the task was left running, by the last status of the gateway.
    var left: [String: String] = [:]
    /// Tasks that are being stopped.
    var stopping: Set<String> = []
    /// Why the last stop failed; nil where no answer came in time.
    var lastFailure: AWSError?
    /// Why ECS refuses every stop; nil while it does not.
    var refusal: AWSError?
  }

  /// The `startedBy` of this run's RunTask calls, by which its tasks can be found again.
  let mark: String
  /// RunTask calls without an answer.
  let calls = InFlightCalls()
  private let ecs: ECSConnection
  private let bench: RunContext
  private let log: TaskStartLog
  private let users: UsedUserIDs
  /// Reads the gateway's status before tasks are stopped, within `bound`.
  private let look: @Sendable (_ bound: Nanoseconds) async -> GatewayTaskView
  private let state = Mutex(State())

  /// The number of stops sent at one time: within ECS's quota, and few enough that the gateway's status was read just
  /// before.
  private static let atOnce = 10
  /// The pause between two passes at the end.
  private static let pause: Nanoseconds = .milliseconds(250)
  /// How long the end waits for a gateway to take back the tasks that this run's users had.
  private static let closingTime: Nanoseconds = .seconds(1)
  /// How long the end follows RunTask calls without an answer.
  private static let followingTime: Nanoseconds = .seconds(4)
  /// An orderly end stops all tasks, however many there are; this bound is for an ECS that stops nothing.
  private static let boundOfAll: Nanoseconds = .seconds(300)
  /// The number of passes in a row that stop nothing, after which the rest is given up.
  private static let fruitlessPasses = 3
  /// The bound of all stops between two iterations.
  private static let stopBound: Nanoseconds = .seconds(5)
  /// The bound of the status request before a stop between iterations, and before one at the end, which must leave time
  /// to stop.
  private static let lookBound: Nanoseconds = .seconds(2)
  private static let lookBoundAtEnd: Nanoseconds = .milliseconds(500)
  private static let noAnswer = "no answer in time"

  init(
    _ ecs: ECSConnection, log: TaskStartLog, bench: RunContext, users: UsedUserIDs,
    look: @escaping @Sendable (_ bound: Nanoseconds) async -> GatewayTaskView
  ) {
    self.ecs = ecs
    self.log = log
    self.bench = bench
    self.users = users
    self.look = look
    mark = "infrabench-" + String(UInt64.random(in: (1 << 28)..<(1 << 32)), radix: 16)
  }

  /// The number of tasks that RunTask answers named or that were found at the end.
  var startedCount: UInt64 { state.withLock { UInt64($0.ledger.count) } }
  /// The number of tasks whose StopTask succeeded.
  var stoppedCount: UInt64 { state.withLock { $0.stopped } }
  /// The number of tasks that were left running because they serve, or may serve, another client's user.
  var leftCount: UInt64 { state.withLock { UInt64($0.left.count) } }

  /// Why ECS refuses to stop tasks for good; nil while it does not.
  var refusal: AWSError? { state.withLock { $0.refusal } }

  /// The tasks that could not be stopped, as errors; nil if there are none.
  var unstopped: (count: Int, kind: String, example: String)? {
    state.withLock { state in
      let count = Self.unstopped(state).count
      guard count > 0 else { return nil }
      return (
        count, "\(ResultDocument.Failure.ofStoppingTasks)\(state.lastFailure?.resultKind ?? "timeout")",
        state.lastFailure?.description ?? Self.noAnswer
      )
    }
  }

  private static func unstopped(_ state: State) -> Set<String> {
    state.ledger.remaining.filter { state.left[$0] == nil }
  }

  /// Whether the task of this id was started by this run.
  func contains(_ id: String) -> Bool { state.withLock { $0.ledger.contains(id) } }

  /// Prints once the command that finds the run's tasks, in case the tool is killed before it can stop them.
  func announce() {
    let isFirst = state.withLock { state in
      defer { state.isAnnounced = true }
      return !state.isAnnounced
    }
    if isFirst { bench.console.note("tasks of this run bear startedBy \(mark): \(command)") }
  }

  /// Changes the ledger of this run's users.
  func update(_ body: (inout TaskLedger) -> Void) { state.withLock { body(&$0.ledger) } }

  /// RunTask has started the task `arn`.
  func started(_ arn: String) {
    state.withLock { state in
      state.ledger.started(arn)
      state.found.remove(TaskLedger.id(of: arn))
    }
  }

  /// The task `arn` has ended by itself.
  func ended(_ arn: String) {
    let id = TaskLedger.id(of: arn)
    state.withLock { state in
      state.ledger.ended(id)
      state.left[id] = nil
    }
  }

  /// A RunTask got no answer, and may have started a task.
  func lostAnswer() { state.withLock { $0.lostAnswers += 1 } }

  /// Stops the tasks that no user of the run has or waits for; a stop that fails is tried again at the end.
  func stopWhatIsOver() async { await stopWhatIsOver(for: Self.stopBound) }

  private func stopWhatIsOver(for bound: Nanoseconds) async {
    await TimeLimit.run(for: bound, endsWithCaller: true) {
      let over = self.state.withLock { $0.ledger.over }
      guard !over.surely.isEmpty || !over.ifAbsent.isEmpty else { return }
      await self.stop(over.surely + over.ifAbsent) { Self.lookBound }
    }
  }

  /// Stops all remaining tasks, as every user has left; a stop that fails is tried again at the end.
  func stopRemaining() async {
    update { $0.allLeft() }
    await stopWhatIsOver(for: Self.boundOfAll)
  }

  /// Stops all remaining tasks and all others that bear this run's mark, and notes those that could not be stopped.
  /// RunTask calls without an answer are followed for some seconds.
  ///
  /// - Parameter bound: the longest time once the caller's task is cancelled; an orderly end stops all tasks.
  func stopAtEnd(onceInterrupted bound: Nanoseconds) async {
    let begin = MonotonicClock.now()
    let deadline = CleanupDeadline(within: Self.boundOfAll)
    let lookBound = { @Sendable () -> Nanoseconds in min(Self.lookBoundAtEnd, deadline.remaining / 3) }
    let number = state.withLock { $0.ledger.remaining.count }
    if number > Self.atOnce { bench.console.note("stopping \(number) tasks of this run") }
    let isChecked = await deadline.run(onceInterrupted: bound) {
      var fruitless = 0
      while true {
        let stoppedBefore = self.stoppedCount
        // In every pass, because a late answer may have added a task.
        self.update { $0.allLeft() }
        await self.stop(self.state.withLock { $0.ledger.over.surely }, lookBound)
        let isChecked = await self.findMarked()
        let found = self.state.withLock { state in state.ledger.over.surely.filter { state.found.contains($0) } }
        await self.stop(found, lookBound)
        await self.findEnded()
        fruitless = self.stoppedCount > stoppedBefore ? 0 : fruitless + 1
        guard self.mustGoOn(since: begin, fruitless: fruitless) else { return isChecked }
        guard (try? await Task.sleep(for: Self.pause)) != nil else { return isChecked }
      }
    }
    if deadline.hasPassed, !Task.isCancelled {
      bench.note("stopping this run's tasks was given up after \(Self.boundOfAll / .seconds(1)) s")
    }
    report(isChecked: isChecked)
    calls.cancel()
  }

  /// Whether the end, begun at `begin`, still has something to wait for or to try again.
  private func mustGoOn(since begin: Instant, fruitless: Int) -> Bool {
    let now = MonotonicClock.now()
    // A gateway needs some time to take back the tasks that this run's users had.
    if leftCount > 0, now < begin + Self.closingTime { return true }
    if unansweredCount > 0, now < begin + Self.followingTime { return true }
    return fruitless < Self.fruitlessPasses && refusal == nil && unstopped != nil
  }

  /// The number of RunTask calls whose tasks are unknown.
  private var unansweredCount: Int {
    let outstanding = calls.count
    return state.withLock { max(0, $0.lostAnswers + outstanding - $0.found.count) }
  }

  /// The note about tasks that are not stopped yet; nil where there are none.
  var unstoppedSoFar: String? {
    let remaining = state.withLock { $0.ledger.remaining.count }
    let unanswered = unansweredCount
    guard remaining + unanswered > 0 else { return nil }
    let tasks = "\(Self.tasks(remaining)) of this run \(remaining == 1 ? "was" : "were") not stopped yet"
    let calls = unanswered > 0 ? ", and \(unanswered) RunTask had no answer," : ""
    return "\(tasks)\(calls) when this was written. \(remedy)"
  }

  private static func tasks(_ number: Int) -> String { number == 1 ? "1 task" : "\(number) tasks" }

  private var remedy: String {
    "Find them with: \(command), and stop them with: aws ecs stop-task\(ecs.cliOptions) --task ARN"
  }

  private func report(isChecked: Bool) {
    let (unanswered, outstanding) = (unansweredCount, calls.count)
    let state = state.withLock { $0 }
    if !state.left.isEmpty {
      let reasons = Set(state.left.values).sorted().joined(separator: "; ")
      let were = state.left.count == 1 ? "was" : "were"
      bench.note(
        "\(Self.tasks(state.left.count)) of this run \(were) left, as a user of somebody else has or may have it (\(reasons)). "
          + remedy)
    }
    let unstopped = Self.unstopped(state)
    if !unstopped.isEmpty {
      bench.note(
        "\(Self.tasks(unstopped.count)) of this run could not be stopped: \(state.lastFailure?.description ?? Self.noAnswer). "
          + remedy)
    }
    if outstanding > 0, unanswered > 0 {
      bench.note(
        "the answer of \(min(outstanding, unanswered)) RunTask is outstanding: a task that it starts is stopped by nobody. "
          + remedy)
    } else if unanswered > 0 {
      bench.note(
        "\(unanswered) RunTask got no answer, and no task of it was listed until the end: one that still comes is stopped by "
          + "nobody. \(remedy)")
    } else if !isChecked, state.lostAnswers > 0 {
      bench.note("a RunTask got no answer, and whether it has started a task could not be checked: \(command)")
    }
  }

  /// Stops the tasks with these ids. A task is left running unless it is surely this run's and idle: the gateway's
  /// status is read right before, and by then a user of the run may have been given the task.
  ///
  /// - Parameter lookBound: the longest time of the next status request.
  private func stop(_ ids: [String], _ lookBound: @Sendable () -> Nanoseconds) async {
    var waiting = ids[...]
    var whereabouts = GatewayTaskView.unknown
    var isMute = false
    while !waiting.isEmpty, !Task.isCancelled, refusal == nil {
      let batch = waiting.prefix(Self.atOnce)
      waiting = waiting.dropFirst(Self.atOnce)
      // A gateway that has just not answered is not asked again, so that the time is left for the stops.
      if !isMute { whereabouts = await look(lookBound()) }
      guard !Task.isCancelled else { return }
      isMute = whereabouts.isUnknown
      let arns = beginToStop(Array(batch), whereabouts)
      await withTaskGroup(of: Void.self) { group in
        for arn in arns { group.addTask { await self.stopNow(arn) } }
      }
    }
  }

  /// The ARNs of the tasks to stop now: without those that are left running, that a user has or waits for, or that are
  /// being stopped already.
  private func beginToStop(_ ids: [String], _ whereabouts: GatewayTaskView) -> [String] {
    state.withLock { state in
      state.ledger.seenAtGateway(whereabouts.connected)
      var arns: [String] = []
      for id in ids {
        let wasSeen = state.ledger.wasAtGateway(id)
        // Checked again, because reading the status took time.
        guard state.ledger.isOver(id, isAbsent: whereabouts.isAbsent(id, wasSeen: wasSeen)) else { continue }
        let verdict = whereabouts.verdict(
          id, hasServed: state.ledger.hasServed(id), wasSeen: wasSeen, isOwn: users.contains)
        if case .leave(let reason) = verdict {
          state.left[id] = reason
          continue
        }
        state.left[id] = nil
        guard let arn = state.ledger.remainingARN(id) else { continue }
        if state.stopping.insert(id).inserted { arns.append(arn) }
      }
      return arns
    }
  }

  private func stopNow(_ arn: String) async {
    let id = TaskLedger.id(of: arn)
    defer { state.withLock { _ = $0.stopping.remove(id) } }
    do throws(AWSError) {
      let answer = try await ecs.client.stopTask(
        arn, cluster: ecs.filter.cluster, reason: "infrabench: the run is over")
      log.noteTries(answer.calls)
      // The answer has the task's instants. A task that the gateway showed first was never described as RUNNING.
      log.note([answer.value])
      state.withLock { state in
        if state.ledger.ended(id) { state.stopped += 1 }
      }
    } catch {
      log.noteTries(error)
      let isGone = error.kind == .wrongParameter && error.message.contains("not found")
      if isGone { return ended(arn) }
      guard error.transfer?.kind != .cancelled else { return }
      state.withLock { state in
        state.lastFailure = error
        if error.isFinal { state.refusal = error }
      }
    }
  }

  /// The ARNs of the tasks that ECS lists by this run's mark.
  func listMarked() async throws(AWSError) -> [String] {
    try await ecs.client.listTasks(TaskFilter(cluster: ecs.filter.cluster, startedBy: mark)).value
  }

  /// Finds tasks with this run's mark; false when the search failed or was incomplete.
  private func findMarked() async -> Bool {
    do throws(AWSError) {
      let listed = try await listMarked().filter { !contains(TaskLedger.id(of: $0)) }
      guard !listed.isEmpty else { return true }
      // Not every endpoint filters its lists by `startedBy`: only the description says whose task it is.
      let described = try await ecs.client.describeTasks(listed, cluster: ecs.filter.cluster).value
      state.withLock { state in
        for task in described where task.startedBy == mark && state.ledger.started(task.taskArn, isAwaited: false) {
          state.found.insert(task.taskID)
        }
      }
      // A task that is listed and not described yet may be this run's.
      return described.count >= listed.count
    } catch {
      return false
    }
  }

  /// Finds the tasks that were left running and have ended meanwhile, together with their users' sessions.
  private func findEnded() async {
    let arns = state.withLock { state in state.left.keys.compactMap { state.ledger.remainingARN($0) } }
    guard !arns.isEmpty else { return }
    let answer = try? await ecs.client.describeTasks(arns, cluster: ecs.filter.cluster, retry: .never)
    for task in answer?.value ?? [] where task.desiredStatus == "STOPPED" || task.lastStatus == "STOPPED" {
      ended(task.taskArn)
    }
  }

  private var command: String { "aws ecs list-tasks\(ecs.cliOptions) --started-by \(mark)" }
}

/// Calls whose answers are awaited even after the work that made them was cancelled, because only the answer tells what
/// a call has done.
final class InFlightCalls: Sendable {
  private let tasks = Mutex<[Int: Task<Void, Never>]>([:])
  private let next = Atomic(0)

  /// The number of calls without an answer.
  var count: Int { tasks.withLock { $0.count } }

  /// Makes a call, and gives its answer to `settle` when it comes, even after the caller's task was cancelled.
  ///
  /// - Parameter grace: how long this method waits for the answer after the caller's task was cancelled.
  /// - Returns: the answer; nil where the caller's task was cancelled and the answer did not come in time. The call
  ///   goes on.
  func make<Answer: Sendable>(
    graceOnCancel grace: Nanoseconds, _ call: @escaping @Sendable () async -> Answer,
    settle: @escaping @Sendable (Answer) -> Void
  ) async -> Answer? {
    let first = FirstValue<Answer?>()
    let number = next.add(1, ordering: .relaxed).newValue
    tasks.withLock { tasks in
      // The lock is held until the task is stored, so that the task cannot remove itself before.
      tasks[number] = Task {
        let answer = await call()
        settle(answer)
        self.tasks.withLock { _ = $0.removeValue(forKey: number) }
        first.give(answer)
      }
    }
    return await withTaskCancellationHandler {
      await first.wait()
    } onCancel: {
      Task {
        try? await Task.sleep(for: grace)
        first.give(nil)
      }
    }
  }

  /// Cancels the calls without an answer.
  func cancel() {
    for task in tasks.withLock({ Array($0.values) }) { task.cancel() }
  }
}
