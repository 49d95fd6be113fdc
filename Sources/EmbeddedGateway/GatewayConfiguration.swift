public import AWS

/// Everything an embedded gateway can be told. Times are in nanoseconds.
public struct GatewayConfiguration: Sendable {
  /// The words used towards tasks; answers to clients carry the fields of both.
  public enum Dialect: String, Sendable, CaseIterable {
    /// `init_user` with the directory and a token.
    case plan
    /// `init_user_session` with the session and the environment's name.
    case lab
  }

  /// What a client may send before it is refused.
  public struct Limits: Sendable {
    /// Open connections; further ones are closed at once.
    public var connections = 10_000
    /// Bytes of all header fields of a request.
    public var headerBytes = 32 * 1024
    /// Bytes of a request's body.
    public var bodyBytes = 64 * 1024
    /// Bytes of a user's WebSocket message, its fragments together.
    public var messageBytes = 64 * 1024
    /// The same for a task: a line of 64 KiB in JSON, where a byte may take six (`\u0000`), and what is around it.
    public var taskMessageBytes = 6 * 64 * 1024 + 1024
    /// Bytes a user may send before the session is ready.
    public var earlyInputBytes = 64 * 1024
    /// How long an HTTP connection may be silent outside a request's handling.
    public var idleTime: UInt64 = 75_000_000_000

    /// The defaults.
    public init() {}
  }

  /// Address to listen on.
  public var host = "127.0.0.1"
  /// Port to listen on; 0 for a free one.
  public var port = 0
  /// How the pool is kept.
  public var rules = PoolRules(targetSize: 3)
  /// Stands for scheduling and pulling: from asking for a task until its start, in ns.
  public var taskStartDelay: UInt64 = 500_000_000
  /// How long a request waits for a task, and a cold start may take in all, in ns.
  public var coldStartTimeout: UInt64 = 30_000_000_000
  /// How tasks are spoken to.
  public var dialect = Dialect.plan
  /// Users are served as by the product's session gateway; `nil`: by acquire, release and `/session/{userId}`.
  public var product: ProductProfile?
  /// The shared directory, above the environments.
  public var workspaceRoot: String
  /// Name of the environment: the directory above the users'.
  public var environment = "dev"
  /// The one key pair the ECS-compatible endpoint accepts.
  public var ecsCredentials = AWSCredentials.generated()
  /// What goes wrong on purpose.
  public var faults = FaultPlan()
  /// Bounds on what clients may send.
  public var limits = Limits()
  /// Called with every lifecycle event, one JSON object without its line end, on the event loop; it must not block for long.
  public var lifecycleSink: (@Sendable (String) -> Void)?

  /// - Parameter workspaceRoot: an existing directory.
  public init(workspaceRoot: String) {
    self.workspaceRoot = workspaceRoot
  }
}
