public import Latency
public import NIOCore
import Synchronization

/// A client's WebSocket for text messages, on one event loop.
///
/// Callers that run on that loop (an actor on its executor, a task under a loop's task executor) pay no thread hop.
/// The connection stays open until one side closes it: ``close(code:reason:)`` it.
public final class WebSocketConnection: Sendable {
  /// When it was opened, phase by phase.
  public let phases: WebSocketPhases
  /// The values of the `Set-Cookie` fields of the 101.
  public let setCookies: [String]
  /// The loop it lives on.
  public let eventLoop: any EventLoop
  private let channel: any Channel
  private let handler: NIOLoopBound<WebSocketHandler>
  private let lastTicket = Atomic<UInt64>(0)

  init(channel: any Channel, handler: WebSocketHandler, phases: WebSocketPhases, setCookies: [String]) {
    self.channel = channel
    self.phases = phases
    self.setCookies = setCookies
    eventLoop = channel.eventLoop
    self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
  }

  /// Opens a WebSocket.
  ///
  /// - Parameters:
  ///   - endpoint: Where to; its base path goes before `path`.
  ///   - path: Starts with `/`.
  ///   - headers: Sent with the upgrade beside the protocol's own.
  ///   - subprotocols: Offered to the server (RFC 6455, section 1.9).
  ///   - addresses: Those of the endpoint's host, shared by the connections of a run; nil: they are looked up.
  ///   - turn: Which of several addresses is tried first.
  ///   - tls: For `wss` endpoints, ignored for `ws`. The host name is sent as SNI and verified; for an IP address there is
  ///     no SNI.
  ///   - eventLoop: The loop the connection lives on.
  ///   - limits: Bounds of what the server may send.
  ///   - timeout: Bound from here to the upgrade.
  /// - Throws: Every kind of ``WebSocketError`` but `closed`. Cancellation closes the half-open connection.
  public static func connect(
    to endpoint: Endpoint, addresses: HostAddresses? = nil, turn: Int = 0, path: String,
    headers: [(String, String)] = [], subprotocols: [String] = [], tls: TLSClient? = nil, on eventLoop: any EventLoop,
    limits: WebSocketLimits = WebSocketLimits(), timeout: Nanoseconds = .seconds(30)
  ) async throws(WebSocketError) -> WebSocketConnection {
    let request = try UpgradeRequest(
      endpoint: endpoint, path: path, headers: headers, subprotocols: subprotocols, tls: tls)
    return try await WebSocketHandshake.perform(
      request, addresses ?? HostAddresses(of: endpoint), turn: turn, on: eventLoop, limits: limits, timeout: timeout)
  }

  /// The server's messages. There is one consumer at a time; see ``WebSocketMessages``.
  public var messages: WebSocketMessages { WebSocketMessages(connection: self) }

