public import Latency

/// The rules a warm pool is kept by (spec: "Pool rules").
public struct PoolRules: Sendable, Equatable {
  /// How many tasks are kept warm.
  public var targetSize: Int
  /// Tasks are started when warm + starting falls below this; `nil`: the target.
  public var replenishThreshold: Int?
  /// The most tasks that are warm or starting.
  public var maxSize: Int
  /// The most tasks in all, assigned and ending ones too.
  public var maxTasks: Int
  /// How long a task stays warm before it is retired.
  public var timeToLive: Nanoseconds = .seconds(30 * 60)
  /// Whether an assigned task is replaced only when it is released, as by an ECS service: there it stays RUNNING, and counts.
  public var replacesOnRelease = false
  /// Whether a request that finds no warm task waits for one to start; else it is a miss.
  public var allowsColdStarts = true
  /// The most requests that wait at a time.
  public var maxWaiting = 10_000
  /// How long a start may take until the task is connected.
  public var startTimeout: Nanoseconds = .seconds(30)
  /// How long a task may take to confirm its user.
  public var initTimeout: Nanoseconds = .seconds(30)
  /// The most tasks that the gateway didn't start itself (as in the lab, whose gateway takes every task that connects).
  public var maxExternalTasks = 4096
  /// A task that dies within this time of connecting counts as a failed start.
  public var settleTime: Nanoseconds = .seconds(1)
  /// The first pause after a failed start.
  public var firstBackoff: Nanoseconds = .milliseconds(500)
  /// The longest pause after failed starts.
  public var longestBackoff: Nanoseconds = .seconds(30)

  /// Rules for a pool of `targetSize` tasks.
  ///
  /// - Parameters:
  ///   - maxSize: `nil`: 10, or the target if that is more. None at all without a target: a bare gateway starts nothing.
  ///   - maxTasks: `nil`: four times the target, or without a target `maxSize`.
  public init(targetSize: Int, maxSize: Int? = nil, maxTasks: Int? = nil) {
    self.targetSize = targetSize
    self.maxSize = maxSize ?? (targetSize == 0 ? 0 : max(10, targetSize))
    self.maxTasks = maxTasks ?? (targetSize == 0 ? self.maxSize : 4 * targetSize)
  }

  /// The threshold in force: never above the target.
  var threshold: Int { min(replenishThreshold ?? targetSize, targetSize) }

  /// Whether an empty pool lets requests wait: a gateway that may start nothing can only miss.
  var startsWhenEmpty: Bool { allowsColdStarts && maxSize > 0 && maxTasks > 0 }
}

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

/// Keeps a broken image from becoming a storm of starts: after a failure starts pause for a time that doubles up to a cap,
/// and then one task at a time is tried until one connects.
struct StartBackoff {
  /// The first pause.
  let initial: Nanoseconds
  /// The longest pause.
  let cap: Nanoseconds
  /// A failure this long after the last pause begins a new streak.
  let quietPeriod: Nanoseconds

  /// Instant before which nothing is started.
  private(set) var retryAt: Instant = .distantPast
  private var streak = 0
  private var isProbing = false

  init(initial: Nanoseconds, cap: Nanoseconds, quietPeriod: Nanoseconds) {
    self.initial = initial
    self.cap = cap
    self.quietPeriod = quietPeriod
  }

  /// A start failed, or a task died as soon as it was there. Failures during a pause belong to the same burst and don't
  /// lengthen it.
  mutating func failed(at now: Instant) {
    guard now >= retryAt else { return }
    if now > retryAt + quietPeriod { streak = 0 }
    // 2^20 times any sensible first pause is above any sensible cap.
    let pause = min(cap, initial * (1 << min(streak, 20)))
    streak += 1
    retryAt = now + pause
    isProbing = true
  }

  /// A task connected: the image works, so tasks may start side by side again.
  mutating func connected() { isProbing = false }

  /// How many more tasks may be started at `now` while `starting` are on their way.
  func allowance(at now: Instant, starting: Int) -> Int {
    if now < retryAt { return 0 }
    return isProbing ? max(0, 1 - starting) : .max
  }
}
