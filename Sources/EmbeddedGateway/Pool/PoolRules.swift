public import Latency

/// The rules of a warm pool (spec: "Pool rules").
public struct PoolRules: Sendable, Equatable {
  /// The number of tasks to keep warm.
  public var targetSize: Int
  /// Tasks are started when warm + starting falls below this number; `nil`: the target.
  public var replenishThreshold: Int?
  /// The most tasks that are warm or starting.
  public var maxSize: Int
  /// The most tasks in all, including assigned and ending ones.
  public var maxTasks: Int
  /// The time after which a warm task is retired.
  public var timeToLive: Nanoseconds = .seconds(30 * 60)
  /// Whether an assigned task is replaced only when it is released. An ECS service does so, because an assigned task is
  /// still RUNNING and counts.
  public var replacesOnRelease = false
  /// Whether a request without a warm task waits for a cold start; else it is a miss.
  public var allowsColdStarts = true
  /// The most requests that wait at the same time.
  public var maxWaiting = 10_000
  /// The deadline of a start, until the task is connected.
  public var startTimeout: Nanoseconds = .seconds(30)
  /// The deadline of a task's confirmation of its user.
  public var initTimeout: Nanoseconds = .seconds(30)
  /// The most tasks that the gateway did not start itself (the lab's gateway takes every task that connects).
  public var maxExternalTasks = 4096
  /// A task that dies within this time after connecting counts as a failed start.
  public var settleTime: Nanoseconds = .seconds(1)
  /// The first pause after a failed start.
  public var firstBackoff: Nanoseconds = .milliseconds(500)
  /// The longest pause after failed starts: half of the 30 s within which a pool is to be full again after the last
  /// failure.
  public var longestBackoff: Nanoseconds = .seconds(15)

  /// Rules for a pool of `targetSize` tasks.
  ///
  /// - Parameters:
  ///   - maxSize: `nil`: 10, or the target if that is more; 0 without a target, because a bare gateway starts no tasks.
  ///   - maxTasks: `nil`: four times the target, or without a target `maxSize`.
  public init(targetSize: Int, maxSize: Int? = nil, maxTasks: Int? = nil) {
    self.targetSize = targetSize
    self.maxSize = maxSize ?? (targetSize == 0 ? 0 : max(10, targetSize))
    self.maxTasks = maxTasks ?? (targetSize == 0 ? self.maxSize : 4 * targetSize)
  }

  /// The effective threshold, never above the target.
  var threshold: Int { min(replenishThreshold ?? targetSize, targetSize) }

  /// Whether requests wait when the pool is empty: a gateway that may start no task can only report a miss.
  var startsWhenEmpty: Bool { allowsColdStarts && maxSize > 0 && maxTasks > 0 }
}

/// The id of a task, which is the last part of its ARN.
public typealias TaskID = String

/// The id of a request for a task, valid while it waits or its session lasts.
typealias RequestID = UInt64

/// The source of a request's task.
enum AssignmentSource: String {
  /// A warm start: a warm task was waiting.
  case warm
  /// A cold start: no task was warm, even where a task was already starting.
  case cold
}

/// An action of the pool. The state machine decides, and its owner acts.
enum PoolAction: Equatable {
  /// Start a task; answered by `taskConnected` or `taskDied`.
  case start(TaskID)
  /// Close the task's socket and end its process; answered by `taskDied`.
  case stop(TaskID)
  /// Assign the task to the request and send it its user; answered by `taskReady`, `initFailed` or `taskDied`.
  case assign(TaskID, RequestID, AssignmentSource)
  /// The task has confirmed its user.
  case ready(TaskID, RequestID)
  /// The request is a miss: it gets no task and does not wait.
  case miss(RequestID)
  /// The request has failed for good.
  case fail(RequestID, PoolFailure)
  /// The request's task is gone after it had become ready.
  case lost(TaskID, RequestID, PoolFailure)
}

/// Why a request got no task, or lost its task.
struct PoolFailure: Error, Equatable {
  /// A code for programs; the first one is the product's own (spec: "Pool rules").
  enum Code: String {
    case taskStartFailed = "TASK_START_FAILED"
    case taskDied = "TASK_DIED"
    case taskReleased = "TASK_RELEASED"
    case gatewayBusy = "GATEWAY_BUSY"
    case gatewayStopping = "GATEWAY_STOPPING"
  }

  let code: Code
  /// The explanation for people.
  let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
