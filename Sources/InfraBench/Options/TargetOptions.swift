package import ArgumentParser
package import Gateway
package import Latency
package import Transport
import Results

/// Which gateway is measured.
package struct TargetOptions: ParsableArguments {
  @Option(
    name: .customLong("gateway-url"),
    help: ArgumentHelp(
      "The gateway: http, https, ws or wss. None: an embedded one is started. [env: GATEWAY_URL]", valueName: "url"))
  package var gatewayURL: String?

  @Option(
    name: .customLong("ab-gateway-url"),
    help: ArgumentHelp(
      "A second gateway, measured in alternation with the first, run by run: results labelled a and b. It is sent the same headers and token.",
      valueName: "url"))
  package var abGatewayURL: String?

  @Option(
    name: .customLong("header"),
    help: ArgumentHelp(
      "'Name: value', sent with every request and upgrade; repeatable. Never shown.", valueName: "header"))
  package var headers: [String] = []

  @Option(
    help: ArgumentHelp(
      "A file that holds a bearer token, or one a line, which users take in turn. [env: GATEWAY_TOKEN, the token itself]",
      valueName: "file"), completion: .file())
  package var tokenFile: String?

  @Option(
    help: ArgumentHelp(
      "A command, run without a shell, that prints a bearer token; run again before a JWT expires.",
      valueName: "command"))
  package var tokenCommand: String?

  @Option(
    help: ArgumentHelp(
      "How the gateway is spoken to: \(BuiltInProfiles.names.joined(separator: ", ")) or a profile's file. (default: found out by looking)",
      valueName: "name|file"), completion: .file())
  package var gatewayProfile: String?

  @Option(
    help: ArgumentHelp("PEM certificates to trust instead of the system's roots.", valueName: "file"),
    completion: .file())
  package var caFile: String?

  @Flag(help: "Accept any certificate.")
  package var insecure = false

  @Option(
    help: ArgumentHelp(
      "A client certificate for a gateway that asks for one: PEM, its chain behind it. With --key.", valueName: "file"),
    completion: .file())
  package var cert: String?

  @Option(help: ArgumentHelp("The private key of --cert: PEM, not encrypted.", valueName: "file"), completion: .file())
  package var key: String?

  @Flag(
    help: "Send back no cookies. Else those that an iteration is given are kept from its first call to its release.")
  package var noCookies = false

  @Option(help: ArgumentHelp("Embedded gateway: warm tasks to keep. (default: 5)", valueName: "n"))
  package var poolSize: String?

  @Option(
    help: ArgumentHelp("Embedded gateway: all tasks, assigned ones too. (default: 4 × pool size)", valueName: "n"))
  package var maxTasks: String?

  @Option(help: ArgumentHelp("Embedded gateway: what scheduling a task takes. (default: 500ms)", valueName: "d"))
  package var taskStartDelay: String?

  @Option(
    help: ArgumentHelp("Warm tasks that this tool supplies to a gateway that has none. (default: 0)", valueName: "n"))
  package var agents: String?

  @Flag(help: "Supply agents even to a gateway that has warm tasks of its own: real users may be given to them.")
  package var agentsBesideReal = false

  package init() {}
}

/// Which gateway is measured, checked.
package struct TargetSettings: Sendable {
  package enum Gateway: Sendable {
    case embedded(EmbeddedGatewaySettings)
    case remote(Endpoint)
  }

  /// A gateway that is measured alternately with the first.
  package struct Second: Sendable {
    package var endpoint: Endpoint
    package var tls: TLSClient?
  }

  package var gateway: Gateway
  /// Headers of every request; a token that all users share is among them.
  package var headers: [SecretHeader]
  /// The users' tokens: several, so that users differ, or one for all; empty without any.
  package var tokens: [String] = []
  /// The words of the command that prints a token; nil: no command was given.
  package var tokenCommand: [String]?
  /// The profile by which the gateway is called; nil: the tool finds it out.
  package var profile: GatewayProfile?
  package var tls: TLSClient?
  package var isInsecure: Bool
  /// Whether a client certificate is presented to a gateway that asks for one.
  package var hasCertificate = false
  /// Whether cookies that an iteration receives are sent back.
  package var keepsCookies = true
  package var agents: Int
  package var allowsAgentsBesideReal: Bool
  /// How many of the agents this process supplies, where it makes a part of a load; nil: all of them.
  package var ownAgents: Int?
  /// The second gateway; nil: one target alone.
  package var second: Second?

  /// The most sockets and files that agents have open: each has a connection, and pipes to the process of its session.
  var openFiles: Int { 4 * agents }

  /// These settings with the second gateway as the target; nil where there is no second one.
  package var ofSecond: TargetSettings? {
    guard let second else { return nil }
    var settings = self
    settings.gateway = .remote(second.endpoint)
    settings.tls = second.tls
    return settings
  }
}

