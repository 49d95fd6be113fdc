/// A task as `DescribeTasks` shows it. Instants are seconds since 1970 by AWS's clock, with a fraction.
public struct ECSTask: Sendable, Equatable, Decodable {
  /// What ECS wants of a task. `ListTasks` filters by this, not by the state the task is in.
  public enum DesiredStatus: String, Sendable, Encodable {
    /// To run; so from the very start, while ``ECSTask/lastStatus`` is still `PROVISIONING` or `PENDING`.
    case running = "RUNNING"
    /// To end.
    case stopped = "STOPPED"
  }

  /// The whole ARN.
  public var taskArn: String
  /// `PROVISIONING`, `PENDING`, `ACTIVATING`, `RUNNING`, `DEACTIVATING`, `STOPPING`, `DEPROVISIONING`, `STOPPED`.
  public var lastStatus: String
  /// `RUNNING` or `STOPPED`.
  public var desiredStatus: String?
  /// `service:<name>` for a service's task; like the next two it is empty where it cannot be read, so that it matches no
  /// filter.
  public var group: String?
  /// What it was made of, `…:task-definition/<family>:<revision>`.
  public var taskDefinitionArn: String?
  /// `ecs-svc/<deployment id>` for a service's task.
  public var startedBy: String?
  /// Entry into `PENDING`.
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
  /// Why it ended.
  public var stoppedReason: String?

  /// The ARN's last part.
  public var taskID: String { taskArn.split(separator: "/").last.map(String.init) ?? taskArn }
  /// Whether it is `RUNNING` now.
  public var isRunning: Bool { lastStatus == "RUNNING" }
}

/// A service as `DescribeServices` shows it.
public struct ECSService: Sendable, Equatable, Decodable {
  /// One roll-out of the service.
  public struct Deployment: Sendable, Equatable, Decodable {
    /// `ecs-svc/<digits>`.
    public var id: String?
    /// `PRIMARY`, `ACTIVE`, `INACTIVE`.
    public var status: String?
  }

  /// The whole ARN.
  public var serviceArn: String?
  /// The name.
  public var serviceName: String?
  /// `ACTIVE`, `DRAINING`, `INACTIVE`.
  public var status: String?
  /// How many tasks ECS keeps.
  public var desiredCount: Int
  /// How many are `RUNNING`.
  public var runningCount: Int?
  /// How many are on their way to it.
  public var pendingCount: Int?
  /// The roll-outs.
  public var deployments: [Deployment]?
}

/// Something asked for that ECS did not find or could not place.
public struct ECSFailure: Sendable, Equatable, Decodable {
  /// What it is about.
  public var arn: String?
  /// `MISSING`, `RESOURCE:MEMORY`, …
  public var reason: String?
  /// More, for people.
  public var detail: String?
}

/// Which tasks to list: every filter that is set must match.
public struct TaskFilter: Sendable, Equatable {
  /// Name or ARN; `nil` means the cluster `default`.
  public var cluster: String?
  /// Tasks of one service, by name.
  public var serviceName: String?
  /// Tasks of one task definition's family.
  public var family: String?
  /// Tasks started with this mark; ECS allows no other filter beside it.
  public var startedBy: String?

  /// Makes a filter.
  public init(cluster: String? = nil, serviceName: String? = nil, family: String? = nil, startedBy: String? = nil) {
    self.cluster = cluster
    self.serviceName = serviceName
    self.family = family
    self.startedBy = startedBy
  }
}

extension TaskFilter {
  /// Whether a listed task is one of those that were asked for, as far as its description tells: not every server of this
  /// protocol filters its lists.
  public func admits(_ task: ECSTask) -> Bool {
    func last(_ text: String) -> Substring { text.split(separator: "/").last ?? "" }
    if let serviceName, let group = task.group, group != "service:\(last(serviceName))" { return false }
    if let startedBy, let mark = task.startedBy, mark != startedBy { return false }
    if let family, let definition = task.taskDefinitionArn {
      return last(definition).prefix { $0 != ":" } == family
    }
    return true
  }
}

