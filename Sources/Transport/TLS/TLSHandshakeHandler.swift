import Latency
import NIOCore
import NIOTLS

/// Reports when the TLS handshake is done, then leaves the pipeline.
final class TLSHandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let done: EventLoopPromise<Instant?>

  init(done: EventLoopPromise<Instant?>) {
    self.done = done
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
      done.succeed(MonotonicClock.now())
      context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
    context.fireUserInboundEventTriggered(event)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    done.fail(TransportError(.tls, "the connection was closed during the TLS handshake"))  // unless it is done
  }

  func channelInactive(context: ChannelHandlerContext) {
    done.fail(TransportError(.tls, "the peer closed the connection during the TLS handshake"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    done.fail(error)
    context.fireErrorCaught(error)
  }
}
