import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization

/// A gateway with `/session/{userId}` that says what a test tells it to, and a status that shows nine warm tasks.
final class SessionServer: Sendable {
  /// What is said to the `number`-th session, from 1, at its beginning: all in one write.
  typealias Hello = @Sendable (_ number: Int) -> [String]

  let url: String
  private let channel: any Channel
  private let log: RequestLog

  /// Listens on a free port. Each line of a user is answered, after `delay`, with `answer` and the line.
  ///
  /// - Parameters:
  ///   - tearsHelloFor: The last frame of the hello comes in two writes, with so long between them.
  ///   - lateHello: All but the first line of the hello comes so long after it.
  init(
    answer: String = "echo: ", delay: TimeAmount = .zero, tearsHelloFor: TimeAmount? = nil,
    lateHello: TimeAmount? = nil, _ hello: @escaping Hello
  ) async throws {
    let log = RequestLog()
    self.log = log
    let sessions = Counting()
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let upgrader = NIOTypedWebSocketServerUpgrader<Void>(
            shouldUpgrade: { channel, head in
              let isUser = head.uri.hasPrefix("/session/") && !head.uri.hasPrefix("/session/.")
              return channel.eventLoop.makeSucceededFuture(isUser ? [:] : nil)
            },
            upgradePipelineHandler: { channel, _ in
              channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                  SessionSide(
                    hello: hello(sessions.next()), answer: answer, delay: delay, tear: tearsHelloFor,
                    lateness: lateHello))
              }
            })
          _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: .init(
              upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration<Void>(
                upgraders: [upgrader],
                notUpgradingCompletionHandler: { channel in
                  channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(RESTSide(log))
                  }
                })))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    url = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
  }

  /// Method and path of every request but upgrades of users.
  var requests: [String] { log.lines.withLock { $0 } }

  func stop() async { try? await channel.close() }

  /// `session_ready`; `source` and `process_start` of 5 ms are left out when `source` is nil.
  static func ready(_ task: String, source: String? = "warm") -> String {
    let said = source.map { #", "source": "\#($0)""# } ?? ""
    return #"{"type": "session_ready", "taskId": "\#(task)", "breakdown": {"process_start_ms": 5}\#(said)}"#
  }
}

private final class RequestLog: Sendable {
  let lines = Mutex<[String]>([])
}

private final class RESTSide: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let log: RequestLog
  private var line = ""

  init(_ log: RequestLog) { self.log = log }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      line = "\(head.method) \(head.uri)"
      log.lines.withLock { [line] in $0.append(line) }
    case .body: break
    case .end:
      let isStatus = line == "GET /api/status"
      let text = isStatus ? #"{"warmCount": 9, "assignedCount": 0}"# : "{}"
      let headers = HTTPHeaders([("Content-Length", "\(text.utf8.count)")])
      let head = HTTPResponseHead(version: .http1_1, status: isStatus ? .ok : .badRequest, headers: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

private final class SessionSide: ChannelInboundHandler {
  typealias InboundIn = WebSocketFrame
  typealias OutboundOut = WebSocketFrame
  private let hello: [String]
  private let answer: String
  private let delay: TimeAmount
  private let tear: TimeAmount?
  private let lateness: TimeAmount?

  init(hello: [String], answer: String, delay: TimeAmount, tear: TimeAmount?, lateness: TimeAmount?) {
    self.hello = hello
    self.answer = answer
    self.delay = delay
    self.tear = tear
    self.lateness = lateness
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let now = hello.prefix(lateness == nil ? hello.count : 1).dropLast(tear == nil ? 0 : 1)
    for text in now { context.write(frame(.text, ByteBuffer(string: text)), promise: nil) }
    if let tear, let torn = hello.last { sendTorn(torn, for: tear, context) }
    context.flush()
    guard let lateness else { return }
    context.eventLoop.assumeIsolated().scheduleTask(in: lateness) { [hello] in
      for text in hello.dropFirst() { context.write(self.frame(.text, ByteBuffer(string: text)), promise: nil) }
      context.flush()
    }
  }

  /// The bytes of one short frame (RFC 6455, section 5.2), in two writes past the frame encoder.
  private func sendTorn(_ text: String, for tear: TimeAmount, _ context: ChannelHandlerContext) {
    var bytes = ByteBuffer(bytes: [0x81, UInt8(text.utf8.count)])
    bytes.writeString(text)
    let first = bytes.readSlice(length: 6) ?? ByteBuffer()
    let channel = context.channel
    guard let encoder = try? channel.pipeline.syncOperations.context(handlerType: WebSocketFrameEncoder.self) else {
      return
    }
    encoder.writeAndFlush(NIOAny(first), promise: nil)
    context.eventLoop.assumeIsolated().scheduleTask(in: tear) { [bytes] in
      encoder.writeAndFlush(NIOAny(bytes), promise: nil)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let received = unwrapInboundIn(data)
    switch received.opcode {
    case .text:
      let text = ByteBuffer(string: answer + String(buffer: received.unmaskedData))
      context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
        context.writeAndFlush(self.frame(.text, text), promise: nil)
      }
    case .connectionClose:
      context.writeAndFlush(frame(.connectionClose, received.unmaskedData), promise: nil)
      context.close(promise: nil)
    default: break
    }
  }

  private func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> NIOAny {
    wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: data))
  }
}
