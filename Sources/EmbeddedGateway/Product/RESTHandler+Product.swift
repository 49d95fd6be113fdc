import FoundationEssentials
import Gateway
import Latency
import NIOCore
import NIOHTTP1

/// The REST side of the product's profile.
extension RESTHandler {
  /// `POST /api/sessions`: a session without a task, which it gets with its first message.
  func createProductSession(_ head: HTTPRequestHead, _ body: ByteBuffer, in sessions: ProductSessions) {
    do throws(ProductRefusal) {
      let token = try sessions.accepted(Self.bearer(head))
      let wish = try Self.wish(body)
      if let userID = wish.userId, !UserID.isValid(userID) {
        throw ProductRefusal(.badRequest, "INVALID_USER", "a userId is \(UserID.rule)")
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
    do throws(ProductRefusal) {
      let token = try sessions.accepted(Self.bearer(head))
      try sessions.session(id, shown: token).delete()
      answer(.noContent, ByteBuffer())
    } catch {
      answer(error)
    }
  }

  /// A request for the WebSocket that wasn't upgraded.
  func refuseProductSocket(_ head: HTTPRequestHead, in sessions: ProductSessions) {
    do throws(ProductRefusal) {
      if head.headers.contains(name: "sec-websocket-key") { _ = try sessions.socket(for: head.uri) }
      throw ProductRefusal(.upgradeRequired, "UPGRADE_REQUIRED", "this is a WebSocket (RFC 6455, version 13)")
    } catch {
      answer(error, close: true)
    }
  }

  private func answer(_ refusal: ProductRefusal, close: Bool = false) {
    var headers: [(String, String)] = []
    if refusal.status == .unauthorized { headers.append(("www-authenticate", "Bearer")) }
    if refusal.status == .upgradeRequired { headers.append(("upgrade", "websocket")) }
    answerError(refusal.status, refusal.message, code: refusal.code, headers: headers, close: close)
  }

  private struct Wish: Decodable {
    var userId: String?
  }

  /// A body may be left out.
  private static func wish(_ body: ByteBuffer) throws(ProductRefusal) -> Wish {
    guard body.readableBytes > 0 else { return Wish() }
    do { return try JSONDecoder().decode(Wish.self, from: Data(body.readableBytesView)) } catch {
      throw ProductRefusal(.badRequest, "INVALID_BODY", "a body is a JSON object; its userId is a text")
    }
  }

  /// The token of `Authorization: Bearer TOKEN`; the scheme's case doesn't count (RFC 9110, section 11.1).
  private static func bearer(_ head: HTTPRequestHead) -> String? {
    guard let value = head.headers.first(name: "authorization") else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return String(parts[1].drop { $0 == " " })
  }
}
