import NIOCore
import NIOPosix
public import NIOSSL
import Synchronization

/// A server on loopback that reads HTTP requests and says exactly the bytes that a test tells it to say.
public final class ScriptedServer: Sendable {
  /// A received request.
  public struct Request: Sendable {
    /// The request line and the headers.
    public var head: String
    /// As long as `Content-Length` says.
    public var body: String
    /// Which connection it came on, from 1.
    public var connection: Int
    /// Which request of its connection it is, from 1.
    public var number: Int

    /// `POST /api/acquire` and the like.
    public var line: String { head.split(separator: " ").prefix(2).joined(separator: " ") }
  }

  /// What the server does, one after another.
  public enum Action: Sendable {
    case send(String)
    /// The same for bytes that need not be text. What comes after it waits until they are written.
    case bytes([UInt8])
    /// A known delay of the server.
    case wait(Duration)
    case close
    /// Closes with `RST` (`SO_LINGER` 0).
    case reset
  }

  /// Where it listens on 127.0.0.1.
  public let port: Int
  private let channel: any Channel
  private let log = ServerLog()

  /// Listens, and reacts to every request; `greeting` is said to each new connection.
  public init(
    tls: NIOSSLContext? = nil, greeting: [Action] = [], _ react: @escaping @Sendable (Request) -> [Action]
  ) async throws {
    let log = log
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelInitializer { channel in
        let number = log.accept(channel)
        return channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.addHandler(
            Script(connection: number, greeting: greeting, log: log, react: react))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  /// How many connections were accepted so far.
  public var connectionCount: Int { log.connectionCount }
  /// Every request so far.
  public var requests: [Request] { log.requests }

  /// Returns when `count` requests have come, or after 20 s.
  public func waitForRequests(_ count: Int) async {
    for _ in 0..<10_000 where requests.count < count { try? await Task.sleep(for: .milliseconds(2)) }
  }

  /// Stops listening and closes every connection.
  public func stop() async {
    try? await channel.close()
    log.closeAll()
  }

  /// A whole answer with a length; the connection is kept.
  public static func answer(_ body: String, status: Int = 200) -> Action {
    .send("HTTP/1.1 \(status) Status\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }
}

private final class ServerLog: Sendable {
  private struct State {
    var channels: [any Channel] = []
    var requests: [ScriptedServer.Request] = []
  }

  private let state = Mutex(State())

  var connectionCount: Int { state.withLock { $0.channels.count } }
  var requests: [ScriptedServer.Request] { state.withLock { $0.requests } }

  func accept(_ channel: any Channel) -> Int {
    state.withLock { state in
      state.channels.append(channel)
      return state.channels.count
    }
  }

  func add(_ request: ScriptedServer.Request) { state.withLock { $0.requests.append(request) } }

  func closeAll() { for channel in state.withLock({ $0.channels }) { channel.close(promise: nil) } }
}

private final class Script: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let connection: Int
  private let greeting: [ScriptedServer.Action]
  private let log: ServerLog
  private let react: @Sendable (ScriptedServer.Request) -> [ScriptedServer.Action]
  private var received = ""
  private var count = 0

  init(
    connection: Int, greeting: [ScriptedServer.Action], log: ServerLog,
    react: @escaping @Sendable (ScriptedServer.Request) -> [ScriptedServer.Action]
  ) {
    self.connection = connection
    self.greeting = greeting
    self.log = log
    self.react = react
  }

  func channelActive(context: ChannelHandlerContext) { perform(greeting[...], context) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += String(buffer: unwrapInboundIn(data))
    while let request = nextRequest() {
      log.add(request)
      perform(react(request)[...], context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func nextRequest() -> ScriptedServer.Request? {
    // By bytes: CR LF is one Character.
    let bytes = Array(received.utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else {
      return nil
    }
    let head = String(decoding: bytes[..<end], as: UTF8.self)
    let lengths = head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix("content-length:") }
    let length = lengths.first.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
    let body = bytes[(end + 4)...].prefix(length)
    guard body.count == length else { return nil }
    received = String(decoding: bytes[(end + 4 + length)...], as: UTF8.self)
    count += 1
    return .init(head: head, body: String(decoding: body, as: UTF8.self), connection: connection, number: count)
  }

  private func perform(_ actions: ArraySlice<ScriptedServer.Action>, _ context: ChannelHandlerContext) {
    guard let action = actions.first else { return }
    switch action {
    case .send(let text): context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
    case .bytes(let bytes):
      context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes))).assumeIsolated().whenComplete { _ in
        self.perform(actions.dropFirst(), context)
      }
      return
    case .close: context.close(promise: nil)
    case .reset:
      let channel = context.channel
      (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        .whenComplete { _ in channel.close(promise: nil) }
    case .wait(let delay):
      context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
        self.perform(actions.dropFirst(), context)
      }
      return
    }
    perform(actions.dropFirst(), context)
  }
}
