import Latency

/// The warm pool as a pure state machine: events in, actions out; no clock, no randomness, no I/O of its own.
///
/// Instants never run backwards. Events of unknown tasks are ignored.
///
/// ```swift
/// var ids = ["t1", "t2"]
/// var pool = PoolStateMachine(rules: PoolRules(targetSize: 1), makeTaskID: { ids.removeFirst() })
/// let start = Instant(nanoseconds: 0)
/// pool.tick(now: start)                                         // [.start("t1")]
/// pool.taskConnected("t1", now: start)                          // []: the task is warm
/// pool.acquire(1, deadline: start + .seconds(30), now: start)   // [.assign("t1", 1, .warm), .start("t2")]
/// pool.taskReady("t1")                                          // [.ready("t1", 1)]
/// pool.release("t1", now: start + .seconds(5))                  // [.lost("t1", 1, …), .stop("t1")]
/// ```
struct PoolStateMachine {
  /// The states of a task, in this order; a task never returns to an earlier one.
  enum TaskState: Equatable {
    case starting(deadline: Instant)
    case warm(since: Instant)
    case initialising(RequestID, deadline: Instant)
    case inUse(RequestID)
    case stopping
  }

  struct PoolTask {
    /// Whether the task connected by itself; the pool starts all other tasks.
    let isExternal: Bool
    var state: TaskState
    /// When the socket of a task that the pool started opened.
    var connectedAt: Instant?
  }

  var rules: PoolRules
  var tasks: [TaskID: PoolTask] = [:]
  /// Tasks that can be assigned, longest waiting first.
  var warm = OrderedQueue<TaskID>()
  /// Requests that wait for a task, in order of arrival, each with its deadline.
  var waiting = OrderedQueue<RequestID>()
  var waiterDeadlines: [RequestID: Instant] = [:]
  var startingCount = 0
  var assignedCount = 0
  var externalCount = 0
  var backoff: StartBackoff
  var isShutDown = false
  /// An instant no later than the next due work of ``tick(now:)``; `nil` for never.
  var dueAt: Instant?
  private let makeTaskID: () -> TaskID

  /// - Parameter makeTaskID: returns an id that no task has had before.
  init(rules: PoolRules, makeTaskID: @escaping () -> TaskID) {
    self.rules = rules
    self.makeTaskID = makeTaskID
    backoff = StartBackoff(
      initial: rules.firstBackoff, cap: rules.longestBackoff, quietPeriod: rules.startTimeout + rules.settleTime)
  }

  var warmCount: Int { warm.count }

  /// The number of assigned tasks that are replaced only on release.
  private var unreplaced: Int { rules.replacesOnRelease ? assignedCount : 0 }

  /// The target number of warm and starting tasks, beyond those for waiting requests.
  var wanted: Int { max(0, rules.targetSize - unreplaced) }

  /// The state's name in the protocol; `nil` for a task that is ending or unknown.
  func stateName(of id: TaskID) -> String? {
    switch tasks[id]?.state {
    case .starting: "warming"
    case .warm: "warm"
    case .initialising, .inUse: "assigned"
    case .stopping, nil: nil
    }
  }

  /// Whether the pool would accept a socket of this task now.
  func admits(_ id: TaskID) -> Bool {
    guard !isShutDown else { return false }
    guard let task = tasks[id] else { return externalCount < rules.maxExternalTasks }
    if case .starting = task.state { return true }
    return false
  }

  /// Starts tasks up to the target if there are fewer than the threshold; each waiting request raises both by one.
  mutating func replenish(now: Instant, into actions: inout [PoolAction]) {
    let supply = warm.count + startingCount
    guard !isShutDown, supply < max(0, rules.threshold - unreplaced) + waiting.count else { return }
    let missing = min(
      wanted + waiting.count - supply, rules.maxSize - supply, rules.maxTasks - tasks.count,
      backoff.allowance(at: now, starting: startingCount))
    guard missing > 0 else { return }
    for _ in 0..<missing { actions.append(.start(addStartingTask(now: now))) }
  }

  /// Records a new task that the pool starts.
  mutating func addStartingTask(now: Instant) -> TaskID {
    let id = makeTaskID()
    let deadline = now + rules.startTimeout
    tasks[id] = PoolTask(isExternal: false, state: .starting(deadline: deadline))
    startingCount += 1
    wake(at: deadline)
    return id
  }

  /// Assigns `id` to `request`; the task must confirm before `deadline`.
  mutating func assign(
    _ id: TaskID, to request: RequestID, _ source: AssignmentSource, deadline: Instant,
    into actions: inout [PoolAction]
  ) {
    tasks[id]?.state = .initialising(request, deadline: deadline)
    assignedCount += 1
    wake(at: deadline)
    actions.append(.assign(id, request, source))
  }

