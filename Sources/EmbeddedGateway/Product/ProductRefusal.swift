import NIOHTTP1

/// Why the product's profile refuses a request or an upgrade: what the product's error JSON holds, and the status before it.
struct ProductRefusal: Error, Equatable {
  let status: HTTPResponseStatus
  /// For programs.
  let code: String
  /// For people; repeats no token.
  let message: String

  init(_ status: HTTPResponseStatus, _ code: String, _ message: String) {
    self.status = status
    self.code = code
    self.message = message
  }

  static let noSession = ProductRefusal(.notFound, "SESSION_NOT_FOUND", "there is no such session, or it has ended")
  static let tooManySessions = ProductRefusal(
    .serviceUnavailable, "TOO_MANY_SESSIONS", "there are too many sessions: end some, or try again later")
  static let stopping = ProductRefusal(.serviceUnavailable, "GATEWAY_STOPPING", "the gateway is stopping")

  /// The code of a refusal that has only a status.
  static func code(of status: HTTPResponseStatus) -> String {
    switch status {
    case .badRequest: "BAD_REQUEST"
    case .unauthorized: "UNAUTHORIZED"
    case .forbidden: "FORBIDDEN"
    case .notFound: "NOT_FOUND"
    case .methodNotAllowed: "METHOD_NOT_ALLOWED"
    case .payloadTooLarge: "PAYLOAD_TOO_LARGE"
    case .upgradeRequired: "UPGRADE_REQUIRED"
    default: status.code < 500 ? "REFUSED" : "UNAVAILABLE"
    }
  }
}

extension TokenVerdict {
  /// Why a request is refused; `nil` for an accepted token.
  var refusal: ProductRefusal? {
    switch self {
    case .accepted: nil
    case .missing:
      ProductRefusal(.unauthorized, "UNAUTHORIZED", "no token: send Authorization: Bearer TOKEN, or /?token=TOKEN")
    case .unknown: ProductRefusal(.unauthorized, "INVALID_TOKEN", "this token is not known here")
    case .expired: ProductRefusal(.unauthorized, "TOKEN_EXPIRED", "this token has expired: get a new one")
    }
  }
}
