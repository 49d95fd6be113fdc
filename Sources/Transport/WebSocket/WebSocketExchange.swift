import Glibc
public import Latency
import NIOCore

/// What came of ``WebSocketConnection/ask(text:)``.
public struct WebSocketExchange: Sendable {
  /// Messages that were there before the question, so that none of them is its answer: the first
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
  /// How often more was read.
  var turns = 0

  /// A server that never stops talking is asked all the same.
  static let mostTurns = 64
}

extension ChannelHandlerContext {
  /// Whether the kernel holds bytes of the connection that nobody has read; false where that can't be told.
  var hasUnreadBytes: Bool {
    let unread = try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
      var count: CInt = 0
      return ioctl(socket, UInt(FIONREAD), &count) == 0 && count > 0
    }
    return unread ?? false
  }
}