  /// Takes a task out of service, reports the failure to the request that holds it, and ends it.
  mutating func retire(_ id: TaskID, because failure: PoolFailure, into actions: inout [PoolAction]) {
    guard let task = tasks[id], task.state != .stopping else { return }
    withdraw(id, task.state, because: failure, into: &actions)
    tasks[id]?.state = .stopping
    actions.append(.stop(id))
  }

  /// Removes the task from the counts of `state`, and reports the failure to its request.
  mutating func withdraw(
    _ id: TaskID, _ state: TaskState, because failure: PoolFailure, into actions: inout [PoolAction]
  ) {
    switch state {
    case .starting: startingCount -= 1
    case .warm: warm.remove(id)
    case .initialising(let request, _):
      assignedCount -= 1
      actions.append(.fail(request, failure))
    case .inUse(let request):
      assignedCount -= 1
      actions.append(.lost(id, request, failure))
    case .stopping: break
    }
  }

  /// Reports a failed start to one request: the first in the queue for which no running start is left.
  mutating func tellOneWaiter(_ failure: PoolFailure, into actions: inout [PoolAction]) {
    guard waiting.count > startingCount else { return }
    let request = waiting.elements[startingCount]
    forget(request)
    actions.append(.fail(request, failure))
  }

  /// Ends the request's wait; false if it does not wait.
  @discardableResult
  mutating func forget(_ request: RequestID) -> Bool {
    waiterDeadlines[request] = nil
    return waiting.remove(request)
  }

  mutating func wake(at instant: Instant) {
    dueAt = min(dueAt ?? .distantFuture, instant)
  }
}

