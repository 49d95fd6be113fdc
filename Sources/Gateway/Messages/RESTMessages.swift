/// `POST /api/acquire`.
public struct AcquireRequest: Codable, Sendable, Equatable {
  /// The user who asks: see ``UserID``.
  public var userId: String
  /// The caller's name for the session, if it has one.
  public var sessionId: String?
  /// `"ready"`: answer only when the task has confirmed. Gateways that don't know the field ignore it.
  public var waitFor: String?

  /// Makes a request; `waitFor` is nil or `"ready"`.
  public init(userId: String, sessionId: String? = nil, waitFor: String? = nil) {
    self.userId = userId
    self.sessionId = sessionId
    self.waitFor = waitFor
  }
}

/// The phases of a task's initialisation, in milliseconds; nil for a phase that was not observed.
public struct InitBreakdown: Codable, Sendable, Equatable {
  /// From sending `init_user` to the task's confirmation.
  public var initUserMs: Double?
  /// Creating and entering the user's directory.
  public var workspaceMs: Double?
  /// From starting the user's process to its first line.
  public var processStartMs: Double?

  enum CodingKeys: String, CodingKey {
    case initUserMs = "init_user_ms"
    case workspaceMs = "workspace_ms"
    case processStartMs = "process_start_ms"
  }

  /// Makes a breakdown of the observed phases.
  public init(initUserMs: Double? = nil, workspaceMs: Double? = nil, processStartMs: Double? = nil) {
    self.initUserMs = initUserMs
    self.workspaceMs = workspaceMs
    self.processStartMs = processStartMs
  }

  /// Reads the fields that are numbers; the others count as absent.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      initUserMs: fields.readable(.initUserMs), workspaceMs: fields.readable(.workspaceMs),
      processStartMs: fields.readable(.processStartMs))
  }
}

/// The answer to an acquire, in either dialect; fields of the other dialect are nil.
public struct AcquireAnswer: Codable, Sendable, Equatable {
  /// In the dialect with `taskId`; false means a miss or a refusal, even with status 200.
  public var success: Bool?
  /// The task's ARN; the task's id is its last part.
  public var taskArn: String?
  /// The task's id.
  public var taskId: String?
  /// The user the task was given to.
  public var userId: String?
  /// The session's name, if the caller gave one.
  public var sessionId: String?
  /// The gateway's own measurement, in milliseconds.
  public var latency: Double?
  /// `"warm"` or `"cold"`, where the gateway tells it.
  public var source: String?
  /// With `waitFor: "ready"` only.
  public var breakdown: InitBreakdown?
  /// The error message.
  public var error: String?
  /// The number of warm tasks, in a miss.
  public var warmCount: Int?
  /// A machine-readable reason beside `error`, such as `TASK_START_FAILED`.
  public var code: String?

  /// Makes an answer; every field is optional on the wire.
  public init(
    success: Bool? = nil, taskArn: String? = nil, taskId: String? = nil, userId: String? = nil,
    sessionId: String? = nil, latency: Double? = nil, source: String? = nil, breakdown: InitBreakdown? = nil,
    error: String? = nil, warmCount: Int? = nil, code: String? = nil
  ) {
    self.success = success
    self.taskArn = taskArn
    self.taskId = taskId
    self.userId = userId
    self.sessionId = sessionId
    self.latency = latency
    self.source = source
    self.breakdown = breakdown
    self.error = error
    self.warmCount = warmCount
    self.code = code
  }

  /// Reads the answer; `success`, where present, must have its type, because false means a miss or a refusal.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      success: try fields.decodeIfPresent(Bool.self, forKey: .success), taskArn: fields.name(.taskArn),
      taskId: fields.name(.taskId), userId: fields.readable(.userId), sessionId: fields.readable(.sessionId),
      latency: fields.readable(.latency), source: fields.readable(.source), breakdown: fields.readable(.breakdown),
      error: fields.readable(.error), warmCount: fields.readable(.warmCount),
      // A code of any type still names a failure.
      code: fields.name(.code) ?? fields.identity(.code))
  }

  /// The task's id in either dialect: `taskId`, else the last part of `taskArn`.
  public var task: String? {
    if let taskId, !taskId.isEmpty { return taskId }
    guard let path = taskArn?.utf8, let last = path.lastIndex(where: { $0 != slash }) else { return nil }
    let start = path[...last].lastIndex(of: slash).map(path.index(after:)) ?? path.startIndex
    return String(path[start...last])
  }
}

private let slash = UInt8(ascii: "/")

/// `POST /api/release`.
public struct ReleaseRequest: Codable, Sendable, Equatable {
  /// The assigned task to give back.
  public var taskId: String

  /// Makes a request.
  public init(taskId: String) { self.taskId = taskId }
}

/// The answer to a release, and to any request that was refused (`success` false and `error`).
public struct ReleaseAnswer: Codable, Sendable, Equatable {
  /// Whether the task was released.
  public var success: Bool
  /// The task's id.
  public var taskId: String?
  /// Why the release failed.
  public var error: String?

  /// Makes an answer.
  public init(success: Bool, taskId: String? = nil, error: String? = nil) {
    self.success = success
    self.taskId = taskId
    self.error = error
  }

  /// Reads the answer; `success` is needed.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      success: try fields.decode(Bool.self, forKey: .success), taskId: fields.readable(.taskId),
      error: fields.readable(.error))
  }
}

/// One task in `GET /api/status`.
public struct TaskEntry: Codable, Sendable, Equatable {
  /// The task's id.
  public var taskId: String
  /// `warming`, `warm` (in other gateways also `ready`) or `assigned`.
  public var state: String
  /// The user of an assigned task; empty where the user's id is not a text.
  public var userId: String?
  /// When the task's socket opened: ISO 8601 text.
  public var connectedAt: String?
  /// When the task was assigned: ISO 8601 text.
  public var assignedAt: String?

