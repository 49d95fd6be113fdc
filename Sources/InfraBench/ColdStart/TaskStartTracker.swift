import AWS
import Gateway
import Latency

/// Follows tasks from RunTask's answer until the gateway shows them connected. Pure: the events bring their instants.
struct TaskStartTracker: Sendable {
  /// How a start ended.
  typealias Outcome = Result<TaskStartPhases, TaskStartFailure>
  /// A start that has ended, by the last part of its task's ARN.
  typealias Ended = (task: String, outcome: Outcome)

  private struct Start {
    let arn: String
    let sentAt: Instant
    let triedAt: Instant?
    let answeredAt: Instant
    let deadline: Instant
    var lastStatus = "PROVISIONING"
    var notRunningSince: Instant
    var notConnectedSince: Instant
    var runningSeenAt: Instant?
  }

  private var starts: [String: Start] = [:]
  /// The tasks on their way, in the order of RunTask's answers.
  private var order: [String] = []
  /// The number of RunTask calls whose answers have not been noted: their tasks may be at the gateway already.
  private var callsUnderWay = 0
  /// Whether the gateway's status names its tasks; nil before it was read.
  private var namesTasks: Bool?
  /// The number of tasks that the gateway had, by a status that names none.
  private var unnamedCount: Int?
  /// The number of tasks that such a gateway showed before the RunTask calls that may have started them were answered.
  private var unclaimedCount = 0

  private static let ended: Set<String> = ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]

  /// The ARNs of the tasks on their way.
  var underWay: [String] { order.compactMap { starts[$0]?.arn } }

  /// Whether the gateway's status must be read before RunTask is called. Where the status names no tasks, a new task
  /// shows only as a higher count, so that the count before it is needed.
  var needsLook: Bool { namesTasks == false && unnamedCount == nil }

  /// The gateway's status has shown whether it names tasks.
  mutating func learn(namesTasks: Bool) { self.namesTasks = namesTasks }

  /// RunTask is about to be called. ``began(_:sentAt:triedAt:answeredAt:deadline:)`` or ``callFailed()`` follows.
  mutating func callBegan() { callsUnderWay += 1 }

  /// RunTask failed, and has started nothing as far as it tells.
  mutating func callFailed() {
    callEnded()
    forgetCountIfIdle()
  }

  private mutating func callEnded() { callsUnderWay = max(0, callsUnderWay - 1) }

  /// RunTask has started `task`, which must be connected before `deadline`.
  ///
  /// - Parameter triedAt: when the answered try was sent; nil where the first try was answered.
  mutating func began(
    _ task: ECSTask, sentAt: Instant, triedAt: Instant? = nil, answeredAt: Instant, deadline: Instant
  ) {
    starts[task.taskID] = Start(
      arn: task.taskArn, sentAt: sentAt, triedAt: triedAt, answeredAt: answeredAt, deadline: deadline,
      lastStatus: task.lastStatus, notRunningSince: answeredAt, notConnectedSince: answeredAt)
    order.append(task.taskID)
    callEnded()
  }

  /// What DescribeTasks showed of the ARNs `asked`. ECS's answers lag, so that a task that it does not know (yet) may
  /// run or not: such an answer is no denial, and the last poll that denied the task stays the last one.
  mutating func observe(_ described: [ECSTask], asked: [String], sentAt: Instant, answeredAt: Instant) -> [Ended] {
    var outcomes: [Ended] = []
    let tasks = Dictionary(described.map { ($0.taskID, $0) }) { first, _ in first }
    let asked = Set(asked)
    for id in order {
      guard var start = starts[id], asked.contains(start.arn), let task = tasks[id] else { continue }
      start.lastStatus = task.lastStatus
      if task.desiredStatus == "STOPPED" || Self.ended.contains(task.lastStatus) {
        outcomes.append((task: id, outcome: .failure(Self.stopped(task, hasRun: start.runningSeenAt != nil))))
        continue
      }
      if task.isRunning {
        start.runningSeenAt = start.runningSeenAt ?? answeredAt
      } else if start.runningSeenAt == nil {
        start.notRunningSince = sentAt
      }
      starts[id] = start
    }
    forget(outcomes.map(\.task))
    return outcomes
  }

  /// What the gateway's status showed. Where it names no tasks, each task that it has more than before counts as one of
  /// those on their way, the oldest first.
  mutating func observe(_ status: StatusAnswer, sentAt: Instant, answeredAt: Instant) -> [Ended] {
    let connected: Set<String>
    namesTasks = status.tasks != nil
    if let tasks = status.tasks {
      connected = Set(tasks.filter { $0.state != "warming" }.map(\.taskId))
    } else {
      // Assigned tasks count too: a task may have come and been given out between two polls.
      let count = status.warmCount + status.assignedCount
      let arrived = unclaimedCount + max(0, count - (unnamedCount ?? count))
      connected = Set(order.prefix(arrived))
      unclaimedCount = min(arrived - connected.count, callsUnderWay)
      unnamedCount = count
    }
    var outcomes: [Ended] = []
    for id in order {
      guard let start = starts[id] else { continue }
      guard connected.contains(id) else {
        starts[id]?.notConnectedSince = max(start.notConnectedSince, sentAt)
        continue
      }
      let crossing = ObservedTransition(
        lastNegativeSentAt: start.notConnectedSince, firstPositiveAnsweredAt: answeredAt)
      let phases = TaskStartPhases(
        sentAt: start.sentAt, triedAt: start.triedAt, answeredAt: start.answeredAt,
        notRunningSince: start.notRunningSince,
        runningSeenAt: start.runningSeenAt, connected: crossing)
      outcomes.append((task: id, outcome: .success(phases)))
    }
    forget(outcomes.map(\.task))
    return outcomes
  }

  /// Ends the starts whose deadline has passed at `now`.
  mutating func expire(at now: Instant) -> [Ended] {
    let late = order.compactMap { id in starts[id].flatMap { $0.deadline <= now ? (id, $0) : nil } }
    forget(late.map(\.0))
    return late.map { id, start in
      let seconds = start.deadline.elapsed(since: start.sentAt) / .seconds(1)
      let failure =
        start.runningSeenAt == nil
        ? TaskStartFailure(
          step: .pendingToRunning, kind: "timeout",
          message: "task \(id) was still \(start.lastStatus) \(seconds) s after RunTask", task: start.arn)
        : TaskStartFailure(
          step: .waitConnection, kind: "timeout",
          message: "task \(id) is RUNNING and was not at the gateway \(seconds) s after RunTask", task: start.arn)
      return (task: id, outcome: .failure(failure))
    }
  }

  /// Nobody waits for these tasks any more.
  mutating func forget(_ tasks: [String]) {
    guard !tasks.isEmpty else { return }
    for id in tasks { starts[id] = nil }
    order.removeAll { starts[$0] == nil }
    forgetCountIfIdle()
  }

  /// Without a start under way the count is forgotten: changes at the gateway until the next start have other causes.
  private mutating func forgetCountIfIdle() {
    guard order.isEmpty, callsUnderWay == 0 else { return }
    unnamedCount = nil
    unclaimedCount = 0
  }

  private static func stopped(_ task: ECSTask, hasRun: Bool) -> TaskStartFailure {
    TaskStartFailure(
      step: hasRun ? .waitConnection : .pendingToRunning, kind: "stopped",
      message: "task \(task.taskID) is \(task.lastStatus): \(task.stoppedReason ?? "ECS gives no reason")",
      task: task.taskArn)
  }
}

