package import ArgumentParser
import AWS
import Results
import TextFormatting

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
  /// The flags and variables that choose ECS in place of the embedded gateway's own endpoint.
  var sources: [String] = []

  /// Whether every task of the cluster counts as one of the pool.
  var isWholeCluster: Bool { poolName == nil }

  /// How to leave the sources out, for a message: `leave --cluster out`, `unset CLUSTER`.
  var remedy: String {
    let flags = sources.filter { $0.hasPrefix("-") }
    let variables = sources.filter { !$0.hasPrefix("-") }
    let parts = [
      flags.isEmpty ? nil : "leave \(PlainText.list(flags, "and")) out",
      variables.isEmpty ? nil : "unset \(PlainText.list(variables, "and"))",
    ]
    return parts.compactMap { $0 }.joined(separator: " and ")
  }

  /// The name that tells the pool's tasks from others; nil where none was given.
  var poolName: String? { filter.serviceName ?? filter.family ?? filter.startedBy }

  /// The settings as parameters of the result. Credentials are not among them.
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
  /// The settings for the embedded gateway's own endpoint.
  init(_ access: ECSAccess) {
    flags = .init(
      region: access.region ?? "us-east-1", ecsEndpointURL: access.endpointURL,
      credentials: AWSCredentials(
        accessKeyID: access.key.id, secretAccessKey: access.key.secret, source: "the embedded gateway"))
    filter = TaskFilter(cluster: access.cluster, serviceName: access.service)
  }
}

extension OptionReader {
  /// Checks the ECS options; nil where none was given: then the embedded gateway's own endpoint is used, or no ECS at
  /// all.
  ///
  /// A region or a profile in the environment alone names no pool, because most machines with AWS tools have one.
  /// `SERVICE` without a gateway's URL names no pool either.
  mutating func ecs(_ options: ECSOptions, hasGatewayURL: Bool) -> ECSSettings? {
    var settings = ecsAccess(options.access)
    // The environment's service is not read where the pool's tasks are named in another way.
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

/// Which cluster is used, and how ECS is reached.
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
  /// The options for reaching ECS, unchecked: they count only where ECS is used.
  func ecsAccess(_ options: ECSAccessOptions) -> ECSSettings {
    let cluster = cluster(options)
    let endpoint = value(
      "--ecs-endpoint-url", options.ecsEndpointURL, environment: ["AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL"])
    let sources = [cluster, endpoint, value("--region", options.region), value("--profile", options.profile)]
    return ECSSettings(
      flags: options.flags, filter: TaskFilter(cluster: cluster?.text), sources: sources.compactMap { $0?.source })
  }

  /// Checks cluster, profile, region and endpoints, in flags and in the environment. Credentials are looked up later.
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

extension OptionReader {
  /// Checks the name of an ECS resource. `kind`, such as `cluster`, is the resource type of an ARN that may stand in
  /// place of the name; nil: no ARN may.
  ///
  /// Rules for names: CreateCluster, CreateService and RegisterTaskDefinition in the Amazon ECS API Reference.
  mutating func checkName(_ written: (text: String, source: String)?, orARNOf kind: String? = nil) {
    guard let (text, source) = written else { return }
    if text.isEmpty { return problems.add(source, "it is empty: write a name") }
    if let kind, text.hasPrefix("arn:") {
      if Self.isARN(text, of: kind) { return }
      return problems.add(
        source,
        "'\(text.prefix(200))' is no ARN of a \(kind): write arn:aws:ecs:REGION:ACCOUNT:\(kind)/NAME, or the name alone"
      )
    }
    guard (1...255).contains(text.utf8.count), text.utf8.allSatisfy(Self.isNamePart) else {
      return problems.add(
        source,
        "'\(text.prefix(80))' is no name: write letters, digits, '-' and '_', at most 255"
          + (kind == nil ? "" : ", or an ARN"))
    }
  }

  /// Checks `startedBy`, which may be any text of 1 to 128 characters (RunTask in the Amazon ECS API Reference).
  mutating func checkMark(_ option: String, _ written: String?) {
    guard let written, !(1...128).contains(written.count) else { return }
    problems.add(option, "\(written.isEmpty ? "it is empty" : "it is too long"): write 1 to 128 characters")
  }

  private static func isARN(_ text: String, of kind: String) -> Bool {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
    guard parts.count == 6, parts[1].hasPrefix("aws"), parts[2] == "ecs", parts[5].hasPrefix("\(kind)/") else {
      return false
    }
    let names = parts[5].split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    return text.utf8.count <= 1_000
      && (parts[1...4] + names).allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isNamePart) }
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }
}

extension [ToolDescription.Parameter] {
  /// The parameters of ``ECSSettings``: the pool's names in ECS, and how ECS is reached.
  static let ecs: Self = ["cluster", "service", "family", "startedBy", "region", "profile"].map {
    .init($0, shapesLoad: false)
  }
}
