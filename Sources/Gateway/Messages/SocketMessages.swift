/// A text frame from the gateway to a task on `/internal/warm/{taskId}`.
public struct GatewayToTask: Codable, Sendable, Equatable {
  /// `init_user`, or `init_user_session` of the other dialect; `user_input` bridges one line of the user.
  public var type: String
  /// The user the task now belongs to.
  public var userId: String?
  /// With `init_user`: the directory to make and enter.
  public var workspaceDir: String?
  /// With `init_user`: written to `.optima/token.json`.
  public var token: String?
  /// With `init_user_session`.
  public var sessionId: String?
  /// With `init_user_session`: the environment's name, the directory above the user's.
  public var env: String?
  /// One line, without its end, for the user's process (`user_input`).
  public var line: String?

  /// Makes a message; fields that its type doesn't have stay nil.
  public init(
    type: String, userId: String? = nil, workspaceDir: String? = nil, token: String? = nil, sessionId: String? = nil,
    env: String? = nil, line: String? = nil
  ) {
    self.type = type
    self.userId = userId
    self.workspaceDir = workspaceDir
    self.token = token
    self.sessionId = sessionId
    self.env = env
    self.line = line
  }

  /// Reads the message. What a session is made of (`type`, `userId`, `workspaceDir`, `token`, `line`) must be of its type
  /// where it is there: a user must not be served without it.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      type: try fields.decode(String.self, forKey: .type),
      userId: try fields.decodeIfPresent(String.self, forKey: .userId),
      workspaceDir: try fields.decodeIfPresent(String.self, forKey: .workspaceDir),
      token: try fields.decodeIfPresent(String.self, forKey: .token), sessionId: fields.readable(.sessionId),
      env: fields.readable(.env), line: try fields.decodeIfPresent(String.self, forKey: .line))
  }
}

/// A text frame from a task to the gateway.
public struct TaskToGateway: Codable, Sendable, Equatable {
  /// `ready`, `user_session_ready` of the other dialect, `status`, `heartbeat`, `execute_result`, `init_failed`, or
  /// `user_output` (one line of the user's process).
  public var type: String
  /// The user whose session is ready.
  public var userId: String?
  /// With `status`.
  public var status: String?
  /// With the confirmation: what the task measured of itself.
  public var breakdown: InitBreakdown?
  /// With `init_failed`: what went wrong.
  public var error: String?
  /// One line, without its end, of the user's process (`user_output`).
  public var line: String?
  /// With `user_output`: whether the line is longer than a message and continues in the next one.
  public var goesOn: Bool?

  /// Makes a message; fields that its type doesn't have stay nil.
  public init(
    type: String, userId: String? = nil, status: String? = nil, breakdown: InitBreakdown? = nil, error: String? = nil,
    line: String? = nil, goesOn: Bool? = nil
  ) {
    self.type = type
    self.userId = userId
    self.status = status
    self.breakdown = breakdown
    self.error = error
    self.line = line
    self.goesOn = goesOn
  }
}

/// What the gateway itself says on the user's side, `/session/{userId}`; every other frame there is a line of the process.
public struct SessionMessage: Codable, Sendable, Equatable {
  /// A failure as the user sees it.
  public struct Failure: Codable, Sendable, Equatable {
    /// For people.
    public var message: String
    /// For programs, such as `TASK_START_FAILED`.
    public var code: String

    /// Makes a failure.
    public init(message: String, code: String) {
      self.message = message
      self.code = code
    }

    /// Reads the fields that are texts; the others count as absent, so that every failure is read.
    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      self.init(message: fields.readable(.message) ?? "no message", code: fields.readable(.code) ?? Self.unreadable)
    }

    /// The code of a failure that names none.
    static let unreadable = "UNKNOWN"
  }

  /// `session_ready` or `error`.
  public var type: String
  /// With `session_ready`.
  public var taskId: String?
  /// With `session_ready`: the phases that the gateway saw.
  public var breakdown: SessionBreakdown?
  /// With `error`.
  public var error: Failure?
  /// `"warm"` or `"cold"`.
  public var source: String?

  /// Makes a message.
  public init(
    type: String, taskId: String? = nil, breakdown: SessionBreakdown? = nil, error: Failure? = nil,
    source: String? = nil
  ) {
    self.type = type
    self.taskId = taskId
    self.breakdown = breakdown
    self.error = error
    self.source = source
  }

  /// Reads the message; `type` is needed. An error always has a failure, however few of its fields can be read.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let type = try fields.decode(String.self, forKey: .type)
    let failure = fields.readable(.error, as: Failure.self)
    let unreadable = Failure(message: fields.readable(.error) ?? "no message", code: Failure.unreadable)
    self.init(
      type: type, taskId: fields.readable(.taskId), breakdown: fields.readable(.breakdown),
      error: failure ?? (type == "error" ? unreadable : nil),
      source: fields.readable(.source))
  }
}

/// The phases of a session's start as the gateway saw them, in milliseconds.
public struct SessionBreakdown: Codable, Sendable, Equatable {
  /// From the user's connection to the assignment of a task.
  public var acquireMs: Double?
  /// From sending `init_user` to the task's confirmation.
  public var initUserMs: Double?
  /// Part of the former: the user's directory.
  public var workspaceMs: Double?
  /// Part of the former: from the start of the user's process to its first line.
  public var processStartMs: Double?

  enum CodingKeys: String, CodingKey {
    case acquireMs = "acquire_ms"
    case initUserMs = "init_user_ms"
    case workspaceMs = "workspace_ms"
    case processStartMs = "process_start_ms"
  }

  /// Makes a breakdown of the phases that were seen.
  public init(
    acquireMs: Double? = nil, initUserMs: Double? = nil, workspaceMs: Double? = nil, processStartMs: Double? = nil
  ) {
    self.acquireMs = acquireMs
    self.initUserMs = initUserMs
    self.workspaceMs = workspaceMs
    self.processStartMs = processStartMs
  }

  /// Reads what is there as numbers.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      acquireMs: fields.readable(.acquireMs), initUserMs: fields.readable(.initUserMs),
      workspaceMs: fields.readable(.workspaceMs), processStartMs: fields.readable(.processStartMs))
  }
}
