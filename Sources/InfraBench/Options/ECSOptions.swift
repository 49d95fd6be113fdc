import AWS
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
}

/// Which ECS tasks are the pool's, checked.
package struct ECSSettings: Sendable {
  var flags: AWSConfiguration.Flags
  var filter: TaskFilter
  /// The flags and variables by which ECS is meant, rather than the embedded gateway's own endpoint.
  var sources: [String] = []

  /// Whether every task of the cluster is taken for one of the pool.
  var isWholeCluster: Bool { poolName == nil }

  /// How to do without them: `leave --cluster out`, `unset CLUSTER`.
  var remedy: String {
    let flags = sources.filter { $0.hasPrefix("-") }
    let variables = sources.filter { !$0.hasPrefix("-") }
    let parts = [
      flags.isEmpty ? nil : "leave \(OptionReader.list(flags, "and")) out",
      variables.isEmpty ? nil : "unset \(OptionReader.list(variables, "and"))",
    ]
    return parts.compactMap { $0 }.joined(separator: " and ")
  }

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
    var settings = ecsAccess(options.access)
    // Another way to name the pool's tasks stands against the environment's service.
    let hasOtherFilter = options.family != nil || options.startedBy != nil
    let service = value("--service", options.service, environment: hasOtherFilter ? [] : ["SERVICE"])
    if let service, options.service != nil || hasGatewayURL { settings.sources.append(service.source) }
    if options.family != nil { settings.sources.append("--family") }
    if options.startedBy != nil { settings.sources.append("--started-by") }
    guard !settings.sources.isEmpty else { return nil }
    checkECSAccess(options.access)
    checkName(service, orARNOf: "service")
    checkName(value("--family", options.family))
    checkMark("--started-by", options.startedBy)
    if options.startedBy != nil, options.family != nil || options.service != nil {
      problems.add("--started-by", "ECS takes no other filter beside it: leave --service and --family out")
    }
    settings.filter.serviceName = service?.text
    settings.filter.family = options.family
    settings.filter.startedBy = options.startedBy
    return settings
  }
}
