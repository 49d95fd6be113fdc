/// What the ECS-compatible endpoint shows and changes: the tasks of one cluster, and the one service that keeps them.
///
/// The gateway's pool implements it. Every operation is a snapshot or one step; none waits for a task to change its state.
public protocol TaskFleet: Sendable {
  /// Every task in order of creation, those that stopped lately (ECS shows them for about an hour) included.
  func tasks() async -> [FleetTask]

  /// The service that keeps the pool.
  func service() async -> FleetService

  /// Sets a task's desired status to stopped and begins to stop it; a task already stopping or stopped stays as it is.
  ///
  /// - Returns: the task after the step, `nil` where there is none of this id.
  func stopTask(id: String, reason: String) async -> FleetTask?

  /// Starts up to `count` (1–10) tasks.
  ///
  /// - Parameters:
  ///   - startedBy: the caller's mark, empty where none was given.
  ///   - group: `family:<name>` unless the caller chose one.
  /// - Returns: the tasks there was room for, in their first state.
  func runTasks(count: Int, startedBy: String, group: String) async -> [FleetTask]

  /// Sets how many tasks the service keeps (0 and up).
  ///
  /// - Returns: the service, `nil` where there is no room for so many; then nothing has changed.
  func setDesiredCount(_ count: Int) async -> FleetService?
}

/// One task as ECS describes it.
public struct FleetTask: Sendable, Equatable {
  /// The states a task passes through, in this order.
  public enum Status: String, Sendable, CaseIterable {
    /// Resources are being found.
    case provisioning = "PROVISIONING"
    /// Placed; the image is being pulled and the container started.
    case pending = "PENDING"
    /// The container runs.
    case running = "RUNNING"
    /// Asked to end.
    case stopping = "STOPPING"
    /// Ended.
    case stopped = "STOPPED"
  }

  /// What ECS wants of a task.
  public enum DesiredStatus: String, Sendable {
    /// To run; so from the very start, while ``FleetTask/lastStatus`` is still `PROVISIONING`.
    case running = "RUNNING"
    /// To end.
    case stopped = "STOPPED"
  }

  /// The whole ARN, `arn:aws:ecs:<region>:<account>:task/<cluster>/<taskId>`.
  public var arn: String
  /// The ARN's last part.
  public var taskID: String
  /// The state last seen.
  public var lastStatus: Status
  /// What ECS wants.
  public var desiredStatus: DesiredStatus
  /// `service:<name>` for a task of the service, else what RunTask was given.
  public var group: String
  /// `ecs-svc/<deployment id>` for a task of the service, else what RunTask was given; empty for nothing.
  public var startedBy: String
  /// Entry into `PENDING`, like every instant here in seconds since 1970 with a fraction; `nil` before it.
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
  /// Why the task ended, for people; empty while it runs.
  public var stoppedReason: String

  /// A task that has just been asked for: `PROVISIONING`, wanted `RUNNING`, no instants yet.
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
  /// Region and account that ARNs are made of.
  public var region: String
  /// Twelve digits.
  public var accountID: String
  /// What ``FleetTask/startedBy`` of the service's tasks says, `ecs-svc/<digits>`.
  public var deploymentID: String
  /// How many tasks the service keeps.
  public var desiredCount: Int
  /// How many of its tasks are `RUNNING`.
  public var runningCount: Int
  /// How many of its tasks are `PROVISIONING` or `PENDING`.
  public var pendingCount: Int
  /// When the service was made, in seconds since 1970.
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
