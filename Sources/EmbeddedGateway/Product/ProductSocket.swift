import Latency
import NIOCore
import NIOWebSocket
import Transport

/// A client's WebSocket of the product's profile, `/?token=…`: presents its token, and carries messages to and from its
/// session.
final class ProductSocket: TextSocketOwner {
  private let sessions: ProductSessions
  private var token: Token
  /// The session that the client comes back to; `nil` for a new session.
  private let sessionID: String?
  private var host: ProductSessionHost?
  private weak var socket: TextSocket?
  private var hasSaidGoodbye = false

  init(sessions: ProductSessions, token: Token, sessionID: String?) {
    self.sessions = sessions
    self.token = token
    self.sessionID = sessionID
  }

  var isWritable: Bool { socket?.isWritable ?? false }

  func send(_ text: ByteBuffer) { socket?.send(text) }

  func close(_ reason: ProductClose) { socket?.close(WebSocketErrorCode(codeNumber: Int(reason.rawValue))) }

  func socketOpened(_ socket: TextSocket) {
    self.socket = socket
    do throws(ProductError) {
      let host = try sessions.open(sessionID, token: token)
      self.host = host
      host.attach(self)
    } catch {
      socket.send(
        ServerMessage.error(code: error.code, message: error.message, conversation: nil).bytes(session: ""))
      close(error.code == "TOKEN_EXPIRED" ? .tokenExpired : .deleted)
    }
  }

  func socketHeard() { host?.heard(from: self) }

  func socketReceived(_ frame: ByteBuffer) {
    let message = Result { () throws(ClientMessage.ParseError) in try ClientMessage(parsing: frame) }
    host?.received(message, verdict: verdict(for: message))
  }

  /// The verdict that decides about a message: on the token of the connection, or on the new token in the message.
  private func verdict(for message: Result<ClientMessage, ClientMessage.ParseError>) -> TokenVerdict {
    guard case .success(.updateToken(let text)) = message else { return sessions.verdict(on: token) }
    guard let new = Token(text) else { return .unknown }
    let verdict = sessions.verdict(on: new)
    if verdict == .accepted { token = new }
    return verdict
  }

  func socketWritabilityChanged(isWritable: Bool) {
    socket?.setReading(isWritable)
    host?.readTask()
  }

  func socketReceivedClose(_ code: WebSocketErrorCode?) { hasSaidGoodbye = code == .normalClosure }

  func socketClosed() { host?.detached(self, isGoodbye: hasSaidGoodbye) }
}

/// Cuts a WebSocket without a byte in either direction for too long, without a close frame, as a load balancer does.
/// Its place is behind an `IdleStateHandler` that is next to the network.
final class IdleWebSocketCutter: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  /// Puts an `IdleStateHandler` and the cutter before all other handlers of `channel`.
  static func install(on channel: any Channel, after time: Nanoseconds) throws {
    try channel.pipeline.syncOperations.addHandlers(
      IdleStateHandler(allTimeout: TimeAmount(time)), IdleWebSocketCutter(), position: .first)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
    context.close(promise: nil)
  }
}

/// The query of a request's target (RFC 3986): `name=value` pairs, percent-decoded. A plus sign stays one, because
/// tokens may hold it.
struct QueryItems {
  private var values: [String: String] = [:]

  /// The first value of a repeated name counts; pairs that cannot be decoded are left out.
  init(uri: String) {
    guard let query = uri.prefix(while: { $0 != "#" }).split(separator: "?", maxSplits: 1).dropFirst().first else {
      return
    }
    for item in query.split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(parts[0]), values[name] == nil else { continue }
      values[name] = Self.decoded(parts.count > 1 ? parts[1] : "")
    }
  }

  subscript(name: String) -> String? { values[name] }

  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, digits.first != UInt8(ascii: "+"), let value = UInt8(Substring(digits), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest.removeFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
