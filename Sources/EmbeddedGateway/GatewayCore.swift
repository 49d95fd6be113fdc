import FoundationEssentials
import Gateway
import Latency
import NIOCore
import NIOPosix
import Transport

/// The gateway without its network side: the pool, and the execution of its actions. Confined to one event loop.
///
/// Every event goes through ``apply(_:)``; actions that another action causes are queued behind those already decided.
final class GatewayCore {
  let loop: any EventLoop
  let configuration: GatewayConfiguration
  let runner: any TaskRunner
  /// `ws://host:port` for tasks, set once the server listens.
  var webSocketURL = ""

  var pool: PoolStateMachine
  var ledger: ECSTaskHistory
  var records: [TaskID: TaskRecord] = [:]
  var pendingAcquires: [RequestID: PendingAcquire] = [:]
  var requestCount: RequestID = 0
  /// The number of acquires, for the fault plan.
  var acquireCount = 0
  /// The number of starts, for the fault plan.
  var startCount = 0
  /// The users' uids; nil where all users have the gateway's.
  private var userIDs: UserIDs?
  /// The number of tasks that were given to users.
  private var assignmentCount = 0
  /// The task that was assigned last, for the fault `duplicate`.
  var lastAssigned: TaskID?
  var httpDate = HTTPDate()
  /// The running plan of injected faults.
  var faults: FaultInjector?
  var faultTimer: Scheduled<Void>?
  /// Tasks that the ECS-compatible endpoint does not show until the instant.
  var hiddenTasks: [TaskID: Instant] = [:]
  /// Answers that wait for the end of a stall.
  var heldAnswers: [() -> Void] = []
  /// The sessions of the product's profile; nil without that profile.
  private(set) var product: ProductSessions?
  /// Whether the workspace existed at the start. It is not checked again, because a network file system could block the
  /// loop for long.
  private(set) var isWorkspaceMounted = false
  /// The token that a task writes into its user's `token.json`.
  let userToken: String

  private var actions: [PoolAction] = []
  private var isPerforming = false
  private var timer: (due: Instant, scheduled: Scheduled<Void>)?

  init(configuration: GatewayConfiguration, runner: any TaskRunner, loop: any EventLoop) {
    self.configuration = configuration
    self.runner = runner
    self.loop = loop
    var rules = configuration.rules
    rules.startTimeout += configuration.taskStartDelay
    pool = PoolStateMachine(rules: rules, makeTaskID: { RandomText.hex(digits: 32) })
    let service = FleetService(
      clusterName: "embedded", name: "warm-pool", family: "ai-shell",
      deploymentID: "ecs-svc/" + RandomText.digits(19), desiredCount: configuration.rules.targetSize,
      createdAt: WallClock.now())
    ledger = ECSTaskHistory(service: service, startDelay: configuration.taskStartDelay.seconds)
    userIDs = configuration.userIDs.map(UserIDs.init)
    userToken = RandomText.hex(digits: 64)
    product = configuration.product.map { ProductSessions(profile: $0, core: self) }
  }

  /// The route of a request in the present profile.
  func route(method: String, uri: String) -> GatewayRoute {
    product == nil ? GatewayRoute(method: method, uri: uri) : .product(method: method, uri: uri)
  }

  /// Fills the pool for the first time.
  func start() {
    isWorkspaceMounted = FileManager.default.fileExists(atPath: configuration.workspaceRoot)
    apply(pool.tick(now: MonotonicClock.now()))
    if let plan = configuration.injectedFaults { setFaults(plan) }
  }

  /// Executes the pool's actions, and sets a timer for the pool's next deadline.
  func apply(_ decided: [PoolAction]) {
    actions.append(contentsOf: decided)
    guard !isPerforming else { return }
    isPerforming = true
    var next = 0
    while next < actions.count {
      perform(actions[next])
      next += 1
    }
    actions.removeAll(keepingCapacity: true)
    isPerforming = false
    armTimer()
  }

  private func perform(_ action: PoolAction) {
    switch action {
    case .start(let id): scheduleStart(id)
    case .stop(let id): endTask(id)
    case .assign(let id, let request, let source): assign(id, to: request, source)
    case .ready(let id, let request): confirm(id, request)
    case .miss(let request): finish(request) { .missed }
    case .fail(let request, let failure): fail(request, failure)
    case .lost(_, let request, let failure): finish(request) { .lost(failure) }
    }
  }

  private func armTimer() {
    guard let due = pool.dueAt else { return }
    if let timer {
      guard due < timer.due else { return }
      timer.scheduled.cancel()
    }
    let scheduled = loop.assumeIsolated().scheduleTask(deadline: NIODeadline(due)) { [weak self] in
      guard let self else { return }
      timer = nil
      apply(pool.tick(now: MonotonicClock.now()))
    }
    timer = (due, scheduled)
  }