/// How the embedded gateway is started.
package struct EmbeddedGatewaySettings: Sendable, Equatable {
  package var poolSize = 5
  package var maxTasks = 20
  package var taskStartDelay: Nanoseconds = .milliseconds(500)
  /// The most tasks that are warm or starting; nil: twice the pool.
  package var maxSize: Int?
  /// Whether an assigned task is replaced only when it is released, as by an ECS service.
  package var replacesOnRelease = false

  /// Makes room for tasks that the pool does not start: those of `users` at one time, and as many that are ending.
  /// Refills wait for releases, so that they don't come before these tasks.
  mutating func makeRoom(forTasksOf users: Int, hasOwnLimit: Bool) {
    replacesOnRelease = true
    maxSize = 2 * poolSize + users
    if !hasOwnLimit { maxTasks = max(maxTasks, 4 * (poolSize + users)) }
  }
}

extension TargetSettings {
  /// Makes room in the embedded gateway for the tasks of `sessions` that keep theirs for the whole run.
  mutating func makeRoom(forIdle sessions: Int, hasOwnLimit: Bool) {
    guard sessions > 0, !hasOwnLimit, case .embedded(var settings) = gateway else { return }
    settings.maxTasks += sessions
    gateway = .embedded(settings)
  }
}

extension OptionReader {
  /// Checks the target options.
  ///
  /// - Parameter roles: The roles that the tool needs. A profile that the user named must have them all.
  package mutating func target(
    _ options: TargetOptions, defaultPoolSize: Int = 5, needs roles: [GatewayRole] = []
  ) -> TargetSettings {
    let endpoint = endpoint("--gateway-url", options.gatewayURL, environment: ["GATEWAY_URL"])
    let isRemote = value("--gateway-url", options.gatewayURL, environment: ["GATEWAY_URL"]) != nil
    let embedded = embeddedGateway(options, defaultPoolSize: defaultPoolSize, isRemote: isRemote)
    let agents = integer("--agents", options.agents, default: 0, in: 0...10_000)
    if agents > 0, !isRemote {
      problems.add(
        "--agents", "the embedded gateway has warm tasks of its own: give --gateway-url, or leave --agents out")
    }
    if options.caFile != nil, options.insecure {
      problems.add("--insecure", "it makes --ca-file meaningless: give one of them")
    }
    let second = secondGateway(options, beside: endpoint, isRemote: isRemote)
    let tls = tls(options, for: [endpoint, second].compactMap { $0 })
    func used(by endpoint: Endpoint?) -> TLSClient? { endpoint?.isSecure == true ? tls : nil }
    let profile = gatewayProfile(options.gatewayProfile)
    if let profile {
      checkPlace(of: profile, options, isRemote: isRemote)
      // The status shows whether agents have become warm.
      let ofAgents: [GatewayRole] = agents > 0 ? [.agents, .status] : []
      for role in roles + ofAgents.filter({ !roles.contains($0) }) where !role.isThere(in: profile) {
        problems.add("--gateway-profile", "'\(profile.name)' has no '\(role.rawValue)', which is needed here")
      }
    }
    let visitors = visitors(options)
    // A wrong token has been reported already. The embedded gateway's stand-in takes any token.
    if let profile, profile.needsToken, isRemote, visitors.tokens.isEmpty, options.tokenFile == nil,
      options.tokenCommand == nil, !problems.names("GATEWAY_TOKEN")
    {
      problems.add(
        "--gateway-profile",
        "'\(profile.name)' has a place for a token: give --token-file, --token-command or GATEWAY_TOKEN")
    }
    return TargetSettings(
      gateway: endpoint.map { .remote($0) } ?? .embedded(embedded),
      headers: visitors.headers, tokens: visitors.tokens, tokenCommand: visitors.command, profile: profile,
      tls: used(by: endpoint), isInsecure: options.insecure, hasCertificate: options.cert != nil,
      keepsCookies: !options.noCookies, agents: agents,
      allowsAgentsBesideReal: options.agentsBesideReal,
      second: second.map { .init(endpoint: $0, tls: used(by: $0)) })
  }

  /// Refuses a file's profile under the name of one of the suite's own, and a profile that the embedded gateway does
  /// not know.
  private mutating func checkPlace(of profile: GatewayProfile, _ options: TargetOptions, isRemote: Bool) {
    let name = "--gateway-profile"
    if let own = BuiltInProfiles.profile(profile.name), own != profile {
      let file = (options.gatewayProfile ?? "").prefix(80)
      problems.add(name, in: "'\(file)'", "'\(profile.name)' is one of the suite's own: choose another name")
    } else if !isRemote, !profile.isOfEmbeddedGateway {
      problems.add(name, "'\(profile.name)' is a profile of a gateway of your own: give --gateway-url")
    }
  }

