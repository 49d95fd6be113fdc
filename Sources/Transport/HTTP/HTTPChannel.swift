import Latency
import NIOCore
import NIOPosix
import NIOSSL

/// A connection that a channel of NIO carries: with TLS, or on a ``NIOLoop``.
struct HTTPChannel: Sendable {
  private let channel: any Channel
  private let eventLoop: any EventLoop
  private let handler: NIOLoopBound<HTTPExchangeHandler>
  private let closing: ClosingFlag

  /// Call it on the channel's loop.
  private init(_ handler: NIOLoopBound<HTTPExchangeHandler>, on channel: any Channel) {
    self.channel = channel
    eventLoop = channel.eventLoop
    self.handler = handler
    closing = handler.value.closing
  }

  /// Connects as ``HTTPConnection/connect(to:addresses:turn:tls:on:timeout:idleBounds:)`` says.
  static func connect(
    to endpoint: Endpoint, addresses: HostAddresses, turn: Int, tls: TLSClient?, on executor: LoopExecutor,
    timeout: Nanoseconds, idleBounds: IdleBounds
  ) async -> Result<HTTPConnection, TransportError> {
    let eventLoop = executor.eventLoop
    // The first outcome counts: the connection, its failure, the time-out, or the caller's cancellation.
    let done = eventLoop.makePromise(of: HTTPConnection.self)
    let attempt = ConnectAttempt()
    let bound = eventLoop.scheduleTask(in: TimeAmount(timeout)) {
      done.fail(TransportError.connectTimeout(endpoint))
    }
    defer { bound.cancel() }
    return await withTaskCancellationHandler {
      open(endpoint, addresses, turn, tls, attempt, on: executor, timeout: timeout, idleBounds).cascade(to: done)
      do {
        return .success(try await done.futureResult.get())
      } catch {
        attempt.cancel()
        return .failure(.connecting(error, to: endpoint))
      }
    } onCancel: {
      done.fail(TransportError.cancelled)
      attempt.cancel()
    }
  }

  private static func open(
    _ endpoint: Endpoint, _ addresses: HostAddresses, _ turn: Int, _ tls: TLSClient?, _ attempt: ConnectAttempt,
    on executor: LoopExecutor, timeout: Nanoseconds, _ idleBounds: IdleBounds
  ) -> EventLoopFuture<HTTPConnection> {
    let startedAt = MonotonicClock.now()
    // Each tried address has a channel of its own, and each handshake's outcome belongs to its channel.
    let dialer = Dialer(
      addresses: addresses, turn: turn, eventLoop: executor.eventLoop,
      deadline: startedAt + timeout, goesOn: { !attempt.isCancelled },
      configure: { channel, start in
        channel.eventLoop.makeCompletedFuture {
          attempt.began(channel, try configure(channel, endpoint, tls, executor, idleBounds, dialedAt: start.dialedAt))
        }
      })
    return dialer.dial().flatMap { channel, start in
      let connectedAt = MonotonicClock.now()
      let handler = attempt.handler(of: channel)
      return handler.value.secured.map { securedAt in
        let phases = ConnectPhases(
          startedAt: startedAt, lookUp: start.lookUp, dialedAt: start.dialedAt, connectedAt: connectedAt,
          securedAt: securedAt)
        return HTTPConnection(HTTPChannel(handler, on: channel), phases: phases)
      }
    }
  }

  private static func configure(
    _ channel: any Channel, _ endpoint: Endpoint, _ tls: TLSClient?, _ executor: LoopExecutor,
    _ idleBounds: IdleBounds, dialedAt: Instant
  ) throws -> HTTPExchangeHandler {
    let operations = channel.pipeline.syncOperations
    try channel.syncOptions?.setOption(.recvAllocator, value: ReceiveBuffer())
    let secured = channel.eventLoop.makePromise(of: Instant?.self)
    if let tls {
      do {
        try operations.addHandler(tls.makeHandler(for: endpoint))
        try operations.addHandler(TLSFailureReader(host: endpoint.host, wanted: tls.wanted))
      } catch {
        secured.fail(error)
        throw error
      }
      try operations.addHandler(TLSHandshakeHandler(done: secured))
    } else {
      secured.succeed(nil)
    }
    let handler = HTTPExchangeHandler(
      secured: secured.futureResult, executor: executor, wanted: tls?.wanted, dialedAt: dialedAt,
      idleBounds: idleBounds)
    try operations.addHandler(handler)
    return handler
  }

  /// See ``HTTPConnection/isUsable``.
  var isUsable: Bool {
    guard !closing.hasBegun else { return false }
    return !eventLoop.inEventLoop || !handler.value.hasEnded()
  }

  /// Runs one exchange; callable from any thread.
  func exchange(
    _ request: ByteBuffer, id: UInt64, timeout: Nanoseconds
  ) async -> Result<HTTPExchange, TransportError> {
    await withUnsafeContinuation { continuation in
      if eventLoop.inEventLoop {
        handler.value.start(request, id: id, timeout: timeout, continuation)
      } else {
        eventLoop.execute { handler.value.start(request, id: id, timeout: timeout, continuation) }
      }
    }
  }

  /// Ends exchange `id` with kind `cancelled`, unless it ends within `grace`.
  func cancel(id: UInt64, after grace: Nanoseconds) {
    eventLoop.scheduleTask(in: TimeAmount(grace)) { handler.value.cancel(id: id) }
  }

  func close() {
    closing.begin()
    channel.close(promise: nil)
  }
}
