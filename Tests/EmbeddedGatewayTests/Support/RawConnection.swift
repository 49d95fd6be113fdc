import FoundationEssentials
import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection that sends any bytes and reads HTTP/1.1 answers with a `content-length`.
final class RawConnection: Sendable {
  struct Answer {
    let status: Int
    let headers: [String: String]
    let body: String

    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
      try JSONDecoder().decode(type, from: Data(body.utf8))
    }
  }

  struct Closed: Error {}

  private struct State {
    var received = ""
    var isClosed = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let state = Mutex(State())

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      change { $0.received += String(buffer: Self.unwrapInboundIn(data)) }
    }

    func channelInactive(context: ChannelHandlerContext) { change { $0.isClosed = true } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func change(_ body: (inout sending State) -> Void) {
      let waiter = state.withLock { state in
        body(&state)
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
  }

  let channel: any Channel
  private let collector: Collector

  private init(channel: any Channel, collector: Collector) {
    self.channel = channel
    self.collector = collector
  }

  static func open(_ port: Int) async throws -> RawConnection {
    let collector = Collector()
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelOption(.allowRemoteHalfClosure, value: false)
      .channelInitializer { $0.pipeline.addHandler(collector) }
      .connect(host: "127.0.0.1", port: port).get()
    return RawConnection(channel: channel, collector: collector)
  }

  func send(_ bytes: some Sequence<UInt8>) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: Array(bytes)))
  }

  func request(_ method: String, _ path: String, _ body: String? = nil, headers: String = "") async throws {
    var text = "\(method) \(path) HTTP/1.1\r\nhost: test\r\n\(headers)"
    if let body { text += "content-length: \(body.utf8.count)\r\n" }
    try await send((text + "\r\n" + (body ?? "")).utf8)
  }

  /// The next answer.
  func answer() async throws -> Answer {
    while true {
      let (answer, isClosed) = collector.state.withLock { state in
        let parsed = Self.parse(state.received)
        if let parsed { state.received.unicodeScalars.removeFirst(parsed.length) }
        return (parsed?.answer, state.isClosed)
      }
      if let answer { return answer }
      guard !isClosed else { throw Closed() }
      await change { Self.parse($0) != nil }
    }
  }

  /// Everything until the server closes.
  func end() async -> String {
    while true {
      if let all = collector.state.withLock({ $0.isClosed ? $0.received : nil }) { return all }
      await change { _ in false }
    }
  }

  func close() { channel.close(promise: nil) }

  /// Waits until something arrives or the server closes, unless what is there is enough already.
  private func change(unless isEnough: (String) -> Bool) async {
    await withCheckedContinuation { continuation in
      let isOver = collector.state.withLock { state in
        if state.isClosed || isEnough(state.received) { return true }
        state.waiter = continuation
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  private static func parse(_ text: String) -> (answer: Answer, length: Int)? {
    let scalars = text.unicodeScalars
    guard let headEnd = text.firstRange(of: "\r\n\r\n")?.upperBound else { return nil }
    let lines = text[..<headEnd].split(separator: "\r\n")
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    let headLength = scalars.distance(from: scalars.startIndex, to: headEnd)
    guard scalars.count >= headLength + length else { return nil }
    let body = String(String.UnicodeScalarView(scalars.dropFirst(headLength).prefix(length)))
    return (Answer(status: status, headers: headers, body: body), headLength + length)
  }
}
