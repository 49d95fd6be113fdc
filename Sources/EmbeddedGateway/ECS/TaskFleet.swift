import NIOCore

/// The state behind the ECS-compatible endpoint: the tasks of one cluster, and the one service that keeps them.
///
/// The gateway's pool implements it. Every operation takes a snapshot or one step; none waits for a task to change its
/// state.
public protocol TaskFleet: Sendable {
  /// Every task in order of creation, including those that stopped within about an hour, as in ECS.
  func tasks() async -> [FleetTask]

  /// The service that keeps the pool.
  func service() async -> FleetService

  /// Sets a task's desired status to stopped and begins to stop it; no effect on a task that is already stopping or
  /// stopped.
  ///
  /// - Returns: the task after the step, `nil` where the fleet has no task of this id.
  func stopTask(id: String, reason: String) async -> FleetTask?

  /// Starts up to `count` (1–10) tasks.
  ///
  /// - Parameters:
  ///   - startedBy: the caller's mark, empty without one.
  ///   - group: `family:<name>` unless the caller chose one.
  /// - Returns: the tasks that found room, in their first state.
  func runTasks(count: Int, startedBy: String, group: String) async -> [FleetTask]

  /// Sets the number of tasks that the service keeps (0 and up).
  ///
  /// - Returns: the service; `nil` where there is no room for `count` tasks, and then nothing has changed.
  func setDesiredCount(_ count: Int) async -> FleetService?
}

/// One task as ECS describes it.
public struct FleetTask: Sendable, Equatable {
  /// The states a task passes through, in this order.
  public enum Status: String, Sendable, CaseIterable {
    /// ECS is finding resources.
    case provisioning = "PROVISIONING"
    /// The task is placed; the image is being pulled and the container started.
    case pending = "PENDING"
    /// The container runs.
    case running = "RUNNING"
    /// The task was asked to end.
    case stopping = "STOPPING"
    /// The task has ended.
    case stopped = "STOPPED"
  }

  /// The status that ECS drives a task to.
  public enum DesiredStatus: String, Sendable {
    /// The task is to run. A new task has this value while ``FleetTask/lastStatus`` is still `PROVISIONING`.
    case running = "RUNNING"
    /// The task is to end.
    case stopped = "STOPPED"
  }

  /// The whole ARN, `arn:aws:ecs:<region>:<account>:task/<cluster>/<taskId>`.
  public var arn: String
  /// The ARN's last part.
  public var taskID: String
  /// The last known state.
  public var lastStatus: Status
  /// The status that ECS drives the task to.
  public var desiredStatus: DesiredStatus
  /// `service:<name>` for a task of the service, else the group of the RunTask call.
  public var group: String
  /// `ecs-svc/<deployment id>` for a task of the service, else the mark of the RunTask call; empty without one.
  public var startedBy: String
  /// Entry into `PENDING`; `nil` before it. All instants of a task are seconds since 1970 with a fraction.
  public var createdAt: Double?
  /// When the pull of the image began.
  public var pullStartedAt: Double?
  /// When the pull of the image ended.
  public var pullStoppedAt: Double?
  /// When the task became `RUNNING`.
  public var startedAt: Double?
  /// When the task was asked to end.
  public var stoppingAt: Double?
  /// When the task had ended.
  public var stoppedAt: Double?
  /// Why the task ended, in words; empty while it runs.
  public var stoppedReason: String

  /// Makes a new task: `PROVISIONING`, desired status `RUNNING`, without instants.
  public init(arn: String, taskID: String, group: String, startedBy: String) {
    self.arn = arn
    self.taskID = taskID
    self.lastStatus = .provisioning
    self.desiredStatus = .running
    self.group = group
    self.startedBy = startedBy
    self.stoppedReason = ""
  }
}

/// The service that keeps the pool, as ECS describes it.
public struct FleetService: Sendable, Equatable {
  /// Name of the cluster.
  public var clusterName: String
  /// Name of the service.
  public var name: String
  /// Family of the task definition.
  public var family: String
  /// The region in the ARNs.
  public var region: String
  /// The account in the ARNs, twelve digits.
  public var accountID: String
  /// The ``FleetTask/startedBy`` of the service's tasks, `ecs-svc/<digits>`.
  public var deploymentID: String
  /// The number of tasks that the service keeps.
  public var desiredCount: Int
  /// The number of its tasks that are `RUNNING`.
  public var runningCount: Int
  /// The number of its tasks that are `PROVISIONING` or `PENDING`.
  public var pendingCount: Int
  /// The service's creation, in seconds since 1970.
  public var createdAt: Double

  /// Makes a service without tasks.
  public init(
    clusterName: String, name: String, family: String, region: String = "us-east-1",
    accountID: String = "000000000000", deploymentID: String, desiredCount: Int, createdAt: Double
  ) {
    self.clusterName = clusterName
    self.name = name
    self.family = family
    self.region = region
    self.accountID = accountID
    self.deploymentID = deploymentID
    self.desiredCount = desiredCount
    self.runningCount = 0
    self.pendingCount = 0
    self.createdAt = createdAt
  }

  /// ARN of the cluster.
  public var clusterARN: String { "arn:aws:ecs:\(region):\(accountID):cluster/\(clusterName)" }

