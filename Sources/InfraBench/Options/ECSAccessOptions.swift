import AWS
package import ArgumentParser

/// Which cluster is meant, and how ECS is reached.
package struct ECSAccessOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The cluster's name or ARN. (default: the account's 'default') [env: CLUSTER]", valueName: "name"))
  package var cluster: String?

  @Option(
    help: ArgumentHelp("The region. [env: REGION, AWS_REGION, AWS_DEFAULT_REGION; the profile]", valueName: "name"))
  package var region: String?

  @Option(
    help: ArgumentHelp(
      "The profile of the shared AWS files; passes keys in the environment over. [env: AWS_PROFILE, AWS_DEFAULT_PROFILE]",
      valueName: "name"))
  package var profile: String?

  @Option(
    name: .customLong("ecs-endpoint-url"),
    help: ArgumentHelp(
      "Another ECS endpoint than the region's. [env: AWS_ENDPOINT_URL_ECS, AWS_ENDPOINT_URL]", valueName: "url"))
  package var ecsEndpointURL: String?

  package init() {}
}

extension OptionReader {
  /// What was written about the way to ECS, unchecked: it counts only where ECS is meant.
  func ecsAccess(_ options: ECSAccessOptions) -> ECSSettings {
    let cluster = cluster(options)
    let endpoint = value(
      "--ecs-endpoint-url", options.ecsEndpointURL, environment: ["AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL"])
    let sources = [cluster, endpoint, value("--region", options.region), value("--profile", options.profile)]
    return ECSSettings(
      flags: options.flags, filter: TaskFilter(cluster: cluster?.text), sources: sources.compactMap { $0?.source })
  }

  /// Checks cluster, profile, region and endpoints, wherever they are written. Credentials are found out later.
  mutating func checkECSAccess(_ options: ECSAccessOptions) {
    checkName(cluster(options), orARNOf: "cluster")
    for problem in AWSConfiguration.problems(flags: options.flags, environment: environment) {
      problems.add(problem.source, problem.message)
    }
  }

  private func cluster(_ options: ECSAccessOptions) -> (text: String, source: String)? {
    value("--cluster", options.cluster, environment: ["CLUSTER"])
  }
}

extension ECSAccessOptions {
  fileprivate var flags: AWSConfiguration.Flags {
    .init(profile: profile, region: region, ecsEndpointURL: ecsEndpointURL)
  }
}
