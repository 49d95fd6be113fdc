import ArgumentParser
import EmbeddedGateway
import Latency
import ProcessControl
import TestSupport
import Testing
import WarmTask

@testable import MockGateway

/// What `mock-gateway` makes of its options and its environment.
@Suite struct MockGatewayPlanTests {
  private func plan(
    _ arguments: [String], _ environment: [String: String] = [:], ownDirectory: String = "/nowhere"
  ) throws -> MockGatewayPlan {
    let command = try #require(MockGatewayCommand.parseAsRoot(arguments) as? MockGatewayCommand)
    return try MockGatewayPlan(
      pool: command.pool, server: command.server, profile: command.profile, faults: command.faults,
      environment: environment, ownDirectory: ownDirectory)
  }

  @Test func defaults() throws {
    let plan = try plan(["--virtual-tasks"])
    #expect(plan.configuration.port == 5174 && plan.configuration.host == "127.0.0.1")
    #expect(plan.configuration.rules == PoolRules(targetSize: 3))
    #expect(plan.configuration.taskStartDelay == .milliseconds(500) && plan.configuration.faults == FaultPlan())
    #expect(plan.tasks == .virtual(.inline(startDelay: 0)))
  }

  @Test func environmentNamesOfTheProductAreTakenAndOptionsWin() throws {
    let environment = [
      "WARM_POOL_TARGET_SIZE": "7", "WARM_POOL_MAX_SIZE": "9", "GATEWAY_PORT": "6000", "EFS_MOUNT_PATH": "/tmp/",
      "ENVIRONMENT": "stage", "ENABLE_WARM_POOL": "true",
    ]
    let taken = try plan(["--virtual-tasks"], environment).configuration
    #expect(taken.rules.targetSize == 7 && taken.rules.maxSize == 9 && taken.port == 6000)
    #expect(taken.workspaceRoot == "/tmp" && taken.environment == "stage")
    let won = try plan(["--virtual-tasks", "--pool-size", "2", "--port", "0"], environment).configuration
    #expect(won.rules.targetSize == 2 && won.port == 0)
  }

  @Test func tasksAreReplacedOnReleaseWhereThatIsAskedFor() throws {
    #expect(try plan(["--virtual-tasks", "--replace-on-release"]).configuration.rules.replacesOnRelease)
  }

  @Test func disabledPoolStartsNothing() throws {
    let plan = try plan([], ["ENABLE_WARM_POOL": "false", "WARM_POOL_TARGET_SIZE": "7"])
    #expect(plan.tasks == .none && plan.configuration.rules.maxSize == 0)
  }

