/// Why no complete HTTP answer came.
public struct TransferError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong, as far as a caller decides by it.
  public enum Code: String, Sendable {
    /// The URL is not one, or its scheme is neither http nor https.
    case invalidURL
    /// The host's name (or the proxy's) has no address.
    case nameLookup
    /// No connection: refused, unreachable.
    case connect
    /// The TLS handshake failed or the certificate was not accepted.
    case tls
    /// No complete answer in time.
    case timeout
    /// The connection broke in the middle.
    case connectionLost
    /// What came is not HTTP.
    case malformedAnswer
    /// Headers or body beyond the transport's bound.
    case answerTooLarge
    /// The task that waited was cancelled.
    case cancelled
    /// The transport was shut down.
    case shutDown
    /// Anything else libcurl reports.
    case other
  }

  /// What went wrong.
  public var code: Code
  /// libcurl's words; of TLS the reason alone.
  public var message: String
  /// Whether the names in the server's certificate would say more.
  var needsNames = false

  /// Makes an error.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// For people.
  public var description: String { message }

  /// Whether another try may fare better.
  public var isTransient: Bool {
    switch code {
    case .nameLookup, .connect, .timeout, .connectionLost, .malformedAnswer: true
    case .invalidURL, .tls, .answerTooLarge, .cancelled, .shutDown, .other: false
    }
  }
}
