import Latency
import Synchronization

/// The credential provider chain: it decides where credentials come from, in the order of the contract (environment,
/// web identity, shared files, container endpoint, instance). It reads variables and files and makes no call. As in
/// botocore, a profile's `role_arn` with `source_profile` or `credential_source` goes before web identity: a user who
/// names such a profile in a pod wants that role, not the pod's own.
struct CredentialChain: Sendable {
  /// The first source with credentials, and why the sources before it have none.
  struct Finding {
    var source: CredentialSource
    var passedOver: [String]

    /// Whether the source is asked only because no other source is left: no setting names it.
    var isLastResort: Bool {
      if case .instance = source { true } else { false }
    }
  }

  /// `--profile`; with it the keys in the environment are not used.
  var profileFlag: String?
  /// The environment without empty variables.
  var environment: [String: String]
  var files: SharedFiles

  /// Finds the source; each call reads the files again.
  ///
  /// - Throws: ``AWSError`` `configuration` for an incomplete or wrong setting, and where no source is left.
  func find() throws(AWSError) -> Finding {
    let keys = EnvironmentCredentials(environment)
    var passedOver: [String] = []
    if profileFlag != nil {
      passedOver.append("the environment: --profile passes it over")
    } else if let source = try keys.source() {
      return Finding(source: source, passedOver: passedOver)
    } else {
      passedOver.append("the environment: \(keys.absence)")
    }
    let name = profileFlag ?? files.defaultProfile(environment)
    let profiles = ProfileCredentials(environment: environment, files: files, keysOfEnvironment: keys)
    if let source = try profiles.role(name) { return Finding(source: source, passedOver: passedOver) }
    if let role = try profiles.webIdentity(name, environment: profileFlag == nil ? environment : [:]) {
      return Finding(source: .webIdentity(role), passedOver: passedOver)
    }
    passedOver.append(
      "web identity: "
        + (profileFlag == nil
          ? "AWS_WEB_IDENTITY_TOKEN_FILE is not set" : "--profile passes the environment over"))
    if let source = try profiles.own(name) { return Finding(source: source, passedOver: passedOver) }
    passedOver.append("the shared files: \(profiles.absence(of: name))")
    if let endpoint = try ContainerEndpoint(environment: environment, files: files) {
      return Finding(source: .container(endpoint), passedOver: passedOver)
    }
    passedOver.append(ContainerEndpoint.absence)
    guard let metadata = try InstanceMetadata(environment: environment, profile: files.profile(named: name)) else {
      throw CredentialChain.nothing(passedOver + [InstanceMetadata.absence])
    }
    return Finding(source: .instance(metadata), passedOver: passedOver)
  }

  /// Finds the source and fetches its credentials.
  ///
  /// - Throws: ``AWSError`` `configuration` as ``find()`` does, and where a source's answer has no credentials;
  ///   `credentials` where a source failed or refused; `transfer` only for a cancelled wait.
  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    let finding = try find()
    do throws(AWSError) {
      return try await finding.source.fetch(context)
    } catch {
      guard error.kind == .configuration else { throw error.gettingCredentials(of: finding.source.name) }
      guard finding.isLastResort else { throw error }
      throw CredentialChain.nothing(finding.passedOver + [error.message])
    }
  }

  /// The error for credentials that no source has.
  static func nothing(_ places: [String]) -> AWSError {
    let list = places.enumerated().map { "(\($0.offset + 1)) \($0.element)" }.joined(separator: "; ")
    return .configuration(
      "no AWS credentials were found; looked at \(list)",
      hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile")
  }
}

