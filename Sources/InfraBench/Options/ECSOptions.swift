import AWSClient
import AWSSignature
package import ArgumentParser

/// Which ECS tasks are the pool's, and how ECS is reached.
package struct ECSOptions: ParsableArguments {
  @OptionGroup package var access: ECSAccessOptions

  @Option(help: ArgumentHelp("The service that keeps the pool. [env: SERVICE]", valueName: "name"))
  package var service: String?

  @Option(help: ArgumentHelp("The task definition's family of a pool that no service keeps.", valueName: "name"))
  package var family: String?

  @Option(help: ArgumentHelp("The mark of tasks that RunTask started; no filter beside it.", valueName: "mark"))
  package var startedBy: String?

  package init() {}

  var cluster: String? { access.cluster }
  var region: String? { access.region }
  var profile: String? { access.profile }
  var ecsEndpointURL: String? { access.ecsEndpointURL }
}

/// Which ECS tasks are the pool's, checked.
package struct ECSSettings: Sendable {
  var flags: AWSConfiguration.Flags
  var filter: TaskFilter

  /// Whether every task of the cluster is taken for one of the pool.
  var isWholeCluster: Bool { poolName == nil }

  /// What tells the pool's tasks from others; nil where nothing does.
  var poolName: String? { filter.serviceName ?? filter.family ?? filter.startedBy }

  /// For the result; keys are not in it.
  var parameters: [String: JSONValue] {
    var parameters: [String: JSONValue] = [:]
    let values = [
      ("cluster", filter.cluster), ("service", filter.serviceName), ("family", filter.family),
      ("startedBy", filter.startedBy), ("region", flags.region), ("profile", flags.profile),
    ]
    for case (let name, let value?) in values { parameters[name] = .string(value) }
    return parameters
  }
}

extension ECSSettings {
  /// The embedded gateway's own endpoint.
  init(_ access: ECSAccess) {
    flags = .init(
      region: access.region ?? "us-east-1", ecsEndpointURL: access.endpointURL,
      credentials: AWSCredentials(
        accessKeyID: access.key.id, secretAccessKey: access.key.secret, source: "the embedded gateway"))
    filter = TaskFilter(cluster: access.cluster, serviceName: access.service)
  }
}

extension OptionReader {
  /// Checks the ECS options; nil when none was given, so that the embedded gateway's own endpoint is meant, or none.
  ///
  /// A region or a profile in the environment alone names no pool: most machines with AWS tools have one. Nor does `SERVICE`
  /// without a gateway's URL.
  mutating func ecs(_ options: ECSOptions, hasGatewayURL: Bool) -> ECSSettings? {
    let cluster = value("--cluster", options.cluster, environment: ["CLUSTER"])?.text
    let endpoint = value(
      "--ecs-endpoint-url", options.ecsEndpointURL, environment: ["AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL"])
    // Another way to name the pool's tasks stands against the environment's service.
    let hasOtherFilter = options.family != nil || options.startedBy != nil
    let service =
      hasOtherFilter
      ? options.service : value("--service", options.service, environment: ["SERVICE"])?.text
    var given = [cluster, endpoint?.text, options.service, options.family, options.startedBy]
    given += [options.region, options.profile, hasGatewayURL ? service : nil]
    guard given.contains(where: { $0 != nil }) else { return nil }
    let names = [
      ("--cluster", cluster), ("--service", service), ("--family", options.family), ("--started-by", options.startedBy),
      ("--region", options.region), ("--profile", options.profile),
    ]
    for (option, name) in names where name?.isEmpty == true { problems.add(option, "it is empty: write a name") }
    if options.startedBy != nil, options.family != nil || options.service != nil {
      problems.add("--started-by", "ECS takes no other filter beside it: leave --service and --family out")
    }
    if let endpoint { check(endpoint.text, source: endpoint.source) }
    return ECSSettings(
      flags: .init(profile: options.profile, region: options.region, ecsEndpointURL: options.ecsEndpointURL),
      filter: TaskFilter(
        cluster: cluster, serviceName: service, family: options.family, startedBy: options.startedBy))
  }

  mutating func check(_ endpointURL: String, source: String) {
    do throws(AWSError) {
      _ = try ServiceEndpoint(parsing: endpointURL, source: source)
    } catch {
      problems.add(source, [error.message, error.hint].compactMap { $0 }.joined(separator: "; "))
    }
  }
}