  /// Shuts down: no more timers, every client is informed, all tasks begin to stop.
  func shutDown() {
    endFaults()
    apply(pool.shutDown())
    product?.stop()
    timer?.scheduled.cancel()
    timer = nil
  }

  /// Ends a request and reports the outcome to its owner; no effect on a request that has ended already.
  func finish(_ request: RequestID, _ outcome: () -> PendingAcquire.Outcome) {
    guard let acquire = pendingAcquires.removeValue(forKey: request) else { return }
    acquire.report(acquire, outcome())
  }

  func taskARN(_ id: TaskID) -> String { ledger.service.taskARN(id: id) }

  func log(_ event: @autoclosure () -> LifecycleEvent) { log(event) }

  /// Writes the event that `make` returns; without a sink `make` is not called.
  func log(_ make: () -> LifecycleEvent) {
    guard let sink = configuration.lifecycleSink else { return }
    sink(make().text)
  }
}

/// Random ids in the form of ECS's ids.
enum RandomText {
  static func hex(digits count: Int) -> String { pick(count, of: Array("0123456789abcdef".utf8)) }

  static func digits(_ count: Int) -> String { pick(count, of: Array("123456789".utf8)) }

  private static func pick(_ count: Int, of alphabet: [UInt8]) -> String {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The users' side: requests for tasks, releases, and queries.
extension GatewayCore {
  /// Asks the pool for a task; `report` may be called before this returns.
  @discardableResult
  func acquire(
    userID: String, sessionID: String?, receivedAt: Instant, isSession: Bool = false,
    report: @escaping (PendingAcquire, PendingAcquire.Outcome) -> Void
  ) -> PendingAcquire {
    requestCount += 1
    let acquire = PendingAcquire(
      request: requestCount, userID: userID, sessionID: sessionID, receivedAt: receivedAt, isSession: isSession,
      report: report)
    pendingAcquires[acquire.request] = acquire
    if configuration.plantedBug == .doubleAssignment, sharesTask(with: acquire) { return acquire }
    let deadline = receivedAt + configuration.coldStartTimeout
    apply(pool.acquire(acquire.request, deadline: deadline, now: MonotonicClock.now()))
    return acquire
  }

  /// Handles a client's disconnection: its wait ends, and its assigned task is released.
  func abandon(_ acquire: PendingAcquire) {
    pendingAcquires[acquire.request] = nil
    apply(pool.cancel(acquire.request))
    // A task with an id of its own choice may have come back meanwhile, assigned to another request.
    if configuration.plantedBug == .leakOnDisconnect { return }
    if let id = acquire.taskID, pool.isAssigned(id, to: acquire.request) { release(id) }
  }

  /// Releases a task; false if it is not assigned.
  @discardableResult
  func release(_ id: TaskID) -> Bool {
    guard let actions = pool.release(id, now: MonotonicClock.now()) else { return false }
    apply(actions)
    return true
  }

  func assign(_ id: TaskID, to request: RequestID, _ source: AssignmentSource) {
    // Either side may be gone by now. The pool knows about a closed socket already, but not yet about a user who has
    // left.
    guard let socket = records[id]?.socket else { return }
    guard let acquire = pendingAcquires[request] else {
      release(id)
      return
    }
    let now = MonotonicClock.now()
    acquire.taskID = id
    acquire.source = source
    acquire.assignedAt = now
    records[id]?.userID = acquire.userID
    records[id]?.assignedAt = WallClock.now()
    records[id]?.initSentAt = now
    lastAssigned = id
    assignmentCount += 1
    socket.send(initMessage(for: acquire))
    acquire.report(acquire, .assigned)
    log(event(.sessionCreate, acquire, since: acquire.receivedAt))
    strikeAssigned(id)
  }

  func confirm(_ id: TaskID, _ request: RequestID) {
    guard let acquire = pendingAcquires[request] else { return }
    if !acquire.isSession { pendingAcquires[request] = nil }
    let breakdown = records[id]?.breakdown ?? InitBreakdown()
    acquire.report(acquire, .ready(breakdown))
    log {
      var ready = event(.taskReady, acquire, since: records[id]?.initSentAt ?? acquire.receivedAt)
      ready.breakdown = breakdown
      return ready
    }
    logRestart(acquire, success: true)
  }

  func fail(_ request: RequestID, _ failure: PoolFailure) {
    if configuration.plantedBug == .swallowedStartFailure, failure.code == .taskStartFailed { return }
    if let acquire = pendingAcquires[request] { logRestart(acquire, success: false) }
    finish(request) { .failed(failure) }
  }

  private func logRestart(_ acquire: PendingAcquire, success: Bool) {
    log {
      var restart = event(.taskRestart, acquire, since: acquire.receivedAt)
      restart.success = success
      return restart
    }
  }

  private func event(_ phase: LifecycleEvent.Phase, _ acquire: PendingAcquire, since start: Instant) -> LifecycleEvent {
    var event = LifecycleEvent(phase, duration: MonotonicClock.now() - start)
    event.userID = acquire.userID
    event.sessionID = acquire.sessionID
    event.taskARN = acquire.taskID.map(taskARN)
    return event
  }

  private func initMessage(for acquire: PendingAcquire) -> JSONObject {
    var message = JSONObject()
    switch configuration.dialect {
    case .plan:
      message.add("type", "init_user")
      message.add("userId", acquire.userID)
      message.add("workspaceDir", "\(environmentDirectory)\(environmentSuffix(acquire))/\(acquire.userID)")
      message.add("token", userToken)
    case .lab:
      message.add("type", "init_user_session")
      message.add("userId", acquire.userID)
      message.add("sessionId", acquire.sessionID)
      message.add("env", configuration.environment + environmentSuffix(acquire))
    }
    addUserID(acquire, to: &message)
    return message
  }

  /// Adds the user's uid. Without one, where all are taken, the task refuses its user.
  private func addUserID(_ acquire: PendingAcquire, to message: inout JSONObject) {
    guard userIDs != nil else { return }
    let directory = "\(environmentDirectory)\(environmentSuffix(acquire))"
    let root = configuration.workspaceRoot
    let uid = userIDs?.id(
      of: acquire.userID, owner: UserIDs.owner(of: "\(directory)/\(acquire.userID)"),
      owned: { UserIDs.owners(below: root) })
    if let uid { message.add("uid", Int(uid)) }
  }

  /// The directory above the users' directories.
  private var environmentDirectory: String { "\(configuration.workspaceRoot)/\(configuration.environment)" }

  func status() -> StatusAnswer {
    let tasks = records.values.sorted { ($0.requestedAt, $0.id) < ($1.requestedAt, $1.id) }.compactMap { record in
      pool.stateName(of: record.id).map { state in
        TaskEntry(
          taskId: record.id, state: state, userId: record.userID,
          connectedAt: record.connectedAt.map(WallClock.iso8601), assignedAt: record.assignedAt.map(WallClock.iso8601))
      }
    }
    return StatusAnswer(
      warmCount: pool.warmCount, assignedCount: pool.assignedCount, tasks: tasks,
      efsMounted: isWorkspaceMounted,
      limits: .init(targetSize: pool.rules.targetSize, maxSize: pool.rules.maxSize, maxTasks: pool.rules.maxTasks),
      assignments: assignmentCount)
  }

  /// The users with a directory in the workspace, at most 10,000. Another thread lists them, because all clients share
  /// the loop.
  func users() -> EventLoopFuture<UsersAnswer> {
    NIOThreadPool.singleton.runIfActive(eventLoop: loop) { [environmentDirectory] in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: environmentDirectory)) ?? []
      return UsersAnswer(users: Array(names.filter { UserID.isValid($0) }.sorted().prefix(10_000)))
    }
  }
}

