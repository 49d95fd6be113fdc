import NIOCore

/// Whether a connection has a reason to be silent: a request in work, or a WebSocket.
final class ConnectionActivity {
  var isBusy = false
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
