/// Where credentials come from, found out without asking anybody. Holds no secret but static keys.
indirect enum CredentialPlan: Sendable, Equatable {
  /// They are at hand; they end at `expiration`, seconds since 1970, if that is known.
  case keys(AWSCredentials, expiration: Int64? = nil)
  /// A program writes them.
  case process(CredentialProcess)
  /// STS gives them to who has other credentials.
  case role(AssumedRole, by: CredentialPlan)
  /// STS gives them to who has a token.
  case webIdentity(WebIdentityRole)
  /// An agent beside the container gives them.
  case container(ContainerEndpoint)
  /// The instance's metadata service gives them.
  case instance(InstanceMetadata)

  /// What the credentials will be called.
  var source: String {
    switch self {
    case .keys(let credentials, _): credentials.source
    case .process(let process): process.source
    case .role(let role, let source): "role \(role.printableARN) by way of \(source.source)"
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
