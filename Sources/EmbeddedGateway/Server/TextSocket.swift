import FoundationEssentials
import Gateway
import NIOCore
import NIOWebSocket

/// The owner of a WebSocket. All calls are on the event loop.
protocol TextSocketOwner: AnyObject {
  func socketOpened(_ socket: TextSocket)
  /// A whole text message, unmasked.
  func socketReceived(_ message: ByteBuffer)
  /// A frame of any kind has come; `socketReceived` follows where it completes a message.
  func socketHeard()
  func socketWritabilityChanged(isWritable: Bool)
  /// The peer wants to close, with this code if it gave one; `socketClosed` follows.
  func socketReceivedClose(_ code: WebSocketErrorCode?)
  /// The socket has closed, from either side; called once.
  func socketClosed()
}

extension TextSocketOwner {
  func socketHeard() {}
  func socketReceivedClose(_ code: WebSocketErrorCode?) {}
}

/// The server's end of a WebSocket that carries text messages (RFC 6455); it answers pings and close frames itself.
final class TextSocket: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame

  private let owner: any TextSocketOwner
  private let maximumMessage: Int
  /// Injected faults of what is sent.
  private let faults: UserSocketFaults?
  private var context: ChannelHandlerContext?
  private var isClosing = false
  /// Whether nothing is read and written any more, though the connection stays open.
  private var isMute = false

  init(owner: any TextSocketOwner, maximumMessage: Int, faults: UserSocketFaults?) {
    self.owner = owner
    self.maximumMessage = maximumMessage
    self.faults = faults
  }

  /// Adds the handlers of a WebSocket to an upgraded channel.
  static func install(
    on channel: any Channel, owner: any TextSocketOwner, maximumMessage: Int, faults: UserSocketFaults? = nil
  ) throws {
    let aggregator = NIOWebSocketFrameAggregator(
      minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 64, maxAccumulatedFrameSize: maximumMessage)
    try channel.pipeline.syncOperations.addHandlers(
      aggregator, TextSocket(owner: owner, maximumMessage: maximumMessage, faults: faults))
  }

  /// Whether the peer reads fast enough; while it is false the writer should pause its source.
  var isWritable: Bool { context?.channel.isWritable ?? false && faults?.isHolding != true }

  func send(_ object: JSONObject) { send(object.bytes) }

  /// Sends one text message, or a fragment of one (RFC 6455, section 5.4); no effect on a closed socket.
  ///
  /// - Parameters:
  ///   - continues: whether the text continues the message that the last call left open.
  ///   - isLast: whether the message ends with the text.
  func send(_ text: ByteBuffer, continues: Bool = false, isLast: Bool = true) {
    guard context != nil, !isClosing else { return }
    let frame = WebSocketFrame(fin: isLast, opcode: continues ? .continuation : .text, data: text)
    if faults?.takes(frame, on: self) != true { write(frame) }
  }

  /// Writes a frame as it is.
  func write(_ frame: WebSocketFrame) {
    guard let context, !isMute else { return }
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
  }

  /// Sends a close frame with the code, and closes: at once if the peer closed first, else after the peer's answer, at
  /// most a second later (RFC 6455, section 7.1.1). An immediate close with unread input would reset the connection and
  /// lose the last message.
  func close(_ code: WebSocketErrorCode = .normalClosure, peerHasClosed: Bool = false) {
    guard let context, !isClosing else { return }
    if faults?.holdsClose({ self.close(code, peerHasClosed: peerHasClosed) }) == true { return }
    isClosing = true
    isMute = false
    var data = context.channel.allocator.buffer(capacity: 2)
    data.write(webSocketErrorCode: code)
    let frame = WebSocketFrame(fin: true, opcode: .connectionClose, data: data)
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    guard !peerHasClosed else { return context.close(promise: nil) }
    setReading(true)
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
      self?.context?.close(promise: nil)
    }
  }

  /// Starts or stops reading the peer's messages from the socket.
  func setReading(_ isReading: Bool) {
    guard let context, !isMute else { return }
    try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
    if isReading { context.read() }
  }

  /// Tells the owner whether the peer reads fast enough, after held messages have left.
  func reportWritability() {
    if context != nil { owner.socketWritabilityChanged(isWritable: isWritable) }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    owner.socketOpened(self)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    if isMute { return }
    if isClosing {
      if frame.opcode == .connectionClose { context.close(promise: nil) }
      return
    }
    owner.socketHeard()
    switch frame.opcode {
    // The aggregator limits only fragmented messages.
    case .text where frame.length > maximumMessage: close(.messageTooLarge)
    case .text: owner.socketReceived(frame.unmaskedData)
    case .ping:
      // A peer that pings without reading would make the answers pile up, so its connection is closed.
      guard context.channel.isWritable else { return close(.policyViolation) }
      let pong = WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)
      context.writeAndFlush(wrapOutboundOut(pong), promise: nil)
    case .pong: break
    case .connectionClose:
      var reason = frame.unmaskedData
      owner.socketReceivedClose(reason.readWebSocketErrorCode())
      close(peerHasClosed: true)
    default: close(.unacceptableData)
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    reportWritability()
    context.fireChannelWritabilityChanged()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    close(.protocolError)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    guard self.context != nil else { return }
    self.context = nil
    owner.socketClosed()
  }
}