  /// Checks `--ab-gateway-url` against the first gateway's, which was checked before.
  private mutating func secondGateway(
    _ options: TargetOptions, beside first: Endpoint?, isRemote: Bool
  ) -> Endpoint? {
    let name = "--ab-gateway-url"
    let second = endpoint(name, options.abGatewayURL)
    if options.abGatewayURL != nil, !isRemote {
      refuse(name, "an embedded gateway beside a real one is no fair comparison: give --gateway-url too")
    }
    if let second, second == first {
      refuse(name, "it is the same gateway as --gateway-url's: write the URL of another, or use --repeat")
    }
    return second
  }

  private mutating func embeddedGateway(
    _ options: TargetOptions, defaultPoolSize: Int, isRemote: Bool
  ) -> EmbeddedGatewaySettings {
    if isRemote {
      let given = [
        ("--pool-size", options.poolSize), ("--max-tasks", options.maxTasks),
        ("--task-start-delay", options.taskStartDelay),
      ]
      for (name, value) in given where value != nil {
        problems.add(
          name, "it is for the embedded gateway only: leave it out, or leave --gateway-url (GATEWAY_URL) out")
      }
    }
    let poolSize = integer("--pool-size", options.poolSize, default: defaultPoolSize, in: 1...1_000)
    let maxTasks = integer("--max-tasks", options.maxTasks, default: 4 * poolSize, in: 1...10_000)
    if maxTasks < poolSize { problems.add("--max-tasks", "\(maxTasks) is less than the pool size, \(poolSize)") }
    let delay = duration("--task-start-delay", options.taskStartDelay, default: .milliseconds(500))
    return EmbeddedGatewaySettings(poolSize: poolSize, maxTasks: maxTasks, taskStartDelay: delay)
  }
}

extension GatewayProfile {
  /// Whether the embedded gateway speaks this profile. Copies of its own profile under another name count too, also
  /// without the user's side; another gateway's stand-in is started by the profile's name alone.
  fileprivate var isOfEmbeddedGateway: Bool {
    if self == BuiltInProfiles.profile(name) { return true }
    return [BuiltInProfiles.embedded, BuiltInProfiles.withoutUsersSide].contains { own in
      var copy = self
      copy.name = own.name
      return copy == own
    }
  }
}

extension OptionReader {
  /// One TLS client for all `endpoints`, which are the URLs that were written and are right.
  mutating func tls(_ options: TargetOptions, for endpoints: [Endpoint]) -> TLSClient? {
    let written = [
      value("--gateway-url", options.gatewayURL, environment: ["GATEWAY_URL"])?.text, options.abGatewayURL,
    ].compactMap { $0 }
    let isSecure = endpoints.contains(where: \.isSecure)
    let given = [
      ("--insecure", options.insecure), ("--ca-file", options.caFile != nil), ("--cert", options.cert != nil),
      ("--key", options.key != nil),
    ]
    // A wrong URL does not tell whether it was to be secure.
    if !isSecure, endpoints.count == written.count, let (name, _) = given.first(where: \.1) {
      problems.add(name, "there is no gateway URL with https or wss")
    }
    let certificate = clientCertificate(options)
    guard options.caFile != nil || isSecure else { return nil }
    if let reason = options.caFile.flatMap(PathText.likeAnOption) {
      problems.add("--ca-file", reason)
      return nil
    }
    do throws(TransportError) {
      return try TLSClient(caFile: options.caFile, insecure: options.insecure, certificate: certificate)
    } catch {
      problems.add("--ca-file", error.message)
      return nil
    }
  }

  /// The client certificate with its key; nil where none is given or something is wrong with it.
  private mutating func clientCertificate(_ options: TargetOptions) -> ClientCertificate? {
    let files = [("--cert", options.cert), ("--key", options.key)]
    let dashed = files.compactMap { name, path in path.flatMap(PathText.likeAnOption).map { (name, $0) } }
    for (name, reason) in dashed { problems.add(name, reason) }
    switch (options.cert, options.key) {
    case (nil, nil): return nil
    case (_?, nil):
      problems.add("--cert", "its private key is missing: give it with --key (one file may hold both)")
      return nil
    case (nil, _?):
      problems.add("--key", "the certificate that it belongs to is missing: give it with --cert")
      return nil
    case (let certificate?, let key?):
      guard dashed.isEmpty else { return nil }
      do throws(ClientCertificate.Problems) {
        return try ClientCertificate(certificateFile: certificate, keyFile: key)
      } catch {
        for problem in error.all { problems.add(problem.option, problem.reason) }
        return nil
      }
    }
  }
}

extension [ToolDescription.Parameter] {
  /// The parameters of ``TargetSettings``.
  static let gateway: Self =
    ["tokens", "tokenCommand", "gatewayProfile", "noCookies", "clientCertificate", "agents"] + embeddedGateway

  /// The parameters of a gateway that the tool starts itself.
  static let embeddedGateway: Self = [
    "poolSize", "maxTasks", "taskStartDelay",
    // The names of headers tell who calls, and do not change the load.
    .init("headers", shapesLoad: false),
  ]
}
