public import Latency
public import NIOCore
import Synchronization

/// A client's WebSocket for text messages, on one event loop.
///
/// Callers on that loop (an actor on its executor, a task on a ``LoopExecutor``) need no change of threads. The
/// connection stays open until one side closes it, so call ``close(code:reason:)``.
public final class WebSocketConnection: Sendable {
  /// The instants of the opening.
  public let phases: WebSocketPhases
  /// The values of the `Set-Cookie` fields of the 101.
  public let setCookies: [String]
  /// The connection's event loop.
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
  ///   - endpoint: The server; its base path goes before `path`.
  ///   - path: Starts with `/`.
  ///   - headers: Sent with the upgrade in addition to the protocol's own.
  ///   - subprotocols: Offered to the server (RFC 6455, section 1.9).
  ///   - addresses: The addresses of the endpoint's host, shared by the connections of a run; with nil the name is
  ///     looked up.
  ///   - turn: The user's place in the rotation, which decides the address that is tried first.
  ///   - tls: For `wss` endpoints, ignored for `ws`. The host name is sent as SNI and verified; an IP address is not
  ///     sent.
  ///   - eventLoop: The connection's event loop.
  ///   - limits: Bounds of the server's messages.
  ///   - timeout: The longest time from the call to the upgrade.
  /// - Throws: Each kind of ``WebSocketError`` except `closed`. Cancellation closes the half-open connection.
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
  /// - Throws: ``WebSocketError/closed(code:reason:)`` when the server closed the connection or it broke,
  ///   `protocolViolation`, or `cancelled`, after which the caller may wait again.
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

  /// Sends a text message and waits until the kernel has taken it, so that a slow server slows the sender down.
  ///
  /// - Returns: The instant, taken on the loop right before the write.
  /// - Throws: The error that ended the connection.
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

  /// Sends a question. Problem: a message that arrived before the question could be taken for its answer. So the loop
  /// first reads everything that has arrived, including the bytes in the kernel, and writes the question in the same
  /// turn. A later message that began before the question shows that by its ``WebSocketMessage/begunAt``. No caller may
  /// wait in ``receive()`` meanwhile.
  public func ask(text: String) async -> WebSocketExchange {
    await withUnsafeContinuation { continuation in
      onLoop { $0.ask(text) { continuation.resume(returning: $0) } }
    }
  }

  /// Sends a text message without waiting; messages of one caller keep their order. If the connection has ended or
  /// breaks, the message is lost, and ``receive()`` throws the reason.
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

  /// Calls `body` on the loop as soon as the kernel has taken enough of the posted messages (usually at once), or when
  /// the connection has ended.
  public func whenWritable(_ body: @escaping @Sendable () -> Void) { onLoop { $0.whenWritable(body) } }

  /// Calls `body` on the loop when either side has ended the connection. Messages may still be queued then.
  public func whenEnded(_ body: @escaping @Sendable () -> Void) { onLoop { $0.whenEnded(body) } }

  /// Sets the executor of the tasks that consume the messages. Of many messages that come at once, the tasks of a share
  /// run before the next messages are read.
  public func isServed(by executor: LoopExecutor) { onLoop { $0.executor = executor } }

  /// Starts the close handshake and waits until the connection is closed, for about a second at most. `reason` is cut
  /// to 123 bytes.
  public func close(code: UInt16 = 1000, reason: String = "") async {
    startClose(code: code, reason: reason)
    await withUnsafeContinuation { continuation in
      channel.closeFuture.whenComplete { _ in continuation.resume() }
    }
  }

  /// Starts the close handshake without waiting; ``receive()`` returns nil when it is done.
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

/// The messages of one connection, in order. The sequence ends when this side closes the connection, and throws when
/// anything else ends it. There is one consumer at a time: a second one gets `invalidRequest`.
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
  /// The error of a failed write, which NIO describes in terms of the channel only.
  init(ofWrite error: any Error) {
    self = (error as? WebSocketError) ?? .closed(code: Self.abnormalClosure, reason: String(describing: error))
  }
}