  /// The next message; nil after this side has closed the connection.
  ///
  /// - Throws: ``WebSocketError/closed(code:reason:)`` when the server closed it or it broke, `protocolViolation`, or
  ///   `cancelled`, after which waiting again is allowed.
  public func receive() async throws(WebSocketError) -> WebSocketMessage? {
    if eventLoop.inEventLoop, let result = handler.value.takeQueued() { return try result.get() }
    let ticket = lastTicket.add(1, ordering: .relaxed).newValue
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        onLoop { $0.receive(ticket: ticket, continuation) }
      }
    } onCancel: {
      onLoop { $0.cancel(ticket: ticket) }
    }
    return try result.get()
  }

  /// Sends a text message and waits until the kernel has taken it: so a slow server slows the sender down.
  ///
  /// - Returns: The instant, taken on the loop right before the write.
  /// - Throws: Why the connection ended.
  @discardableResult
  public func send(text: String) async throws(WebSocketError) -> Instant {
    let result: Result<Instant, WebSocketError> = await withUnsafeContinuation { continuation in
      onLoop { handler in
        let promise = self.eventLoop.makePromise(of: Void.self)
        let sentAt = handler.send(text, promise: promise)
        promise.futureResult.whenComplete { written in
          continuation.resume(returning: written.map { sentAt }.mapError(WebSocketError.init(ofWrite:)))
        }
      }
    }
    return try result.get()
  }

  /// Sends a question: first everything that has come by now is read, what the kernel holds too, and in the same turn of
  /// the loop the question is written. A message that comes later was begun later, or says by its
  /// ``WebSocketMessage/begunAt`` that it was not. Nobody may wait in ``receive()`` meanwhile.
  public func ask(text: String) async -> WebSocketExchange {
    await withUnsafeContinuation { continuation in
      onLoop { $0.ask(text) { continuation.resume(returning: $0) } }
    }
  }

  /// Sends a text message without waiting; messages of one caller keep their order. If the connection has ended, or
  /// breaks, the message is lost: ``receive()`` tells.
  ///
  /// - Parameter sent: Called on the loop with the instant right before the write, and whether the kernel took it.
  public func post(text: String, sent: (@Sendable (_ at: Instant, _ isWritten: Bool) -> Void)? = nil) {
    onLoop { handler in
      guard let sent else {
        _ = handler.send(text, promise: nil)
        return
      }
      let promise = self.eventLoop.makePromise(of: Void.self)
      let sentAt = handler.send(text, promise: promise)
      promise.futureResult.whenComplete { written in
        if case .success = written { sent(sentAt, true) } else { sent(sentAt, false) }
      }
    }
  }

  /// Calls `body` on the loop as soon as the kernel keeps up with what was posted (at once, as a rule), or when the
  /// connection has ended.
  public func whenWritable(_ body: @escaping @Sendable () -> Void) { onLoop { $0.whenWritable(body) } }

  /// Calls `body` on the loop when the connection has ended, whoever ended it, although messages may still be queued.
  public func whenEnded(_ body: @escaping @Sendable () -> Void) { onLoop { $0.whenEnded(body) } }

  /// Says whose tasks consume the messages: of many that come at once it runs a share before the next ones are read.
  public func isServed(by executor: LoopExecutor) { onLoop { $0.executor = executor } }

  /// Says goodbye and waits until the connection is closed, at most about a second. `reason` is cut to 123 bytes.
  public func close(code: UInt16 = 1000, reason: String = "") async {
    startClose(code: code, reason: reason)
    await withUnsafeContinuation { continuation in
      channel.closeFuture.whenComplete { _ in continuation.resume() }
    }
  }

  /// Says goodbye without waiting; ``receive()`` returns nil when it is done.
  public func startClose(code: UInt16 = 1000, reason: String = "") {
    onLoop { $0.startClose(code: code, reason: reason) }
  }

  /// Ends the connection at once, without a close frame.
  public func abort() { onLoop { $0.abort() } }

  private func onLoop(_ body: @escaping @Sendable (WebSocketHandler) -> Void) {
    if eventLoop.inEventLoop {
      body(handler.value)
    } else {
      eventLoop.execute { body(self.handler.value) }
    }
  }
}

/// The messages of one connection, in order. It ends when this side closes; it throws when anything else ends it.
/// Single consumer: a second concurrent one gets `invalidRequest`.
public struct WebSocketMessages: AsyncSequence, Sendable {
  let connection: WebSocketConnection

  /// Starts consuming.
  public func makeAsyncIterator() -> Iterator { Iterator(connection: connection) }

  /// Takes message by message.
  public struct Iterator: AsyncIteratorProtocol {
    let connection: WebSocketConnection

    /// See ``WebSocketConnection/receive()``.
    public mutating func next() async throws(WebSocketError) -> WebSocketMessage? { try await connection.receive() }

    /// See ``WebSocketConnection/receive()``.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(WebSocketError) -> WebSocketMessage? { try await connection.receive() }
  }
}

extension WebSocketError {
  /// A failed write says why only in terms of the channel.
  init(ofWrite error: any Error) {
    self = (error as? WebSocketError) ?? .closed(code: Self.abnormalClosure, reason: String(describing: error))
  }
}
