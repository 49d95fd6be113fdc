import FoundationEssentials
import Gateway
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Transport

/// The gateway's end of one task's socket.
final class TaskSocket: Sendable {
  let path: String
  private let channel: any Channel
  private let stream: AsyncStream<String>
  fileprivate let incoming: AsyncStream<String>.Continuation

  init(path: String, channel: any Channel) {
    self.path = path
    self.channel = channel
    (stream, incoming) = AsyncStream.makeStream(of: String.self)
  }

  var taskId: String { String(path.split(separator: "/").last ?? "") }

  func send(_ message: GatewayToTask) throws {
    sendText(String(decoding: try JSONEncoder().encode(message), as: UTF8.self))
  }

  func sendText(_ text: String) {
    channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text)), promise: nil)
  }

  /// The next message but heartbeats; nil at the end of the socket.
  func next() async throws -> TaskToGateway? {
    for await text in stream {
      let message = try JSONDecoder().decode(TaskToGateway.self, from: Data(text.utf8))
      if message.type != "heartbeat" { return message }
    }
    return nil
  }

  /// The next message of any kind.
  func nextOfAnyKind() async throws -> TaskToGateway? {
    for await text in stream { return try JSONDecoder().decode(TaskToGateway.self, from: Data(text.utf8)) }
    return nil
  }

  /// Closes with 1000, as a gateway does that releases a task.
  func release() {
    var code = ByteBuffer()
    code.writeInteger(UInt16(1000))
    let channel = channel
    channel.writeAndFlush(WebSocketFrame(fin: true, opcode: .connectionClose, data: code))
      .whenComplete { _ in channel.close(promise: nil) }
  }

  func breakOff() { channel.close(promise: nil) }
}

/// Accepts tasks' sockets on a loopback port.
final class FakeGateway: Sendable {
  let endpoint: Endpoint
  private let channel: any Channel
  private let sockets: AsyncStream<TaskSocket>

  init() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: TaskSocket.self)
    sockets = stream
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let upgrader = NIOTypedWebSocketServerUpgrader<Void>(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, head in
              channel.eventLoop.makeCompletedFuture {
                let socket = TaskSocket(path: head.uri, channel: channel)
                try channel.pipeline.syncOperations.addHandler(Reader(socket))
                continuation.yield(socket)
              }
            })
          let upgrade = NIOTypedHTTPServerUpgradeConfiguration<Void>(
            upgraders: [upgrader], notUpgradingCompletionHandler: { $0.close() })
          _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
            configuration: .init(upgradeConfiguration: upgrade))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    endpoint = Endpoint(host: "127.0.0.1", port: channel.localAddress?.port ?? 0)
  }

  /// The next task that connects.
  func nextTask() async throws -> TaskSocket {
    for await socket in sockets { return socket }
    throw CancellationError()
  }

  func stop() async { try? await channel.close() }

  private final class Reader: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    private let socket: TaskSocket
    init(_ socket: TaskSocket) { self.socket = socket }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let frame = unwrapInboundIn(data)
      switch frame.opcode {
      case .text: socket.incoming.yield(String(buffer: frame.unmaskedData))
      case .connectionClose: context.close(promise: nil)
      default: break
      }
    }

    func channelInactive(context: ChannelHandlerContext) { socket.incoming.finish() }
  }
}
