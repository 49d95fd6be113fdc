public import AWSSignature
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

  /// Finds the configuration.
  ///
  /// - Parameters:
  ///   - environment: of the process.
  ///   - readFile: a file's text, `nil` where there is none.
  /// - Throws: ``AWSError`` `configuration`: no region, no credentials, a profile that does not exist, a malformed URL.
  public static func resolve(
    flags: Flags, environment: [String: String],
    readFile: @escaping @Sendable (String) -> String? = AWSConfiguration.readText
  ) throws(AWSError) -> AWSConfiguration {
    // An empty variable counts as unset, for every AWS tool.
    let environment = environment.filter { !$0.value.isEmpty }
    let files = SharedFiles(environment: environment, readFile: readFile)
    let profile = try files.profile(flag: flags.profile, environment: environment)
    let regions = [
      flags.region, environment["REGION"], environment["AWS_REGION"], environment["AWS_DEFAULT_REGION"], profile?["region"],
    ]
    guard let region = regions.compactMap({ $0 }).first(where: { !$0.isEmpty }) else {
      throw .configuration(
        "no region is set",
        hint: "give --region, or set REGION, AWS_REGION, AWS_DEFAULT_REGION or 'region' in \(files.configPath)")
    }
    let endpoint = try ServiceEndpoint.resolve(
      service: "ecs", region: region, flag: flags.ecsEndpointURL, environment: environment, profile: profile)
    return AWSConfiguration(
      region: region, ecsEndpoint: endpoint,
      credentials: try credentials(flags: flags, environment: environment, files: files, profile: profile),
      certificateBundle: environment["AWS_CA_BUNDLE"] ?? profile?["ca_bundle"])
  }

  /// A UTF-8 file's text, `nil` where there is none or it cannot be read.
  public static func readText(ofFile path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  private static func credentials(
    flags: Flags, environment: [String: String], files: SharedFiles, profile: SharedProfile?
  ) throws(AWSError) -> any CredentialsProvider {
    if let given = flags.credentials { return StaticCredentials(given) }
    if flags.profile == nil, let key = environment["AWS_ACCESS_KEY_ID"] {
      guard let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
        throw .configuration("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not", hint: "set both or neither")
      }
      return StaticCredentials(
        AWSCredentials(
          accessKeyID: key, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"],
          source: "the environment (AWS_ACCESS_KEY_ID)"))
    }
    let provider = SharedFileCredentials(files: files, profile: profile?.name ?? files.defaultProfile(environment))
    _ = try provider.read()
    return provider
  }
}
