/// The credentials that a profile's settings describe; follows `source_profile` as botocore does.
struct ProfileCredentials {
  /// The environment without empty variables.
  var environment: [String: String]
  var files: SharedFiles
  var keysOfEnvironment: EnvironmentCredentials

  /// The role that a profile assumes with other credentials; `nil` where the profile does not exist or has no such
  /// role.
  ///
  /// - Throws: ``AWSError`` `configuration` for settings that are incomplete, contradictory, circular, or need a
  ///   person.
  func role(_ name: String) throws(AWSError) -> CredentialSource? {
    guard let profile = files.profile(named: name), Self.hasRole(profile) else { return nil }
    return try role(profile, visited: [])
  }

  /// The role of a web identity token. Each setting comes from `environment`, else from the profile; `nil` without a
  /// token file.
  ///
  /// - Throws: ``AWSError`` `configuration` for a token file without a role, or without a token.
  func webIdentity(_ name: String, environment: [String: String]) throws(AWSError) -> WebIdentityRole? {
    let profile = files.profile(named: name)
    let label = Self.label(name)
    let variable = environment["AWS_WEB_IDENTITY_TOKEN_FILE"]
    guard let tokenFile = variable ?? profile?["web_identity_token_file"] else { return nil }
    guard let arn = environment["AWS_ROLE_ARN"] ?? profile?["role_arn"] else {
      throw variable == nil
        ? .configuration("\(label) has web_identity_token_file, but no role_arn", hint: "add role_arn")
        : .configuration(
          "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not", hint: "set both or neither")
    }
    var role = WebIdentityRole(
      roleARN: arn, tokenFile: tokenFile,
      sessionName: environment["AWS_ROLE_SESSION_NAME"] ?? profile?["role_session_name"])
    if variable == nil, let profile { role.durationSeconds = try duration(profile, label) }
    try role.token(files)
    return role
  }

  /// The profile's credentials apart from roles: keys, or a program that writes them; `nil` where the profile does not
  /// exist or has neither.
  ///
  /// - Throws: ``AWSError`` `configuration` for a key without its secret, and for a profile that needs a sign-in.
  func own(_ name: String) throws(AWSError) -> CredentialSource? { try own(name, of: nil) }

  /// Why the profile has no credentials, for error messages.
  func absence(of name: String) -> String {
    guard let profile = files.profile(named: name) else { return files.absence(of: name) }
    for (settings, path) in [(profile.inCredentials, files.credentialsPath), (profile.inConfig, files.configPath)]
    where settings["aws_secret_access_key"]?.isEmpty == false {
      return
        "\(Self.label(name)) in \(path) has aws_secret_access_key, but no aws_access_key_id; write both into the same file"
    }
    return "\(Self.label(name)) has no aws_access_key_id, credential_process, role_arn or web_identity_token_file"
  }

  private static func label(_ name: String) -> String { "profile '\(ErrorAnswer.printable(name))'" }

  private static func hasRole(_ profile: SharedProfile) -> Bool {
    profile["role_arn"] != nil && profile["web_identity_token_file"] == nil
  }

  private static func hasKeys(_ profile: SharedProfile) -> Bool {
    profile["aws_access_key_id"] != nil || profile["aws_secret_access_key"] != nil
  }

  /// - Parameter parent: the profile whose `source_profile` is this one.
  private func own(_ name: String, of parent: String?) throws(AWSError) -> CredentialSource? {
    guard let profile = files.profile(named: name) else { return nil }
    let label = Self.label(name)
    // `credential_process` may name a program that does the sign-in.
    let needsSSO = profile["sso_account_id"] != nil || profile["sso_role_name"] != nil
    if needsSSO {
      if let process = try process(of: profile, label) { return process }
      throw signInNeeded(profile, of: parent)
    }
    if let keys = try keys(profile.inCredentials, in: files.credentialsPath, label) { return .keys(keys) }
    if let process = try process(of: profile, label) { return process }
    if profile["login_session"] != nil { throw signInNeeded(profile, of: parent) }
    if let keys = try keys(profile.inConfig, in: files.configPath, label) { return .keys(keys) }
    if profile["sso_session"] != nil || profile["sso_start_url"] != nil { throw signInNeeded(profile, of: parent) }
    return nil
  }

