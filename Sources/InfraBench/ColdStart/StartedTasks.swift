import AWSClient
import Latency
import Synchronization

/// The tasks that this run has started and has not stopped.
final class StartedTasks: Sendable {
  private struct State {
    /// Every task of the run, by the last part of its ARN.
    var ids: Set<String> = []
    /// ARNs of those that have not ended and were not stopped.
    var remaining: Set<String> = []
    var started: UInt64 = 0
    var stopped: UInt64 = 0
    var hasLostAnswers = false
    var isAnnounced = false
    /// Those that serve users of somebody else.
    var left: Set<String> = []
    /// Why the last stop failed; nil where no answer came in time.
    var lastFailure: AWSError?
    /// Why ECS stops none of them.
    var refusal: AWSError?
  }

  /// What RunTask is told as `startedBy`, so that tasks can be found again.
  let mark: String
  private let ecs: ECSConnection
  private let bench: Bench
  private let log: TaskStartLog
  /// The ids of tasks that the gateway has given to users who are none of this run's.
  private let tasksOfOthers: @Sendable () async -> Set<String>
  private let state = Mutex(State())

  /// Within ECS's quota for calls that change tasks.
  private static let atOnce = 10
  /// A task whose RunTask got no answer may be listed only after a while, in ns.
  private static let listingLag: UInt64 = 1_000_000_000
  /// Of a stop between iterations, in ns.
  private static let stopBound: UInt64 = 5_000_000_000
  private static let noAnswer = "no answer in time"

  init(
    _ ecs: ECSConnection, log: TaskStartLog, bench: Bench, tasksOfOthers: @escaping @Sendable () async -> Set<String>
  ) {
    self.ecs = ecs
    self.log = log
    self.bench = bench
    self.tasksOfOthers = tasksOfOthers
    mark = "infrabench-" + String(UInt64.random(in: (1 << 28)..<(1 << 32)), radix: 16)
  }

  /// RunTask calls that started a task, and tasks that were found at the end.
  var startedCount: UInt64 { state.withLock { $0.started } }
  /// Tasks that ECS was asked to stop and said that it would.
  var stoppedCount: UInt64 { state.withLock { $0.stopped } }

  /// Why ECS will not stop tasks, if it has refused that for good.
  var refusal: AWSError? { state.withLock { $0.refusal } }

  /// The tasks that are still there although they were to be stopped, as errors; nil if there are none.
  var unstopped: (count: Int, kind: String, example: String)? {
    state.withLock { state in
      guard !state.remaining.isEmpty else { return nil }
      return (
        state.remaining.count, "stop_task: \(state.lastFailure?.resultKind ?? "timeout")",
        state.lastFailure?.description ?? Self.noAnswer
      )
    }
  }

  /// Whether the task of this id was started by this run.
  func contains(_ id: String) -> Bool { state.withLock { $0.ids.contains(id) } }

  /// Says once how the run's tasks are found, should it be ended before it can stop them.
  func announce() {
    let isFirst = state.withLock { state in
      defer { state.isAnnounced = true }
      return !state.isAnnounced
    }
    if isFirst { bench.console.note("tasks of this run bear startedBy \(mark): \(command)") }
  }

  func started(_ arn: String) {
    state.withLock { state in
      guard state.ids.insert(Self.id(of: arn)).inserted else { return }
      state.started += 1
      state.remaining.insert(arn)
    }
  }

  /// It has ended by itself.
  func ended(_ arn: String) { state.withLock { _ = $0.remaining.remove(arn) } }

  /// A RunTask got no answer: it may have started a task all the same.
  func lostAnswer() { state.withLock { $0.hasLostAnswers = true } }

  /// Stops one task that is no longer needed; what fails is tried again at the end.
  func stop(_ arn: String) async {
    await Bounded.run(for: Self.stopBound, endsWithCaller: true) { await self.stopKnown([arn]) }
  }

