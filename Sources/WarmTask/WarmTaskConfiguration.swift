public import Latency
public import ProcessControl
public import Transport

/// The settings of a warm task, shared by all tasks of a pool.
public struct WarmTaskConfiguration: Sendable {
  /// The gateway; the task opens `{gateway}/internal/warm/{taskId}`, or another path of it.
  public let gateway: Endpoint
  /// The path of a task's WebSocket by the task's id, after the gateway's base path.
  public var path: @Sendable (_ taskId: String) -> String = { "/internal/warm/\($0)" }
  /// Header fields of the upgrade; may hold secrets.
  public var headers: [(String, String)] = []
  /// The TLS settings for `wss` gateways.
  public var tls: TLSClient?
  /// The addresses of the gateway's host; tasks connect to them in turn.
  public var addresses: HostAddresses
  /// The index of the address that all tasks try first; nil: each task takes the next address.
  public var turn: Int?
  /// The shared file system (`EFS_MOUNT_PATH`), which holds the users' directories. nil: no directory is created, and
  /// the user's program runs in the agent's working directory.
  public var workspaceRoot: String?
  /// The directory between the root and the user's (`ENVIRONMENT`), where the gateway does not name it.
  public var environmentName = "dev"
  /// The uids of users' programs, of which the gateway names one for each user; nil: the agent's own. Only root's agent
  /// can have any.
  public var userIDs: UserIDRange?
  /// The program that runs for a user.
  public var program: UserProgram
  /// The time between two heartbeats.
  public var heartbeatInterval: Nanoseconds = .seconds(15)
  /// The time-out from `init_user` to the program's first line; after it the gateway gets `init_failed`.
  public var initTimeout: Nanoseconds = .seconds(30)
  /// The time-out of opening the WebSocket.
  public var connectTimeout: Nanoseconds = .seconds(30)
  /// The time between SIGTERM and SIGKILL for a user's program.
  public var stopGrace: Nanoseconds = .seconds(2)
  /// The longest line of output, in bytes; a longer line is passed on in pieces of this length.
  public var maximumLineLength = 65_536
  /// The limits on the gateway's frames.
  public var limits = WebSocketLimits()

  /// Makes a configuration with the defaults.
  public init(gateway: Endpoint, program: UserProgram, workspaceRoot: String? = nil) {
    self.gateway = gateway
    addresses = HostAddresses(of: gateway)
    self.program = program
    self.workspaceRoot = workspaceRoot
  }
}

/// The program that runs for a user. It is ready with its first line of output, which is not passed on to the user.
public enum UserProgram: Sendable, Equatable {
  /// No process: an echo in memory that answers like `session-stand-in`, `startDelay` after its start. It makes
  /// thousands of tasks possible.
  case inline(startDelay: Nanoseconds = .zero)
  /// A program and its arguments; at least one word. It runs without a shell, whose start would be measured too.
  case command([String])

  /// The stand-in at `path`, ready after `startDelay` (in whole milliseconds).
  public static func standIn(path: String, startDelay: Nanoseconds = .zero) -> UserProgram {
    .command(startDelay == .zero ? [path] : [path, "--startup-delay", "\(startDelay / .milliseconds(1))ms"])
  }
}

/// An event in a task's life, for a benchmark that supplies the tasks itself.
public struct TaskEvent: Sendable, Equatable {
  /// The kind of event.
  public enum Kind: Sendable, Equatable {
    /// The WebSocket is open: the task is warm.
    case connected
    /// `init_user` or `init_user_session` has been read.
    case initReceived(userId: String)
    /// The user's directory exists; not reported where no directory is created.
    case workspaceReady
    /// The user's program was started; the instant is right before the fork. No pid for the inline program.
    case processStarted(pid: Int32?)
    /// The program's first line has been read.
    case firstLine
    /// The confirmation is written to the socket.
    case readySent
    /// The task's life is over, its process has ended and its socket is closed.
    case ended(TaskOutcome)
  }

  /// The task's id.
  public let taskId: String
  /// The kind of event.
  public let kind: Kind
  /// The event's instant by ``MonotonicClock``, taken on the event loop.
  public let at: Instant
}

/// Takes events on the task's event loop; it must not block.
public typealias TaskObserver = @Sendable (TaskEvent) -> Void

/// The outcome of a task's life.
public enum TaskOutcome: Sendable, Equatable {
  /// The gateway could not be reached, or refused the task.
  case notConnected(WebSocketError)
  /// The gateway closed the socket before it assigned a user.
  case retired
  /// The gateway closed the socket of an assigned task.
  case released
  /// The user's program ended by itself, after it was ready; the gateway has been told.
  case processEnded(ExitStatus)
  /// The user's session could not be set up; the gateway has been told why.
  case initFailed(String)
  /// The socket broke, or the gateway broke the protocol.
  case connectionLost(WebSocketError)
  /// The agent was cancelled.
  case stopped
}
