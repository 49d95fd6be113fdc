package import ArgumentParser

/// How cold starts come about, and which tasks this tool starts for them.
package struct RunTaskOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      gateway: a cold start is what a user finds when the pool is empty. run-task: this tool starts a task by ECS's \
      RunTask for each cold user, times its way to the gateway, and stops it afterwards. (default: gateway)
      """,
      valueName: "way"))
  package var coldBy: String?

  @OptionGroup package var access: ECSAccessOptions

  @Option(
    help: ArgumentHelp(
      "What is started: family, family:revision or ARN. (default: the embedded gateway's own)", valueName: "name"))
  package var taskDefinition: String?

  @Option(help: ArgumentHelp("FARGATE, EC2 or EXTERNAL. (default: the cluster's strategy)", valueName: "type"))
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

  /// The long names of those that only run-task has a use for.
  static let namesForRunTask: Set<String> = [
    "cluster", "region", "profile", "ecs-endpoint-url", "task-definition", "launch-type", "capacity-provider",
    "subnets", "security-groups", "poll-interval", "start-timeout", "assign-public-ip", "force-poll-interval",
  ]

  package init() {}

  /// What was written that only run-task has a use for, by name.
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
