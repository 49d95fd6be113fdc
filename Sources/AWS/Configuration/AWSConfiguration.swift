import FoundationEssentials

/// How to reach AWS: region, credentials, endpoint. Found in flags, environment and the shared files.
public struct AWSConfiguration: Sendable {
  /// The user's flags; `nil` for a flag that was not given.
  public struct Flags: Sendable {
    /// `--profile`; with it the keys in the environment are not used.
    public var profile: String?
    /// `--region`.
    public var region: String?
    /// `--ecs-endpoint-url`.
    public var ecsEndpointURL: String?
    /// A key pair given by the caller itself, such as the embedded gateway's.
    public var credentials: AWSCredentials?

    /// Makes flags.
    public init(
      profile: String? = nil, region: String? = nil, ecsEndpointURL: String? = nil, credentials: AWSCredentials? = nil
    ) {
      self.profile = profile
      self.region = region
      self.ecsEndpointURL = ecsEndpointURL
      self.credentials = credentials
    }
  }

  /// The region that signatures name.
  public var region: String
  /// Where ECS requests go.
  public var ecsEndpoint: ServiceEndpoint
  /// Where credentials come from.
  public var credentials: any CredentialsProvider
  /// `AWS_CA_BUNDLE` or the profile's `ca_bundle`.
  public var certificateBundle: String?

  /// Makes a configuration of its parts.
  public init(
    region: String, ecsEndpoint: ServiceEndpoint, credentials: any CredentialsProvider, certificateBundle: String? = nil
  ) {
    self.region = region
    self.ecsEndpoint = ecsEndpoint
    self.credentials = credentials
    self.certificateBundle = certificateBundle
  }

  /// Finds the configuration without any network call.
  ///
  /// The first call may be the one that fetches credentials: from a `credential_process`, STS, a container endpoint or
  /// the instance's metadata.
  ///
  /// - Parameters:
  ///   - environment: of the process.
  ///   - readFile: a file's text, `nil` where there is none.
  ///   - calls: the clock that credentials are renewed by, and the receiver of warnings about failed renewals.
  ///   - transport: for credentials; where it is `nil`, the first request for credentials makes one.
  /// - Throws: ``AWSError`` `configuration`: no region, a profile that does not exist, half a key pair, a malformed
  ///   URL, or no credentials where no source is left.
  public static func resolve(
    flags: Flags, environment: [String: String],
    readFile: @escaping @Sendable (String) -> String? = AWSConfiguration.readText,
    calls: CallEnvironment = .system(warn: { _ in }), transport: (any HTTPTransport)? = nil
  ) throws(AWSError) -> AWSConfiguration {
    // Every AWS tool counts an empty variable as unset.
    let variables = environment.filter { !$0.value.isEmpty }
    let files = SharedFiles(environment: variables, readFile: readFile)
    let profile = try files.profile(flag: flags.profile, environment: variables)
    guard let region = region(flags: flags, variables: variables, profile: profile)?.name else {
      throw .configuration("no region is set", hint: regionHint(files))
    }
    func endpoint(_ service: String, flag: String?) throws(AWSError) -> ServiceEndpoint {
      try ServiceEndpoint.resolve(
        service: service, region: region, flag: flag, environment: variables, profile: profile)
    }
    let ecsEndpoint = try endpoint("ecs", flag: flags.ecsEndpointURL)
    let bundle = (variables["AWS_CA_BUNDLE"] ?? profile?["ca_bundle"]).map(files.expandingHome)
    if let given = flags.credentials {
      return AWSConfiguration(
        region: region, ecsEndpoint: ecsEndpoint, credentials: StaticCredentials(given), certificateBundle: bundle)
    }
    let chain = CredentialChain(profileFlag: flags.profile, environment: variables, files: files)
    let context = CredentialContext(
      environment: environment, files: files, calls: calls,
      transport: transport ?? LazyTransport(certificateBundle: bundle), region: region,
      stsEndpoint: try endpoint("sts", flag: nil))
    return AWSConfiguration(
      region: region, ecsEndpoint: ecsEndpoint, credentials: try RefreshingCredentials(chain, context),
      certificateBundle: bundle)
  }

  /// A file's text, `nil` where the file is missing or cannot be read.
  ///
  /// The text is UTF-8, or UTF-16 where the first two bytes say so, as the shells of Windows write it. Bytes that are
  /// neither are replaced, because a comment in another encoding must not hide the keys in the same file.
  public static func readText(ofFile path: String) -> String? {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { return nil }
    let bytes = [UInt8](data)
    let isBigEndian = bytes.starts(with: [0xfe, 0xff])
    guard isBigEndian || bytes.starts(with: [0xff, 0xfe]) else { return String(decoding: bytes, as: UTF8.self) }
    let units = stride(from: 2, to: bytes.count - 1, by: 2).map { index in
      let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
      return isBigEndian ? first << 8 | second : second << 8 | first
    }
    return String(decoding: units, as: UTF16.self)
  }
}

