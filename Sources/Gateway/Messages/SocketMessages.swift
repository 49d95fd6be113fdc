/// A text frame from the gateway to a task on `/internal/warm/{taskId}`.
public struct GatewayToTask: Codable, Sendable, Equatable {
  /// `init_user`, or `init_user_session` in the other dialect; `user_input` passes on one line of the user.
  public var type: String
  /// The user who gets the task.
  public var userId: String?
  /// With `init_user`: the directory that the task creates and enters.
  public var workspaceDir: String?
  /// With `init_user`: the token that the task writes to `.optima/token.json`.
  public var token: String?
  /// With `init_user_session`: the session's id.
  public var sessionId: String?
  /// With `init_user_session`: the environment's name, which is the directory above the user's.
  public var env: String?
  /// The uid under which the user's program is to run; nil: the task's own.
  public var uid: UInt32?
  /// With `user_input`: one line, without its end, for the user's process.
  public var line: String?

  /// Makes a message; fields that its type does not have stay nil.
  public init(
    type: String, userId: String? = nil, workspaceDir: String? = nil, token: String? = nil, sessionId: String? = nil,
    env: String? = nil, uid: UInt32? = nil, line: String? = nil
  ) {
    self.type = type
    self.userId = userId
    self.workspaceDir = workspaceDir
    self.token = token
    self.sessionId = sessionId
    self.env = env
    self.uid = uid
    self.line = line
  }

  /// Reads the message. The fields that define a session (`type`, `userId`, `workspaceDir`, `token`, `uid`, `line`) must have
  /// their types where present, because a session without them would serve the wrong user or lack its token.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      type: try fields.decode(String.self, forKey: .type),
      userId: try fields.decodeIfPresent(String.self, forKey: .userId),
      workspaceDir: try fields.decodeIfPresent(String.self, forKey: .workspaceDir),
      token: try fields.decodeIfPresent(String.self, forKey: .token), sessionId: fields.readable(.sessionId),
      env: fields.readable(.env), uid: try fields.decodeIfPresent(UInt32.self, forKey: .uid),
      line: try fields.decodeIfPresent(String.self, forKey: .line))
  }
}

/// A text frame from a task to the gateway.
public struct TaskToGateway: Codable, Sendable, Equatable {
  /// `ready`, `user_session_ready` in the other dialect, `status`, `heartbeat`, `execute_result`, `init_failed`, or
  /// `user_output` (one line of the user's process).
  public var type: String
  /// The user whose session is ready.
  public var userId: String?
  /// With `status`: the task's status.
  public var status: String?
  /// With the confirmation: the task's own measurement of its phases.
  public var breakdown: InitBreakdown?
  /// With `init_failed`: the error message.
  public var error: String?
  /// With `user_output`: one line of the user's process, without its end.
  public var line: String?
  /// With `user_output`: whether the line exceeds a message and continues in the next one.
  public var goesOn: Bool?

  /// Makes a message; fields that its type does not have stay nil.
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

/// The gateway's own messages on the user's side, `/session/{userId}`; every other frame there is a line of the
/// process.
public struct SessionMessage: Codable, Sendable, Equatable {
  /// A failure as the user gets it.
  public struct Failure: Codable, Sendable, Equatable {
    /// The explanation for people.
    public var message: String
    /// A code for programs, such as `TASK_START_FAILED`.
    public var code: String

    /// Makes a failure.
    public init(message: String, code: String) {
      self.message = message
      self.code = code
    }

    /// Reads the fields that are texts; the others count as absent, so that no failure is unreadable.
    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      self.init(message: fields.readable(.message) ?? "no message", code: fields.readable(.code) ?? Self.unreadable)
    }

    /// The code of a failure without a readable code.
    static let unreadable = "UNKNOWN"
  }

  /// `session_ready` or `error`.
  public var type: String
  /// With `session_ready`: the task's id.
  public var taskId: String?
  /// With `session_ready`: the phases that the gateway measured.
  public var breakdown: SessionBreakdown?
  /// With `error`: the failure.
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

  /// Reads the message; `type` is required. A message of the type `error` always gets a failure, even where no field is
  /// readable.
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

/// The phases of a session's start as the gateway measured them, in milliseconds.
public struct SessionBreakdown: Codable, Sendable, Equatable {
  /// From the user's connection to the assignment of a task.
  public var acquireMs: Double?
  /// From sending `init_user` to the task's confirmation.
  public var initUserMs: Double?
  /// Part of ``initUserMs``: the user's directory.
  public var workspaceMs: Double?
  /// Part of ``initUserMs``: from the start of the user's process to its first line.
  public var processStartMs: Double?

  enum CodingKeys: String, CodingKey {
    case acquireMs = "acquire_ms"
    case initUserMs = "init_user_ms"
    case workspaceMs = "workspace_ms"
    case processStartMs = "process_start_ms"
  }

  /// Makes a breakdown of the measured phases.
  public init(
    acquireMs: Double? = nil, initUserMs: Double? = nil, workspaceMs: Double? = nil, processStartMs: Double? = nil
  ) {
    self.acquireMs = acquireMs
    self.initUserMs = initUserMs
    self.workspaceMs = workspaceMs
    self.processStartMs = processStartMs
  }

  /// Reads the fields that are numbers; the others count as absent.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      acquireMs: fields.readable(.acquireMs), initUserMs: fields.readable(.initUserMs),
      workspaceMs: fields.readable(.workspaceMs), processStartMs: fields.readable(.processStartMs))
  }
}