  /// Makes an entry.
  public init(
    taskId: String, state: String, userId: String? = nil, connectedAt: String? = nil, assignedAt: String? = nil
  ) {
    self.taskId = taskId
    self.state = state
    self.userId = userId
    self.connectedAt = connectedAt
    self.assignedAt = assignedAt
  }

  /// Reads the entry; `taskId` and `state` are needed.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    guard let taskId = fields.name(.taskId), !taskId.isEmpty else {
      throw DecodingError.dataCorruptedError(forKey: .taskId, in: fields, debugDescription: "a task has no name")
    }
    self.init(
      taskId: taskId, state: try fields.decode(String.self, forKey: .state),
      userId: fields.identity(.userId), connectedAt: fields.readable(.connectedAt),
      assignedAt: fields.readable(.assignedAt))
  }
}

/// `GET /api/status`.
public struct StatusAnswer: Codable, Sendable, Equatable {
  /// Tasks that wait for a user.
  public var warmCount: Int
  /// Tasks that have a user.
  public var assignedCount: Int
  /// Every task that the gateway knows; absent in some gateways.
  public var tasks: [TaskEntry]?
  /// Whether the shared file system is mounted, where the gateway tells it.
  public var efsMounted: Bool?
  /// What the pool keeps to, where the gateway tells it.
  public var limits: PoolLimits?
  /// How many tasks the gateway has given to users since its start, where it tells it.
  public var assignments: Int?

  /// The sizes that a pool keeps to.
  public struct PoolLimits: Codable, Sendable, Equatable {
    /// Warm tasks that the pool is refilled to.
    public var targetSize: Int
    /// The most tasks that are warm or starting.
    public var maxSize: Int
    /// The most tasks in all, assigned ones too.
    public var maxTasks: Int

    /// Makes the limits of a pool.
    public init(targetSize: Int, maxSize: Int, maxTasks: Int) {
      self.targetSize = targetSize
      self.maxSize = maxSize
      self.maxTasks = maxTasks
    }
  }

  /// Makes an answer.
  public init(
    warmCount: Int, assignedCount: Int, tasks: [TaskEntry]? = nil, efsMounted: Bool? = nil, limits: PoolLimits? = nil,
    assignments: Int? = nil
  ) {
    self.warmCount = warmCount
    self.assignedCount = assignedCount
    self.tasks = tasks
    self.efsMounted = efsMounted
    self.limits = limits
    self.assignments = assignments
  }

  /// Reads the answer. `warmCount` is required, and so is `assignedCount` unless the tasks are listed, from which it is
  /// counted. A list with an unreadable task is refused, because a partial list would report that the missing tasks do
  /// not exist.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let isList = (try? fields.nestedUnkeyedContainer(forKey: .tasks)) != nil
    let tasks = isList ? try fields.decode([TaskEntry].self, forKey: .tasks) : nil
    let assigned = tasks.map { tasks in
      fields.readable(.assignedCount, as: Int.self) ?? tasks.count { $0.state == "assigned" }
    }
    self.init(
      warmCount: try fields.decode(Int.self, forKey: .warmCount),
      assignedCount: try assigned ?? fields.decode(Int.self, forKey: .assignedCount), tasks: tasks,
      efsMounted: fields.readable(.efsMounted), limits: fields.readable(.limits),
      assignments: fields.readable(.assignments))
  }
}

/// `GET /api/users`.
public struct UsersAnswer: Codable, Sendable, Equatable {
  /// Users with a directory in the workspace.
  public var users: [String]
  /// The number of users.
  public var count: Int

  /// Makes an answer over `users`.
  public init(users: [String]) {
    self.users = users
    self.count = users.count
  }
}

/// `GET /health`.
public struct HealthAnswer: Codable, Sendable, Equatable {
  /// `"ok"`.
  public var status: String
  /// Tasks that wait for a user.
  public var warmCount: Int
  /// Tasks that have a user.
  public var assignedCount: Int

  /// Makes an answer.
  public init(status: String, warmCount: Int, assignedCount: Int) {
    self.status = status
    self.warmCount = warmCount
    self.assignedCount = assignedCount
  }
}

/// The rule for user ids: 1–128 of `[A-Za-z0-9._-]`, not starting with a dot. The tools and the gateway check it.
public enum UserID {
  /// The longest user id, in characters.
  public static let maximumLength = 128

  /// Whether `text` is a valid user id.
  public static func isValid(_ text: some StringProtocol) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, first != UInt8(ascii: "."), bytes.count <= maximumLength else { return false }
    return bytes.allSatisfy(isAllowed)
  }

  /// The rule in words, for error messages.
  public static let rule = "1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', not starting with a dot"

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}

// Gateways' answers are read field by field. A field that a caller needs must have its type; any other field of a wrong
// type counts as absent. Gateways differ in such fields, and one wrong field must not make the answer unreadable.
extension KeyedDecodingContainer {
  /// The value of an optional field; nil where it is absent or has another type than expected.
  func readable<T: Decodable>(_ key: Key, as type: T.Type = T.self) -> T? {
    (try? decodeIfPresent(type, forKey: key)) ?? nil
  }

  /// A name: a text, or the digits of a whole number; nil for any other value.
  func name(_ key: Key) -> String? {
    readable(key, as: String.self) ?? readable(key, as: Int64.self).map { String($0) }
  }

  /// A text that identifies an owner. An id of a wrong type becomes the empty text, which equals no known id.
  func identity(_ key: Key) -> String? {
    if let text = readable(key, as: String.self) { return text }
    return contains(key) && (try? decodeNil(forKey: key)) != true ? "" : nil
  }
}
