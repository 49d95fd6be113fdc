public import Latency
public import ProcessControl
public import Transport

/// How a warm task behaves; the same for every task of a pool.
public struct WarmTaskConfiguration: Sendable {
  /// The gateway; the task opens `{gateway}/internal/warm/{taskId}`, or another path of it.
  public let gateway: Endpoint
  /// The path of the task with this id, behind the gateway's own.
  public var path: @Sendable (_ taskId: String) -> String = { "/internal/warm/\($0)" }
  /// Sent with the upgrade; may hold secrets.
  public var headers: [(String, String)] = []
  /// For `wss` gateways.
  public var tls: TLSClient?
  /// Those of the gateway's host: tasks connect to them in turn.
  public var addresses: HostAddresses
  /// Of the rotation through the addresses, for all tasks; nil: each has a turn of its own.
  public var turn: Int?
  /// The shared file system (`EFS_MOUNT_PATH`), below which every user's directory lies. nil: no directory is made, and
  /// the user's program runs where the agent runs.
  public var workspaceRoot: String?
  /// The directory between the root and the user's (`ENVIRONMENT`), where the gateway doesn't say it.
  public var environmentName = "dev"
  /// What a user gets.
  public var program: UserProgram
  /// Between two heartbeats.
  public var heartbeatInterval: Nanoseconds = .seconds(15)
  /// From `init_user` to the program's first line; beyond it the gateway is told `init_failed`.
  public var initTimeout: Nanoseconds = .seconds(30)
  /// Bound of opening the WebSocket.
  public var connectTimeout: Nanoseconds = .seconds(30)
  /// Between SIGTERM and SIGKILL for a user's program.
  public var stopGrace: Nanoseconds = .seconds(2)
  /// In bytes; a longer line of the program's output is passed on in pieces of this length.
  public var maximumLineLength = 65_536
  /// Bounds of the gateway's frames.
  public var limits = WebSocketLimits()

  /// Makes a configuration with the defaults.
  public init(gateway: Endpoint, program: UserProgram, workspaceRoot: String? = nil) {
    self.gateway = gateway
    addresses = HostAddresses(of: gateway)
    self.program = program
    self.workspaceRoot = workspaceRoot
  }
}

/// What runs for a user. A program is ready with its first line of output, which is not passed on to the user.
public enum UserProgram: Sendable, Equatable {
  /// No process: an echo in memory that answers like `session-stand-in`, `startDelay` after its start. For
  /// thousands of tasks.
  case inline(startDelay: Nanoseconds = .zero)
  /// A program and its arguments; at least one word. There is no shell between: its start would be measured too.
  case command([String])

  /// The stand-in at `path`, ready after `startDelay` (in whole milliseconds).
  public static func standIn(path: String, startDelay: Nanoseconds = .zero) -> UserProgram {
    .command(startDelay == .zero ? [path] : [path, "--startup-delay", "\(startDelay / .milliseconds(1))ms"])
  }
}

/// Something that happened inside a task, for a benchmark that supplies the tasks itself.
public struct TaskEvent: Sendable, Equatable {
  /// What happened.
  public enum Kind: Sendable, Equatable {
    /// The WebSocket is open: the task is warm.
    case connected
    /// `init_user` or `init_user_session` has been read.
    case initReceived(userId: String)
    /// The user's directory is there; not reported where none is made.
    case workspaceReady
    /// The user's program was started; the instant is right before the fork. No pid for the inline program.
    case processStarted(pid: Int32?)
    /// The program's first line has been read.
    case firstLine
    /// The confirmation goes to the socket.
    case readySent
    /// The task's life is over, its process gone and its socket closed.
    case ended(TaskOutcome)
  }

  /// The task.
  public let taskId: String
  /// What happened.
  public let kind: Kind
  /// When, by ``MonotonicClock``; taken on the event loop.
  public let at: Instant
}

/// Called on the task's event loop: it must not block.
public typealias TaskObserver = @Sendable (TaskEvent) -> Void

/// How a task's life ended.
public enum TaskOutcome: Sendable, Equatable {
  /// The gateway could not be reached, or refused.
  case notConnected(WebSocketError)
  /// The gateway closed the socket before it assigned a user.
  case retired
  /// The gateway closed the socket of an assigned task.
  case released
  /// The user's program ended by itself, after it was ready; the gateway has been told.
  case processEnded(ExitStatus)
  /// There is no session for the user; the gateway has been told why.
  case initFailed(String)
  /// The socket broke, or the gateway broke the protocol.
  case connectionLost(WebSocketError)
  /// The agent was cancelled.
  case stopped
}
