public import ArgumentParser
import FoundationEssentials
import ProcessControl

/// `mock-gateway`: the embedded gateway as a program of its own.
public struct MockGatewayCommand: AsyncParsableCommand {
  /// Name, help and version.
  public static let configuration = CommandConfiguration(
    commandName: "mock-gateway",
    abstract: "A session gateway with a warm pool, REST, WebSockets and an ECS-compatible endpoint.",
    discussion: """
      Prints one JSON line on standard output when it serves: {"event": "ready", "gatewayUrl": …, "profile": …, …}.

      EXAMPLES
        Five warm tasks, each a process, on the default port:
          mock-gateway --pool-size 5
        A thousand tasks in memory on a free port:
          mock-gateway --port 0 --pool-size 1000 --max-size 1000 --virtual-tasks --startup-delay 0ms
        The lab's gateway, without tasks of its own; warm-task supplies them:
          mock-gateway --pool-size 0 --dialect lab
        A gateway that answers every acquire after exactly 5 ms, and one that hands tasks out twice:
          mock-gateway --acquire-delay 5ms
          mock-gateway --fault duplicate --fault-probability 0.1 --fault-seed 1
        Tasks that die, and answers that stall for a second in every ten (docs/faults.md):
          mock-gateway --faults 'seed=7; task-death; gateway-stall:after=2s,for=1s,every=10s'
        The product's gateway, whose answers come in 20 chunks within a second:
          mock-gateway --profile product --chunks 20 --chunk-delay 50ms

      ENVIRONMENT (options win)
        ENABLE_WARM_POOL, WARM_POOL_TARGET_SIZE, WARM_POOL_MAX_SIZE, GATEWAY_PORT, EFS_MOUNT_PATH, ENVIRONMENT;
        INFRABENCH_ECS_ACCESS_KEY_ID and INFRABENCH_ECS_SECRET_ACCESS_KEY: the key the ECS endpoint accepts.

      EXIT STATUS
        0 its lifeline ended · 1 it could not serve · 64 wrong usage · 129/130/131/143 interrupted
      """,
    version: "0.2.0")

  @OptionGroup var pool: PoolOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup(title: "Profile") var profile: ProfileOptions
  @OptionGroup(title: "Faults") var faults: FaultOptions

  /// Makes the command; the parser then sets its values.
  public init() {}

  /// Serves until a signal comes or the lifeline ends.
  public func run() async throws {
    Heap.keepSmall()
    let plan = try MockGatewayPlan(
      pool: pool, server: server, profile: profile, faults: faults, environment: ProcessInfo.processInfo.environment)
    let code = await MockGatewayRun(plan: plan).untilTheEnd()
    if code != 0 { throw ExitCode(code) }
  }
}

// All option values are read as text, so that all wrong ones are reported together.
/// The options of the pool and its tasks.
struct PoolOptions: ParsableArguments {
  @Option(help: "Tasks kept warm; 0 takes whatever connects (WARM_POOL_TARGET_SIZE; default: 3).") var poolSize: String?
  @Option(help: "The most tasks that are warm or starting (WARM_POOL_MAX_SIZE; default: 10, or the pool's size).")
  var maxSize: String?
  @Option(help: "The most tasks in all, assigned ones too (default: 4 × the pool's size).") var maxTasks: String?
  @Option(help: "Start tasks when fewer than this are warm or starting (default: the pool's size).")
  var replenishThreshold: String?
  @Flag(help: "Replace a task when it is released, not when it is assigned, as an ECS service does.")
  var replaceOnRelease = false
  @Option(help: "How long a task may stay warm (default: 30m).") var taskTtl: String?
  @Option(help: "From asking for a task until its start; stands for scheduling (default: 500ms).")
  var taskStartDelay: String?
  @Option(help: "How long a request waits for a task that has yet to start (default: 30s).")
  var coldStartTimeout: String?
  @Option(help: "How long a task may take to confirm its user (default: 30s).") var initTimeout: String?
  @Flag(help: "A request that finds no warm task is a miss.") var noColdStarts = false
  @Flag(help: "Tasks and users' programs in this process' memory instead of processes.") var virtualTasks = false
  @Option(help: "The program warm-task (default: beside this one).") var warmTask: String?
  @Option(help: "What tasks run for a user (default: session-stand-in).") var command: String?
  @Option(help: "As root: a uid of this range for each user's program and files, such as 10000-19999.")
  var taskUids: String?
  @Option(help: "How long the stand-in takes to start, such as 250ms.") var startupDelay: String?
}

/// The options of the server.
struct ServerOptions: ParsableArguments {
  @Option(help: "Port; 0 for a free one (GATEWAY_PORT; default: 5174).") var port: String?
  @Option(help: "Address to listen on. Whoever reaches it gets shells: keep it on loopback.") var host = "127.0.0.1"
  @Option(help: "What tasks are sent: plan (init_user) or lab (init_user_session).") var dialect: String = "plan"
  @Option(help: "The shared directory (EFS_MOUNT_PATH; default: a temporary one, removed at exit).")
  var workspaceRoot: String?
  @Flag(help: "End when standard input reaches its end.") var lifeline = false
  @Flag(help: "Write lifecycle events to standard error, one JSON object a line.") var logLifecycle = false
  @Option(help: "Append lifecycle events to this file.") var lifecycleLog: String?
  @Flag(help: "Show the ECS endpoint's key in the ready line.") var printCredentials = false
}

/// The options of the profile that users are served by.
struct ProfileOptions: ParsableArguments {
  @Option(help: "Whose way users are served: embedded, or product (REST sessions, tokens, streamed answers).")
  var profile: String = "embedded"
  @Option(help: "Product: the tokens that are accepted, one a line (default: every token).") var tokenFile: String?
  @Option(help: "Product: a token has expired so long after its first use.") var tokenLifetime: String?
  @Option(help: "Product: the stand-in answers in N chunks (default: 5).") var chunks: String?
  @Option(help: "Product: from one chunk to the next (default: 20ms).") var chunkDelay: String?
  @Option(help: "Product: the stand-in asks before it answers every Nth message of a session; 0 for never (default).")
  var askEvery: String?
  @Option(help: "Product: a client that sends nothing for so long is cut off (default: 60s).") var pingTimeout: String?
  @Option(help: "Product: a WebSocket is cut when no byte went either way for so long (default: never).")
  var idleTimeout: String?
  @Option(help: "Product: a session lives on so long after its WebSocket's death (default: 30s).")
  var keepSessions: String?
}

/// The options of injected faults.
struct FaultOptions: ParsableArguments {
  @Option(help: "Answer every acquire so much later.") var acquireDelay: String?
  @Option(help: "The first N starts of tasks fail, or 'always'.") var failStarts: String?
  @Option(help: "Acquires go wrong: 503, mute, reset, rubbish, truncate, miss or duplicate.") var fault: String?
  @Option(help: "Only the first N acquires.") var faultFirst: String?
  @Option(help: "Each acquire with this probability, 0 to 1 (default: 1).") var faultProbability: String?
  @Option(help: "The same acquires for the same seed (default: 0).") var faultSeed: String?
  @Option(
    help: ArgumentHelp(
      "Faults of tasks, answers and ECS: a preset, a list, or a JSON file; see docs/faults.md.", valueName: "spec"))
  var faults: String?
  @Flag(help: "Open a control address for faults (controlUrl, controlToken in the ready line); --faults does so too.")
  var control = false
  @Option(help: .hidden) var plantedBug: String?
}
