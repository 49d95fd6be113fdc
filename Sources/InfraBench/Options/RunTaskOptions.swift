package import ArgumentParser
import AWS
import Latency
import Results

/// How cold starts are made, and which tasks this tool starts for them.
package struct RunTaskOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      gateway: a cold start is what a user finds when the pool is empty. run-task: this tool starts a task by ECS's \
      RunTask for each cold user, times its way to the gateway, and stops it afterwards. (default: gateway)
      """,
      valueName: "way"), completion: .list(["gateway", "run-task"]))
  package var coldBy: String?

  @OptionGroup package var access: ECSAccessOptions

  @Option(
    help: ArgumentHelp(
      "What is started: family, family:revision or ARN. (default: the embedded gateway's own)", valueName: "name"))
  package var taskDefinition: String?

  @Option(
    help: ArgumentHelp("FARGATE, EC2 or EXTERNAL. (default: the cluster's strategy)", valueName: "type"),
    completion: .list(["FARGATE", "EC2", "EXTERNAL"]))
  package var launchType: String?

  @Option(help: ArgumentHelp("The capacity provider, instead of a launch type.", valueName: "name"))
  package var capacityProvider: String?

  @Option(help: ArgumentHelp("Subnets of tasks with network mode awsvpc, such as Fargate's.", valueName: "id,id"))
  package var subnets: String?

  @Option(help: ArgumentHelp("Their security groups. (default: the VPC's)", valueName: "id,id"))
  package var securityGroups: String?

  @Flag(name: .customLong("assign-public-ip"), help: "Give them public addresses.")
  package var assignPublicIP = false

  @Option(
    help: ArgumentHelp(
      "Between two looks at the tasks: the resolution of their times. (default: 250ms; embedded gateway: 25ms)",
      valueName: "d"))
  package var pollInterval: String?

  @Flag(help: "Poll a real ECS more often than every 200 ms, which can exhaust the account's quota.")
  package var forcePollInterval = false

  @Option(help: ArgumentHelp("From RunTask until the task is at the gateway, at most. (default: 5m)", valueName: "d"))
  package var startTimeout: String?

  /// The long names of options that only `--cold-by run-task` uses.
  static let namesForRunTask: Set<String> = [
    "cluster", "region", "profile", "ecs-endpoint-url", "task-definition", "launch-type", "capacity-provider",
    "subnets", "security-groups", "poll-interval", "start-timeout", "assign-public-ip", "force-poll-interval",
  ]

  package init() {}

  /// The names of the given options that only `--cold-by run-task` uses.
  var givenForRunTask: [String] {
    let values = [
      ("--cluster", access.cluster), ("--region", access.region), ("--profile", access.profile),
      ("--ecs-endpoint-url", access.ecsEndpointURL), ("--task-definition", taskDefinition),
      ("--launch-type", launchType), ("--capacity-provider", capacityProvider), ("--subnets", subnets),
      ("--security-groups", securityGroups), ("--poll-interval", pollInterval), ("--start-timeout", startTimeout),
    ]
    let flags = [("--assign-public-ip", assignPublicIP), ("--force-poll-interval", forcePollInterval)]
    return values.filter { $0.1 != nil }.map(\.0) + flags.filter(\.1).map(\.0)
  }
}

/// Which tasks this tool starts for users of cold starts, checked.
package struct RunTaskSettings: Sendable {
  /// nil: the embedded gateway's own endpoint.
  var ecs: ECSSettings?
  /// nil: the embedded gateway's own.
  var taskDefinition: String?
  var launchType: String?
  var capacityProvider: String?
  var network: TaskNetwork?
  /// The time between two polls of ECS.
  var pollInterval: Nanoseconds
  /// The longest time from RunTask until the task is connected.
  var startTimeout: Nanoseconds

  /// The most users for whom tasks are started at one time: as many as one DescribeTasks call can describe.
  static let mostAtOnce = 100

  /// The settings as parameters of the result.
  var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = [
      "coldBy": "run-task", "pollInterval": .string(DurationText.write(pollInterval)),
      "startTimeout": .string(DurationText.write(startTimeout)),
    ]
    let values = [
      ("taskDefinition", taskDefinition), ("launchType", launchType), ("capacityProvider", capacityProvider),
    ]
    for case (let name, let value?) in values { parameters[name] = .string(value) }
    if let network {
      parameters["subnets"] = .array(network.subnets.map { .string($0) })
      parameters["securityGroups"] = .array(network.securityGroups.map { .string($0) })
      parameters["assignPublicIp"] = .bool(network.assignsPublicIP)
    }
    return parameters.merging(ecs?.parameters ?? [:]) { $1 }
  }
}

extension OptionReader {
  /// Checks `--cold-by` and the options that belong to it; nil where the gateway makes the cold starts.
  mutating func runTask(_ options: RunTaskOptions, beside target: TargetOptions) -> RunTaskSettings? {
    guard choice("--cold-by", options.coldBy, of: ["gateway", "run-task"], default: "gateway") == "run-task" else {
      // An unknown way may have meant run-task, so its options are not refused.
      guard !problems.names("--cold-by") else { return nil }
      for name in options.givenForRunTask {
        problems.add(name, "it is for --cold-by run-task: give that, or leave it out")
      }
      return nil
    }
    let isRemote = value("--gateway-url", target.gatewayURL, environment: ["GATEWAY_URL"]) != nil
    let ecs = ecs(options.access, isRemote: isRemote)
    if isRemote, options.taskDefinition == nil {
      problems.add("--task-definition", "which task is to be started? Give its family, family:revision or ARN")
    }
    if target.agents != nil {
      refuse("--agents", "agents are no ECS tasks: leave it out, or --cold-by run-task")
    }
    if target.abGatewayURL != nil {
      refuse(
        "--ab-gateway-url",
        "a task definition's tasks connect to one gateway: leave it out, or --cold-by run-task")
    }
    return RunTaskSettings(
      ecs: ecs, taskDefinition: name("--task-definition", options.taskDefinition),
      launchType: launchType(options), capacityProvider: name("--capacity-provider", options.capacityProvider),
      network: network(options), pollInterval: pollInterval(options, isRealECS: isRemote),
      startTimeout: duration("--start-timeout", options.startTimeout, default: .seconds(300), minimum: .milliseconds(1))
    )
  }

  /// Checks the target options of a run that starts tasks by `runTask`, for at most `users` at one time.
  ///
  /// - Parameter keepsPool: Whether the embedded gateway has warm tasks as well. It never refills them while they are
  ///   assigned: its own tasks would be given to the users for whom others are started.
  mutating func target(
    _ options: TargetOptions, for runTask: RunTaskSettings?, users: Int, keepsPool: Bool,
    needs roles: [GatewayRole] = []
  ) -> TargetSettings {
    guard runTask != nil else { return target(options, needs: roles) }
    // The gateway's status shows whether a task has connected.
    let needed = roles + [.status]
    var settings = keepsPool ? target(options, needs: needed) : target(options, defaultPoolSize: 0, needs: needed)
    guard case .embedded(var embedded) = settings.gateway else { return settings }
    if !keepsPool, options.poolSize != nil {
      refuse("--pool-size", "with --cold-by run-task every task is started by this tool: leave it out")
    }
    embedded.makeRoom(forTasksOf: users, hasOwnLimit: options.maxTasks != nil)
    settings.gateway = .embedded(embedded)
    return settings
  }

  /// Refuses options that would start tasks without a bound.
  mutating func refuseUnbounded(_ options: [(name: String, isGiven: Bool)]) {
    for (name, isGiven) in options where isGiven {
      refuse(name, "--cold-by run-task starts a task for each user, and their number must be bounded: leave this out")
    }
  }

  /// Refuses more users at one time than tasks can be started for.
  mutating func refuseCrowd(_ option: String, _ users: Int) {
    guard users > RunTaskSettings.mostAtOnce else { return }
    refuse(option, "--cold-by run-task starts at most \(RunTaskSettings.mostAtOnce) tasks at one time")
  }

  private mutating func ecs(_ options: ECSAccessOptions, isRemote: Bool) -> ECSSettings? {
    let settings = ecsAccess(options)
    let isGiven = !settings.sources.isEmpty
    guard isRemote else {
      if isGiven {
        problems.add(
          "--gateway-url",
          "with ECS options no embedded gateway is started: give the URL of the gateway that the tasks connect to, or "
            + settings.remedy)
      }
      return nil
    }
    guard isGiven else {
      problems.add(
        "--cold-by",
        "tasks are started by ECS: give the gateway's --cluster (and --region or --profile), or --ecs-endpoint-url")
      return settings
    }
    checkECSAccess(options)
    return settings
  }

  private mutating func launchType(_ options: RunTaskOptions) -> String? {
    guard let type = options.launchType else { return nil }
    if options.capacityProvider != nil {
      problems.add("--capacity-provider", "ECS takes no launch type beside it: give one of them")
    }
    return choice("--launch-type", type, of: ["FARGATE", "EC2", "EXTERNAL"], default: type)
  }

  private mutating func network(_ options: RunTaskOptions) -> TaskNetwork? {
    let subnets = list("--subnets", options.subnets, atMost: 16)
    let groups = list("--security-groups", options.securityGroups, atMost: 5)
    guard options.subnets == nil else {
      return TaskNetwork(subnets: subnets, securityGroups: groups, assignsPublicIP: options.assignPublicIP)
    }
    let others = [("--security-groups", options.securityGroups != nil), ("--assign-public-ip", options.assignPublicIP)]
    for (option, isGiven) in others where isGiven { problems.add(option, "give --subnets with it") }
    return nil
  }

  private mutating func list(_ option: String, _ written: String?, atMost limit: Int) -> [String] {
    guard let written else { return [] }
    let parts = written.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    if parts.count > limit || parts.contains(where: { $0.isEmpty || $0.contains(where: \.isWhitespace) }) {
      problems.add(
        option, "'\(written.prefix(80))' is wrong: write 1 to \(limit) ids, with commas and no spaces between")
    }
    return parts
  }

  private mutating func name(_ option: String, _ written: String?) -> String? {
    if written?.isEmpty == true { problems.add(option, "it is empty: write a name") }
    return written
  }

  /// The poll interval. DescribeTasks and ListTasks share a bucket of 100 calls, refilled at 20 a second.
  private mutating func pollInterval(_ options: RunTaskOptions, isRealECS: Bool) -> Nanoseconds {
    let interval = duration(
      "--poll-interval", options.pollInterval, default: isRealECS ? .milliseconds(250) : .milliseconds(25),
      minimum: .milliseconds(10))
    if isRealECS, interval < .milliseconds(200), !options.forcePollInterval {
      refuse(
        "--poll-interval",
        "more than 5 polls a second can exhaust the account's ECS quota: write at least 200ms, or add "
          + "--force-poll-interval")
    }
    return interval
  }
}

extension [ToolDescription.Parameter] {
  /// The parameters of ``RunTaskSettings``. The names of the started task and of its network do not shape the load.
  static let runTask: Self =
    ["coldBy", "pollInterval", "startTimeout", "launchType", "capacityProvider"]
    + ["taskDefinition", "subnets", "securityGroups", "assignPublicIp"].map { .init($0, shapesLoad: false) } + ecs
}
