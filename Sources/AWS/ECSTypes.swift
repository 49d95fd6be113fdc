/// A task as `DescribeTasks` shows it. Instants are seconds since 1970 by AWS's clock, with a fraction.
public struct ECSTask: Sendable, Equatable, Decodable {
  /// The status that ECS drives a task to. `ListTasks` filters by it, not by the task's actual status.
  public enum DesiredStatus: String, Sendable, Encodable {
    /// The task is to run. A new task has this value while ``ECSTask/lastStatus`` is still `PROVISIONING` or `PENDING`.
    case running = "RUNNING"
    /// The task is to end.
    case stopped = "STOPPED"
  }

  /// The whole ARN.
  public var taskArn: String
  /// `PROVISIONING`, `PENDING`, `ACTIVATING`, `RUNNING`, `DEACTIVATING`, `STOPPING`, `DEPROVISIONING`, `STOPPED`.
  public var lastStatus: String
  /// `RUNNING` or `STOPPED`.
  public var desiredStatus: String?
  /// `service:<name>` for a service's task. This field and the next two are empty where the answer's value is
  /// unreadable, so that the task matches no filter.
  public var group: String?
  /// The task definition, `…:task-definition/<family>:<revision>`.
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
  /// The number of tasks that ECS keeps running.
  public var desiredCount: Int
  /// The number of tasks that are `RUNNING`.
  public var runningCount: Int?
  /// The number of tasks that are still starting.
  public var pendingCount: Int?
  /// The roll-outs.
  public var deployments: [Deployment]?
}

/// A requested item that ECS did not find or could not place.
public struct ECSFailure: Sendable, Equatable, Decodable {
  /// The ARN of the item.
  public var arn: String?
  /// `MISSING`, `RESOURCE:MEMORY`, …
  public var reason: String?
  /// Details in words.
  public var detail: String?
}

/// A filter of a task list; a task must match every field that is set.
public struct TaskFilter: Sendable, Equatable {
  /// Name or ARN; `nil` means the cluster `default`.
  public var cluster: String?
  /// Tasks of one service, by name.
  public var serviceName: String?
  /// Tasks of one task definition's family.
  public var family: String?
  /// Tasks started with this `startedBy` mark; ECS allows no other filter beside it.
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
  /// Whether a listed task matches the filter, as far as its description tells. The check is needed because not every
  /// server of this protocol filters its lists.
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

/// An answer and its calls: one call, or several where the operation is paged or batched.
public struct ECSAnswer<Value: Sendable>: Sendable {
  /// The answer.
  public var value: Value
  /// The calls in order; empty only for an empty request.
  public var calls: [CallRecord]
  /// The items that ECS did not find or could not place.
  public var failures: [ECSFailure]
}

// ECS's answers are read leniently; the extension of `KeyedDecodingContainer` below gives the reason.
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

  /// Reads the fields that are texts; the others count as absent.
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

  /// Reads the fields that are texts; the others count as absent.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    arn = fields.readable(.arn)
    reason = fields.readable(.reason)
    detail = fields.readable(.detail)
  }
}

// ECS's answers are read field by field. A field that a caller needs must have its type; any other field of a wrong
// type counts as absent. Servers of this protocol differ in such fields, and one wrong field must not make the answer
// unreadable.
extension KeyedDecodingContainer {
  /// The value of an optional field; nil where it is absent or has another type than expected.
  func readable<T: Decodable>(_ key: Key, as type: T.Type = T.self) -> T? {
    (try? decodeIfPresent(type, forKey: key)) ?? nil
  }

  /// A text that identifies an owner. An id of a wrong type becomes the empty text, which equals no known id.
  func identity(_ key: Key) -> String? {
    if let text = readable(key, as: String.self) { return text }
    return contains(key) && (try? decodeNil(forKey: key)) != true ? "" : nil
  }

  /// An optional list, without the elements that cannot be read.
  func readableList<T: Decodable>(_ key: Key) -> [T]? {
    readable(key, as: [Readable<T>].self)?.compactMap(\.value)
  }
}

/// A value, or nil where it has another type.
private struct Readable<Value: Decodable>: Decodable {
  var value: Value?

  init(from decoder: any Decoder) { value = try? Value(from: decoder) }
}
