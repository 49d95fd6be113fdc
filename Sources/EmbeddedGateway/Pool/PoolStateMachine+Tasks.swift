/// What happens to tasks.
extension PoolStateMachine {
  /// A task's socket is open: it serves whoever waits longest, else it is warm.
  ///
  /// - Returns: `nil` where the socket must be refused.
  mutating func taskConnected(_ id: TaskID, now: UInt64) -> [PoolAction]? {
    guard admits(id) else { return nil }
    if tasks[id] == nil {
      tasks[id] = PoolTask(isExternal: true, state: .warm(since: now))
      externalCount += 1
    } else {
      startingCount -= 1
      backoff.connected()
    }
    var actions: [PoolAction] = []
    if let request = waiting.removeFirst() {
      // The request's own deadline bounds the whole of a cold start.
      let deadline = min(now + rules.initTimeout, waiterDeadlines.removeValue(forKey: request) ?? .max)
      assign(id, to: request, .cold, deadline: deadline, into: &actions)
    } else {
      tasks[id]?.state = .warm(since: now)
      warm.append(id)
      wake(at: now + rules.timeToLive)
    }
    replenish(now: now, into: &actions)
    return actions
  }

  /// The task has confirmed its user.
  mutating func taskReady(_ id: TaskID) -> [PoolAction] {
    guard case .initialising(let request, _)? = tasks[id]?.state else { return [] }
    tasks[id]?.state = .inUse(request)
    return [.ready(id, request)]
  }

  /// The task could not make its user's session.
  mutating func initFailed(_ id: TaskID, reason: String, now: UInt64) -> [PoolAction] {
    guard case .initialising? = tasks[id]?.state else { return [] }
    return end(id, because: PoolFailure(.taskStartFailed, "task \(id): \(reason)"), now: now)
  }

  /// A task's socket broke. What lives on of the task is ended; it is never handed out again.
  mutating func taskDisconnected(_ id: TaskID, now: UInt64) -> [PoolAction] {
    guard let task = tasks[id] else { return [] }
    // Of a task that is not the gateway's own the socket is all there is.
    if task.isExternal { return taskDied(id, reason: "its connection closed", now: now) }
    noteEarlyDeath(task.state, now: now)
    return end(id, because: Self.death(of: id, task.state, "its connection closed"), now: now)
  }

  /// A task is gone, or could not be started.
  mutating func taskDied(_ id: TaskID, reason: String, now: UInt64) -> [PoolAction] {
    guard let task = tasks.removeValue(forKey: id) else { return [] }
    if task.isExternal { externalCount -= 1 } else { noteEarlyDeath(task.state, now: now) }
    var actions: [PoolAction] = []
    let failure = Self.death(of: id, task.state, reason)
    withdraw(id, task.state, because: failure, into: &actions)
    if case .starting = task.state { tellOneWaiter(failure, into: &actions) }
    replenish(now: now, into: &actions)
    return actions
  }

  /// Someone (ECS StopTask) wants a task ended, whatever it does.
  mutating func stopTask(_ id: TaskID, reason: String, now: UInt64) -> [PoolAction] {
    guard let task = tasks[id] else { return [] }
    return end(id, because: Self.death(of: id, task.state, reason), now: now)
  }

  /// Retires a task and replaces it.
  mutating func end(_ id: TaskID, because failure: PoolFailure, now: UInt64) -> [PoolAction] {
    var actions: [PoolAction] = []
    retire(id, because: failure, into: &actions)
    replenish(now: now, into: &actions)
    return actions
  }

  private mutating func noteEarlyDeath(_ state: TaskState, now: UInt64) {
    switch state {
    case .starting: backoff.failed(at: now)
    case .warm(let since) where now < since + rules.settleTime: backoff.failed(at: now)
    default: return
    }
    wake(at: backoff.retryAt)
  }

  private static func death(of id: TaskID, _ state: TaskState, _ reason: String) -> PoolFailure {
    if case .inUse = state { return PoolFailure(.taskDied, "task \(id) is gone: \(reason)") }
    return PoolFailure(.taskStartFailed, "task \(id) could not serve: \(reason)")
  }
}
