import AWSSignature

/// Looks for credentials in the contract's order, without asking anybody: environment, shared files, web identity, container
/// endpoint, instance.
struct CredentialSearch: Sendable {
  /// What was found first, and why the places before it gave nothing.
  struct Finding {
    var plan: CredentialPlan
    var passedOver: [String]

    /// Whether nothing points to it: it is asked because nothing else is left.
    var isLastResort: Bool {
      if case .instance = plan { true } else { false }
    }
  }

  /// `--profile`, which passes the environment over.
  var profileFlag: String?
  /// Without empty variables.
  var environment: [String: String]
  var files: SharedFiles

  /// Looks, at the files anew each time.
  ///
  /// - Throws: ``AWSError`` `configuration` for what is half given or wrong, and where nothing is left to ask.
  func find() throws(AWSError) -> Finding {
    var passedOver: [String] = []
    if profileFlag != nil {
      passedOver.append("the environment: --profile passes it over")
    } else if let keys = try environmentKeys() {
      return Finding(plan: .keys(keys), passedOver: passedOver)
    } else {
      passedOver.append("the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
    }
    let name = profileFlag ?? files.defaultProfile(environment)
    let profiles = ProfileSearch(environment: environment, files: files, keysOfEnvironment: environmentKeys)
    if let plan = try profiles.plan(name) { return Finding(plan: plan, passedOver: passedOver) }
    passedOver.append("the shared files: \(profiles.absence(of: name))")
    if profileFlag != nil {
      passedOver.append("web identity: --profile passes the environment over")
    } else if let role = try environmentWebIdentity() {
      return Finding(plan: .webIdentity(role), passedOver: passedOver)
    } else {
      passedOver.append("web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set")
    }
    if let endpoint = try ContainerEndpoint(environment: environment, files: files) {
      return Finding(plan: .container(endpoint), passedOver: passedOver)
    }
    passedOver.append(ContainerEndpoint.absence)
    guard let metadata = try InstanceMetadata(environment: environment, profile: files.profile(named: name)) else {
      throw CredentialSearch.nothing(passedOver + [InstanceMetadata.absence])
    }
    return Finding(plan: .instance(metadata), passedOver: passedOver)
  }

  /// Looks and asks.
  ///
  /// - Throws: ``AWSError`` `configuration` as ``find()`` does and for what a source gave that is none; `credentials` where
  ///   a source failed or refused; `transfer` only for a cancelled wait.
  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    let finding = try find()
    do throws(AWSError) {
      return try await finding.plan.fetch(context)
    } catch {
      guard error.kind == .configuration else { throw error.gettingCredentials(of: finding.plan.source) }
      guard finding.isLastResort else { throw error }
      throw CredentialSearch.nothing(finding.passedOver + [error.message])
    }
  }

  /// The one error for "none anywhere".
  static func nothing(_ places: [String]) -> AWSError {
    let list = places.enumerated().map { "(\($0.offset + 1)) \($0.element)" }.joined(separator: "; ")
    return .configuration(
      "no AWS credentials were found; looked at \(list)",
      hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile")
  }

  private func environmentKeys() throws(AWSError) -> AWSCredentials? {
    switch (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) {
    case (nil, nil): return nil
    case (let key?, let secret?):
      return AWSCredentials(
        accessKeyID: key, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"],
        source: AWSCredentials.environmentSource)
    case (nil, _?):
      throw .configuration("AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not", hint: "set both or neither")
    case (_?, nil):
      throw .configuration("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not", hint: "set both or neither")
    }
  }

  private func environmentWebIdentity() throws(AWSError) -> WebIdentityRole? {
    guard let tokenFile = environment["AWS_WEB_IDENTITY_TOKEN_FILE"] else { return nil }
    guard let arn = environment["AWS_ROLE_ARN"] else {
      throw .configuration("AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not", hint: "set both or neither")
    }
    let role = WebIdentityRole(
      roleARN: arn, tokenFile: tokenFile, sessionName: environment["AWS_ROLE_SESSION_NAME"])
    try role.token(files)
    return role
  }
}

extension AWSCredentials {
  /// What keys of the environment are called.
  static let environmentSource = "the environment (AWS_ACCESS_KEY_ID)"
}
