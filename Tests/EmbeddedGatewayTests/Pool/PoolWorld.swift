import Latency
import Testing

@testable import EmbeddedGateway

let second: Nanoseconds = .seconds(1)

/// A pool and the world around it: carries its actions out, keeps the time, and checks after every step that no rule is broken.
struct PoolWorld {
  enum Answer: Equatable {
    case assigned(TaskID, AssignmentSource)
    case missed
    case failed(PoolFailure.Code)
  }

  var pool: PoolStateMachine
  var now: Instant = .distantPast + 1000 * second
  /// Asked to start, not connected yet.
  var starting: [TaskID] = []
  /// Asked to stop, not gone yet.
  var stopping: [TaskID] = []
  /// Tasks that once existed and are gone, or are going.
  var dead: Set<TaskID> = []
  var everAssigned: Set<TaskID> = []
  /// The first answer of every request.
  var answers: [RequestID: Answer] = [:]
  var readyRequests: Set<RequestID> = []
  var lostRequests: Set<RequestID> = []
  var asked: Set<RequestID> = []
  var cancelled: Set<RequestID> = []
  var startsInAll = 0
  private var requests: RequestID = 0

  init(_ rules: PoolRules) {
    var count = 0
    pool = PoolStateMachine(rules: rules) {
      count += 1
      // Equal lengths, so that the order of the texts is the order of creation.
      return "task-" + String(String(100_000 + count).dropFirst())
    }
  }

  /// A pool whose first tasks have all connected.
  static func filled(_ rules: PoolRules) -> PoolWorld {
    var world = PoolWorld(rules)
    world.tick()
    world.connectAll()
    return world
  }

  var assignedTasks: [TaskID] {
    pool.tasks.filter { pool.stateName(of: $0.key) == "assigned" }.keys.sorted()
  }

  // MARK: Events

  @discardableResult
  mutating func acquire(within patience: Nanoseconds = 30 * second) -> RequestID {
    requests += 1
    asked.insert(requests)
    take(pool.acquire(requests, deadline: now + patience, now: now))
    return requests
  }

  mutating func cancel(_ request: RequestID) {
    if answers[request] == nil { cancelled.insert(request) }
    take(pool.cancel(request))
  }

  mutating func release(_ id: TaskID) { take(pool.release(id, now: now) ?? []) }

  mutating func connect(_ id: TaskID) {
    starting.removeAll { $0 == id }
    take(pool.taskConnected(id, now: now) ?? [])
  }

  mutating func connectAll() { for id in starting { connect(id) } }

  mutating func failStart(_ id: TaskID) {
    starting.removeAll { $0 == id }
    dead.insert(id)
    take(pool.taskDied(id, reason: "broken image", now: now))
  }

  mutating func die(_ id: TaskID) {
    starting.removeAll { $0 == id }
    stopping.removeAll { $0 == id }
    dead.insert(id)
    take(pool.taskDied(id, reason: "killed", now: now))
  }

  mutating func disconnect(_ id: TaskID) {
    dead.insert(id)
    take(pool.taskDisconnected(id, now: now))
  }

  mutating func confirm(_ id: TaskID) { take(pool.taskReady(id)) }

  mutating func failInit(_ id: TaskID) { take(pool.initFailed(id, reason: "no space", now: now)) }

  mutating func stop(_ id: TaskID) { take(pool.stopTask(id, reason: "StopTask", now: now)) }

  mutating func setTarget(_ target: Int) { take(pool.setTarget(target, now: now)) }

  mutating func shutDown() { take(pool.shutDown()) }

  /// Lets time pass; the pool is woken when it asked to be.
  mutating func pass(_ time: Nanoseconds) {
    let end = now + time
    while let due = pool.dueAt, due <= end {
      now = max(now, due)
      tick()
    }
    now = end
  }

  mutating func tick() { take(pool.tick(now: now)) }

  /// Everything that was asked to stop is gone.
  mutating func reap() { for id in stopping { die(id) } }

  // MARK: Carrying out

  private mutating func take(_ actions: [PoolAction]) {
    for action in actions {
      switch action {
      case .start(let id):
        startsInAll += 1
        if dead.contains(id) || starting.contains(id) { Issue.record("\(id) is started twice") }
        starting.append(id)
      case .stop(let id):
        starting.removeAll { $0 == id }
        stopping.append(id)
        dead.insert(id)
      case .assign(let id, let request, let source):
        if dead.contains(id) { Issue.record("a dead task, \(id), is handed out") }
        if !everAssigned.insert(id).inserted { Issue.record("\(id) is handed out twice") }
        if cancelled.contains(request) { Issue.record("a request that is gone consumes a task") }
        answer(request, .assigned(id, source))
      case .ready(_, let request): readyRequests.insert(request)
      case .miss(let request): answer(request, .missed)
      case .fail(let request, let failure):
        if answers[request] == nil { answer(request, .failed(failure.code)) } else { lostRequests.insert(request) }
      case .lost(_, let request, _): lostRequests.insert(request)
      }
    }
    check()
  }

  private mutating func answer(_ request: RequestID, _ answer: Answer) {
    if answers[request] != nil { Issue.record("request \(request) is answered twice") }
    answers[request] = answer
  }

  /// What must hold after every step. One count over all tasks: walks of many thousand steps shall stay quick.
  private func check() {
    var states: [String: Int] = [:]
    var ownSupply = 0
    var own = 0
    for (id, task) in pool.tasks {
      let state = pool.stateName(of: id) ?? "stopping"
      states[state, default: 0] += 1
      if task.isExternal { continue }
      own += 1
      if state == "warm" || state == "warming" { ownSupply += 1 }
    }
    let open = asked.count - answers.count - cancelled.count
    let rules: [(String, Bool)] = [
      ("more than maxSize are warm or starting", ownSupply <= pool.rules.maxSize),
      ("more than maxTasks", own <= pool.rules.maxTasks),
      ("warm is miscounted", states["warm", default: 0] == pool.warmCount),
      ("starting is miscounted", states["warming", default: 0] == pool.startingCount),
      ("assigned is miscounted", states["assigned", default: 0] == pool.assignedCount),
      ("external is miscounted", pool.tasks.count - own == pool.externalCount),
      ("someone waits beside a warm task", pool.waiting.count == 0 || pool.warm.count == 0),
      ("waiting is miscounted", pool.waiting.count == pool.waiterDeadlines.count),
      ("a request without an answer doesn't wait", pool.waiting.count == open),
      (
        "nobody will wake a request at its deadline",
        pool.isShutDown || (pool.dueAt ?? .distantFuture) <= pool.waiterDeadlines.values.min() ?? .distantFuture
      ),
    ]
    for (violation, holds) in rules where !holds { Issue.record("\(violation) at \(now.nanoseconds)") }
  }
}
