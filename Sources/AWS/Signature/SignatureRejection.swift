/// Why a received request's signature was refused, in AWS's own codes (HTTP status 400).
public struct SignatureRejection: Error, Sendable, Equatable, CustomStringConvertible {
  /// The `__type` of the answer.
  public enum Code: String, Sendable {
    /// No `Authorization` header at all.
    case missingAuthenticationToken = "MissingAuthenticationTokenException"
    /// The header, or the date beside it, is malformed.
    case incompleteSignature = "IncompleteSignatureException"
    /// The key id or the session token is not known here.
    case unrecognizedClient = "UnrecognizedClientException"
    /// The signature is wrong, covers too little, or its date is too far from this machine's clock.
    case invalidSignature = "InvalidSignatureException"
  }

  /// AWS's code.
  public var code: Code
  /// AWS's message; without secrets.
  public var message: String

  /// Code and message.
  public var description: String { "\(code.rawValue): \(message)" }

  static let missing = SignatureRejection(
    code: .missingAuthenticationToken, message: "Missing Authentication Token")
  static let unrecognized = SignatureRejection(
    code: .unrecognizedClient, message: "The security token included in the request is invalid.")

  static func incomplete(_ message: String) -> SignatureRejection {
    SignatureRejection(code: .incompleteSignature, message: message)
  }

  static func invalid(_ message: String) -> SignatureRejection {
    SignatureRejection(code: .invalidSignature, message: message)
  }
}
