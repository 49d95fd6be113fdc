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
  private let handler: NIOLoopBound<HTTPExchangeHandler>
  private let closing: HTTPExchangeHandler.Closing
  private let lastID = Atomic<UInt64>(0)

  private init(_ pipeline: Pipeline, phases: ConnectPhases) {
    self.channel = pipeline.channel
    self.handler = pipeline.handler
    self.closing = pipeline.closing
    self.phases = phases
  }

  /// Connects, and with `tls` completes the handshake, within `timeout` ns.
  public static func connect(
    to endpoint: Endpoint, tls: TLSClient?, on executor: LoopExecutor, timeout: UInt64
  ) async -> Result<HTTPConnection, TransportError> {
    let secured = executor.eventLoop.makePromise(of: UInt64?.self)
    if tls == nil { secured.succeed(nil) }
    let attempt = ConnectAttempt()
    return await withTaskCancellationHandler {
      await complete(attempt, to: endpoint, tls: tls, secured: secured, on: executor, timeout: timeout)
    } onCancel: {
      attempt.cancel()
      secured.fail(TransportError.cancelled)  // does nothing when it is already complete
    }
  }

  private static func complete(
    _ attempt: ConnectAttempt, to endpoint: Endpoint, tls: TLSClient?, secured: EventLoopPromise<UInt64?>,
    on executor: LoopExecutor, timeout: UInt64
  ) async -> Result<HTTPConnection, TransportError> {
    let startedAt = MonotonicClock.now()
    do {
      let pipeline = try await ClientBootstrap(group: executor.eventLoop)
        .connectTimeout(.nanoseconds(Int64(clamping: timeout)))
        .connect(host: endpoint.host, port: endpoint.port) { channel in
          attempt.began(channel)
          return channel.eventLoop.makeCompletedFuture {
            try Pipeline(on: channel, endpoint: endpoint, tls: tls, secured: secured, executor: executor)
          }
        }
      let connectedAt = MonotonicClock.now()
      let rest = Int64(clamping: timeout) - Int64(clamping: connectedAt - startedAt)
      let bound = executor.eventLoop.scheduleTask(in: .nanoseconds(max(1, rest))) {
        secured.fail(TransportError(.connectTimeout, "no TLS handshake with \(endpoint.host):\(endpoint.port) in time"))
      }
      defer { bound.cancel() }
      do {
        let securedAt = try await secured.futureResult.get()
        let phases = ConnectPhases(startedAt: startedAt, connectedAt: connectedAt, securedAt: securedAt)
        return .success(HTTPConnection(pipeline, phases: phases))
      } catch {
        pipeline.channel.close(promise: nil)
        throw error
      }
    } catch {
      secured.fail(error)  // does nothing when it is already complete
      return .failure(attempt.isCancelled ? .cancelled : .connecting(error, to: endpoint))
    }
  }

  /// Whether a request can be sent.
  public var isUsable: Bool { channel.isActive && !closing.hasBegun }

  /// Sends `request`, whole and with its head, and waits for the response at most `timeout` ns.
  ///
  /// When the task is cancelled, the answer is waited for `graceOnCancel` ns longer, so that a request with an effect
  /// does not leave it unknown; then the exchange ends with kind `cancelled`. After any failure the connection is closed.
  public func exchange(
    _ request: ByteBuffer, timeout: UInt64, graceOnCancel: UInt64 = 0
  ) async -> Result<HTTPExchange, TransportError> {
    let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
    let eventLoop = channel.eventLoop
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

  /// Closes the connection; an exchange under way fails with `closed`.
  public func close() {
    closing.begin()
    channel.close(promise: nil)
  }

  /// What a new channel is fitted with, on its loop.
  private struct Pipeline: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<HTTPExchangeHandler>
    let closing: HTTPExchangeHandler.Closing

    init(
      on channel: any Channel, endpoint: Endpoint, tls: TLSClient?, secured: EventLoopPromise<UInt64?>,
      executor: LoopExecutor
    ) throws {
      let operations = channel.pipeline.syncOperations
      if let tls {
        try operations.addHandler(tls.makeHandler(for: endpoint))
        try operations.addHandler(HandshakeHandler(done: secured))
      }
      let handler = HTTPExchangeHandler(executor: executor)
      try operations.addHandler(handler)
      self.channel = channel
      closing = handler.closing
      self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }
  }
}
