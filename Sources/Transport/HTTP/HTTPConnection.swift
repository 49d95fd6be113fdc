public import Latency
public import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The instants of a connection's set-up.
public struct ConnectPhases: Sendable {
  /// When the attempt began: before the name lookup and before attempts at addresses that refused.
  public var startedAt: Instant
  /// How long it waited for the name lookup; zero if the addresses were known.
  public var lookUp: Nanoseconds
  /// When the attempt at the address that accepted the connection began.
  public var dialedAt: Instant
  /// When the TCP connection was established.
  public var connectedAt: Instant
  /// When the TLS handshake was done; nil without TLS.
  public var securedAt: Instant?

  /// The metric `connect`: the name lookup, if this connection waited for one, and TCP with the address that accepted
  /// the connection. Attempts at addresses before it do not count.
  public var connect: Nanoseconds { lookUp + (connectedAt - dialedAt) }
}

/// A persistent HTTP/1.1 connection for one request at a time. Its stamps are taken on the event loop's thread.
public final class HTTPConnection: Sendable {
  /// The instants of the set-up.
  public let phases: ConnectPhases

  private let channel: any Channel
  private let eventLoop: any EventLoop
  private let handler: NIOLoopBound<HTTPExchangeHandler>
  private let closing: HTTPExchangeHandler.Closing
  private let lastID = Atomic<UInt64>(0)

  /// Call it on the channel's loop.
  private init(_ handler: NIOLoopBound<HTTPExchangeHandler>, on channel: any Channel, phases: ConnectPhases) {
    self.channel = channel
    eventLoop = channel.eventLoop
    self.handler = handler
    closing = handler.value.closing
    self.phases = phases
  }

  /// Connects to one of the host's addresses and, with `tls`, completes the handshake, all within `timeout`.
  ///
  /// - Parameters:
  ///   - addresses: the addresses of the endpoint's host, shared by the connections of a run; with nil the name is
  ///     looked up.
  ///   - turn: the user's place in the rotation, which decides the address that is tried first.
  ///   - idleBounds: when the end of the connection is counted as that of an idle one.
  public static func connect(
    to endpoint: Endpoint, addresses: HostAddresses? = nil, turn: Int = 0, tls: TLSClient?, on executor: LoopExecutor,
    timeout: Nanoseconds, idleBounds: IdleBounds = IdleBounds()
  ) async -> Result<HTTPConnection, TransportError> {
    let addresses = addresses ?? HostAddresses(of: endpoint)
    let eventLoop = executor.eventLoop
    // The first outcome counts: the connection, its failure, the time-out, or the caller's cancellation.
    let done = eventLoop.makePromise(of: HTTPConnection.self)
    let attempt = ConnectAttempt()
    let bound = eventLoop.scheduleTask(in: TimeAmount(timeout)) {
      done.fail(TransportError(.connectTimeout, "no connection to \(endpoint.host):\(endpoint.port) in time"))
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
        return HTTPConnection(handler, on: channel, phases: phases)
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

  /// Whether a request can be sent. On the connection's loop this also detects an end that has arrived but was not read
  /// yet.
  public var isUsable: Bool {
    guard !closing.hasBegun else { return false }
    return !eventLoop.inEventLoop || !handler.value.hasEnded()
  }

  /// Sends `request`, which holds the whole message with its head, and waits for the response for at most `timeout`.
  ///
  /// When the task is cancelled, the exchange waits for the answer for `graceOnCancel` more, because the effect of a
  /// request would otherwise stay unknown. Then it ends with kind `cancelled`. The connection is closed after any
  /// failure.
  public func exchange(
    _ request: ByteBuffer, timeout: Nanoseconds, graceOnCancel: Nanoseconds = .zero
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
      eventLoop.scheduleTask(in: TimeAmount(graceOnCancel)) { self.handler.value.cancel(id: id) }
    }
  }

  /// Sends `request` like ``exchange(_:timeout:graceOnCancel:)``, but without watching for cancellation, which costs
  /// time in each exchange. It serves callers on the connection's loop that watch their task's cancellation once for
  /// many exchanges and then call ``cancelExchange(after:)``.
  public func exchangeUnwatched(
    _ request: ByteBuffer, timeout: Nanoseconds
  ) async -> Result<HTTPExchange, TransportError> {
    let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
    return await withUnsafeContinuation { handler.value.start(request, id: id, timeout: timeout, $0) }
  }

  /// Ends the latest exchange with kind `cancelled`, unless it ends within `grace`. Call it on the loop.
  public func cancelExchange(after grace: Nanoseconds) {
    let id = lastID.load(ordering: .relaxed)
    eventLoop.scheduleTask(in: TimeAmount(grace)) { self.handler.value.cancel(id: id) }
  }

  /// Closes the connection; an exchange under way fails with `closed`.
  public func close() {
    closing.begin()
    channel.close(promise: nil)
  }
}
