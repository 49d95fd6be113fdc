import AWS

/// The steps of a task's start, by which its failures are told apart.
enum TaskStartStep: String, Sendable, CaseIterable {
  case runTask = "run_task"
  case pendingToRunning = "pending_to_running"
  case waitConnection = "wait_connection"
}

/// Why a task was not started, or did not come to the gateway.
struct TaskStartFailure: Error, Sendable, Equatable {
  var step: TaskStartStep
  /// What results count errors by: `timeout`, `stopped`, ECS's own code or reason.
  var kind: String
  /// For people.
  var message: String
  /// The ARN of the task, where there is one.
  var task: String?
  /// The run was interrupted: nothing failed.
  var isCancellation = false

  static func cancelled(_ step: TaskStartStep, task: String? = nil) -> TaskStartFailure {
    TaskStartFailure(
      step: step, kind: "cancelled", message: "the run was interrupted", task: task, isCancellation: true)
  }
}

extension TaskStartFailure {
  /// A call of ECS failed in `step`.
  init(_ step: TaskStartStep, _ error: AWSError) {
    self.init(step: step, kind: error.resultKind, message: RunTaskRemedy.explained(error).description)
    isCancellation = error.transfer?.code == .cancelled
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
    if let transfer { return transfer.code == .timeout ? "timeout" : "ecs_\(transfer.code.rawValue)" }
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

/// What an ECS error means to whoever starts tasks.
enum RunTaskRemedy {
  /// `error` with the remedy that fits RunTask.
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