/// Users' events: a request for a task, a disconnection, a release.
extension PoolStateMachine {
  /// A request asks for a task and waits for one until `deadline`.
  mutating func acquire(_ request: RequestID, deadline: Instant, now: Instant) -> [PoolAction] {
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

  /// A client has disconnected. A task that was started for its waiting request ends. A request with a task keeps it,
  /// and its owner must release it.
  mutating func cancel(_ request: RequestID) -> [PoolAction] {
    guard forget(request) else { return [] }
    var actions: [PoolAction] = []
    retireStarting(atMost: 1, into: &actions)
    return actions
  }

  /// An assigned task is released: it ends and is replaced. `nil` if it is not assigned.
  mutating func release(_ id: TaskID, now: Instant) -> [PoolAction]? {
    switch tasks[id]?.state {
    case .initialising, .inUse: end(id, because: PoolFailure(.taskReleased, "the task was released"), now: now)
    default: nil
    }
  }

  /// Whether the task is assigned to this request.
  func isAssigned(_ id: TaskID, to request: RequestID) -> Bool {
    switch tasks[id]?.state {
    case .initialising(request, _), .inUse(request): true
    default: false
    }
  }

  /// The longest waiting task that is still within its time to live; expired tasks before it are retired.
  private mutating func takeWarmTask(now: Instant, into actions: inout [PoolAction]) -> TaskID? {
    while let id = warm.removeFirst() {
      if case .warm(let since)? = tasks[id]?.state, since + rules.timeToLive > now { return id }
      tasks[id]?.state = .stopping
      actions.append(.stop(id))
    }
    return nil
  }
}

/// Tasks' events.
extension PoolStateMachine {
  /// A task's socket is open: it serves the longest waiting request, else it becomes warm.
  ///
  /// - Returns: `nil` where the socket must be refused.
  mutating func taskConnected(_ id: TaskID, now: Instant) -> [PoolAction]? {
    guard admits(id) else { return nil }
    if tasks[id] == nil {
      tasks[id] = PoolTask(isExternal: true, state: .warm(since: now))
      externalCount += 1
    } else {
      startingCount -= 1
      tasks[id]?.connectedAt = now
      backoff.connected()
    }
    var actions: [PoolAction] = []
    if let request = waiting.removeFirst() {
      // The request's own deadline holds for the whole cold start.
      let deadline = min(now + rules.initTimeout, waiterDeadlines.removeValue(forKey: request) ?? .distantFuture)
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
    if let connectedAt = tasks[id]?.connectedAt { backoff.proved(connectedAt: connectedAt) }
    return [.ready(id, request)]
  }

  /// The task could not set up its user's session.
  mutating func initFailed(_ id: TaskID, reason: String, now: Instant) -> [PoolAction] {
    guard case .initialising? = tasks[id]?.state else { return [] }
    return end(id, because: PoolFailure(.taskStartFailed, "task \(id): \(reason)"), now: now)
  }

  /// A task's socket broke. The task is never assigned again, and the rest of it is ended.
  mutating func taskDisconnected(_ id: TaskID, now: Instant) -> [PoolAction] {
    guard let task = tasks[id] else { return [] }
    // A task that connected by itself has only its socket, so the closed socket is its end.
    if task.isExternal { return taskDied(id, reason: "its connection closed", now: now) }
    noteEarlyDeath(task.state, now: now)
    return end(id, because: Self.death(of: id, task.state, "its connection closed"), now: now)
  }

  /// A task has ended, or could not be started.
  mutating func taskDied(_ id: TaskID, reason: String, now: Instant) -> [PoolAction] {
    guard let task = tasks.removeValue(forKey: id) else { return [] }
    if task.isExternal { externalCount -= 1 } else { noteEarlyDeath(task.state, now: now) }
    var actions: [PoolAction] = []
    let failure = Self.death(of: id, task.state, reason)
    withdraw(id, task.state, because: failure, into: &actions)
    if case .starting = task.state { tellOneWaiter(failure, into: &actions) }
    replenish(now: now, into: &actions)
    return actions
  }

  /// A caller (ECS StopTask) ends a task, in any state.
  mutating func stopTask(_ id: TaskID, reason: String, now: Instant) -> [PoolAction] {
    guard let task = tasks[id] else { return [] }
    return end(id, because: Self.death(of: id, task.state, reason), now: now)
  }

  /// Retires a task and replaces it.
  mutating func end(_ id: TaskID, because failure: PoolFailure, now: Instant) -> [PoolAction] {
    var actions: [PoolAction] = []
    retire(id, because: failure, into: &actions)
    replenish(now: now, into: &actions)
    return actions
  }

  private static func death(of id: TaskID, _ state: TaskState, _ reason: String) -> PoolFailure {
    if case .inUse = state { return PoolFailure(.taskDied, "task \(id) is gone: \(reason)") }
    return PoolFailure(.taskStartFailed, "task \(id) could not serve: \(reason)")
  }
}

/// Events of the clock and of the operator.
extension PoolStateMachine {
  /// Time has passed: handles deadlines, times to live and pauses after failed starts. Sets ``dueAt`` anew.
  mutating func tick(now: Instant) -> [PoolAction] {
    var actions: [PoolAction] = []
    var expired = 0
    for request in waiting.elements where waiterDeadlines[request, default: .distantPast] <= now {
      forget(request)
      expired += 1
      actions.append(.fail(request, PoolFailure(.taskStartFailed, "no task became free in time")))
    }
    // The order is that of the ids, so that equal events give equal actions.
    for id in tasks.keys.sorted() {
      switch tasks[id]?.state {
      case .starting(let deadline) where deadline <= now:
        let failure = PoolFailure(.taskStartFailed, "task \(id) did not connect in time")
        noteFailedStart(now: now)
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

  /// Sets the number of tasks to keep warm (ECS UpdateService). Surplus tasks end: starting tasks first, then the
  /// longest warm.
  mutating func setTarget(_ target: Int, now: Instant) -> [PoolAction] {
    rules.targetSize = max(0, target)
    var actions: [PoolAction] = []
    let failure = PoolFailure(.taskReleased, "the pool became smaller")
    for id in (startingTasks + warm.elements).prefix(max(0, surplus)) { retire(id, because: failure, into: &actions) }
    replenish(now: now, into: &actions)
    return actions
  }

  /// Ends starting tasks beyond the target that no request waits for any longer; at most `count`, so that tasks started
  /// by RunTask stay.
  mutating func retireStarting(atMost count: Int, into actions: inout [PoolAction]) {
    guard count > 0, surplus > 0 else { return }
    let failure = PoolFailure(.taskReleased, "whoever it was started for is gone")
    for id in startingTasks.prefix(min(count, surplus)) { retire(id, because: failure, into: &actions) }
  }

  /// The number of warm and starting tasks beyond the target and the waiting requests.
  private var surplus: Int { warm.count + startingCount - wanted - waiting.count }

  /// Starts a task beyond the target (ECS RunTask), if the limits leave room.
  mutating func runTask(now: Instant) -> TaskID? {
    guard !isShutDown, warm.count + startingCount < rules.maxSize, tasks.count < rules.maxTasks else { return nil }
    return addStartingTask(now: now)
  }

  /// Shuts down: fails every waiting request, stops every task, and starts nothing again.
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

  private func nextDeadline(after now: Instant) -> Instant? {
    var next = waiterDeadlines.values.min() ?? .distantFuture
    for task in tasks.values {
      switch task.state {
      case .starting(let deadline), .initialising(_, let deadline): next = min(next, deadline)
      case .warm(let since): next = min(next, since + rules.timeToLive)
      case .inUse, .stopping: break
      }
    }
    if backoff.retryAt > now { next = min(next, backoff.retryAt) }
    return next == .distantFuture ? nil : next
  }
}
