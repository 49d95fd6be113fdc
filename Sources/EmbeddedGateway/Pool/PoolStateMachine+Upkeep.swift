/// What time and the operator do.
extension PoolStateMachine {
  /// Time has passed: deadlines, times to live, pauses after failed starts. Sets ``dueAt`` anew.
  mutating func tick(now: UInt64) -> [PoolAction] {
    var actions: [PoolAction] = []
    var expired = 0
    for request in waiting.elements where waiterDeadlines[request, default: 0] <= now {
      forget(request)
      expired += 1
      actions.append(.fail(request, PoolFailure(.taskStartFailed, "no task became free in time")))
    }
    // In order of their ids, so that the same events give the same actions.
    for id in tasks.keys.sorted() {
      switch tasks[id]?.state {
      case .starting(let deadline) where deadline <= now:
        let failure = PoolFailure(.taskStartFailed, "task \(id) did not connect in time")
        backoff.failed(at: now)
        retire(id, because: failure, into: &actions)
        tellOneWaiter(failure, into: &actions)
      case .warm(let since) where since + rules.timeToLive <= now:
        retire(id, because: PoolFailure(.taskReleased, "past its time to live"), into: &actions)
      case .initialising(_, let deadline) where deadline <= now:
        retire(id, because: PoolFailure(.taskStartFailed, "task \(id) did not confirm in time"), into: &actions)
      default: break
      }
    }
    retireStarting(atMost: expired, into: &actions)
    replenish(now: now, into: &actions)
    dueAt = nextDeadline(after: now)
    return actions
  }

  /// How many tasks are kept warm from now on (ECS UpdateService). What is too much ends: starting tasks first, then the longest warm.
  mutating func setTarget(_ target: Int, now: UInt64) -> [PoolAction] {
    rules.targetSize = max(0, target)
    var actions: [PoolAction] = []
    let failure = PoolFailure(.taskReleased, "the pool became smaller")
    for id in (startingTasks + warm.elements).prefix(max(0, surplus)) { retire(id, because: failure, into: &actions) }
    replenish(now: now, into: &actions)
    return actions
  }

  /// Ends starting tasks that nobody waits for any more, where there are more than the target; not more than `count`, so that
  /// what RunTask has started stays.
  mutating func retireStarting(atMost count: Int, into actions: inout [PoolAction]) {
    guard count > 0, surplus > 0 else { return }
    let failure = PoolFailure(.taskReleased, "whoever it was started for is gone")
    for id in startingTasks.prefix(min(count, surplus)) { retire(id, because: failure, into: &actions) }
  }

  /// Warm and starting tasks beyond what is wanted and those who wait.
  private var surplus: Int { warm.count + startingCount - wanted - waiting.count }

  /// Starts a task beyond the target (ECS RunTask), if the limits leave room.
  mutating func runTask(now: UInt64) -> TaskID? {
    guard !isShutDown, warm.count + startingCount < rules.maxSize, tasks.count < rules.maxTasks else { return nil }
    return addStartingTask(now: now)
  }

  /// The end: everyone is told, every task is stopped, nothing starts again.
  mutating func shutDown() -> [PoolAction] {
    isShutDown = true
    dueAt = nil
    let failure = PoolFailure(.gatewayStopping, "the gateway is stopping")
    var actions: [PoolAction] = waiting.elements.map { .fail($0, failure) }
    waiting = OrderedQueue()
    waiterDeadlines = [:]
    for id in tasks.keys.sorted() { retire(id, because: failure, into: &actions) }
    return actions
  }

  private var startingTasks: [TaskID] {
    tasks.filter { if case .starting = $0.value.state { true } else { false } }.keys.sorted()
  }

  private func nextDeadline(after now: UInt64) -> UInt64? {
    var next = waiterDeadlines.values.min() ?? .max
    for task in tasks.values {
      switch task.state {
      case .starting(let deadline), .initialising(_, let deadline): next = min(next, deadline)
      case .warm(let since): next = min(next, since + rules.timeToLive)
      case .inUse, .stopping: break
      }
    }
    if backoff.retryAt > now { next = min(next, backoff.retryAt) }
    return next == .max ? nil : next
  }
}