  /// ARN of the service.
  public var arn: String { "arn:aws:ecs:\(region):\(accountID):service/\(clusterName)/\(name)" }

  /// ARN of a task of this cluster.
  public func taskARN(id: String) -> String { "arn:aws:ecs:\(region):\(accountID):task/\(clusterName)/\(id)" }
}

/// The pool in the form that the ECS-compatible endpoint needs.
struct PoolFleet: TaskFleet {
  private let core: NIOLoopBound<GatewayCore>
  private let loop: any EventLoop
  /// The service that is reported once the gateway has ended.
  private let emptyService: FleetService

  init(core: GatewayCore) {
    self.core = NIOLoopBound(core, eventLoop: core.loop)
    loop = core.loop
    emptyService = core.ledger.service
  }

  func tasks() async -> [FleetTask] {
    await onLoop { $0.fleetTasks() } ?? []
  }

  func service() async -> FleetService {
    await onLoop { $0.fleetService() } ?? emptyService
  }

  func stopTask(id: String, reason: String) async -> FleetTask? {
    await onLoop { $0.stopTask(id, reason: reason) } ?? nil
  }

  func runTasks(count: Int, startedBy: String, group: String) async -> [FleetTask] {
    await onLoop { $0.runTasks(count: count, mark: (startedBy, group)) } ?? []
  }

  func setDesiredCount(_ count: Int) async -> FleetService? {
    await onLoop { $0.setTarget(count) } ?? emptyService
  }

  private func onLoop<Value: Sendable>(_ body: @escaping @Sendable (GatewayCore) -> Value) async -> Value? {
    try? await loop.submit { [core] in body(core.value) }.get()
  }
}

/// The record of the gateway's own tasks in ECS's terms: statuses and instants, recently ended tasks included.
///
/// A pure value. Instants are seconds since 1970. The start delay represents the search for resources (its first half,
/// `PROVISIONING`) and the pull of the image (its second half, `PENDING`).
struct ECSTaskHistory {
  let service: FleetService
  /// The start delay, in seconds.
  let startDelay: Double
  /// The number of ended tasks that are kept.
  let stoppedTasksKept: Int

  private struct Entry {
    var task: FleetTask
    let requestedAt: Double
  }

  private var entries: [TaskID: Entry] = [:]
  /// The ids in order of creation.
  private var order = OrderedQueue<TaskID>()
  private var stopped = OrderedQueue<TaskID>()

  init(service: FleetService, startDelay: Double, stoppedTasksKept: Int = 1000) {
    self.service = service
    self.startDelay = startDelay
    self.stoppedTasksKept = stoppedTasksKept
  }

  /// Records the request for a task: with a `mark` by RunTask, else by the service.
  mutating func requested(_ id: TaskID, mark: (startedBy: String, group: String)? = nil, at now: Double) {
    let task = FleetTask(
      arn: service.taskARN(id: id), taskID: id, group: mark?.group ?? "service:\(service.name)",
      startedBy: mark?.startedBy ?? service.deploymentID)
    entries[id] = Entry(task: task, requestedAt: now)
    order.append(id)
  }

  mutating func running(_ id: TaskID, at now: Double) {
    guard var task = task(id, at: now), task.desiredStatus == .running else { return }
    task.lastStatus = .running
    task.createdAt = task.createdAt ?? now
    task.pullStartedAt = task.pullStartedAt ?? now
    task.pullStoppedAt = now
    task.startedAt = now
    entries[id]?.task = task
  }

  mutating func stopping(_ id: TaskID, reason: String, at now: Double) {
    guard var task = task(id, at: now), task.desiredStatus == .running else { return }
    task.lastStatus = .stopping
    task.desiredStatus = .stopped
    task.stoppingAt = now
    task.stoppedReason = reason
    entries[id]?.task = task
  }

  mutating func ended(_ id: TaskID, reason: String, at now: Double) {
    stopping(id, reason: reason, at: now)
    guard entries[id] != nil, !stopped.contains(id) else { return }
    entries[id]?.task.lastStatus = .stopped
    entries[id]?.task.stoppedAt = now
    stopped.append(id)
    while stopped.count > stoppedTasksKept, let oldest = stopped.removeFirst() {
      entries[oldest] = nil
      order.remove(oldest)
    }
  }

  /// All tasks as they are at `now`, in order of creation.
  func tasks(at now: Double) -> [FleetTask] { order.elements.compactMap { task($0, at: now) } }

  /// One task as it is at `now`.
  func task(_ id: TaskID, at now: Double) -> FleetTask? {
    guard let entry = entries[id] else { return nil }
    var task = entry.task
    let placedAt = entry.requestedAt + startDelay / 2
    if task.lastStatus == .provisioning, now >= placedAt {
      task.lastStatus = .pending
      task.createdAt = placedAt
      task.pullStartedAt = placedAt
    }
    return task
  }

  /// The service with its counts at `now`.
  func service(desiredCount: Int, at now: Double) -> FleetService {
    var service = self.service
    service.desiredCount = desiredCount
    for task in tasks(at: now) where task.startedBy == service.deploymentID {
      switch task.lastStatus {
      case .running: service.runningCount += 1
      case .provisioning, .pending: service.pendingCount += 1
      case .stopping, .stopped: break
      }
    }
    return service
  }
}
