/// Where calls get their credentials.
public protocol CredentialsProvider: Sendable {
  /// Credentials for the next call.
  ///
  /// - Parameter rejected: credentials the service called expired; fetch others if there are any.
  /// - Throws: ``AWSError`` `configuration` where there are none, listing every place looked at; `credentials` where whoever gives
  ///   them failed or refused; `transfer` with the code `cancelled` for a cancelled wait.
  func credentials(replacing rejected: AWSCredentials?) async throws(AWSError) -> AWSCredentials
}

/// Credentials that never change.
public struct StaticCredentials: CredentialsProvider {
  private let value: AWSCredentials

  /// Makes a provider of one key pair.
  public init(_ value: AWSCredentials) { self.value = value }

  /// The key pair.
  public func credentials(replacing rejected: AWSCredentials?) async throws(AWSError) -> AWSCredentials { value }
}
