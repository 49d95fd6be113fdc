import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP server on loopback whose every answer a test decides.
public final class HTTPTestServer: Sendable {
  /// A received request.
  public struct Request: Sendable {
    /// `POST`, …
    public var method: String
    /// Without the query.
    public var path: String
    /// Without the `?`.
    public var query: String
    /// As received.
    public var headers: [(name: String, value: String)]
    /// The whole body.
    public var body: [UInt8]

    /// The first value of a header, named in lower case.
    public func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
  }

  /// What the server does about a request.
  public enum Reaction: Sendable {
    /// A whole answer; the connection is kept.
    case answer(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [])
    /// These bytes as they are, then the end of the connection.
    case raw([UInt8])
    /// The connection is kept and nothing is ever said.
    case silence
  }

  /// Where it listens on 127.0.0.1.
  public let port: Int
  /// Without a path.
  public var url: String { "http://127.0.0.1:\(port)" }
  private let channel: any Channel
  private let connections: ConnectionList

  /// How many connections were accepted so far.
  public var connectionCount: Int { connections.accepted }

  /// How requests are reacted to: at once on the connection's loop, or by a task that may wait.
  enum Reacting: Sendable {
    case atOnce(@Sendable (Request) -> Reaction)
    case waiting(@Sendable (Request) async -> Reaction)
  }

  /// Runs `body` with a server that reacts to requests with `react`, and stops the server at the end.
  public static func run<Value: Sendable>(
    _ react: @escaping @Sendable (Request) async -> Reaction, _ body: (HTTPTestServer) async throws -> Value
  ) async throws -> Value {
    try await run(.waiting(react), body)
  }

  /// The same for reactions that need not wait: they come however busy the threads of Swift's tasks are.
  public static func run<Value: Sendable>(
    reactingAtOnce react: @escaping @Sendable (Request) -> Reaction, _ body: (HTTPTestServer) async throws -> Value
  ) async throws -> Value {
    try await run(.atOnce(react), body)
  }

  private static func run<Value: Sendable>(
    _ react: Reacting, _ body: (HTTPTestServer) async throws -> Value
  ) async throws -> Value {
    let connections = ConnectionList()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        connections.add(channel)
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(RequestHandler(react: react))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = HTTPTestServer(channel: channel, connections: connections)
    do {
      let value = try await body(server)
      try await server.stop()
      return value
    } catch {
      try await server.stop()
      throw error
    }
  }

  private init(channel: any Channel, connections: ConnectionList) {
    self.channel = channel
    self.connections = connections
    port = channel.localAddress?.port ?? 0
  }

  private func stop() async throws {
    try await channel.close()
    connections.closeAll()
  }
}

private final class ConnectionList: Sendable {
  private let channels = Mutex<[any Channel]>([])

  var accepted: Int { channels.withLock { $0.count } }
  func add(_ channel: any Channel) { channels.withLock { $0.append(channel) } }
  func closeAll() { for channel in channels.withLock({ $0 }) { channel.close(promise: nil) } }
}

private final class RequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let react: HTTPTestServer.Reacting
  private var request: HTTPTestServer.Request?

  init(react: HTTPTestServer.Reacting) { self.react = react }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      let target = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
      request = HTTPTestServer.Request(
        method: head.method.rawValue, path: String(target[0]), query: target.count == 2 ? String(target[1]) : "",
        headers: head.headers.map { ($0.name, $0.value) }, body: [])
    case .body(let buffer):
      request?.body += buffer.readableBytesView
    case .end:
      guard let request else { return }
      self.request = nil
      switch react {
      case .atOnce(let react): RequestHandler.perform(react(request), on: context)
      case .waiting(let react):
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.makeFutureWithTask { await react(request) }
          .whenSuccess { RequestHandler.perform($0, on: bound.value) }
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private static func perform(_ reaction: HTTPTestServer.Reaction, on context: ChannelHandlerContext) {
    let channel = context.channel
    switch reaction {
    case .silence: break
    case .raw(let bytes):
      // From the encoder's own place outward: the bytes pass it by.
      let encoder = try? channel.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
      encoder?.writeAndFlush(NIOAny(channel.allocator.buffer(bytes: bytes)), promise: nil)
      channel.close(promise: nil)
    case .answer(let status, let headers, let body):
      var fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
      fields.replaceOrAdd(name: "Content-Length", value: String(body.count))
      let head = HTTPResponseHead(
        version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: fields)
      channel.write(HTTPServerResponsePart.head(head), promise: nil)
      channel.write(HTTPServerResponsePart.body(.byteBuffer(channel.allocator.buffer(bytes: body))), promise: nil)
      channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
  }
}
