import NIOCore

/// What the handlers of one connection tell one another.
final class ConnectionActivity {
  /// The connection has a reason to be silent: a request in work, or a WebSocket.
  var isBusy = false
  /// Nothing can follow the present request.
  var mustClose = false
}

/// Closes an HTTP connection that has been silent for too long without a reason; stands behind an `IdleStateHandler`.
final class IdleConnectionCloser: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let activity: ConnectionActivity

  init(activity: ConnectionActivity) {
    self.activity = activity
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
    if !activity.isBusy { context.close(promise: nil) }
  }
}

/// Closes an HTTP connection on which something went wrong (a request that can't be parsed has been answered by then). The REST
/// handler isn't there yet while the first request is read.
final class HTTPErrorCloser: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
