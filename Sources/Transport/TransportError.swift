public import Latency

/// Why an operation on a connection failed: a kind for counting, and a message for people.
public struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What results count errors by.
  public enum Kind: String, Sendable, CaseIterable {
    /// The name could not be resolved.
    case dns
    /// Nobody listens there.
    case connectRefused = "connect_refused"
    /// Any other failure to connect.
    case connectFailed = "connect_failed"
    /// The connection was not there in time.
    case connectTimeout = "connect_timeout"
    /// The handshake failed, or the certificate was not accepted.
    case tls
    /// The peer wants a certificate of the client, and was shown none, or none that it accepts.
    case clientCertificate = "client_certificate"
    /// The operation's bound passed.
    case timeout
    /// The peer reset the connection.
    case reset
    /// The peer closed the connection before the answer was complete.
    case closed
    /// The peer closed a connection that had been idle just when a request was sent over it, without a byte of an answer.
    case closedIdle = "closed_idle"
    /// The answer is not HTTP as this client accepts it.
    case invalidResponse = "invalid_response"
    /// The answer is larger than this client accepts.
    case tooLarge = "too_large"
    /// The caller gave up: no failure of the target, and never counted as one.
    case cancelled
  }

  /// What results count errors by.
  public var kind: Kind
  /// What happened, for people.
  public var message: String

  /// When the first byte of the failed exchange's request was written; nil if none was.
  public var firstByteWrittenAt: Instant?

  /// Makes an error.
  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  /// The caller gave up.
  public static let cancelled = TransportError(.cancelled, "cancelled")

  /// The kind and the message.
  public var description: String { "\(kind.rawValue): \(message)" }
}
