/// Names a task; the last part of its ARN.
public typealias TaskID = String

/// Names a request for a task, for as long as it waits or its session lasts.
typealias RequestID = UInt64

/// How a request was served.
enum AssignmentSource: String {
  /// A task was waiting.
  case warm
  /// None was; also when a task that was already starting came to serve it.
  case cold
}

/// What the pool wants done. The state machine decides, its owner acts.
enum PoolAction: Equatable {
  /// Start a task; answered by `taskConnected` or `taskDied`.
  case start(TaskID)
  /// Close the task's socket and end its process; answered by `taskDied`.
  case stop(TaskID)
  /// The task belongs to the request: send it its user; answered by `taskReady`, `initFailed` or `taskDied`.
  case assign(TaskID, RequestID, AssignmentSource)
  /// The task has confirmed its user.
  case ready(TaskID, RequestID)
  /// No task, and none is waited for.
  case miss(RequestID)
  /// The request has failed for good.
  case fail(RequestID, PoolFailure)
  /// The task of a request that had become ready is gone.
  case lost(TaskID, RequestID, PoolFailure)
}

/// Why a request got no task, or lost it.
struct PoolFailure: Error, Equatable {
  /// For programs; the first is the product's own (spec: "Pool rules").
  enum Code: String {
    case taskStartFailed = "TASK_START_FAILED"
    case taskDied = "TASK_DIED"
    case taskReleased = "TASK_RELEASED"
    case gatewayBusy = "GATEWAY_BUSY"
    case gatewayStopping = "GATEWAY_STOPPING"
  }

  let code: Code
  /// For people.
  let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
