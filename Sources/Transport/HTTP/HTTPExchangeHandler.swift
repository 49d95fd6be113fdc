import Latency
import NIOCore
import NIOTLS

/// Writes one request at a time and reads its response; the end of a connection's pipeline.
///
/// Confined to its event loop. Each waiting caller is resumed exactly once, and on the loop.
final class HTTPExchangeHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  typealias Continuation = UnsafeContinuation<Result<HTTPExchange, TransportError>, Never>

  private struct Pending {
    var id: UInt64
    var continuation: Continuation
    var deadline: Instant
    var timeout: Nanoseconds
    var writtenAt: Instant
    /// How long the connection had been without a request.
    var idleFor: Nanoseconds
    var firstByteReadAt: Instant?
  }

  private struct Timer {
    var firesAt: Instant
    var scheduled: Scheduled<Void>
  }

  let closing = ClosingFlag()
  /// When the TLS handshake was done; nil without TLS.
  let secured: EventLoopFuture<Instant?>

  private let executor: LoopExecutor
  private let wanted: CertificateRequest?
  /// When the attempt at this address began.
  private let dialedAt: Instant
  private var idle: IdleConnection
  private var reader = HTTPResponseReader()
  private var pending: Pending?
  private var context: ChannelHandlerContext?
  private var timer: Timer?
  private var lastStarted: UInt64 = 0
  /// The exchange that was cancelled before it was started.
  private var cancelledEarly: UInt64?
  /// The peer's refusal of TLS, if it came while no exchange waited: with TLS 1.3 it comes after the client's part of
  /// the handshake.
  private var refusal: TransportError?

  /// - Parameters:
  ///   - secured: when the TLS handshake was done; nil without TLS.
  ///   - executor: runs the tasks that wait for the answers.
  ///   - wanted: whether the server asked for a client certificate; nil without TLS.
  ///   - dialedAt: when the attempt at this address began.
  ///   - idleBounds: when an end is that of an idle connection.
  init(
    secured: EventLoopFuture<Instant?>, executor: LoopExecutor, wanted: CertificateRequest?, dialedAt: Instant,
    idleBounds: IdleBounds
  ) {
    self.secured = secured
    self.executor = executor
    self.wanted = wanted
    self.dialedAt = dialedAt
    idle = IdleConnection(bounds: idleBounds)
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func channelActive(context: ChannelHandlerContext) {
    let now = MonotonicClock.now()
    idle.connected(in: now.elapsed(since: dialedAt))
    idle.began(at: now)
    context.fireChannelActive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted = event as? TLSUserEvent { idle.began(at: MonotonicClock.now()) }
    context.fireUserInboundEventTriggered(event)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    closing.begin()
    fail(TransportError(.closed, "the connection was closed"))
    timer?.scheduled.cancel()
    self.context = nil
  }

  func start(_ request: ByteBuffer, id: UInt64, timeout: Nanoseconds, _ continuation: Continuation) {
    lastStarted = max(lastStarted, id)
    guard cancelledEarly != id else {
      continuation.resume(returning: .failure(.cancelled))
      return
    }
    guard let context, !closing.hasBegun, pending == nil else {
      let closed = TransportError(.closed, "the connection is closed or in use")
      continuation.resume(returning: .failure(refusal ?? closed))
      return
    }
    let now = MonotonicClock.now()
    let deadline = now + timeout
    pending = Pending(
      id: id, continuation: continuation, deadline: deadline, timeout: timeout, writtenAt: now,
      idleFor: idle.length(at: now))
    context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    armTimer(now: now, deadline: deadline)
  }

  /// Whether the peer has ended the connection. An end that has arrived but was not read yet counts.
  func hasEnded() -> Bool {
    guard !closing.hasBegun else { return true }
    guard let context, pending == nil, idle.isToBeLookedAt(at: MonotonicClock.now()),
      context.hasUnaskedInput(isSecure: wanted != nil && !idle.hasServed)
    else { return false }
    close()
    return true
  }

  func cancel(id: UInt64) {
    if pending?.id == id {
      failAndClose(.cancelled)
    } else if id > lastStarted {
      cancelledEarly = id
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let now = MonotonicClock.now()
    guard pending != nil else { return close() }  // these bytes answer no request
    if pending?.firstByteReadAt == nil { pending?.firstByteReadAt = now }
    switch reader.read(unwrapInboundIn(data)) {
    case .needsMore: break
    case .complete(let response): complete(response, at: now)
    case .failed(let error): failAndClose(error)
    }
    executor.didRead()
  }

  func channelInactive(context: ChannelHandlerContext) {
    let isOwn = closing.hasBegun
    closing.begin()
    switch reader.readEnd() {
    case .complete(let response): complete(response, at: MonotonicClock.now())
    case .failed(let error): fail(error)
    case .needsMore: break
    }
    let error = TransportError(
      .closed,
      reader.isInsideResponse
        ? "the peer closed the connection inside its answer" : "the peer closed the connection without an answer")
    if pending == nil, !isOwn, let certificate = missingCertificate { refusal = refusal ?? certificate }
    fail(isOwn ? error : explained(error))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let error = explained(.established(error))
    if pending == nil, [.tls, .clientCertificate].contains(error.kind) { refusal = refusal ?? error }
    failAndClose(error)
  }

  private func complete(_ response: HTTPResponse, at now: Instant) {
    guard let done = pending else { return }
    pending = nil
    idle.served(at: now)
    if !response.keepsConnection { close() }
    let exchange = HTTPExchange(
      response: response,
      ExchangeStamps(
        firstByteWrittenAt: done.writtenAt, firstByteReadAt: done.firstByteReadAt ?? now, lastByteReadAt: now))
    done.continuation.resume(returning: .success(exchange))
  }

  /// Gives the end of a connection a more precise error, according to the events before it.
  private func explained(_ error: TransportError) -> TransportError {
    guard error.kind == .closed || error.kind == .reset, pending?.firstByteReadAt == nil else { return error }
    if let missingCertificate { return missingCertificate }
    guard let pending,
      let race = idle.race(idleFor: pending.idleFor, writtenAt: pending.writtenAt, endedAt: MonotonicClock.now())
    else { return error }
    return race
  }

  /// The error of a connection that served no request after its peer asked for a certificate in vain.
  private var missingCertificate: TransportError? {
    guard !idle.hasServed, wanted?.wasNotGiven ?? false else { return nil }
    return TransportError(.clientCertificate, "TLS failed: \(CertificateRequest.advice)")
  }

  private func fail(_ error: TransportError, thenClose: Bool = false) {
    let failed = pending
    pending = nil
    // Closing calls `channelInactive` at once, and a resumed caller may run at once. So the state is complete before
    // either.
    if thenClose { close() }
    guard let failed else { return }
    var error = error
    error.firstByteWrittenAt = failed.writtenAt
    failed.continuation.resume(returning: .failure(error))
  }

  private func failAndClose(_ error: TransportError) { fail(error, thenClose: true) }

  private func close() {
    closing.begin()
    context?.close(promise: nil)
  }

  /// There is one timer per connection, not per request. If it fires too early for the present request, it is set
  /// again.
  private func armTimer(now: Instant, deadline: Instant) {
    guard let context, deadline < timer?.firesAt ?? .distantFuture else { return }
    timer?.scheduled.cancel()
    let delay = TimeAmount(deadline - now)
    let scheduled = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { self.timerFired() }
    timer = Timer(firesAt: deadline, scheduled: scheduled)
  }

  private func timerFired() {
    timer = nil
    guard let pending else { return }
    let now = MonotonicClock.now()
    if now >= pending.deadline {
      failAndClose(TransportError(.timeout, "no complete answer within \(pending.timeout / .milliseconds(1)) ms"))
      // When a target dies, thousands of requests may end together.
      executor.didRead()
    } else {
      armTimer(now: now, deadline: pending.deadline)
    }
  }
}
