import Latency
import NIOCore

/// Writes one request at a time and reads its response; the end of a connection's pipeline.
///
/// Confined to its event loop. Whoever waits is resumed exactly once, and on the loop.
final class HTTPExchangeHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  typealias Continuation = UnsafeContinuation<Result<HTTPExchange, TransportError>, Never>

  private struct Pending {
    var id: UInt64
    var continuation: Continuation
    var deadline: UInt64
    var timeout: UInt64
    var writtenAt: UInt64
    var firstByteReadAt: UInt64 = 0
  }

  private struct Timer {
    var firesAt: UInt64
    var scheduled: Scheduled<Void>
  }

  private let executor: LoopExecutor
  private var reader = HTTPResponseReader()
  private var pending: Pending?
  private var context: ChannelHandlerContext?
  private var timer: Timer?

  init(executor: LoopExecutor) {
    self.executor = executor
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    fail(TransportError(.closed, "the connection was closed"))
    self.context = nil
  }

  func start(_ request: ByteBuffer, id: UInt64, timeout: UInt64, _ continuation: Continuation) {
    guard let context, context.channel.isActive, pending == nil else {
      continuation.resume(returning: .failure(TransportError(.closed, "the connection is closed or in use")))
      return
    }
    let now = MonotonicClock.now()
    pending = Pending(
      id: id, continuation: continuation, deadline: now &+ timeout, timeout: timeout, writtenAt: now)
    context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    armTimer(now: now, deadline: now &+ timeout)
  }

  func cancel(id: UInt64) {
    guard pending?.id == id else { return }
    failAndClose(.cancelled)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let now = MonotonicClock.now()
    guard pending != nil else {
      context.close(promise: nil)  // bytes that nobody asked for
      return
    }
    if pending?.firstByteReadAt == 0 { pending?.firstByteReadAt = now }
    switch reader.read(unwrapInboundIn(data)) {
    case .needsMore: break
    case .complete(let response): complete(response, at: now)
    case .failed(let error): failAndClose(error)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if let response = reader.readEnd() { complete(response, at: MonotonicClock.now()) }
    fail(
      TransportError(
        .closed,
        reader.isInsideResponse
          ? "the peer closed the connection inside its answer" : "the peer closed the connection without an answer"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failAndClose(.established(error))
  }

  private func complete(_ response: HTTPResponse, at now: UInt64) {
    guard let done = pending else { return }
    pending = nil
    if !response.keepsConnection { context?.close(promise: nil) }
    let exchange = HTTPExchange(
      response: response, firstByteWrittenAt: done.writtenAt, firstByteReadAt: done.firstByteReadAt,
      lastByteReadAt: now)
    done.continuation.resume(returning: .success(exchange))
    executor.drain()
  }

  private func fail(_ error: TransportError) {
    guard let failed = pending.take() else { return }
    failed.continuation.resume(returning: .failure(error))
    executor.drain()
  }

  private func failAndClose(_ error: TransportError) {
    // Closing calls `channelInactive` at once, which must not give its own reason.
    let failed = pending.take()
    context?.close(promise: nil)
    guard let failed else { return }
    failed.continuation.resume(returning: .failure(error))
    executor.drain()
  }

  /// One timer per connection, not per request: one that fires too early for the present request is armed again.
  private func armTimer(now: UInt64, deadline: UInt64) {
    guard let context, deadline < timer?.firesAt ?? .max else { return }
    timer?.scheduled.cancel()
    let delay = TimeAmount.nanoseconds(Int64(clamping: deadline - now))
    let scheduled = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { self.timerFired() }
    timer = Timer(firesAt: deadline, scheduled: scheduled)
  }

  private func timerFired() {
    timer = nil
    guard let pending else { return }
    let now = MonotonicClock.now()
    if now >= pending.deadline {
      failAndClose(TransportError(.timeout, "no complete answer within \(pending.timeout / 1_000_000) ms"))
    } else {
      armTimer(now: now, deadline: pending.deadline)
    }
  }
}
