public import Transport

/// Why a call to the gateway did not do what it should: a kind for counting, and words for people.
public struct GatewayError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What results count errors by: a transport kind, `http_<status>`, `invalid_json`, `refused`.
  public var kind: String
  /// What happened, with the head of the answer where there was one.
  public var message: String

  /// Makes an error.
  public init(kind: String, message: String) {
    self.kind = kind
    self.message = message
  }

  /// A failure below HTTP.
  public init(_ error: TransportError) {
    kind = error.kind.rawValue
    message = error.message
  }

  /// The gateway's profile has no such role.
  static func absentRole(_ name: String) -> GatewayError {
    GatewayError(kind: "no_\(name)", message: "the gateway's profile has no role '\(name)'")
  }

  /// Whether the caller gave up, so that nothing failed.
  public var isCancellation: Bool { kind == TransportError.Kind.cancelled.rawValue }

  /// The kind and the message.
  public var description: String { "\(kind): \(message)" }
}
