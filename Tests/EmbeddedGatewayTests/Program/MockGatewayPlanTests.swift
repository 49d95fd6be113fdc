import ArgumentParser
import EmbeddedGateway
import Testing
import WarmTask

@testable import MockGateway

/// What `mock-gateway` makes of its options and its environment.
@Suite struct MockGatewayPlanTests {
  private func plan(_ arguments: [String], _ environment: [String: String] = [:]) throws -> MockGatewayPlan {
    let command = try #require(MockGatewayCommand.parseAsRoot(arguments) as? MockGatewayCommand)
    return try MockGatewayPlan(
      pool: command.pool, server: command.server, profile: command.profile, faults: command.faults,
      environment: environment, ownDirectory: "/nowhere")
  }

  @Test func defaults() throws {
    let plan = try plan(["--virtual-tasks"])
    #expect(plan.configuration.port == 5174 && plan.configuration.host == "127.0.0.1")
    #expect(plan.configuration.rules == PoolRules(targetSize: 3))
    #expect(plan.configuration.taskStartDelay == 500_000_000 && plan.configuration.faults == FaultPlan())
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
    #expect(faults.acquireDelay == 5_000_000 && faults.failingStarts == .max && faults.acquireFault == .duplicate)
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