/// Ways in which a connection breaks, for injected faults. The owner learns of the end as of any other.
extension TextSocket {
  /// Resets the connection (RST).
  func abort() { context?.channel.reset() }

  /// Closes the gateway's direction alone (FIN), without a close frame.
  func closeOutput() { first?.close(mode: .output, promise: nil) }

  /// Reads and writes nothing from now on, and leaves the connection open.
  func mute() {
    setReading(false)
    isMute = true
  }

  /// Sends the beginning of a message that announces its whole length, and closes the connection.
  func truncate(_ text: ByteBuffer) {
    guard let first else { return }
    // The frame's head by RFC 6455, section 5.2: the last fragment of a text, with a length of 16 bits.
    var bytes = ByteBuffer(bytes: [0x81, 126])
    bytes.writeInteger(UInt16(clamping: text.readableBytes))
    bytes.writeBytes(text.readableBytesView.prefix(text.readableBytes / 2))
    isClosing = true
    first.writeAndFlush(NIOAny(bytes), promise: nil)
    first.close(promise: nil)
  }

  /// The handler next to the network, past which nothing frames what is written.
  private var first: ChannelHandlerContext? {
    try? context?.channel.pipeline.syncOperations.context(handlerType: IdleStateHandler.self)
  }
}

/// A task's WebSocket, `/internal/warm/{taskId}`.
final class TaskSocket: TextSocketOwner {
  private let core: GatewayCore
  private let taskID: TaskID
  private weak var socket: TextSocket?

  init(core: GatewayCore, taskID: TaskID) {
    self.core = core
    self.taskID = taskID
  }

  var isWritable: Bool { socket?.isWritable ?? false }

  func send(_ message: JSONObject) { socket?.send(message) }

  func close() { socket?.close() }

  func abort() { socket?.abort() }

  func closeOutput() { socket?.closeOutput() }

  func mute() { socket?.mute() }

  func setReading(_ isReading: Bool) { socket?.setReading(isReading) }

  func socketOpened(_ socket: TextSocket) {
    self.socket = socket
    if !core.socketOpened(taskID, self) { socket.close(.policyViolation) }
  }

  func socketReceived(_ message: ByteBuffer) {
    // A task that sends an invalid message is not fit for a user.
    guard let decoded = try? JSONDecoder().decode(TaskToGateway.self, from: Data(message.readableBytesView)) else {
      socket?.close(.policyViolation)
      return
    }
    core.received(decoded, from: taskID)
  }

  func socketWritabilityChanged(isWritable: Bool) {
    core.records[taskID]?.session?.taskWritabilityChanged(isWritable: isWritable)
  }

  func socketClosed() { core.socketClosed(taskID, self) }
}
