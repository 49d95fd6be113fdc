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
  /// Between two heartbeats, in nanoseconds.
  public var heartbeatInterval: UInt64 = 15_000_000_000
  /// From `init_user` to the program's first line, in nanoseconds; beyond it the gateway is told `init_failed`.
  public var initTimeout: UInt64 = 30_000_000_000
  /// Bound of opening the WebSocket, in nanoseconds.
  public var connectTimeout: UInt64 = 30_000_000_000
  /// Between SIGTERM and SIGKILL for a user's program, in nanoseconds.
  public var stopGrace: UInt64 = 2_000_000_000
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
  /// No process: an echo in memory that answers like `session-stand-in`, `startDelay` nanoseconds after its start. For
  /// thousands of tasks.
  case inline(startDelay: UInt64 = 0)
  /// A program and its arguments; at least one word. There is no shell between: its start would be measured too.
  case command([String])

  /// The stand-in at `path`, ready after `startDelay` nanoseconds (rounded to milliseconds).
  public static func standIn(path: String, startDelay: UInt64 = 0) -> UserProgram {
    .command(startDelay == 0 ? [path] : [path, "--startup-delay", "\(startDelay / 1_000_000)ms"])
  }
}
