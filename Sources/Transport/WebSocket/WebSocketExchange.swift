import Glibc
public import Latency
import NIOCore

/// The outcome of ``WebSocketConnection/ask(text:)``.
public struct WebSocketExchange: Sendable {
  /// Messages that arrived before the question and so cannot answer it: the first
  /// ``WebSocketLimits/maximumQueuedMessages`` of them.
  public var unasked: [WebSocketMessage]
  /// When the question was written, or why the connection had ended.
  public var askedAt: Result<Instant, WebSocketError>
}

/// A question that waits until everything that came before it has been read. Confined to the event loop.
struct PendingExchange {
  let text: String
  let done: (WebSocketExchange) -> Void
  var unasked: [WebSocketMessage] = []
  /// How often the loop has read on before the question.
  var turns = 0

  /// After this many turns the question is sent, even if the server has not stopped sending.
  static let mostTurns = 64
}

extension ChannelHandlerContext {
  /// Whether the kernel holds unread bytes of the connection; false if that cannot be found out.
  var hasUnreadBytes: Bool {
    let unread = try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
      var count: CInt = 0
      return ioctl(socket, UInt(FIONREAD), &count) == 0 && count > 0
    }
    return unread ?? false
  }
}
