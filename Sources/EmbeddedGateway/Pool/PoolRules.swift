/// The rules a warm pool is kept by (spec: "Pool rules"). Times are in nanoseconds.
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
  public var timeToLive: UInt64 = 30 * 60 * 1_000_000_000
  /// Whether an assigned task is replaced only when it is released, as by an ECS service: there it stays RUNNING, and counts.
  public var replacesOnRelease = false
  /// Whether a request that finds no warm task waits for one to start; else it is a miss.
  public var allowsColdStarts = true
  /// The most requests that wait at a time.
  public var maxWaiting = 10_000
  /// How long a start may take until the task is connected.
  public var startTimeout: UInt64 = 30_000_000_000
  /// How long a task may take to confirm its user.
  public var initTimeout: UInt64 = 30_000_000_000
  /// The most tasks that the gateway didn't start itself (the lab's way: whatever connects is taken).
  public var maxExternalTasks = 4096
  /// A task that dies within this time of connecting counts as a failed start.
  public var settleTime: UInt64 = 1_000_000_000
  /// The first pause after a failed start.
  public var firstBackoff: UInt64 = 500_000_000
  /// The longest pause after failed starts.
  public var longestBackoff: UInt64 = 30_000_000_000

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
