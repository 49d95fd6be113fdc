/// A key pair, and where it came from.
///
/// No textual form of it (description, debug output, reflection) shows the secret, the session token or the whole key id.
public struct AWSCredentials: Sendable, Equatable {
  /// The public half, `AKIA…` or `ASIA…`.
  public var accessKeyID: String
  /// The private half.
  public var secretAccessKey: String
  /// Present with temporary credentials; never empty.
  public var sessionToken: String?
  /// Where the pair was found, for error messages: `environment variables`, `profile 'dev' in ~/.aws/credentials`.
  public var source: String

  /// Makes credentials; an empty session token counts as none (an empty header would break the signature).
  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, source: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
    self.source = source
  }

  /// The end of the key id, `…MPLE`: enough to tell keys apart, too little for a scanner of secrets to take it for one.
  public var accessKeyIDEnding: String { "…" + accessKeyID.suffix(min(4, accessKeyID.count / 2)) }

  /// A copy of `text` in which the secret and the session token are replaced: a service may echo what was signed.
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

  /// The same as ``description``.
  public var debugDescription: String { description }

  /// Shows no more than ``description``, so that `dump` and test failures do not print the secret.
  public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyIDEnding, "source": source]) }
}
