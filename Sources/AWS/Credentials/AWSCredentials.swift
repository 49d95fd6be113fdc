/// A key pair and its source.
///
/// No textual form of a value (description, debug output, reflection) shows the secret, the session token or the whole
/// key id.
public struct AWSCredentials: Sendable, Equatable {
  /// The public half, `AKIA…` or `ASIA…`.
  public var accessKeyID: String
  /// The private half.
  public var secretAccessKey: String
  /// The session token of temporary credentials; never empty.
  public var sessionToken: String?
  /// The pair's source, for error messages: `environment variables`, `profile 'dev' in ~/.aws/credentials`.
  public var source: String

  /// Makes credentials; an empty session token counts as none (an empty header would break the signature).
  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, source: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
    self.source = source
  }

  /// The end of the key id, `…MPLE`: long enough to tell keys apart, too short for a scanner of secrets to report it.
  public var accessKeyIDEnding: String { "…" + accessKeyID.suffix(min(4, accessKeyID.count / 2)) }

  /// A copy of `text` in which the secret and the session token are replaced, because a service may echo what was
  /// signed.
  public func redacted(_ text: String) -> String {
    var result = text
    for secret in [secretAccessKey, sessionToken ?? ""] where !secret.isEmpty {
      result = result.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "[redacted]")
    }
    return result
  }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The end of the key's id, and the source.
  public var description: String { "key \(accessKeyIDEnding) from \(source)" }

  /// Equals ``description``.
  public var debugDescription: String { description }

  /// Shows no more than ``description``, so that `dump` and test failures do not print the secret.
  public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyIDEnding, "source": source]) }
}

extension AWSCredentials {
  /// These credentials, after a check that each part can be sent.
  ///
  /// A line break at the end of a variable is easily overlooked, and the failure that follows (a header that cannot be
  /// sent, a signature that AWS refuses) does not point to it.
  ///
  /// - Parameters:
  ///   - names: the settings that hold key id, secret and token.
  ///   - hint: how to correct the setting.
  /// - Throws: ``AWSError`` `configuration` that names the part with a control character in it.
  func checked(named names: [String], hint: String?) throws(AWSError) -> AWSCredentials {
    for (name, value) in zip(names, [accessKeyID, secretAccessKey, sessionToken ?? ""]) {
      guard let control = value.unicodeScalars.first(where: { $0.value < 0x20 || $0.value == 0x7f }) else { continue }
      let isAtEnd = value.unicodeScalars.last.map { $0.value < 0x20 } ?? false
      let what = control == "\n" || control == "\r" ? "a line break" : "a control character"
      throw .configuration("\(name) has \(what) \(isAtEnd ? "at its end" : "in it")", hint: hint)
    }
    return self
  }
}

/// The source of credentials for calls.
public protocol CredentialsProvider: Sendable {
  /// Credentials for the next call.
  ///
  /// - Parameter rejected: the credentials that the service called expired; the provider fetches others if it can.
  /// - Throws: ``AWSError`` `configuration` where no source has credentials, with the list of searched places;
  ///   `credentials` where the source failed or refused; `transfer` of the kind `cancelled` for a cancelled wait.
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

/// Credentials as their source issued them, with their end.
struct IssuedCredentials: Sendable, Equatable {
  var credentials: AWSCredentials
  /// The end of their validity, seconds since 1970; `nil` for keys without an end.
  var expiration: Int64?
}
