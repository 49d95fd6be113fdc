import Latency
public import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The instants of a connection's set-up, in ns of `MonotonicClock`.
public struct ConnectPhases: Sendable {
  /// When the attempt began, name resolution included.
  public var startedAt: UInt64
  /// When the TCP connection was there.
  public var connectedAt: UInt64
  /// When the TLS handshake was done; nil without TLS.
  public var securedAt: UInt64?
}

/// A kept HTTP/1.1 connection for one request at a time, with its stamps taken on the event loop's thread.
public final class HTTPConnection: Sendable {
  /// How the set-up went.
  public let phases: ConnectPhases

  private let channel: any Channel
  private let eventLoop: any EventLoop
  private let handler: NIOLoopBound<HTTPExchangeHandler>
  private let closing: HTTPExchangeHandler.Closing
  private let lastID = Atomic<UInt64>(0)

  /// To be made on the channel's loop.
  private init(_ handler: NIOLoopBound<HTTPExchangeHandler>, on channel: any Channel, phases: ConnectPhases) {
    self.channel = channel
    eventLoop = channel.eventLoop
    self.handler = handler
    closing = handler.value.closing
    self.phases = phases
  }

  /// Resolves the name, connects, and with `tls` completes the handshake, all within `timeout` ns.
  public static func connect(
    to endpoint: Endpoint, tls: TLSClient?, on executor: LoopExecutor, timeout: UInt64
  ) async -> Result<HTTPConnection, TransportError> {
    let eventLoop = executor.eventLoop
    // The first outcome counts: the connection, its failure, the bound, or the caller's giving up.
    let done = eventLoop.makePromise(of: HTTPConnection.self)
    let attempt = ConnectAttempt()
    let bound = eventLoop.scheduleTask(in: .nanoseconds(Int64(clamping: timeout))) {
      done.fail(TransportError(.connectTimeout, "no connection to \(endpoint.host):\(endpoint.port) in time"))
    }
    defer { bound.cancel() }
    return await withTaskCancellationHandler {
      open(endpoint, tls, attempt, on: executor, timeout: timeout).cascade(to: done)
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
    _ endpoint: Endpoint, _ tls: TLSClient?, _ attempt: ConnectAttempt, on executor: LoopExecutor,
    timeout: UInt64
  ) -> EventLoopFuture<HTTPConnection> {
    let startedAt = MonotonicClock.now()
    // One channel per address of the host: what becomes of a handshake is that channel's own.
    let bootstrap = ClientBootstrap(group: executor.eventLoop)
      .connectTimeout(.nanoseconds(Int64(clamping: timeout)))  // 10 s otherwise
      .channelOption(.recvAllocator, value: ReceiveBuffer())
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          attempt.began(channel, try configure(channel, endpoint, tls, executor))
        }
      }
    let connected =
      if let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
        bootstrap.connect(to: address)  // nothing to resolve, and no race between addresses
      } else {
        bootstrap.connect(host: endpoint.host, port: endpoint.port)
      }
    return connected.flatMap { channel in
      let connectedAt = MonotonicClock.now()
      let handler = attempt.handler(of: channel)
      return handler.value.secured.map { securedAt in
        let phases = ConnectPhases(startedAt: startedAt, connectedAt: connectedAt, securedAt: securedAt)
        return HTTPConnection(handler, on: channel, phases: phases)
      }
    }
  }

  private static func configure(
    _ channel: any Channel, _ endpoint: Endpoint, _ tls: TLSClient?, _ executor: LoopExecutor
  ) throws -> HTTPExchangeHandler {
    let operations = channel.pipeline.syncOperations
    let secured = channel.eventLoop.makePromise(of: UInt64?.self)
    if let tls {
      do {
        try operations.addHandler(tls.makeHandler(for: endpoint))
        try operations.addHandler(TLSFailureReader(host: endpoint.host))
      } catch {
        secured.fail(error)
        throw error
      }
      try operations.addHandler(HandshakeHandler(done: secured))
    } else {
      secured.succeed(nil)
    }
    let handler = HTTPExchangeHandler(secured: secured.futureResult, executor: executor)
    try operations.addHandler(handler)
    return handler
  }

  /// Whether a request can be sent.
  public var isUsable: Bool { !closing.hasBegun }

  /// Sends `request`, whole and with its head, and waits for the response at most `timeout` ns.
  ///
  /// When the task is cancelled, the answer is waited for `graceOnCancel` ns longer, so that a request with an effect
  /// does not leave it unknown; then the exchange ends with kind `cancelled`. After any failure the connection is closed.
  public func exchange(
    _ request: ByteBuffer, timeout: UInt64, graceOnCancel: UInt64 = 0
  ) async -> Result<HTTPExchange, TransportError> {
    let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
    return await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if eventLoop.inEventLoop {
          handler.value.start(request, id: id, timeout: timeout, continuation)
        } else {
          eventLoop.execute { self.handler.value.start(request, id: id, timeout: timeout, continuation) }
        }
      }
    } onCancel: {
      eventLoop.scheduleTask(in: .nanoseconds(Int64(clamping: graceOnCancel))) { self.handler.value.cancel(id: id) }
    }
  }

  /// The same for a caller on the connection's loop that makes many exchanges and watches its task's cancellation once
  /// for all of them, as that costs less than watching it in each: it then calls ``cancelExchange(after:)``.
  public func exchangeUnwatched(
    _ request: ByteBuffer, timeout: UInt64
  ) async -> Result<HTTPExchange, TransportError> {
    let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
    return await withUnsafeContinuation { handler.value.start(request, id: id, timeout: timeout, $0) }
  }

  /// Ends the exchange that was begun last with kind `cancelled`, unless it has ended within `grace` ns. On the loop.
  public func cancelExchange(after grace: UInt64) {
    let id = lastID.load(ordering: .relaxed)
    eventLoop.scheduleTask(in: .nanoseconds(Int64(clamping: grace))) { self.handler.value.cancel(id: id) }
  }

  /// Closes the connection; an exchange under way fails with `closed`.
  public func close() {
    closing.begin()
    channel.close(promise: nil)
  }
}
