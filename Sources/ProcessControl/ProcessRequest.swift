/// What to start, and with which standard streams.
public struct ProcessRequest: Sendable {
  /// Where one of the child's three standard streams leads.
  public enum Stream: Sendable {
    /// The same as this process' own.
    case inherit
    /// `/dev/null`.
    case null
    /// A new pipe, whose other end is on the ``ChildProcess``.
    case pipe
    /// A descriptor of the caller's, who keeps it; it need not survive the spawn.
    case descriptor(OwnedDescriptor)
  }

  /// A path, or a name that is looked up in this process' `PATH`. A relative path is resolved in `workingDirectory`.
  public var executable: String
  /// Without the program's own name, which is `executable`.
  public var arguments: [String]
  /// The whole environment; nil inherits this process' own.
  public var environment: [String: String]?
  /// nil inherits.
  public var workingDirectory: String?
  /// What the child reads.
  public var standardInput: Stream
  /// Where the child writes.
  public var standardOutput: Stream
  /// Where the child complains.
  public var standardError: Stream
  /// Whether the child has a pipe as its descriptor 3, on which it tells us things that are for no reader of its output. Our end
  /// is ``ChildProcess/reports``; it is also a lifeline: the child sees when nobody holds it any more.
  public var reports = false
  /// SIGKILL for the child as soon as this process ends, however it ends. Together with ``endsGroupWithLeader`` for the child's
  /// whole process group; else not for the child's own children.
  public var diesWithParent: Bool
  /// When the child ends, what is left in its process group is killed.
  public var endsGroupWithLeader: Bool
  /// Signals that the child ignores from its first moment on; all others have their default action, whatever this process
  /// does with them.
  public var ignoredSignals: Set<Int32> = []

  /// Makes a request; the streams are inherited unless said otherwise.
  public init(
    executable: String, arguments: [String] = [], environment: [String: String]? = nil,
    workingDirectory: String? = nil, standardInput: Stream = .inherit, standardOutput: Stream = .inherit,
    standardError: Stream = .inherit, diesWithParent: Bool = false, endsGroupWithLeader: Bool = false
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.standardInput = standardInput
    self.standardOutput = standardOutput
    self.standardError = standardError
    self.diesWithParent = diesWithParent
    self.endsGroupWithLeader = endsGroupWithLeader
  }
}

/// How a process ended.
public enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
  /// By itself, with this code (0–255).
  case exited(Int32)
  /// By this signal.
  case signaled(Int32)
  /// Somebody else reaped it, so nobody can say.
  case unknown

  /// For people.
  public var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .signaled(let number): "signal \(number)"
    case .unknown: "an unknown exit status"
    }
  }
}
