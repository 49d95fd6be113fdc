public import AWS
public import Latency

/// Everything an embedded gateway can be told.
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
    public var idleTime: Nanoseconds = .seconds(75)

    /// The defaults.
    public init() {}
  }

  /// Address to listen on.
  public var host = "127.0.0.1"
  /// Port to listen on; 0 for a free one.
  public var port = 0
  /// How the pool is kept.
  public var rules = PoolRules(targetSize: 3)
  /// Stands for scheduling and pulling: from asking for a task until its start.
  public var taskStartDelay: Nanoseconds = .milliseconds(500)
  /// How long a request waits for a task, and a cold start may take in all.
  public var coldStartTimeout: Nanoseconds = .seconds(30)
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

/// What a gateway can be told to do wrong, so that the tools can be tested against it.
public enum AcquireFault: String, Sendable, CaseIterable {
  /// Answer 503.
  case unavailable = "503"
  /// Never answer.
  case mute
  /// Reset the connection.
  case reset
  /// Answer 200 with a body that is no JSON.
  case rubbish
  /// Announce a longer body than is sent, and close.
  case truncate
  /// Answer the lab dialect's miss although there may be tasks.
  case miss
  /// Hand out the last user's task a second time.
  case duplicate
}

/// Which acquires and which starts go wrong: a pure value, the same for the same seed.
public struct FaultPlan: Sendable, Equatable {
  /// What happens to an acquire that is hit.
  public var acquireFault: AcquireFault?
  /// Faults hit only the first `firstAcquires` acquires; `nil` for all.
  public var firstAcquires: Int?
  /// How probably an acquire is hit, 0–1.
  public var probability: Double = 1
  /// Makes the choice of acquires reproducible.
  public var seed: UInt64 = 0
  /// How many starts of tasks fail, from the first on; `Int.max` for all.
  public var failingStarts = 0
  /// Every acquire is answered later by this time.
  public var acquireDelay: Nanoseconds = .zero

  /// Nothing goes wrong.
  public init() {}

  /// What happens to the acquire with this index, counted from 0.
  public func fault(ofAcquire index: Int) -> AcquireFault? {
    guard let acquireFault, index < firstAcquires ?? .max else { return nil }
    return Self.fraction(seed: seed, index: UInt64(index)) < probability ? acquireFault : nil
  }

  /// Whether the start with this index, counted from 0, fails.
  public func failsStart(_ index: Int) -> Bool { index < failingStarts }

  /// A number in 0..<1 that looks random: the output function of SplitMix64 (Steele, Lea, Flood 2014).
  private static func fraction(seed: UInt64, index: UInt64) -> Double {
    var z = seed &+ (index &+ 1) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    return Double(z >> 11) * 0x1p-53
  }
}