  @Test func faultsAreRead() throws {
    let faults = try plan([
      "--virtual-tasks", "--acquire-delay", "5ms", "--fail-starts", "always", "--fault", "duplicate",
      "--fault-probability", "0.25", "--fault-first", "9", "--fault-seed", "3",
    ]).configuration.faults
    #expect(
      faults.acquireDelay == .milliseconds(5) && faults.failingStarts == .max && faults.acquireFault == .duplicate)
    #expect(faults.probability == 0.25 && faults.firstAcquires == 9 && faults.seed == 3)
  }

  @Test func allWrongValuesAreReportedTogether() throws {
    let wrong: [String] = [
      "--port", "70000", "--pool-size", "many", "--task-start-delay", "5", "--dialect", "other", "--fault", "odd",
      "--fault-probability", "2", "--workspace-root", "relative", "--task-ttl", "0s",
    ]
    let error = #expect(throws: ValidationError.self) { try plan(wrong, ["ENABLE_WARM_POOL": "maybe"]) }
    let message = try #require(error?.message)
    for name in [
      "--port", "--pool-size", "--task-start-delay", "--dialect", "--fault '", "--fault-probability",
      "--workspace-root", "--task-ttl", "ENABLE_WARM_POOL", "/nowhere/warm-task",
    ] { #expect(message.contains(name), "\(name)") }
  }

  @Test func optionsOfTheProductsProfileAreRead() throws {
    let folder = try ScratchDirectory()
    let file = try folder.write("tokens", "a\nb expired\n")
    let plan = try plan([
      "--virtual-tasks", "--profile", "product", "--command", "agent --flag 'two words'", "--token-file", file,
      "--token-lifetime", "10m", "--ping-timeout", "5s", "--idle-timeout", "2s", "--keep-sessions", "0s",
    ])
    let product = try #require(plan.configuration.product)
    #expect(product.tokens.known == ["a": false, "b": true] && product.tokens.lifetime == .seconds(600))
    #expect(product.pingTimeout == .seconds(5) && product.idleTimeout == .seconds(2))
    #expect(product.keepSessions == 0)
    #expect(plan.tasks == .virtual(.command(["agent", "--flag", "two words"])))
  }

  @Test func tasksOfTheProductsProfileRunTheStandInThatAnswers() throws {
    let plan = try plan(
      [
        "--profile", "product", "--chunks", "7", "--chunk-delay", "1500us", "--ask-every", "3", "--startup-delay", "2s",
      ],
      ownDirectory: GatewayProgram.directory)
    let words = [
      "\(GatewayProgram.directory)/session-stand-in", "--chunks", "7", "--chunk-delay", "1.5ms", "--ask-every", "3",
      "--startup-delay", "2000.0ms",
    ]
    let line = words.map { "'\($0)'" }.joined(separator: " ")
    #expect(
      plan.tasks
        == .processes(warmTask: "\(GatewayProgram.directory)/warm-task", arguments: ["--command", line]))
    #expect(try ShellWords.split(line) == words)
  }

  @Test(arguments: [
    (["--profile", "other"], "--profile"), (["--chunks", "3"], "--chunks belongs"),
    (["--token-file", "f"], "--token-file belongs"), (["--keep-sessions", "1s"], "--keep-sessions belongs"),
    (["--profile", "product", "--fault", "503"], "--fault"), (["--profile", "product", "--chunks", "0"], "--chunks"),
    (["--profile", "product", "--ping-timeout", "0s"], "--ping-timeout"),
    (["--profile", "product", "--token-file", "/nowhere/tokens"], "can't be read"),
    (["--profile", "product", "--command", "x", "--ask-every", "2"], "--ask-every is the stand-in's"),
    (["--profile", "product"], "/nowhere/session-stand-in"),
  ])
  func wrongOptionsOfAProfileAreNamed(arguments: [String], part: String) throws {
    let error = #expect(throws: ValidationError.self) { try plan(["--virtual-tasks"] + arguments) }
    #expect(try #require(error?.message).contains(part))
  }

  /// A length that the agent refuses would fail each task's start, long after the gateway said that it is ready.
  @Test(arguments: [("500us", false), ("1500us", false), ("2h", false), ("0ms", true), ("1500ms", true), ("1h", true)])
  func aStartDelayThatTheAgentDoesNotTakeIsRefusedAtOnce(text: String, isTaken: Bool) throws {
    let options = ["--startup-delay", text]
    guard isTaken else {
      let error = #expect(throws: ValidationError.self) { try plan(options, ownDirectory: GatewayProgram.directory) }
      #expect(
        try #require(error?.message).contains("--startup-delay: tasks that are processes take whole milliseconds"))
      return
    }
    let taken = try plan(options, ownDirectory: GatewayProgram.directory)
    guard case .processes(_, let arguments) = taken.tasks else { throw ValidationError("\(taken.tasks)") }
    #expect(arguments.first == "--startup-delay" && arguments.last?.hasSuffix("ms") == true)
    // Virtual tasks have no agent.
    #expect(throws: Never.self) { try plan(["--virtual-tasks"] + options) }
  }

  @Test func tasksGetNoSecretsOfTheGatewaysEnvironment() {
    var configuration = GatewayConfiguration(workspaceRoot: "/efs")
    configuration.environment = "stage"
    let own = [
      "PATH": "/bin", "HOME": "/home/me", "AWS_SECRET_ACCESS_KEY": "secret", "GITHUB_TOKEN": "secret",
      "INFRABENCH_ECS_SECRET_ACCESS_KEY": "secret", "ENVIRONMENT": "dev",
    ]
    #expect(
      MockGatewayRun.taskEnvironment(inheriting: own, configuration)
        == ["PATH": "/bin", "HOME": "/home/me", "ENVIRONMENT": "stage", "EFS_MOUNT_PATH": "/efs"])
  }

  @Test(arguments: [
    (1024, 20, false, 880), (1 << 20, 100, false, 20_000), (256, 1000, false, 16), (20_000, 5000, true, 14_936),
  ])
  func connectionsFitIntoTheLimitOfOpenFiles(limit: Int, tasks: Int, areVirtual: Bool, connections: Int) {
    #expect(MockGatewayRun.connections(within: limit, tasks: tasks, areVirtual: areVirtual) == connections)
  }

  @Test func taskLimitIsFourTimesThePoolsSize() throws {
    for size in [1, 2, 5, 30] {
      #expect(try plan(["--virtual-tasks", "--pool-size", "\(size)"]).configuration.rules.maxTasks == 4 * size)
    }
    #expect(try plan(["--virtual-tasks", "--pool-size", "0", "--max-size", "5"]).configuration.rules.maxTasks == 5)
  }

  @Test func limitsBelowThePoolsSizeAreRefused() {
    #expect(throws: ValidationError.self) { try plan(["--virtual-tasks", "--pool-size", "5", "--max-size", "3"]) }
    #expect(throws: ValidationError.self) { try plan(["--virtual-tasks", "--pool-size", "5", "--max-tasks", "3"]) }
  }
}