/// An answer, and what it cost: one call, or several where the operation is paged or batched.
public struct ECSAnswer<Value: Sendable>: Sendable {
  /// The answer.
  public var value: Value
  /// The calls in order; never empty unless nothing was asked.
  public var calls: [CallRecord]
  /// Things ECS did not find or could not place.
  public var failures: [ECSFailure]
}

// ECS's answers are read leniently: see the extension of `KeyedDecodingContainer` below.
extension ECSTask {
  enum CodingKeys: CodingKey {
    case taskArn, lastStatus, desiredStatus, group, taskDefinitionArn, startedBy, createdAt, pullStartedAt,
      pullStoppedAt
    case startedAt, stoppingAt, stoppedAt, stoppedReason
  }

  /// Reads a task; `taskArn` and `lastStatus` are needed.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    taskArn = try fields.decode(String.self, forKey: .taskArn)
    lastStatus = try fields.decode(String.self, forKey: .lastStatus)
    desiredStatus = fields.readable(.desiredStatus)
    group = fields.identity(.group)
    taskDefinitionArn = fields.identity(.taskDefinitionArn)
    startedBy = fields.identity(.startedBy)
    createdAt = fields.readable(.createdAt)
    pullStartedAt = fields.readable(.pullStartedAt)
    pullStoppedAt = fields.readable(.pullStoppedAt)
    startedAt = fields.readable(.startedAt)
    stoppingAt = fields.readable(.stoppingAt)
    stoppedAt = fields.readable(.stoppedAt)
    stoppedReason = fields.readable(.stoppedReason)
  }
}

extension ECSService.Deployment {
  enum CodingKeys: CodingKey { case id, status }

  /// Reads what is there as text.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    id = fields.readable(.id)
    status = fields.readable(.status)
  }
}

extension ECSService {
  enum CodingKeys: CodingKey {
    case serviceArn, serviceName, status, desiredCount, runningCount, pendingCount, deployments
  }

  /// Reads a service; `desiredCount` is needed.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    serviceArn = fields.readable(.serviceArn)
    serviceName = fields.readable(.serviceName)
    status = fields.readable(.status)
    desiredCount = try fields.decode(Int.self, forKey: .desiredCount)
    runningCount = fields.readable(.runningCount)
    pendingCount = fields.readable(.pendingCount)
    deployments = fields.readableList(.deployments)
  }
}

extension ECSFailure {
  enum CodingKeys: CodingKey { case arn, reason, detail }

  /// Reads what is there as text.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    arn = fields.readable(.arn)
    reason = fields.readable(.reason)
    detail = fields.readable(.detail)
  }
}

// ECS's answers are read field by field. A field that a caller needs must have its type; any other field of a wrong type counts
// as absent. Servers of this protocol differ in such fields, and that must not cost the whole answer.
extension KeyedDecodingContainer {
  /// The value of a field that is not needed: nil where it is absent or of another type than expected.
  func readable<T: Decodable>(_ key: Key, as type: T.Type = T.self) -> T? {
    (try? decodeIfPresent(type, forKey: key)) ?? nil
  }

  /// A text that identifies an owner. An id of a wrong type becomes the empty text, which equals no known id.
  func identity(_ key: Key) -> String? {
    if let text = readable(key, as: String.self) { return text }
    return contains(key) && (try? decodeNil(forKey: key)) != true ? "" : nil
  }

  /// A list that is not needed; what in it cannot be read is left out.
  func readableList<T: Decodable>(_ key: Key) -> [T]? {
    readable(key, as: [Readable<T>].self)?.compactMap(\.value)
  }
}

/// A value, or nil where it is of another type.
private struct Readable<Value: Decodable>: Decodable {
  var value: Value?

  init(from decoder: any Decoder) { value = try? Value(from: decoder) }
}
