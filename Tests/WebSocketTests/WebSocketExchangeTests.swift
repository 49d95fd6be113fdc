import Glibc
import Latency
import NIOCore
import NIOPosix
import Testing

@testable import Transport

@Suite struct FrameStartsTests {
  /// A text frame of `count` bytes of payload with a header as short as may be.
  private func text(_ count: Int) -> [UInt8] {
    let length: [UInt8] =
      switch count {
      case ..<126: [UInt8(count)]
      case ..<65_536: [126, UInt8(count >> 8), UInt8(count & 0xff)]
      default: [127] + (0..<8).reversed().map { UInt8(count >> ($0 * 8) & 0xff) }
      }
    return [0x81] + length + [UInt8](repeating: 0x61, count: count)
  }

  @Test(arguments: [1, 2, 3, 7, 1000, 1 << 20]) func everyFrameHasTheInstantOfItsFirstByte(piece: Int) {
    let frames = [0, 5, 125, 126, 300, 65_535, 65_536, 1].map(text)
    let bytes = frames.flatMap { $0 }
    var begins = FrameStarts()
    for start in stride(from: 0, to: bytes.count, by: piece) {
      let read = ByteBuffer(bytes: bytes[start..<min(bytes.count, start + piece)])
      begins.read(read, at: .distantPast + .nanoseconds(start))
    }
    var position = 0
    for frame in frames {
      #expect(begins.next() == .distantPast + .nanoseconds(position / piece * piece))
      position += frame.count
    }
    #expect(begins.next() == nil)
  }
}

/// What was there before a question is no answer to it.
@Suite(.serialized, .timeLimit(.minutes(1))) struct WebSocketExchangeTests {
  private let loop = MultiThreadedEventLoopGroup.singleton.next()

  private func connect(_ answer: @escaping @Sendable (String) -> [UInt8]) async throws -> (
    RawServer, WebSocketConnection
  ) {
    let server = try await RawServer { answer($0) }
    let connection = try await WebSocketConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: server.port), path: "/", on: loop)
    return (server, connection)
  }

  @Test func whatTheKernelHoldsIsReadBeforeTheQuestionIsSent() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let port = try await EagerServer.start(on: group)
    let connection = try await WebSocketConnection.connect(
      to: Endpoint(host: "127.0.0.1", port: port), path: "/", on: loop)
    #expect(try await connection.receive()?.text == "ready")
    // The loop is busy when the banner comes, and asks without having seen it.
    let question = await withCheckedContinuation { continuation in
      loop.execute {
        // The loop's own thread stands still: a task that waits would leave it free to read.
        usleep(300_000)
        Task.immediate { continuation.resume(returning: await connection.ask(text: "?")) }
      }
    }
    #expect(question.unasked.map(\.text) == ["banner"])
    let askedAt = try question.askedAt.get()
    let answer = try #require(try await connection.receive())
    #expect(answer.text == "answer" && answer.begunAt >= askedAt)
    connection.abort()
    try await group.shutdownGracefully()
  }

  @Test func whatCameWithTheUpgradeWasBegunBeforeTheQuestion() async throws {
    let (server, connection) = try await connect { accepted($0) + frame(0x81, Array("one".utf8)) + [0x81, 3, 0x74] }
    #expect(try await connection.receive()?.text == "one")
    let question = await connection.ask(text: "?")
    #expect(question.unasked.isEmpty)
    _ = try question.askedAt.get()
    connection.abort()
    await server.stop()
  }

  @Test func aQuestionAfterTheEndSaysWhatCameBeforeIt() async throws {
    let (server, connection) = try await connect {
      accepted($0) + frame(0x81, Array("last words".utf8)) + frame(0x88, [0x03, 0xe8])
    }
    await withCheckedContinuation { continuation in connection.whenEnded { continuation.resume() } }
    let question = await connection.ask(text: "?")
    #expect(question.unasked.map(\.text) == ["last words"])
    #expect(throws: WebSocketError.self) { try question.askedAt.get() }
    await server.stop()
  }
}

/// Says "ready" with its 101, "banner" 100 ms later, and "answer" to whatever it is sent.
private enum EagerServer {
  static func start(on group: MultiThreadedEventLoopGroup) async throws -> Int {
    let channel = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Handler()) }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return channel.localAddress?.port ?? 0
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var isOpen = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard !isOpen else { return say("answer", context) }
      isOpen = true
      let head = String(buffer: unwrapInboundIn(data))
      context.writeAndFlush(NIOAny(ByteBuffer(bytes: accepted(RawServer.accept(for: head)))), promise: nil)
      say("ready", context)
      context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.say("banner", context) }
    }

    private func say(_ text: String, _ context: ChannelHandlerContext) {
      context.writeAndFlush(NIOAny(ByteBuffer(bytes: frame(0x81, Array(text.utf8)))), promise: nil)
    }
  }
}
