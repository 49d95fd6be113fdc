import AWSSignature

/// What a profile's settings say about credentials; follows `source_profile` as botocore does.
struct ProfileSearch {
  /// Without empty variables.
  var environment: [String: String]
  var files: SharedFiles
  var keysOfEnvironment: () throws(AWSError) -> AWSCredentials?

  /// The plan of a profile; `nil` where it does not exist or says nothing about credentials.
  ///
  /// - Throws: ``AWSError`` `configuration` for what is half given, contradictory, circular, or needs a person.
  func plan(_ name: String) throws(AWSError) -> CredentialPlan? { try plan(name, visited: []) }

  /// Why ``plan(_:)`` found nothing, in words.
  func absence(of name: String) -> String {
    guard files.profile(named: name) != nil else { return files.absence(of: name) }
    let name = ErrorAnswer.printable(name)
    return "profile '\(name)' has no aws_access_key_id, credential_process, role_arn or web_identity_token_file"
  }

  /// - Parameter visited: the profiles that lead here by `source_profile`, the first one first.
  private func plan(_ name: String, visited: [String]) throws(AWSError) -> CredentialPlan? {
    guard let profile = files.profile(named: name) else { return nil }
    let label = "profile '\(ErrorAnswer.printable(name))'"
    let keys = try keys(of: profile, label)
    if profile["web_identity_token_file"] != nil { return try webIdentity(profile, label) }
    // A profile that others build on gives its keys, if it has any; its own role is for those who name it.
    if profile["role_arn"] != nil, visited.isEmpty || keys == nil { return try role(profile, label, keys, visited) }
    if let keys, !profile.inCredentials.isEmpty, profile.inCredentials["aws_access_key_id"] != nil {
      return .keys(keys)
    }
    if let command = profile["credential_process"] {
      let path = profile.inCredentials["credential_process"] == nil ? files.configPath : files.credentialsPath
      return .process(try CredentialProcess(command: command, source: "\(label) (credential_process) in \(path)"))
    }
    if let keys { return .keys(keys) }
    if ["sso_session", "sso_start_url", "sso_account_id", "login_session"].contains(where: { profile[$0] != nil }) {
      throw signInNeeded(name, label)
    }
    return nil
  }

  /// A key pair, both halves of it in the same file.
  private func keys(of profile: SharedProfile, _ label: String) throws(AWSError) -> AWSCredentials? {
    for (settings, path) in [(profile.inCredentials, files.credentialsPath), (profile.inConfig, files.configPath)] {
      let halves = ["aws_access_key_id", "aws_secret_access_key"].map { settings[$0].flatMap { $0.isEmpty ? nil : $0 } }
      if let key = halves[0], let secret = halves[1] {
        return AWSCredentials(
          accessKeyID: key, secretAccessKey: secret,
          sessionToken: settings["aws_session_token"] ?? settings["aws_security_token"], source: "\(label) in \(path)")
      }
      guard halves[0] == nil, halves[1] == nil else {
        let (given, missing) = halves[0] == nil ? ("aws_secret", "aws_access_key_id") : ("aws", "aws_secret_access_key")
        throw .configuration(
          "\(label) in \(path) has \(given)_access_key\(halves[0] == nil ? "" : "_id"), but no \(missing)",
          hint: "write both into the same file, or neither")
      }
    }
    return nil
  }

  private func role(
    _ profile: SharedProfile, _ label: String, _ keys: AWSCredentials?, _ visited: [String]
  ) throws(AWSError) -> CredentialPlan {
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
      return .role(role, by: try sourcePlan(source, of: profile, label, keys, visited))
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
    _ source: String, of profile: SharedProfile, _ label: String, _ keys: AWSCredentials?, _ visited: [String]
  ) throws(AWSError) -> CredentialPlan {
    // A profile may name itself: its own keys take its role on.
    if source == profile.name, let keys { return .keys(keys) }
    let path = visited + [profile.name]
    guard !path.contains(source) else {
      let circle = (path + [source]).map { ErrorAnswer.printable($0) }.joined(separator: " → ")
      throw .configuration("source_profile goes in a circle: \(circle)", hint: "one of them must have keys")
    }
    let name = ErrorAnswer.printable(source)
    guard files.profile(named: source) != nil else {
      throw .configuration(
        "\(label) has source_profile '\(name)', which does not exist",
        hint: "check \(files.configPath) and \(files.credentialsPath)")
    }
    guard let plan = try plan(source, visited: path) else {
      throw .configuration("\(label) has source_profile '\(name)', which has no credentials")
    }
    return plan
  }

  private func namedSource(_ source: String, _ label: String) throws(AWSError) -> CredentialPlan {
    let found: CredentialPlan?
    switch source {
    case "Environment": found = try keysOfEnvironment().map { .keys($0) }
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
        case "Environment": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"
        case "EcsContainer": ContainerEndpoint.absence
        default: InstanceMetadata.absence
        }
      throw .configuration("\(label) has credential_source \(source), which gives nothing: \(reason)")
    }
    return found
  }

  private func webIdentity(_ profile: SharedProfile, _ label: String) throws(AWSError) -> CredentialPlan {
    guard let arn = profile["role_arn"], let tokenFile = profile["web_identity_token_file"] else {
      throw .configuration("\(label) has web_identity_token_file, but no role_arn", hint: "add role_arn")
    }
    let role = WebIdentityRole(
      roleARN: arn, tokenFile: tokenFile, sessionName: profile["role_session_name"],
      durationSeconds: try duration(profile, label))
    try role.token(files)
    return .webIdentity(role)
  }

  private func duration(_ profile: SharedProfile, _ label: String) throws(AWSError) -> Int? {
    guard let text = profile["duration_seconds"] else { return nil }
    guard let seconds = Int(text), (900...43_200).contains(seconds) else {
      throw .configuration("\(label): duration_seconds is not in 900–43200")
    }
    return seconds
  }

  private func signInNeeded(_ name: String, _ label: String) -> AWSError {
    let name = ErrorAnswer.printable(name)
    return .configuration(
      "\(label) needs a sign-in (SSO), which this tool leaves to the AWS CLI",
      hint: "sign in with 'aws sso login --profile \(name)', add the two lines '[profile \(name)-keys]' and "
        + "'credential_process = aws configure export-credentials --profile \(name) --format process' to "
        + "\(files.configPath), and give --profile \(name)-keys")
  }
}
