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
      "The profile of the shared AWS files; passes keys in the environment over. [env: AWS_PROFILE]",
      valueName: "name"))
  package var profile: String?

  @Option(
    name: .customLong("ecs-endpoint-url"),
    help: ArgumentHelp(
      "Another ECS endpoint than the region's. [env: AWS_ENDPOINT_URL_ECS, AWS_ENDPOINT_URL]", valueName: "url"))
  package var ecsEndpointURL: String?

  package init() {}
}