/// The source of credentials, decided from files and environment alone, before any network call. Static keys are the
/// only secret in it.
indirect enum CredentialSource: Sendable, Equatable {
  /// Keys that are already known; they end at `expiration`, seconds since 1970, if that is known.
  case keys(AWSCredentials, expiration: Int64? = nil)
  /// A program writes the credentials.
  case process(CredentialProcess)
  /// STS issues them in exchange for other credentials.
  case role(AssumedRole, by: CredentialSource)
  /// STS issues them in exchange for an identity provider's token.
  case webIdentity(WebIdentityRole)
  /// An agent beside the container issues them.
  case container(ContainerEndpoint)
  /// The instance's metadata service issues them.
  case instance(InstanceMetadata)

  /// The name of the credentials in messages.
  var name: String {
    switch self {
    case .keys(let credentials, _): credentials.source
    case .process(let process): process.source
    case .role(let role, let source): "role \(role.printableARN) by way of \(source.name)"
    case .webIdentity(let role): role.source
    case .container(let endpoint): endpoint.source
    case .instance(let metadata): metadata.source
    }
  }

  /// Fetches the credentials.
  func fetch(_ context: CredentialContext) async throws(AWSError) -> IssuedCredentials {
    switch self {
    case .keys(let credentials, let expiration):
      return IssuedCredentials(credentials: credentials, expiration: expiration)
    case .process(let process): return try await process.fetch(context)
    case .role(let role, let source):
      let key = try await source.fetch(context).credentials
      return try await role.fetch(by: key, context)
    case .webIdentity(let role): return try await role.fetch(context)
    case .container(let endpoint): return try await endpoint.fetch(context)
    case .instance(let metadata): return try await metadata.fetch(context)
    }
  }
}

extension AWSError {
  /// The error of a wait whose task was cancelled.
  static var cancelledWait: AWSError {
    let error = TransferError(.cancelled, "the wait for credentials was cancelled")
    return AWSError(.transfer, message: error.message, transfer: error)
  }
}

/// The environment of one fetch of credentials; made anew for each renewal.
struct CredentialContext: Sendable {
  /// This process's environment, unchanged: `credential_process` inherits it.
  var environment: [String: String]
  var files: SharedFiles
  /// Clock, sleep, randomness, warnings.
  var calls: CallEnvironment
  var transport: any HTTPTransport
  /// The region and endpoint for STS.
  var region: String
  var stsEndpoint: ServiceEndpoint
  /// The time-out of a `credential_process`.
  var processTimeout: Nanoseconds = .seconds(60)
}

/// A transport whose first request creates it: a transport costs a thread, and most credentials need no request.
final class LazyTransport: HTTPTransport {
  private let certificateBundle: String?
  private let transport = Mutex<(any HTTPTransport)?>(nil)

  init(certificateBundle: String?) { self.certificateBundle = certificateBundle }

  func send(_ request: HTTPRequest) async throws(TransferError) -> HTTPResponse {
    let made: Result<any HTTPTransport, TransferError> = transport.withLock { transport in
      Result { () throws(TransferError) in
        if let transport { return transport }
        let new = try CurlTransport(options: .init(certificateBundle: certificateBundle, maximumBodyBytes: 1 << 20))
        transport = new
        return new
      }
    }
    return try await made.get().send(request)
  }
}

/// The key pair in the environment.
struct EnvironmentCredentials: Sendable {
  private static let id = "AWS_ACCESS_KEY_ID"
  private static let secret = "AWS_SECRET_ACCESS_KEY"
  private static let expiration = "AWS_CREDENTIAL_EXPIRATION"

  /// The environment without empty variables.
  private let environment: [String: String]

  /// - Parameter environment: without empty variables.
  init(_ environment: [String: String]) { self.environment = environment }

  /// The pair; `nil` without a key id. As in botocore, a secret without a key id is ignored.
  ///
  /// - Throws: ``AWSError`` `configuration` for a key id without its secret, a value with a line break in it, and an
  ///   expiration that is not a valid time.
  func source() throws(AWSError) -> CredentialSource? {
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

  /// Why ``source()`` found no credentials, for error messages.
  var absence: String {
    environment[Self.secret] == nil
      ? "\(Self.id) and \(Self.secret) are not set"
      : "\(Self.secret) is set, but \(Self.id) is not: set both or neither"
  }

  /// The end of the keys' validity, as `aws configure export-credentials --format env` writes it.
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
  /// The name of the environment's keys in messages.
  static let environmentSource = "the environment (AWS_ACCESS_KEY_ID)"
}
