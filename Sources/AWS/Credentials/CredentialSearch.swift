/// Looks for credentials in the contract's order, without asking anybody: environment, web identity, shared files, container
/// endpoint, instance. A profile's `role_arn` with `source_profile` or `credential_source` goes before web identity, as
/// botocore has it: who names such a profile in a pod wants that role, not the pod's own.
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
    let keys = EnvironmentKeys(environment)
    var passedOver: [String] = []
    if profileFlag != nil {
      passedOver.append("the environment: --profile passes it over")
    } else if let plan = try keys.plan() {
      return Finding(plan: plan, passedOver: passedOver)
    } else {
      passedOver.append("the environment: \(keys.absence)")
    }
    let name = profileFlag ?? files.defaultProfile(environment)
    let profiles = ProfileSearch(environment: environment, files: files, keysOfEnvironment: keys)
    if let plan = try profiles.role(name) { return Finding(plan: plan, passedOver: passedOver) }
    if let role = try profiles.webIdentity(name, environment: profileFlag == nil ? environment : [:]) {
      return Finding(plan: .webIdentity(role), passedOver: passedOver)
    }
    passedOver.append(
      "web identity: "
        + (profileFlag == nil
          ? "AWS_WEB_IDENTITY_TOKEN_FILE is not set" : "--profile passes the environment over"))
    if let plan = try profiles.own(name) { return Finding(plan: plan, passedOver: passedOver) }
    passedOver.append("the shared files: \(profiles.absence(of: name))")
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
}
