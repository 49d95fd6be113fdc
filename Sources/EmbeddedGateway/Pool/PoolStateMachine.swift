/// The warm pool as a pure state machine: events in, actions out; no clock, no randomness, no I/O of its own.
///
/// Instants are nanoseconds of one monotonic clock and never run backwards. Events of tasks that are no longer known are ignored.
struct PoolStateMachine {
  /// A task's way: it never goes back.
  enum TaskState: Equatable {
    case starting(deadline: UInt64)
    case warm(since: UInt64)
    case initialising(RequestID, deadline: UInt64)
    case inUse(RequestID)
    case stopping
  }

  struct PoolTask {
    /// Not started by the pool; it connected by itself.
    let isExternal: Bool
    var state: TaskState
  }

  var rules: PoolRules
  var tasks: [TaskID: PoolTask] = [:]
  /// Tasks ready to be handed out, longest waiting first.
  var warm = OrderedQueue<TaskID>()
  /// Requests that wait for a task, in order of arrival, each with its deadline.
  var waiting = OrderedQueue<RequestID>()
  var waiterDeadlines: [RequestID: UInt64] = [:]
  var startingCount = 0
  var assignedCount = 0
  var externalCount = 0
  var backoff: StartBackoff
  var isShutDown = false
  /// Not later than the next instant at which ``tick(now:)`` has something to do; `nil` for never.
  var dueAt: UInt64?
  private let makeTaskID: () -> TaskID

  /// - Parameter makeTaskID: makes an id that no task has had before.
  init(rules: PoolRules, makeTaskID: @escaping () -> TaskID) {
    self.rules = rules
    self.makeTaskID = makeTaskID
    backoff = StartBackoff(
      initial: rules.firstBackoff, cap: rules.longestBackoff, quietPeriod: rules.startTimeout + rules.settleTime)
  }

  var warmCount: Int { warm.count }

  /// What is assigned and yet needs no replacement.
  private var unreplaced: Int { rules.replacesOnRelease ? assignedCount : 0 }

  /// How many tasks are to be warm or starting for users who have not come yet.
  var wanted: Int { max(0, rules.targetSize - unreplaced) }

  /// The state as the protocol names it; `nil` for a task that is ending or unknown.
  func stateName(of id: TaskID) -> String? {
    switch tasks[id]?.state {
    case .starting: "warming"
    case .warm: "warm"
    case .initialising, .inUse: "assigned"
    case .stopping, nil: nil
    }
  }

  /// Whether a socket of this task would be taken now.
  func admits(_ id: TaskID) -> Bool {
    guard !isShutDown else { return false }
    guard let task = tasks[id] else { return externalCount < rules.maxExternalTasks }
    if case .starting = task.state { return true }
    return false
  }

  /// Starts tasks up to the target if there are fewer than the threshold; a request that waits raises both by one.
  mutating func replenish(now: UInt64, into actions: inout [PoolAction]) {
    let supply = warm.count + startingCount
    guard !isShutDown, supply < max(0, rules.threshold - unreplaced) + waiting.count else { return }
    let missing = min(
      wanted + waiting.count - supply, rules.maxSize - supply, rules.maxTasks - tasks.count,
      backoff.allowance(at: now, starting: startingCount))
    guard missing > 0 else { return }
    for _ in 0..<missing { actions.append(.start(addStartingTask(now: now))) }
  }

  /// Notes a new task of the pool's own.
  mutating func addStartingTask(now: UInt64) -> TaskID {
    let id = makeTaskID()
    let deadline = now + rules.startTimeout
    tasks[id] = PoolTask(isExternal: false, state: .starting(deadline: deadline))
    startingCount += 1
    wake(at: deadline)
    return id
  }

  /// Hands `id` to `request`; the task must confirm before `deadline`.
  mutating func assign(
    _ id: TaskID, to request: RequestID, _ source: AssignmentSource, deadline: UInt64,
    into actions: inout [PoolAction]
  ) {
    tasks[id]?.state = .initialising(request, deadline: deadline)
    assignedCount += 1
    wake(at: deadline)
    actions.append(.assign(id, request, source))
  }

  /// Takes a task out of service, telling whoever has it, and lets it end.
  mutating func retire(_ id: TaskID, because failure: PoolFailure, into actions: inout [PoolAction]) {
    guard let task = tasks[id], task.state != .stopping else { return }
    withdraw(id, task.state, because: failure, into: &actions)
    tasks[id]?.state = .stopping
    actions.append(.stop(id))
  }

  /// Undoes what `state` means to the counts, and tells the request that had the task.
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

  /// A failed start is told to one request: the first for which no start is left under way.
  mutating func tellOneWaiter(_ failure: PoolFailure, into actions: inout [PoolAction]) {
    guard waiting.count > startingCount else { return }
    let request = waiting.elements[startingCount]
    forget(request)
    actions.append(.fail(request, failure))
  }

  /// Ends the request's wait; false if it doesn't wait.
  @discardableResult
  mutating func forget(_ request: RequestID) -> Bool {
    waiterDeadlines[request] = nil
    return waiting.remove(request)
  }

  mutating func wake(at instant: UInt64) {
    dueAt = min(dueAt ?? .max, instant)
  }
}