  /// A key pair with both halves in the same file. As in botocore, a secret without a key id is ignored.
  private func keys(
    _ settings: [String: String], in path: String, _ label: String
  ) throws(AWSError) -> AWSCredentials? {
    func value(_ name: String) -> String? { settings[name].flatMap { $0.isEmpty ? nil : $0 } }
    guard let key = value("aws_access_key_id") else { return nil }
    guard let secret = value("aws_secret_access_key") else {
      throw .configuration(
        "\(label) in \(path) has aws_access_key_id, but no aws_secret_access_key",
        hint: "write both into the same file, or neither")
    }
    let token = ["aws_security_token", "aws_session_token"].first { value($0) != nil } ?? "aws_session_token"
    return try AWSCredentials(
      accessKeyID: key, secretAccessKey: secret, sessionToken: value(token), source: "\(label) in \(path)"
    ).checked(
      named: ["aws_access_key_id", "aws_secret_access_key", token].map { "\($0) of \(label) in \(path)" },
      hint: "write it on one line; a line that is indented deeper than the one before it belongs to that one")
  }

  private func process(of profile: SharedProfile, _ label: String) throws(AWSError) -> CredentialSource? {
    guard let command = profile["credential_process"] else { return nil }
    let path = profile.inCredentials["credential_process"] == nil ? files.configPath : files.credentialsPath
    return .process(try CredentialProcess(command: command, source: "\(label) (credential_process) in \(path)"))
  }

  /// - Parameter visited: the profiles that lead here by `source_profile`, in order.
  private func role(_ profile: SharedProfile, visited: [String]) throws(AWSError) -> CredentialSource {
    let label = Self.label(profile.name)
    if profile["mfa_serial"] != nil {
      throw .configuration(
        "\(label) needs a code of its mfa_serial, which nobody can be asked for here",
        hint: "put temporary keys into the environment, 'eval \"$(aws configure export-credentials --profile "
          + "\(ErrorAnswer.printable(profile.name)) --format env)\"', and leave --profile out")
    }
    let role = AssumedRole(
      roleARN: profile["role_arn"] ?? "", sessionName: profile["role_session_name"], externalID: profile["external_id"],
      durationSeconds: try duration(profile, label))
    switch (profile["source_profile"], profile["credential_source"]) {
    case (let source?, nil):
      return .role(role, by: try sourcePlan(source, of: profile, label, visited))
    case (nil, let source?):
      return .role(role, by: try namedSource(source, label))
    case (nil, nil):
      throw .configuration(
        "\(label) has role_arn, but nothing says who takes the role on",
        hint: "add source_profile or credential_source")
    case (_?, _?):
      throw .configuration("\(label) has both source_profile and credential_source", hint: "remove one of them")
    }
  }

  private func sourcePlan(
    _ source: String, of profile: SharedProfile, _ label: String, _ visited: [String]
  ) throws(AWSError) -> CredentialSource {
    let path = visited + [profile.name]
    let name = ErrorAnswer.printable(source)
    guard let sourceProfile = files.profile(named: source) else {
      throw .configuration(
        "\(label) has source_profile '\(name)', which does not exist",
        hint: "check \(files.configPath) and \(files.credentialsPath)")
    }
    // A profile may name itself as its source: then its own keys assume its role.
    guard !path.contains(source) || (source == profile.name && Self.hasKeys(sourceProfile)) else {
      let circle = (path + [source]).map { ErrorAnswer.printable($0) }.joined(separator: " → ")
      throw .configuration("source_profile goes in a circle: \(circle)", hint: "one of them must have keys")
    }
    // A source profile with keys gives the keys; its role applies only where the profile is named directly.
    if Self.hasRole(sourceProfile), !Self.hasKeys(sourceProfile) { return try role(sourceProfile, visited: path) }
    if let role = try webIdentity(source, environment: [:]) { return .webIdentity(role) }
    guard let found = try own(source, of: profile.name) else {
      throw .configuration("\(label) has source_profile '\(name)', which has no credentials")
    }
    return found
  }

