/// What users do: ask for a task, give up, give a task back.
extension PoolStateMachine {
  /// A request asks for a task and waits for one until `deadline`.
  mutating func acquire(_ request: RequestID, deadline: UInt64, now: UInt64) -> [PoolAction] {
    guard !isShutDown else {
      return [.fail(request, PoolFailure(.gatewayStopping, "the gateway is stopping"))]
    }
    var actions: [PoolAction] = []
    if let task = takeWarmTask(now: now, into: &actions) {
      assign(task, to: request, .warm, deadline: now + rules.initTimeout, into: &actions)
    } else if !rules.startsWhenEmpty {
      actions.append(.miss(request))
    } else if waiting.count >= rules.maxWaiting {
      actions.append(
        .fail(request, PoolFailure(.gatewayBusy, "\(waiting.count) requests wait already; try again later")))
    } else {
      waiting.append(request)
      waiterDeadlines[request] = deadline
      wake(at: deadline)
    }
    replenish(now: now, into: &actions)
    return actions
  }

  /// Whoever asked is gone; a task that was started for a request that still waited ends. A request that already has a task
  /// keeps it: its owner must release it.
  mutating func cancel(_ request: RequestID) -> [PoolAction] {
    guard forget(request) else { return [] }
    var actions: [PoolAction] = []
    retireStarting(atMost: 1, into: &actions)
    return actions
  }

  /// An assigned task is given back: it ends and is replaced. `nil` if it isn't assigned.
  mutating func release(_ id: TaskID, now: UInt64) -> [PoolAction]? {
    switch tasks[id]?.state {
    case .initialising, .inUse: end(id, because: PoolFailure(.taskReleased, "the task was released"), now: now)
    default: nil
    }
  }

  /// Whether the task belongs to this very request.
  func isAssigned(_ id: TaskID, to request: RequestID) -> Bool {
    switch tasks[id]?.state {
    case .initialising(request, _), .inUse(request): true
    default: false
    }
  }

  /// The longest waiting task that is still within its time to live; those that aren't are retired on the way.
  private mutating func takeWarmTask(now: UInt64, into actions: inout [PoolAction]) -> TaskID? {
    while let id = warm.removeFirst() {
      if case .warm(let since)? = tasks[id]?.state, since + rules.timeToLive > now { return id }
      tasks[id]?.state = .stopping
      actions.append(.stop(id))
    }
    return nil
  }
}
