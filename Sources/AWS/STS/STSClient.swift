/// AWS Security Token Service, as far as roles are taken on with it.
///
/// Source: "AWS Security Token Service API Reference", version 2011-06-15.
struct STSClient: Sendable {
  private static let version = "2011-06-15"

  private let service: SignedService

  /// - Parameter credentials: whose key asks; `nil` where no operation is signed.
  init(
    region: String, endpoint: ServiceEndpoint, credentials: (any CredentialsProvider)?, transport: any HTTPTransport,
    environment: CallEnvironment
  ) {
    service = SignedService(
      target: ServiceTarget(
        signingName: "sts", region: region, endpoint: endpoint, endpointSetting: "AWS_ENDPOINT_URL_STS"),
      credentials: credentials, transport: transport, environment: environment)
  }

  /// Takes on a role with the client's key.
  ///
  /// - Parameter source: what the credentials are called from then on.
  func assumeRole(_ request: AssumeRoleRequest, source: String) async throws(AWSError) -> IssuedCredentials {
    try await call(
      "AssumeRole",
      [
        ("RoleArn", request.roleARN), ("RoleSessionName", request.sessionName), ("ExternalId", request.externalID),
        ("DurationSeconds", request.durationSeconds.map(String.init)),
      ],
      isSigned: true, secrets: request.externalID.map { [$0] } ?? [], source: source)
  }

  /// Takes on a role with an identity provider's token.
  func assumeRoleWithWebIdentity(
    _ request: WebIdentityRequest, source: String
  ) async throws(AWSError) -> IssuedCredentials {
    do {
      return try await call(
        "AssumeRoleWithWebIdentity",
        [
          ("RoleArn", request.roleARN), ("RoleSessionName", request.sessionName), ("WebIdentityToken", request.token),
          ("DurationSeconds", request.durationSeconds.map(String.init)),
        ],
        isSigned: false, secrets: [request.token], source: source)
    } catch {
      // Nothing is signed: it is the token, or the role's trust in its provider, that is wrong.
      var error = error
      switch error.kind {
      case .expiredCredentials: error.hint = "the token of \(source) has expired: whatever writes it must renew it"
      case .accessDenied:
        error.hint = "the trust policy of \(request.roleARN) must allow the token's provider and subject"
      default: break
      }
      throw error
    }
  }

  private func call(
    _ operation: String, _ fields: [(String, String?)], isSigned: Bool, secrets: [String], source: String
  ) async throws(AWSError) -> IssuedCredentials {
    let request = ServiceRequest(
      operation: operation, headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
      body: FormEncoding.body([("Action", operation), ("Version", STSClient.version)] + fields),
      isSigned: isSigned, secrets: secrets, answerIsSecret: true)
    return try await service.send(request, retry: .standard) { response in
      try RoleAnswer.issued(response.body, operation: operation, source: source)
    }.output
  }
}