/// A malformed or contradictory setting in a flag, a variable or a shared file.
public struct ConfigurationProblem: Sendable, Equatable {
  /// Where the setting stands: `--region`, `AWS_REGION`, `endpoint_url of the profile`.
  public var source: String
  /// What is wrong with the setting, and what to write instead.
  public var message: String
}

extension AWSConfiguration {
  /// Every problem with profile, region and endpoints; credentials are not checked.
  ///
  /// Reads the shared files, and sends nothing.
  ///
  /// - Parameters:
  ///   - environment: of the process.
  ///   - readFile: a file's text, `nil` where there is none.
  public static func problems(
    flags: Flags, environment: [String: String],
    readFile: @escaping @Sendable (String) -> String? = AWSConfiguration.readText
  ) -> [ConfigurationProblem] {
    var search = ProblemSearch(flags, environment.filter { !$0.value.isEmpty }, readFile)
    return search.run()
  }

  /// The region of the strongest source that names one, and that source.
  static func region(
    flags: Flags, variables: [String: String], profile: SharedProfile?
  ) -> (name: String, source: String)? {
    let variableNames = ["REGION", "AWS_REGION", "AWS_DEFAULT_REGION"]
    let places =
      [(flags.region, "--region")] + variableNames.map { (variables[$0], $0) }
      + [(profile?["region"], "region of the profile")]
    for case (let name?, let source) in places where !name.isEmpty { return (name, source) }
    return nil
  }

  /// The hint where ``region(flags:variables:profile:)`` finds no region.
  static func regionHint(_ files: SharedFiles) -> String {
    "give --region, or set REGION, AWS_REGION, AWS_DEFAULT_REGION or 'region' in \(files.configPath)"
  }
}

private struct ProblemSearch {
  let flags: AWSConfiguration.Flags
  /// The environment without empty variables.
  let variables: [String: String]
  let files: SharedFiles
  var found: [ConfigurationProblem] = []

  init(
    _ flags: AWSConfiguration.Flags, _ variables: [String: String],
    _ readFile: @escaping @Sendable (String) -> String?
  ) {
    self.flags = flags
    self.variables = variables
    files = SharedFiles(environment: variables, readFile: readFile)
  }

  mutating func run() -> [ConfigurationProblem] {
    let profile = profile()
    // The check goes on with a valid region, so that a wrong one does not hide further problems.
    let region = region(profile) ?? "us-east-1"
    if flags.ecsEndpointURL?.isEmpty == true { add("--ecs-endpoint-url", "it is empty: write a URL") }
    for (service, flag) in [("ecs", flags.ecsEndpointURL), ("sts", nil)] {
      let override = ServiceEndpoint.Override(service: service, flag: flag, environment: variables, profile: profile)
      do throws(AWSError) {
        _ = try ServiceEndpoint.resolve(
          service: service, region: region, flag: flag, environment: variables, profile: profile)
      } catch {
        add(override.source, [error.message, error.hint].compactMap { $0 }.joined(separator: "; "))
      }
    }
    return found
  }

  private mutating func profile() -> SharedProfile? {
    if flags.profile?.isEmpty == true {
      add("--profile", "it is empty: write a name")
      return nil
    }
    do throws(AWSError) {
      return try files.profile(flag: flags.profile, environment: variables)
    } catch {
      add(
        flags.profile == nil ? SharedFiles.askedProfile(variables)?.variable ?? "AWS_PROFILE" : "--profile",
        error.message)
      return nil
    }
  }

  /// The region; nil where none is set or the one set is malformed.
  private mutating func region(_ profile: SharedProfile?) -> String? {
    if flags.region?.isEmpty == true {
      add("--region", "it is empty: write a name")
      return nil
    }
    guard let (name, source) = AWSConfiguration.region(flags: flags, variables: variables, profile: profile) else {
      add("--region", "no region is set: \(AWSConfiguration.regionHint(files))")
      return nil
    }
    if Partition.isRegion(name) { return name }
    add(source, "'\(ErrorAnswer.printable(name))' is no region: write a name such as eu-west-1")
    return nil
  }

  /// Notes a problem once: a setting that two services share would be reported twice.
  private mutating func add(_ source: String, _ message: String) {
    let problem = ConfigurationProblem(source: source, message: message)
    if !found.contains(problem) { found.append(problem) }
  }
}
