public import Latency

/// Why an operation on a connection failed: a kind for counting, and a message for people.
public struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of failure, by which results count errors.
  public enum Kind: String, Sendable, CaseIterable {
    /// The host's name could not be resolved.
    case dns
    /// No server listens there.
    case connectRefused = "connect_refused"
    /// Any other failure to connect.
    case connectFailed = "connect_failed"
    /// The connection was not established in time.
    case connectTimeout = "connect_timeout"
    /// The handshake failed, or the certificate was not accepted.
    case tls
    /// The peer wants a client certificate, and got none or none that it accepts.
    case clientCertificate = "client_certificate"
    /// The operation timed out.
    case timeout
    /// The peer reset the connection.
    case reset
    /// The peer closed the connection before the answer was complete.
    case closed
    /// The peer closed an idle connection at the moment at which a request was sent over it, without any byte of an
    /// answer.
    case closedIdle = "closed_idle"
    /// The answer is not HTTP that this client accepts.
    case invalidResponse = "invalid_response"
    /// The answer is larger than this client accepts.
    case tooLarge = "too_large"
    /// The caller gave up. This is no failure of the target and never counts as one.
    case cancelled
  }

  /// The kind of failure, by which results count errors.
  public var kind: Kind
  /// The message for people.
  public var message: String

  /// When the first byte of the failed exchange's request was written; nil if no byte was.
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
