import FoundationEssentials

/// How to reach AWS: region, credentials, endpoint. Found in flags, environment and the shared files.
public struct AWSConfiguration: Sendable {
  /// What a user gave as flags; `nil` where nothing was given.
  public struct Flags: Sendable {
    /// `--profile`; passes the environment's keys over.
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

  /// Finds the configuration; asks nobody.
  ///
  /// Credentials may be found out only with the first call: by a `credential_process`, from STS, a container endpoint or the
  /// instance's metadata.
  ///
  /// - Parameters:
  ///   - environment: of the process.
  ///   - readFile: a file's text, `nil` where there is none.
  ///   - calls: the clock credentials are renewed by, and who is told of a renewal that failed.
  ///   - transport: for credentials; `nil` makes one when it is first needed.
  /// - Throws: ``AWSError`` `configuration`: no region, a profile that does not exist, half a key pair, a malformed URL, and
  ///   no credentials where nobody is left to ask.
  public static func resolve(
    flags: Flags, environment: [String: String],
    readFile: @escaping @Sendable (String) -> String? = AWSConfiguration.readText,
    calls: CallEnvironment = .system(warn: { _ in }), transport: (any HTTPTransport)? = nil
  ) throws(AWSError) -> AWSConfiguration {
    // An empty variable counts as unset, for every AWS tool.
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
    let search = CredentialSearch(profileFlag: flags.profile, environment: variables, files: files)
    let context = CredentialContext(
      environment: environment, files: files, calls: calls,
      transport: transport ?? LazyTransport(certificateBundle: bundle), region: region,
      stsEndpoint: try endpoint("sts", flag: nil))
    return AWSConfiguration(
      region: region, ecsEndpoint: ecsEndpoint, credentials: try RefreshingCredentials(search, context),
      certificateBundle: bundle)
  }

  /// A file's text, `nil` where there is none or it cannot be read.
  ///
  /// It is UTF-8, or UTF-16 where its first two bytes say so, as the shells of Windows write it. What is neither is replaced:
  /// a comment in another encoding must not hide the keys beside it.
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
