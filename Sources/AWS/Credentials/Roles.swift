/// A profile's `role_arn` with `source_profile` or `credential_source`.
struct AssumedRole: Sendable, Equatable {
  var roleARN: String
  /// `nil` takes a name of the moment.
  var sessionName: String?
  var externalID: String?
  /// In seconds; `nil` takes the role's own.
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

/// A role and the file an identity provider keeps a token in: Kubernetes, GitHub Actions.
struct WebIdentityRole: Sendable, Equatable {
  var roleARN: String
  var tokenFile: String
  var sessionName: String?
  var durationSeconds: Int?

  var source: String {
    "role \(ErrorAnswer.printable(roleARN)) by way of the web identity token in \(ErrorAnswer.printable(tokenFile))"
  }

  /// The token is read each time: whoever writes it renews it.
  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    let client = STSClient(
      region: context.region, endpoint: context.stsEndpoint, credentials: nil, transport: context.transport,
      environment: context.calls)
    let request = WebIdentityRequest(
      roleARN: roleARN, sessionName: sessionName ?? .ofTheMoment(context), token: try token(context.files),
      durationSeconds: durationSeconds)
    return try await client.assumeRoleWithWebIdentity(request, source: source)
  }

  /// - Throws: ``AWSError`` `configuration` where there is none.
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
  /// A role session's name where the user gives none.
  fileprivate static func ofTheMoment(_ context: CredentialContext) -> String {
    "infrabench-\(context.calls.wallClock())"
  }
}
