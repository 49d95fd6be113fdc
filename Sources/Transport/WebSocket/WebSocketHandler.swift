import Latency
import NIOCore
import NIOWebSocket

/// The state of an open WebSocket, confined to its event loop. Inbound frames go to a queue with at most one waiting
/// consumer; outbound frames are masked.
final class WebSocketHandler: ChannelDuplexHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundIn = Never
  typealias OutboundOut = WebSocketFrame
  typealias Waiter = UnsafeContinuation<Result<WebSocketMessage?, WebSocketError>, Never>

  /// How long the server may take to answer the close frame, and then to end the connection.
  static let closeBound = TimeAmount.seconds(1)

  /// The executor of the tasks that wait for the messages, if it is known.
  var executor: LoopExecutor?
  private let limits: WebSocketLimits
  private let begins: FrameStartStamps
  private var frames: InboundFrames
  private var context: ChannelHandlerContext?
  private var queue = CircularBuffer<WebSocketMessage>()
  private var waiter: (ticket: UInt64, continuation: Waiter)?
  /// The highest ticket that was cancelled. Tickets are given out in order, so one number covers all consumers that
  /// were cancelled before they waited.
  private var lastCancelled: UInt64 = 0
  /// When the message that is being read began.
  private var messageBegunAt: Instant?
  private var question: PendingExchange?
  private var hasSentClose = false
  private var readIsDue = false
  private var waitingForRoom: [() -> Void] = []
  private var waitingForEnd: [() -> Void] = []
  /// Why no message will come any more; `.success(())` if this side closed in good order.
  private var end: Result<Void, WebSocketError>?

  /// - Parameter begins: The handler before the frame decoder.
  init(limits: WebSocketLimits, begins: FrameStartStamps) {
    self.limits = limits
    self.begins = begins
    frames = InboundFrames(limits: limits)
  }

  // MARK: From the user

  /// Takes the next message or waits for it.
  func receive(ticket: UInt64, _ continuation: Waiter) {
    if let result = takeQueued() {
      continuation.resume(returning: result)
    } else if ticket <= lastCancelled {
      continuation.resume(returning: .failure(.cancelled))
    } else if waiter != nil {
      continuation.resume(returning: .failure(.invalidRequest("a WebSocket's messages have a single consumer")))
    } else {
      waiter = (ticket, continuation)
    }
  }

  /// A queued message, or the end once the queue is empty; nil if the consumer has to wait.
  func takeQueued() -> Result<WebSocketMessage?, WebSocketError>? {
    if let message = queue.popFirst() {
      if readIsDue, queue.count <= limits.maximumQueuedMessages / 2 {
        readIsDue = false
        context?.read()
      }
      return .success(message)
    }
    return end?.map { nil }
  }

  /// The consumer with this ticket no longer waits.
  func cancel(ticket: UInt64) {
    lastCancelled = max(lastCancelled, ticket)
    guard let waiter, waiter.ticket == ticket else { return }
    self.waiter = nil
    waiter.continuation.resume(returning: .failure(.cancelled))
  }

  /// Writes one masked text frame and returns the instant right before. The promise is fulfilled when the kernel has
  /// the frame.
  func send(_ text: String, promise: EventLoopPromise<Void>?) -> Instant {
    let now = MonotonicClock.now()
    guard let context, !hasSentClose, end == nil else {
      promise?.fail(endError)
      return now
    }
    let data = context.channel.allocator.buffer(string: text)
    context.writeAndFlush(wrapOutboundOut(Self.frame(.text, data)), promise: promise)
    return now
  }

  /// Sends `text` as soon as everything that has arrived is read. There must be no other consumer meanwhile.
  func ask(_ text: String, _ done: @escaping (WebSocketExchange) -> Void) {
    question = PendingExchange(text: text, done: done)
    askNext()
  }

  private func askNext() {
    guard var question = question.take() else { return }
    while case .success(let message?)? = takeQueued() {
      if question.unasked.count < limits.maximumQueuedMessages { question.unasked.append(message) }
    }
    if end == nil, question.turns < PendingExchange.mostTurns, context?.hasUnreadBytes ?? false {
      // The loop reads the unread bytes next.
      question.turns += 1
      self.question = question
      return
    }
    guard let context else {
      return question.done(WebSocketExchange(unasked: question.unasked, askedAt: .failure(endError)))
    }
    let promise = context.eventLoop.makePromise(of: Void.self)
    let askedAt = send(question.text, promise: promise)
    promise.futureResult.assumeIsolated().whenComplete { [question] written in
      question.done(
        WebSocketExchange(
          unasked: question.unasked, askedAt: written.map { askedAt }.mapError(WebSocketError.init(ofWrite:))))
    }
  }

  /// Calls `body` when the kernel has taken enough of the sent bytes, or when the connection has ended.
  func whenWritable(_ body: @escaping () -> Void) {
    if end == nil, let context, !context.channel.isWritable {
      waitingForRoom.append(body)
    } else {
      body()
    }
  }

  /// Calls `body` when the connection ends, or at once if it has ended.
  func whenEnded(_ body: @escaping () -> Void) {
    if end == nil { waitingForEnd.append(body) } else { body() }
  }

  /// Starts the close handshake; the connection ends when the server has answered, or after ``closeBound``.
  func startClose(code: UInt16, reason: String) {
    guard end == nil, !hasSentClose else { return }
    sendClose(code: code, reason: reason)
    closeLater()
  }

  /// Ends the connection without a close frame.
  func abort() {
    finish(.success(()))
    context?.close(promise: nil)
  }

  /// The error of a send after the end.
  private var endError: WebSocketError {
    if case .failure(let error) = end { return error }
    return .closed(code: 1000, reason: "closed by this side")
  }

  // MARK: From the socket

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    finish(.failure(.closed(code: WebSocketError.abnormalClosure, reason: "")))
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard end == nil else { return }
    let receivedAt = MonotonicClock.now()
    let frame = unwrapInboundIn(data)
    let begunAt = begins.next() ?? receivedAt
    if frame.opcode == .text { messageBegunAt = begunAt }
    do throws(InboundFrames.Violation) {
      switch try frames.receive(frame) {
      case .none: break
      case .message(let text):
        deliver(WebSocketMessage(text: text, begunAt: messageBegunAt ?? begunAt, receivedAt: receivedAt))
      case .pong(let data):
        // RFC 6455, section 5.5.3: some pings may stay unanswered when they come faster than they can be answered.
        guard context.channel.isWritable, !hasSentClose else { break }
        context.writeAndFlush(wrapOutboundOut(Self.frame(.pong, data)), promise: nil)
      case .closed(let code, let reason): peerCloses(code: code, reason: reason)
      }
    } catch {
      fail(code: error.code, what: error.what)
    }
    executor?.didRead()
  }

  /// The socket is not read while the consumer is behind. So the TCP window fills and the server waits.
  func read(context: ChannelHandlerContext) {
    if queue.count >= limits.maximumQueuedMessages {
      readIsDue = true
    } else {
      context.read()
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    askNext()
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { announceRoom() }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    finish(hasSentClose ? .success(()) : .failure(.closed(code: WebSocketError.abnormalClosure, reason: "")))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error as? NIOWebSocketError {
    case .invalidFrameLength: fail(code: 1009, what: "a frame beyond \(limits.maximumFrameSize) bytes")
    case .fragmentedControlFrame: fail(code: 1002, what: "a fragmented control frame")
    case .multiByteControlFrameLength: fail(code: 1002, what: "a control frame beyond 125 bytes")
    case nil:
      finish(.failure(.closed(code: WebSocketError.abnormalClosure, reason: String(describing: error))))
      context.close(promise: nil)
    }
  }

  // MARK: Inside

  private func deliver(_ message: WebSocketMessage) {
    guard let waiter else { return queue.append(message) }
    self.waiter = nil
    waiter.continuation.resume(returning: .success(message))
  }

  private func peerCloses(code: UInt16?, reason: String) {
    let isAnswer = hasSentClose
    if !isAnswer { sendClose(code: code ?? 1000, reason: "") }
    // 1005 is the RFC's number for "no code was given".
    finish(isAnswer ? .success(()) : .failure(.closed(code: code ?? 1005, reason: reason)))
    // The server ends the TCP connection first (section 7.1.1). So TIME_WAIT is on its side, and our ports stay free.
    closeLater()
  }

  private func fail(code: UInt16, what: String) {
    guard end == nil, let context else { return }
    finish(.failure(.protocolViolation(what)))
    sendClose(code: code, reason: what)
    context.close(promise: nil)
  }

  private func sendClose(code: UInt16, reason: String) {
    guard !hasSentClose, let context else { return }
    hasSentClose = true
    var data = context.channel.allocator.buffer(capacity: 2 + reason.utf8.count)
    data.writeInteger(code)
    data.writeString(Self.closeReason(reason))
    context.writeAndFlush(wrapOutboundOut(Self.frame(.connectionClose, data)), promise: nil)
  }

  private func closeLater() {
    guard let context else { return }
    let channel = context.channel
    let timer = context.eventLoop.scheduleTask(in: Self.closeBound) { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in timer.cancel() }
    // The server's close frame must be read even while the consumer is behind.
    if readIsDue {
      readIsDue = false
      context.read()
    }
  }

  private func announceRoom() {
    let waiting = waitingForRoom
    waitingForRoom = []
    for body in waiting { body() }
  }

  private func finish(_ result: Result<Void, WebSocketError>) {
    guard end == nil else { return }
    end = result
    announceRoom()
    let told = waitingForEnd
    waitingForEnd = []
    for body in told { body() }
    askNext()
    guard let waiter else { return }
    self.waiter = nil
    waiter.continuation.resume(returning: result.map { nil })
  }

  private static func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
    // A client masks every frame with a fresh key (RFC 6455, section 5.3); NIO does so only when it is given one.
    WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
  }

  /// Cuts the reason to 123 bytes between characters: a control frame's payload has at most 125 bytes, of which two are
  /// the code.
  private static func closeReason(_ text: String) -> String {
    var cut = Substring(text)
    while cut.utf8.count > 123 { cut.removeLast() }
    return String(cut)
  }
}
