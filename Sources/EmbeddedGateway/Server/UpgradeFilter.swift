import NIOCore
import NIOHTTP1

/// Stands before NIO's upgrade handler, which swallows the head of a request whose upgrade is refused: makes such a request an
/// ordinary one, so that the REST handler can say what is wrong with it. Leaves after the first request's head.
final class UpgradeFilter: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private let activity: ConnectionActivity
  private let accepts: (HTTPRequestHead) -> Bool

  /// - Parameter accepts: whether somebody takes the WebSocket that this head asks for.
  init(activity: ConnectionActivity, accepts: @escaping (HTTPRequestHead) -> Bool) {
    self.activity = activity
    self.accepts = accepts
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    if head.headers.contains(name: "upgrade"), !(Self.isHandshake(head) && accepts(head)) {
      // The parser expects another protocol from here on: this is the connection's last request.
      head.headers.remove(name: "upgrade")
      activity.mustClose = true
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  /// RFC 6455, section 4.2.1.
  private static func isHandshake(_ head: HTTPRequestHead) -> Bool {
    let headers = head.headers
    return head.method == .GET && headers[canonicalForm: "upgrade"].map { $0.lowercased() } == ["websocket"]
      && headers["sec-websocket-version"] == ["13"] && headers["sec-websocket-key"].count == 1
      && !headers.contains(name: "content-length") && !headers.contains(name: "transfer-encoding")
  }
}