/// One user's request for a task, from its arrival until the task has confirmed, or for a session until its end.
final class PendingAcquire {
  /// The outcome that is reported to the requester.
  enum Outcome {
    /// The task belongs to the user, and its `init_user` is on the way.
    case assigned
    /// The task has confirmed.
    case ready(InitBreakdown)
    /// A miss: there was no warm task, and the request does not wait for one.
    case missed
    /// The request failed and gets no task.
    case failed(PoolFailure)
    /// The task had confirmed, and is gone.
    case lost(PoolFailure)
  }

  let request: RequestID
  let userID: String
  let sessionID: String?
  let receivedAt: Instant
  /// Whether outcomes after `ready` are reported, which only a session needs.
  let isSession: Bool
  let report: (PendingAcquire, Outcome) -> Void

  /// The task's id, from the assignment on.
  var taskID: TaskID?
  /// When the task was assigned.
  var assignedAt: Instant?
  var source = AssignmentSource.warm

  init(
    request: RequestID, userID: String, sessionID: String?, receivedAt: Instant, isSession: Bool,
    report: @escaping (PendingAcquire, Outcome) -> Void
  ) {
    self.request = request
    self.userID = userID
    self.sessionID = sessionID
    self.receivedAt = receivedAt
    self.isSession = isSession
    self.report = report
  }
}
