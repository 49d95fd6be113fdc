import FoundationEssentials
import Gateway
import Latency
import NIOCore
import NIOHTTP1

/// The REST side of the product's profile.
extension RESTHandler {
  /// `POST /api/sessions`: creates a session without a task; its first message gets it one.
  func createProductSession(_ head: HTTPRequestHead, _ body: ByteBuffer, in sessions: ProductSessions) {
    do throws(ProductError) {
      let token = try sessions.accepted(Self.bearer(head))
      let wish = try Self.wish(body)
      if let userID = wish.userId, !UserID.isValid(userID) {
        throw ProductError(.badRequest, "INVALID_USER", "a userId is \(UserID.rule)")
      }
      let host = try sessions.create(userID: wish.userId ?? token.userID, token: token, isFromREST: true)
      var object = JSONObject()
      object.add("id", host.id)
      object.add("userId", host.userID)
      object.add("state", host.stateName)
      object.add("latency", milliseconds: MonotonicClock.now() - receivedAt)
      answer(.created, object.bytes)
    } catch {
      answer(error)
    }
  }

  /// `DELETE /api/sessions/{id}`.
  func deleteProductSession(_ id: String, _ head: HTTPRequestHead, in sessions: ProductSessions) {
    do throws(ProductError) {
      let token = try sessions.accepted(Self.bearer(head))
      try sessions.session(id, shown: token).delete()
      answer(.noContent, ByteBuffer())
    } catch {
      answer(error)
    }
  }

  /// Refuses a request for the WebSocket that is not a valid upgrade.
  func refuseProductSocket(_ head: HTTPRequestHead, in sessions: ProductSessions) {
    do throws(ProductError) {
      if head.headers.contains(name: "sec-websocket-key") { _ = try sessions.socket(for: head.uri) }
      throw ProductError(.upgradeRequired, "UPGRADE_REQUIRED", "this is a WebSocket (RFC 6455, version 13)")
    } catch {
      answer(error, close: true)
    }
  }

  private func answer(_ refusal: ProductError, close: Bool = false) {
    var headers: [(String, String)] = []
    if refusal.status == .unauthorized { headers.append(("www-authenticate", "Bearer")) }
    if refusal.status == .upgradeRequired { headers.append(("upgrade", "websocket")) }
    answerError(refusal.status, refusal.message, code: refusal.code, headers: headers, close: close)
  }

  private struct Wish: Decodable {
    var userId: String?
  }

  /// Reads the body, which may be missing.
  private static func wish(_ body: ByteBuffer) throws(ProductError) -> Wish {
    guard body.readableBytes > 0 else { return Wish() }
    do { return try JSONDecoder().decode(Wish.self, from: Data(body.readableBytesView)) } catch {
      throw ProductError(.badRequest, "INVALID_BODY", "a body is a JSON object; its userId is a text")
    }
  }

  /// The token of `Authorization: Bearer TOKEN`; the scheme's case does not count (RFC 9110, section 11.1).
  private static func bearer(_ head: HTTPRequestHead) -> String? {
    guard let value = head.headers.first(name: "authorization") else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return String(parts[1].drop { $0 == " " })
  }
}

extension GatewayRoute {
  /// The route of a request in the product's profile. Sessions replace acquire, release and `/session/…`; the queries
  /// for tools, the tasks' side and the ECS-compatible endpoint stay unchanged.
  static func product(method: String, uri: String) -> GatewayRoute {
    let path = uri.prefix { $0 != "?" && $0 != "#" }
    let sessions = "/api/sessions"
    if path == "/" {
      return switch method {
      case "GET": .productSocket
      case "POST": .ecs
      default: .methodNotAllowed(allow: "GET, POST")
      }
    }
    if path == sessions { return method == "POST" ? .createSession : .methodNotAllowed(allow: "POST") }
    if path.hasPrefix(sessions + "/") {
      let id = path.dropFirst(sessions.utf8.count + 1)
      guard UserID.isValid(id) else { return .unknown }
      return method == "DELETE" ? .deleteSession(id: String(id)) : .methodNotAllowed(allow: "DELETE")
    }
    let isOfTheOtherProfile = path == "/api/acquire" || path == "/api/release" || path.hasPrefix("/session/")
    return isOfTheOtherProfile ? .unknown : GatewayRoute(method: method, uri: uri)
  }
}

/// Why the product's profile refuses a request or an upgrade: the content of the product's error JSON, and the status.
struct ProductError: Error, Equatable {
  let status: HTTPResponseStatus
  /// A code for programs.
  let code: String
  /// The explanation for people; repeats no token.
  let message: String

  init(_ status: HTTPResponseStatus, _ code: String, _ message: String) {
    self.status = status
    self.code = code
    self.message = message
  }

  static let noSession = ProductError(.notFound, "SESSION_NOT_FOUND", "there is no such session, or it has ended")
  static let tooManySessions = ProductError(
    .serviceUnavailable, "TOO_MANY_SESSIONS", "there are too many sessions: end some, or try again later")
  static let stopping = ProductError(.serviceUnavailable, "GATEWAY_STOPPING", "the gateway is stopping")

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
  var refusal: ProductError? {
    switch self {
    case .accepted: nil
    case .missing:
      ProductError(.unauthorized, "UNAUTHORIZED", "no token: send Authorization: Bearer TOKEN, or /?token=TOKEN")
    case .unknown: ProductError(.unauthorized, "INVALID_TOKEN", "this token is not known here")
    case .expired: ProductError(.unauthorized, "TOKEN_EXPIRED", "this token has expired: get a new one")
    }
  }
}