/// The steps of a task's start; failures are counted by step.
enum TaskStartStep: String, Sendable, CaseIterable {
  case runTask = "run_task"
  case pendingToRunning = "pending_to_running"
  case waitConnection = "wait_connection"
}

/// Why a task was not started, or did not connect to the gateway.
struct TaskStartFailure: Error, Sendable, Equatable {
  var step: TaskStartStep
  /// The kind that results count the error by: `timeout`, `stopped`, ECS's own code or reason.
  var kind: String
  /// A sentence for people.
  var message: String
  /// The task's ARN; nil where none was started.
  var task: String?
  /// The run was interrupted: nothing failed.
  var isCancellation = false

  static func cancelled(_ step: TaskStartStep, task: String? = nil) -> TaskStartFailure {
    TaskStartFailure(
      step: step, kind: "cancelled", message: "the run was interrupted", task: task, isCancellation: true)
  }
}

extension TaskStartFailure {
  /// A call to ECS failed in `step`.
  init(_ step: TaskStartStep, _ error: AWSError) {
    self.init(step: step, kind: error.resultKind, message: RunTaskRemedy.explained(error).description)
    isCancellation = error.transfer?.kind == .cancelled
  }

  /// RunTask was answered and started nothing: ECS found no room, or no instance to put the task on.
  init(unplaced failures: [ECSFailure]) {
    let failure = failures.first
    let text = [failure?.reason, failure?.detail, failure?.arn].compactMap { $0 }.joined(separator: ", ")
    self.init(
      step: .runTask, kind: String((failure?.reason ?? "no_task").prefix(60)),
      message: "ecs:RunTask started no task: \(text.isEmpty ? "it gave no reason" : text)")
  }
}

extension AWSError {
  /// A short name for results: the status of a service that failed, ECS's code, or how the transfer failed.
  var resultKind: String {
    if kind == .capacity { return "no_capacity" }
    if kind == .server, let httpStatus { return "http_\(httpStatus)" }
    if let transfer { return transfer.kind == .timeout ? "timeout" : "ecs_\(transfer.kind.rawValue)" }
    return code.isEmpty ? "ecs_\(kind.rawValue)" : String(code.prefix(60))
  }

  /// Whether every later call would fail like this.
  var isFinal: Bool {
    switch kind {
    case .wrongParameter, .accessDenied, .expiredCredentials, .clockSkew, .wrongCredentials, .credentials,
      .configuration:
      true
    case .throttled, .server, .capacity, .malformedAnswer, .transfer, .other: false
    }
  }
}

/// The remedy for an ECS error, for the user who starts tasks.
enum RunTaskRemedy {
  /// `error` with a hint that fits RunTask.
  static func explained(_ error: AWSError) -> AWSError {
    var error = error
    let message = error.message.lowercased()
    switch error.kind {
    case .accessDenied where message.contains("iam:passrole"):
      error.hint = "allow the action iam:PassRole on the roles that the task definition names (task and execution role)"
    case .wrongParameter where message.contains("task definition") || message.contains("taskdefinition"):
      error.hint = "check --task-definition and --region"
    case .wrongParameter where message.contains("network configuration") || message.contains("subnet"):
      error.hint = "check --subnets, --security-groups and --assign-public-ip: network mode awsvpc needs subnets"
    case .wrongParameter where message.contains("security group"):
      error.hint = "check --security-groups"
    case .wrongParameter where message.contains("launch type") || message.contains("capacity provider"):
      error.hint = "check --launch-type and --capacity-provider"
    default: break
    }
    return error
  }
}
