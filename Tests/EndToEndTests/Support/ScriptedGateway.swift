import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A gateway on loopback that says exactly what a test tells it to, right or wrong.
final class ScriptedGateway: Sendable {
  struct Request: Sendable {
    /// `POST /api/acquire` and the like.
    var line: String
    var head: String
    var body: String
    /// The address of this machine that it came to.
    var host = ""
  }

  enum Answer: Sendable {
    /// A whole answer; the connection is kept.
    case json(String, status: Int = 200)
    /// A whole answer, so many seconds late.
    case late(String, status: Int = 200, seconds: Double)
    /// These bytes, and the end of the connection.
    case last(String)
    /// Nothing, ever.
    case silence
    /// `RST`.
    case reset
  }

  let url: String
  let port: Int
  private let channels: [any Channel]
  private let received: Log

  /// Listens on a free port of each of `hosts`, the same of all.
  init(hosts: [String] = ["127.0.0.1"], _ answer: @escaping @Sendable (Request) -> Answer) async throws {
    let log = Log()
    received = log
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Handler(log, answer))
        }
      }
    var channels: [any Channel] = []
    for host in hosts {
      channels.append(try await bootstrap.bind(host: host, port: channels.first?.localAddress?.port ?? 0).get())
    }
    self.channels = channels
    port = channels.first?.localAddress?.port ?? 0
    url = "http://127.0.0.1:\(port)"
  }

  /// Every request so far.
  var requests: [Request] { received.requests.withLock { $0 } }

  func stop() async { for channel in channels { try? await channel.close() } }

  /// A port of loopback where nobody listens.
  static func urlOfNobody() async throws -> String {
    let gateway = try await ScriptedGateway { _ in .silence }
    await gateway.stop()
    return gateway.url
  }

  /// `GET /api/status` of a pool without details.
  static func status(warm: Int, assigned: Int = 0) -> Answer {
    .json("{\"warmCount\": \(warm), \"assignedCount\": \(assigned)}")
  }

  private final class Log: Sendable {
    let requests = Mutex<[Request]>([])
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let log: Log
    private let answer: @Sendable (Request) -> Answer
    private var bytes: [UInt8] = []

    init(_ log: Log, _ answer: @escaping @Sendable (Request) -> Answer) {
      self.log = log
      self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      bytes += unwrapInboundIn(data).readableBytesView
      while var request = nextRequest() {
        request.host = context.channel.localAddress?.ipAddress ?? ""
        log.requests.withLock { $0.append(request) }
        perform(answer(request), context)
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func nextRequest() -> Request? {
      guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
      let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
      let field = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
      let length = field.flatMap { Int($0.dropFirst(15).drop { $0 == " " }) } ?? 0
      // The body may come in a later read.
      guard bytes.count - end.upperBound >= length else { return nil }
      let body = bytes[end.upperBound...].prefix(length)
      bytes.removeSubrange(..<body.endIndex)
      return Request(
        line: head.split(separator: " ").prefix(2).joined(separator: " "), head: head,
        body: String(decoding: body, as: UTF8.self))
    }

    private func perform(_ answer: Answer, _ context: ChannelHandlerContext) {
      switch answer {
      case .silence: break
      case .json(let body, let status): write(Self.whole(body, status), context)
      case .late(let body, let status, let seconds):
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(seconds * 1_000))) {
          channel.writeAndFlush(ByteBuffer(string: Self.whole(body, status)), promise: nil)
        }
      case .last(let text):
        write(text, context)
        context.close(promise: nil)
      case .reset:
        let channel = context.channel
        (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
          .whenComplete { _ in channel.close(promise: nil) }
      }
    }

    private static func whole(_ body: String, _ status: Int) -> String {
      let date = GatewayDate.http(Date())
      return "HTTP/1.1 \(status) Status\r\nDate: \(date)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func write(_ text: String, _ context: ChannelHandlerContext) {
      context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
    }
  }
}

/// Instants as gateways write them.
enum GatewayDate {
  /// RFC 9110, section 5.6.7.
  static func http(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(secondsFromGMT: 0)
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return formatter.string(from: date)
  }

  static func iso(_ date: Date) -> String {
    date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }
}
