import Latency
import Synchronization

/// The credential provider chain: decides where credentials come from, in the order of the contract (environment, web
/// identity, shared files, container endpoint, instance). It reads variables and files and makes no call. A profile's
/// `role_arn` with `source_profile` or `credential_source` goes before web identity, as botocore has it: who names such
/// a profile in a pod wants that role, not the pod's own.
struct CredentialChain: Sendable {
  /// The first source that was found, and why those before it have nothing.
  struct Finding {
    var source: CredentialSource
    var passedOver: [String]

    /// Whether it is asked although no setting names it, because no other source is left.
    var isLastResort: Bool {
      if case .instance = source { true } else { false }
    }
  }

  /// `--profile`, which passes the environment over.
  var profileFlag: String?
  /// Without empty variables.
  var environment: [String: String]
  var files: SharedFiles

  /// Finds the source; reads the files each time.
  ///
  /// - Throws: ``AWSError`` `configuration` for what is half given or wrong, and where nothing is left to ask.
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

  /// Looks and asks.
  ///
  /// - Throws: ``AWSError`` `configuration` as ``find()`` does and for what a source gave that is none; `credentials` where
  ///   a source failed or refused; `transfer` only for a cancelled wait.
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

  /// The one error for "none anywhere".
  static func nothing(_ places: [String]) -> AWSError {
    let list = places.enumerated().map { "(\($0.offset + 1)) \($0.element)" }.joined(separator: "; ")
    return .configuration(
      "no AWS credentials were found; looked at \(list)",
      hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --profile")
  }
}

/// Where credentials come from, decided from files and environment alone, before any network call. Holds no secret but static
/// keys.
indirect enum CredentialSource: Sendable, Equatable {
  /// They are at hand; they end at `expiration`, seconds since 1970, if that is known.
  case keys(AWSCredentials, expiration: Int64? = nil)
  /// A program writes them.
  case process(CredentialProcess)
  /// STS gives them for other credentials.
  case role(AssumedRole, by: CredentialSource)
  /// STS gives them for an identity provider's token.
  case webIdentity(WebIdentityRole)
  /// An agent beside the container gives them.
  case container(ContainerEndpoint)
  /// The instance's metadata service gives them.
  case instance(InstanceMetadata)

  /// What the credentials will be called.
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

  /// Gets them.
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
  /// The task that waited was cancelled.
  static var cancelledWait: AWSError {
    let error = TransferError(.cancelled, "the wait for credentials was cancelled")
    return AWSError(.transfer, message: error.message, transfer: error)
  }
}

/// What fetching credentials needs of the world; made anew for each renewal.
struct CredentialContext: Sendable {
  /// Of this process, as it is: `credential_process` inherits it.
  var environment: [String: String]
  var files: SharedFiles
  /// Clock, sleep, randomness, warnings.
  var calls: CallEnvironment
  var transport: any HTTPTransport
  /// The region and endpoint of STS.
  var region: String
  var stsEndpoint: ServiceEndpoint
  /// Bound of a `credential_process`.
  var processTimeout: Nanoseconds = .seconds(60)
}

/// A transport that is made when it is first needed: most credentials need none, and each has a thread.
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

  /// Without empty variables.
  private let environment: [String: String]

  /// - Parameter environment: without empty variables.
  init(_ environment: [String: String]) { self.environment = environment }

  /// The pair; `nil` without a key id, as botocore has it: a secret alone is passed over.
  ///
  /// - Throws: ``AWSError`` `configuration` for a key id without its secret, a value with a line break in it, and an
  ///   expiration that is no time.
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

  /// Why ``source()`` found nothing, in words.
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
