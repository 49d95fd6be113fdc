import AWSSignature

/// The shared `config` and `credentials` files: where they are, and what is in them.
struct SharedFiles: Sendable {
  let configPath: String
  let credentialsPath: String
  private let readFile: @Sendable (String) -> String?

  init(environment: [String: String], readFile: @escaping @Sendable (String) -> String?) {
    let home = environment["HOME"] ?? "~"
    func expanded(_ path: String) -> String { path.hasPrefix("~/") ? home + path.dropFirst() : path }
    configPath = expanded(environment["AWS_CONFIG_FILE"] ?? "~/.aws/config")
    credentialsPath = expanded(environment["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials")
    self.readFile = readFile
  }

  func defaultProfile(_ environment: [String: String]) -> String { environment["AWS_PROFILE"] ?? "default" }

  func profile(named name: String) -> SharedProfile? {
    SharedProfile(name: name, config: readFile(configPath), credentials: readFile(credentialsPath))
  }

  /// The profile in force; one asked for by name must exist.
  func profile(flag: String?, environment: [String: String]) throws(AWSError) -> SharedProfile? {
    let profile = profile(named: flag ?? defaultProfile(environment))
    if profile == nil, let asked = flag ?? environment["AWS_PROFILE"] {
      throw .configuration(
        "there is no profile '\(ErrorAnswer.printable(asked))' in \(configPath) or \(credentialsPath)",
        hint: "check \(flag == nil ? "AWS_PROFILE" : "--profile")")
    }
    return profile
  }
}

/// Static keys of a profile; read anew when the service calls them expired.
struct SharedFileCredentials: CredentialsProvider {
  private let files: SharedFiles
  private let profile: String

  init(files: SharedFiles, profile: String) {
    self.files = files
    self.profile = profile
  }

  func credentials(replacing rejected: AWSCredentials?) async throws(AWSError) -> AWSCredentials { try read() }

  func read() throws(AWSError) -> AWSCredentials {
    let found = files.profile(named: profile)
    if let key = found?["aws_access_key_id"], let secret = found?["aws_secret_access_key"] {
      return AWSCredentials(
        accessKeyID: key, secretAccessKey: secret, sessionToken: found?["aws_session_token"],
        source: "profile '\(profile)' in \(files.credentialsPath) or \(files.configPath)")
    }
    if let found, ["sso_session", "sso_start_url", "credential_process", "role_arn"].contains(where: { found[$0] != nil }) {
      throw .configuration(
        "profile '\(profile)' has no static keys, and this version reads no others",
        hint: "put the output of 'aws configure export-credentials --profile \(profile) --format env' into the environment")
    }
    throw .configuration(
      "no AWS credentials were found: looked at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, "
        + "and for profile '\(profile)' in \(files.credentialsPath) and \(files.configPath)",
      hint: "set the variables, or give --profile")
  }
}
