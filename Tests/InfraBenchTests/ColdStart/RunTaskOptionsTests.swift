import AWS
import ArgumentParser
import Latency
import Testing

@testable import InfraBench
@testable import Results

/// What `--cold-by run-task` takes and refuses before anything is started.
@Suite struct RunTaskOptionsTests {
  /// As a machine with AWS tools has it; it names no pool.
  private static let region = ["AWS_REGION": "eu-west-1"]

  private func problems(_ tool: String, _ arguments: [String], environment: [String: String] = [:]) throws -> String {
    var reader = OptionReader(environment: Self.region.merging(environment) { $1 })
    if tool == EndToEndBenchmark.tool {
      _ = try EndToEndCommand.parse(arguments).prepare(&reader)
    } else {
      _ = try ConcurrentCommand.parse(arguments).prepare(&reader)
    }
    return reader.problems.description
  }

  private static let runTask = ["--cold-by", "run-task"]
  private static let remote = runTask + ["--gateway-url", "http://127.0.0.1:1", "--task-definition", "shell:3"]
  private static let tools = [EndToEndBenchmark.tool, ConcurrentBenchmark.tool]

  private static let right: [[String]] = [
    ["--cold-by", "gateway"], runTask, runTask + ["--poll-interval", "10ms", "--start-timeout", "10s"],
    runTask + ["--task-definition", "ai-shell", "--launch-type", "EC2", "--max-tasks", "3"],
    remote + ["--cluster", "c"], remote + ["--region", "eu-west-1"],
    remote + ["--ecs-endpoint-url", "http://127.0.0.1:1"],
    remote + ["--cluster", "c", "--subnets", "subnet-1,subnet-2", "--security-groups", "sg-1", "--assign-public-ip"],
    remote + ["--cluster", "c", "--capacity-provider", "FARGATE_SPOT"],
    remote + ["--cluster", "c", "--poll-interval", "50ms", "--force-poll-interval"],
  ]

  @Test(arguments: tools, right) func isRight(tool: String, arguments: [String]) throws {
    #expect(try problems(tool, arguments) == "")
  }

  private static let wrong: [(arguments: [String], sentence: String)] = [
    (["--cold-by", "magic"], "--cold-by: 'magic' is unknown"),
    (["--cluster", "c"], "--cluster: it is for --cold-by run-task"),
    (["--cold-by", "gateway", "--poll-interval", "1s"], "--poll-interval: it is for --cold-by run-task"),
    (["--assign-public-ip"], "--assign-public-ip: it is for --cold-by run-task"),
    (runTask + ["--cluster", "c"], "--gateway-url: with ECS options no embedded gateway is started"),
    (runTask + ["--pool-size", "3"], "--pool-size: with --cold-by run-task every task is started by this tool"),
    (runTask + ["--gateway-url", "http://127.0.0.1:1", "--cluster", "c"], "--task-definition: which task"),
    (remote, "--cold-by: tasks are started by ECS: give the gateway's --cluster"),
    (remote + ["--cluster", ""], "--cluster: it is empty"),
    (remote + ["--cluster", "a b;c"], "--cluster: 'a b;c' is no name"),
    (remote + ["--region", "eu west"], "--region: 'eu west' is no region"),
    (remote + ["--profile", "../x"], "--profile: there is no profile '../x'"),
    (remote + ["--ecs-endpoint-url", "ftp://x"], "--ecs-endpoint-url is no http or https URL"),
    (remote + ["--cluster", "c", "--agents", "2"], "--agents: agents are no ECS tasks"),
    (remote + ["--cluster", "c", "--launch-type", "fargate"], "--launch-type: 'fargate' is unknown"),
    (
      remote + ["--cluster", "c", "--launch-type", "EC2", "--capacity-provider", "p"],
      "--capacity-provider: ECS takes no launch type beside it"
    ),
    (remote + ["--cluster", "c", "--subnets", "a,,b"], "--subnets: 'a,,b' is wrong"),
    (remote + ["--cluster", "c", "--subnets", ""], "--subnets: '' is wrong"),
    (
      remote + ["--cluster", "c", "--subnets", "a", "--security-groups", "1,2,3,4,5,6"],
      "--security-groups: '1,2,3,4,5,6' is wrong: write 1 to 5"
    ),
    (remote + ["--cluster", "c", "--security-groups", "sg"], "--security-groups: give --subnets with it"),
    (remote + ["--cluster", "c", "--assign-public-ip"], "--assign-public-ip: give --subnets with it"),
    (remote + ["--cluster", "c", "--poll-interval", "199ms"], "--poll-interval: more than 5 polls a second"),
    (runTask + ["--start-timeout", "10"], "--start-timeout: '10' is no duration"),
    (runTask + ["--rate", "10/s"], "--rate: --cold-by run-task starts a task for each user"),
    (runTask + ["--duration", "10s"], "--duration: --cold-by run-task starts a task for each user"),
    (runTask + ["--concurrency", "101"], "--concurrency: --cold-by run-task starts at most 100 tasks at one time"),
  ]

  @Test(arguments: tools, wrong) func isWrong(tool: String, _ test: (arguments: [String], sentence: String)) throws {
    let problems = try problems(tool, test.arguments)
    #expect(problems.contains("error: \(test.sentence)") || problems.contains(test.sentence), "\(problems)")
  }