  private func namedSource(_ source: String, _ label: String) throws(AWSError) -> CredentialSource {
    let found: CredentialSource?
    switch source {
    case "Environment": found = try keysOfEnvironment.source()
    case "EcsContainer": found = try ContainerEndpoint(environment: environment, files: files).map { .container($0) }
    case "Ec2InstanceMetadata":
      found = try InstanceMetadata(environment: environment, profile: nil).map { .instance($0) }
    default:
      throw .configuration(
        "\(label) has credential_source '\(ErrorAnswer.printable(source))', which is none",
        hint: "write Environment, Ec2InstanceMetadata or EcsContainer")
    }
    guard let found else {
      let reason =
        switch source {
        case "Environment": keysOfEnvironment.absence
        case "EcsContainer": ContainerEndpoint.absence
        default: InstanceMetadata.absence
        }
      throw .configuration("\(label) has credential_source \(source), which gives nothing: \(reason)")
    }
    return found
  }

  private func duration(_ profile: SharedProfile, _ label: String) throws(AWSError) -> Int? {
    guard let text = profile["duration_seconds"] else { return nil }
    guard let seconds = Int(text), (900...43_200).contains(seconds) else {
      throw .configuration("\(label): duration_seconds is not in 900–43200")
    }
    return seconds
  }

  /// The error for a profile that needs a sign-in. The hint is one line for the profile itself, because its region and
  /// the profiles that name it as their source then go on working.
  private func signInNeeded(_ profile: SharedProfile, of parent: String?) -> AWSError {
    let name = ErrorAnswer.printable(profile.name)
    let isPlain = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._@/+-".contains($0)) }
    let word = isPlain ? name : "\"\(name)\""
    let login = profile["login_session"] == nil ? "sso login" : "login"
    let header = name == "default" ? "[default]" : "[profile \(word)]"
    let way = parent.map { ", the source_profile of '\(ErrorAnswer.printable($0))'," } ?? ""
    return .configuration(
      "profile '\(name)'\(way) needs a sign-in (\(login == "login" ? "aws login" : "SSO")), which this tool leaves to the AWS CLI",
      hint: "sign in with 'aws \(login) --profile \(word)' (AWS CLI 2.9 or later), and add the line "
        + "'credential_process = aws configure export-credentials --profile \(word) --format process' to the section "
        + "\(header) of \(files.configPath)")
  }
}

/// A profile's `role_arn` with `source_profile` or `credential_source`.
struct AssumedRole: Sendable, Equatable {
  var roleARN: String
  /// The session's name; `nil` takes a generated one.
  var sessionName: String?
  var externalID: String?
  /// The duration in seconds; `nil` takes the role's default.
  var durationSeconds: Int?

  var printableARN: String { ErrorAnswer.printable(roleARN) }

  func fetch(by key: AWSCredentials, _ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    let client = STSClient(
      region: context.region, endpoint: context.stsEndpoint, credentials: StaticCredentials(key),
      transport: context.transport, environment: context.calls)
    let request = AssumeRoleRequest(
      roleARN: roleARN, sessionName: sessionName ?? .ofTheMoment(context), externalID: externalID,
      durationSeconds: durationSeconds)
    return try await client.assumeRole(request, source: "role \(printableARN) by way of \(key.source)")
  }
}

/// A role, and the file in which an identity provider (Kubernetes, GitHub Actions) keeps a token.
struct WebIdentityRole: Sendable, Equatable {
  var roleARN: String
  var tokenFile: String
  var sessionName: String?
  var durationSeconds: Int?

  var source: String {
    "role \(ErrorAnswer.printable(roleARN)) by way of the web identity token in \(ErrorAnswer.printable(tokenFile))"
  }

  /// Exchanges the token for credentials. Each fetch reads the file, because the identity provider renews it.
  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    let client = STSClient(
      region: context.region, endpoint: context.stsEndpoint, credentials: nil, transport: context.transport,
      environment: context.calls)
    let request = WebIdentityRequest(
      roleARN: roleARN, sessionName: sessionName ?? .ofTheMoment(context), token: try token(context.files),
      durationSeconds: durationSeconds)
    return try await client.assumeRoleWithWebIdentity(request, source: source)
  }

  /// - Throws: ``AWSError`` `configuration` where the file has no token.
  @discardableResult
  func token(_ files: SharedFiles) throws(AWSError) -> String {
    guard let token = files.token(in: tokenFile) else {
      throw .configuration(
        "the web identity token file '\(ErrorAnswer.printable(tokenFile))' has no token or cannot be read",
        hint: "check AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file in the profile")
    }
    return token
  }
}

extension String {
  /// A generated name for a role session, used where the user gives none.
  fileprivate static func ofTheMoment(_ context: CredentialContext) -> String {
    "infrabench-\(context.calls.wallClock())"
  }
}
