package import Faults
public import AWS
public import Latency
import Statistics
public import WarmTask

/// The settings of an embedded gateway.
public struct GatewayConfiguration: Sendable {
  /// The form of messages to tasks; answers to clients carry the fields of both dialects.
  public enum Dialect: String, Sendable, CaseIterable {
    /// `init_user` with the directory and a token.
    case plan
    /// `init_user_session` with the session and the environment's name.
    case lab
  }

  /// The limits on a client's input, beyond which it is refused.
  public struct Limits: Sendable {
    /// Open connections; further ones are closed at once.
    public var connections = 10_000
    /// Bytes of all header fields of a request.
    public var headerBytes = 32 * 1024
    /// Bytes of a request's body.
    public var bodyBytes = 64 * 1024
    /// Bytes of a user's WebSocket message, its fragments together.
    public var messageBytes = 64 * 1024
    /// Bytes of a task's WebSocket message: a line of 64 KiB in JSON, where a byte may take six (`\u0000`), and the
    /// rest of the message.
    public var taskMessageBytes = 6 * 64 * 1024 + 1024
    /// Bytes that a user may send before the session is ready.
    public var earlyInputBytes = 64 * 1024
    /// The time-out of a silent HTTP connection that has no request in work.
    public var idleTime: Nanoseconds = .seconds(75)

    /// Makes the default limits.
    public init() {}
  }

  /// Address to listen on.
  public var host = "127.0.0.1"
  /// Port to listen on; 0 for a free one.
  public var port = 0
  /// The rules of the pool.
  public var rules = PoolRules(targetSize: 3)
  /// The simulated time of scheduling and pulling, from the request for a task to its start.
  public var taskStartDelay: Nanoseconds = .milliseconds(500)
  /// The longest wait of a request for a task, and the deadline of a whole cold start.
  public var coldStartTimeout: Nanoseconds = .seconds(30)
  /// The dialect of messages to tasks.
  public var dialect = Dialect.plan
  /// The settings of the product's session gateway, if users are served as by it; `nil`: by acquire, release and
  /// `/session/{userId}`.
  public var product: ProductProfile?
  /// The shared directory, above the environments.
  public var workspaceRoot: String
  /// The uids of users' programs, one for each user; `nil`: all have the gateway's own.
  public var userIDs: UserIDRange?
  /// The environment's name, which is the directory above the users' directories.
  public var environment = "dev"
  /// The only key pair that the ECS-compatible endpoint accepts.
  public var ecsCredentials = AWSCredentials.generated()
  /// The injected faults.
  public var faults = FaultPlan()
  /// The plan of faults that begins with the gateway; `nil`: none.
  package var injectedFaults: InjectedFaults?
  /// Whether the plan can be set and read on a control address of its own.
  public var hasControlAddress = false
  /// A bug to plant, for tests of what finds bugs.
  public var plantedBug: PlantedBug?
  /// The limits on clients' input.
  public var limits = Limits()
  /// Takes every lifecycle event, one JSON object without its line end, on the event loop; it must not block for long.
  public var lifecycleSink: (@Sendable (String) -> Void)?

  /// - Parameter workspaceRoot: an existing directory.
  public init(workspaceRoot: String) {
    self.workspaceRoot = workspaceRoot
  }
}

/// A fault of an acquire, injected to test the tools.
public enum AcquireFault: String, Sendable, CaseIterable {
  /// The answer has status 503.
  case unavailable = "503"
  /// No answer comes.
  case mute
  /// The connection is reset.
  case reset
  /// The answer has status 200 and a body that is not JSON.
  case rubbish
  /// The answer announces a longer body than it has, and the connection closes.
  case truncate
  /// The answer is the lab dialect's miss, even where there are tasks.
  case miss
  /// The answer is the last user's task once more.
  case duplicate
}

/// The choice of the acquires and starts that fail: a pure value; equal seeds give equal choices.
public struct FaultPlan: Sendable, Equatable {
  /// The fault of the chosen acquires.
  public var acquireFault: AcquireFault?
  /// Only the first `firstAcquires` acquires can be chosen; `nil`: all can.
  public var firstAcquires: Int?
  /// The probability that an acquire is chosen, 0–1.
  public var probability: Double = 1
  /// The seed of the choice of acquires.
  public var seed: UInt64 = 0
  /// The number of starts that fail, beginning with the first; `Int.max` for all.
  public var failingStarts = 0
  /// The delay of every acquire's answer.
  public var acquireDelay: Nanoseconds = .zero

  /// Makes a plan without faults.
  public init() {}

  /// The fault of the acquire with this index, counted from 0; `nil` for none.
  public func fault(ofAcquire index: Int) -> AcquireFault? {
    guard let acquireFault, index < firstAcquires ?? .max else { return nil }
    var random = SeededGenerator(seed: seed, after: UInt64(index))
    return random.fraction() < probability ? acquireFault : nil
  }

  /// Whether the start with this index, counted from 0, fails.
  public func failsStart(_ index: Int) -> Bool { index < failingStarts }
}
