import TextFormatting

/// AWS Security Token Service, reduced to the operations that assume a role.
///
/// Source: "AWS Security Token Service API Reference", version 2011-06-15.
struct STSClient: Sendable {
  private static let version = "2011-06-15"

  private let service: SignedService

  /// - Parameter credentials: the credentials that sign; `nil` where no operation is signed.
  init(
    region: String, endpoint: ServiceEndpoint, credentials: (any CredentialsProvider)?, transport: any HTTPTransport,
    environment: CallEnvironment
  ) {
    service = SignedService(
      target: ServiceTarget(
        signingName: "sts", region: region, endpoint: endpoint, endpointSetting: "AWS_ENDPOINT_URL_STS"),
      credentials: credentials, transport: transport, environment: environment)
  }

  /// Assumes a role with the client's key.
  ///
  /// - Parameter source: the name of the credentials in messages.
  func assumeRole(_ request: AssumeRoleRequest, source: String) async throws(AWSError) -> IssuedCredentials {
    try await call(
      "AssumeRole",
      [
        ("RoleArn", request.roleARN), ("RoleSessionName", request.sessionName), ("ExternalId", request.externalID),
        ("DurationSeconds", request.durationSeconds.map(String.init)),
      ],
      isSigned: true, secrets: request.externalID.map { [$0] } ?? [], source: source)
  }

  /// Assumes a role with an identity provider's token.
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
      // The request is unsigned, so the token is wrong, or the role's trust in the token's provider.
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

/// `AssumeRole`: temporary credentials of another role, for a key that may assume it.
struct AssumeRoleRequest: Sendable, Equatable {
  /// `arn:aws:iam::123456789012:role/name`.
  var roleARN: String
  /// The session's name in CloudTrail: 2–64 of letters, digits and `+=,.@-_`.
  var sessionName: String
  /// The external id that some roles of other accounts require.
  var externalID: String?
  /// 900–43,200 s; `nil` takes the role's default, an hour unless the role sets another.
  var durationSeconds: Int?
}

/// `AssumeRoleWithWebIdentity`: a role's temporary credentials for a token of an identity provider.
struct WebIdentityRequest: Sendable {
  /// `arn:aws:iam::123456789012:role/name`.
  var roleARN: String
  /// The session's name in CloudTrail.
  var sessionName: String
  /// The identity provider's token, a secret.
  var token: String
  /// 900–43,200 s; `nil` takes the role's default.
  var durationSeconds: Int?
}

/// The answer of both operations, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>…`.
enum RoleAnswer {
  /// A required element is missing, or occurs more than once.
  struct Incomplete: Error {}

  /// - Throws: ``XMLElement/Refusal`` or ``Incomplete`` for any other body; neither repeats a text of the body.
  static func issued(_ body: [UInt8], operation: String, source: String) throws -> IssuedCredentials {
    let document = try XMLElement(parsing: body)
    func text(_ name: String) throws -> String {
      let text = document.text(at: "\(operation)Result/Credentials/\(name)")
      guard document.name == "\(operation)Response", let text, !text.isEmpty else { throw Incomplete() }
      return text
    }
    guard let expiration = Timestamp.epochSeconds(try text("Expiration")) else { throw Incomplete() }
    return IssuedCredentials(
      credentials: AWSCredentials(
        accessKeyID: try text("AccessKeyId"), secretAccessKey: try text("SecretAccessKey"),
        sessionToken: try text("SessionToken"), source: source),
      expiration: expiration)
  }
}

/// A body of AWS's query protocol, `Action=AssumeRole&Version=2011-06-15&…`.
enum FormEncoding {
  static func body(_ fields: [(name: String, value: String?)]) -> [UInt8] {
    let pairs = fields.compactMap { name, value in
      value.map { "\(PercentEncoding.encode(name))=\(PercentEncoding.encode($0))" }
    }
    return Array(pairs.joined(separator: "&").utf8)
  }
}