  @Test func eachToolBoundsItsTasksInItsOwnWay() throws {
    #expect(try problems("bench-e2e", Self.runTask + ["--duration", "10s", "--count", "3"]) == "")
    #expect(try problems("bench-concurrent", Self.runTask + ["--count", "3"]).contains("--count: --cold-by run-task"))
    #expect(try problems("bench-concurrent", Self.runTask + ["--beyond", "101"]).contains("--beyond: --cold-by"))
    // The pool is for those within its capacity.
    let beyond = ["--beyond", "3", "--pool-size", "200", "--concurrency", "200"]
    #expect(try problems("bench-concurrent", Self.runTask + beyond) == "")
  }

  @Test(arguments: [
    ["CLUSTER": "c", "REGION": "eu-west-1", "SERVICE": "s"], ["AWS_ENDPOINT_URL": "http://127.0.0.1:1"],
    ["AWS_PROFILE": "p", "AWS_REGION": "eu-west-1"],
  ]) func theEnvironmentAloneIsNothingWithoutRunTask(environment: [String: String]) throws {
    for tool in Self.tools { #expect(try problems(tool, [], environment: environment) == "") }
  }

  @Test func theEnvironmentCountsWithRunTask() throws {
    for tool in Self.tools {
      #expect(try problems(tool, Self.remote, environment: ["CLUSTER": "c"]) == "")
      let unreached = try problems(tool, Self.runTask, environment: ["CLUSTER": "c"])
      #expect(unreached.contains("--gateway-url: with ECS") && unreached.contains("or unset CLUSTER\n"), "\(unreached)")
      // Most machines with AWS tools have one.
      #expect(try problems(tool, Self.runTask, environment: ["AWS_REGION": "eu-west-1", "REGION": "eu-west-1"]) == "")
      #expect(
        try problems(tool, Self.remote, environment: ["AWS_REGION": "eu-west-1"]).contains("--cold-by: tasks are"))
    }
  }

  @Test func allProblemsAreReportedTogether() throws {
    let problems = try problems(
      "bench-e2e",
      Self.remote + [
        "--launch-type", "x", "--subnets", ",", "--start-timeout", "1", "--poll-interval", "1", "--rate", "5/s",
      ])
    for option in ["--cold-by", "--launch-type", "--subnets", "--start-timeout", "--poll-interval", "--rate"] {
      #expect(problems.contains("error: \(option): "), "\(option) in \(problems)")
    }
  }

  @Test func aRegionIsWantedOnlyWhereECSIsMeant() throws {
    for tool in Self.tools {
      let noRegion = "--region: no region is set"
      #expect(try problems(tool, Self.runTask, environment: ["AWS_REGION": ""]) == "")
      #expect(try problems(tool, Self.remote + ["--cluster", "c"], environment: ["AWS_REGION": ""]).contains(noRegion))
    }
  }

  @Test func theSettingsAreWhatWasWritten() throws {
    var reader = OptionReader(environment: ["CLUSTER": "from_environment"])
    let options = try RunTaskOptions.parse(
      Self.runTask + [
        "--task-definition", "shell:3", "--subnets", "a,b", "--assign-public-ip", "--region", "eu-west-1",
      ])
    let target = try TargetOptions.parse(["--gateway-url", "http://127.0.0.1:1"])
    let checked = reader.runTask(options, beside: target)
    let settings = try #require(checked)
    #expect(settings.taskDefinition == "shell:3" && settings.pollInterval == .milliseconds(250))
    #expect(settings.network == TaskNetwork(subnets: ["a", "b"], assignsPublicIP: true))
    #expect(settings.startTimeout == .seconds(300))
    #expect(settings.ecs?.filter == TaskFilter(cluster: "from_environment"))
    #expect(settings.parameters["cluster"] == "from_environment" && settings.parameters["region"] == "eu-west-1")
    #expect(settings.parameters["coldBy"] == "run-task" && settings.parameters["subnets"] == .array(["a", "b"]))
  }

  @Test(arguments: [([], false), (runTask, true)])
  func aUsersColdStartIsJudgedWhereItIsThisToolsDoing(arguments: [String], isJudged: Bool) throws {
    var reader = OptionReader(environment: [:])
    let target = try TargetOptions.parse([])
    let benchmark = EndToEndBenchmark(
      target: reader.target(target),
      load: reader.load(try LoadOptions.parse([]), try ArrivalOptions.parse([]), defaultCount: 5), message: "hello",
      runTask: reader.runTask(try RunTaskOptions.parse(arguments), beside: target))
    let thresholds = reader.thresholds(try OutputOptions.parse([]), for: benchmark)
    #expect(thresholds.contains { $0.expression == "end_to_end_cold.max < 25s" && $0.isDefault } == isJudged)
    #expect(thresholds.contains { $0.expression == "end_to_end.p99 < 2s" && $0.isDefault })
  }

  @Test func theEmbeddedGatewayStartsNothingByItself() throws {
    func embedded(_ arguments: [String], keepsPool: Bool) throws -> EmbeddedGatewaySettings? {
      var reader = OptionReader(environment: [:])
      let options = try TargetOptions.parse(arguments)
      let runTask = reader.runTask(try RunTaskOptions.parse(Self.runTask), beside: options)
      guard case .embedded(let settings) = reader.target(options, for: runTask, users: 6, keepsPool: keepsPool).gateway
      else { return nil }
      return settings
    }
    let empty = try #require(try embedded([], keepsPool: false))
    #expect(empty.poolSize == 0 && empty.maxSize == 6 && empty.maxTasks == 24 && empty.replacesOnRelease)
    let full = try #require(try embedded([], keepsPool: true))
    #expect(full.poolSize == 5 && full.maxSize == 16 && full.maxTasks == 44 && full.replacesOnRelease)
    #expect(try embedded(["--max-tasks", "2"], keepsPool: false)?.maxTasks == 2)
  }
}
