/// The key pair in the environment.
struct EnvironmentKeys: Sendable {
  private static let id = "AWS_ACCESS_KEY_ID"
  private static let secret = "AWS_SECRET_ACCESS_KEY"
  private static let expiration = "AWS_CREDENTIAL_EXPIRATION"

  /// Without empty variables.
  private let environment: [String: String]

  /// - Parameter environment: without empty variables.
  init(_ environment: [String: String]) { self.environment = environment }

  /// The pair; `nil` without a key id, as botocore has it: a secret alone is passed over.
  ///
  /// - Throws: ``AWSError`` `configuration` for a key id without its secret, a value with a line break in it, and an
  ///   expiration that is no time.
  func plan() throws(AWSError) -> CredentialPlan? {
    guard let key = environment[Self.id] else { return nil }
    guard let secret = environment[Self.secret] else {
      throw .configuration("\(Self.id) is set, but \(Self.secret) is not", hint: "set both or neither")
    }
    let tokenVariable = environment["AWS_SESSION_TOKEN"] == nil ? "AWS_SECURITY_TOKEN" : "AWS_SESSION_TOKEN"
    let credentials = try AWSCredentials(
      accessKeyID: key, secretAccessKey: secret, sessionToken: environment[tokenVariable],
      source: AWSCredentials.environmentSource
    ).checked(
      named: [Self.id, Self.secret, tokenVariable],
      hint: "set the variable without it; files of variables that Windows wrote have one at the end of each line")
    return .keys(credentials, expiration: try end())
  }

  /// Why ``plan()`` found nothing, in words.
  var absence: String {
    environment[Self.secret] == nil
      ? "\(Self.id) and \(Self.secret) are not set"
      : "\(Self.secret) is set, but \(Self.id) is not: set both or neither"
  }

  /// `aws configure export-credentials --format env` writes it.
  private func end() throws(AWSError) -> Int64? {
    guard let text = environment[Self.expiration] else { return nil }
    guard let end = Timestamp.epochSeconds(text) else {
      throw .configuration(
        "\(Self.expiration) is no ISO 8601 or RFC 1123 time", hint: "it looks like 2026-01-31T23:59:59Z")
    }
    return end
  }
}

extension AWSCredentials {
  /// What keys of the environment are called.
  static let environmentSource = "the environment (AWS_ACCESS_KEY_ID)"
}