  /// Stops all that remain; what fails is tried again at the end.
  func stopRemaining() async {
    await Bounded.run(for: Self.stopBound, endsWithCaller: true) { await self.stopKnown() }
  }

  /// Stops all that remain and what else bears this run's mark, within `bound` ns, and says what could not be stopped.
  func stopAtEnd(within bound: UInt64) async {
    let isChecked = await Bounded.run(for: bound) {
      await self.stopKnown()
      var isChecked = await self.findMarked()
      if self.state.withLock({ $0.hasLostAnswers }) {
        try? await Task.sleep(nanoseconds: Self.listingLag)
        isChecked = await self.findMarked() && isChecked
      }
      await self.stopKnown()
      return isChecked
    }
    report(isChecked: isChecked)
  }

  private func report(isChecked: Bool) {
    let state = state.withLock { $0 }
    func tasks(_ number: Int) -> String { number == 1 ? "1 task" : "\(number) tasks" }
    if !state.left.isEmpty {
      bench.note(
        "\(tasks(state.left.count)) of this run went to users of somebody else and were left to the gateway: \(command)"
      )
    }
    if !state.remaining.isEmpty {
      bench.note(
        "\(tasks(state.remaining.count)) of this run could not be stopped: \(state.lastFailure?.description ?? Self.noAnswer). Find them with: "
          + "\(command), and stop them with: aws ecs stop-task\(ecs.cliOptions) --task ARN")
    } else if !isChecked, state.hasLostAnswers {
      bench.note("a RunTask got no answer, and whether it has started a task could not be checked: \(command)")
    }
  }

  /// Stops those that remain, or those of `only` among them. A task that serves a user of somebody else is left to the
  /// gateway, which ends it when that user leaves.
  private func stopKnown(_ only: Set<String>? = nil) async {
    let others = await tasksOfOthers()
    let arns = state.withLock { state in
      let left = state.remaining.filter { others.contains(Self.id(of: $0)) }
      state.left.formUnion(left)
      state.remaining.subtract(left)
      return Array(only.map { state.remaining.intersection($0) } ?? state.remaining)
    }
    await withTaskGroup(of: Void.self) { group in
      var waiting = arns[...]
      for arn in waiting.prefix(Self.atOnce) { group.addTask { await self.stopNow(arn) } }
      waiting = waiting.dropFirst(Self.atOnce)
      for await _ in group {
        guard let next = waiting.popFirst(), !Task.isCancelled else { continue }
        group.addTask { await self.stopNow(next) }
      }
    }
  }

  private func stopNow(_ arn: String) async {
    do throws(AWSError) {
      let answer = try await ecs.client.stopTask(
        arn, cluster: ecs.filter.cluster, reason: "infrabench: the run is over")
      // It has the task's instants: one that the gateway showed first was not described as RUNNING.
      log.note([answer.value])
      state.withLock { state in
        if state.remaining.remove(arn) != nil { state.stopped += 1 }
      }
    } catch {
      let isGone = error.kind == .wrongParameter && error.message.contains("not found")
      if isGone { return ended(arn) }
      guard error.transfer?.code != .cancelled else { return }
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

  /// Looks for tasks with this run's mark; false when that failed or is not all.
  private func findMarked() async -> Bool {
    do throws(AWSError) {
      let listed = try await listMarked().filter { !contains(Self.id(of: $0)) }
      guard !listed.isEmpty else { return true }
      // A listing may hold others' tasks too, whatever it was asked for: the task itself says whose it is.
      let described = try await ecs.client.describeTasks(listed, cluster: ecs.filter.cluster).value
      for task in described where task.startedBy == mark { started(task.taskArn) }
      // One that ECS doesn't know yet may be this run's.
      return described.count >= listed.count
    } catch {
      return false
    }
  }

  private var command: String { "aws ecs list-tasks\(ecs.cliOptions) --started-by \(mark)" }

  private static func id(of arn: String) -> String { arn.split(separator: "/").last.map(String.init) ?? arn }
}
