public import ArgumentParser
import FoundationEssentials

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

  /// For the parser.
  public init() {}

  /// Serves until a signal comes or the lifeline ends.
  public func run() async throws {
    let plan = try MockGatewayPlan(
      pool: pool, server: server, profile: profile, faults: faults, environment: ProcessInfo.processInfo.environment)
    let code = await MockGatewayRun(plan: plan).untilTheEnd()
    if code != 0 { throw ExitCode(code) }
  }
}
