import Crypto
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server that says exactly the bytes it is told to say: after the head of the upgrade request, and nothing else.
final class RawServer: Sendable {
  let port: Int
  private let channel: any Channel
  private let recorder: Recorder

  /// - Parameter answer: Makes the answer from the right `Sec-WebSocket-Accept`; nil closes the connection.
  init(
    answer: @escaping @Sendable (_ accept: String) -> [UInt8]?, closesAfterwards: Bool = false,
    whenClosed: @escaping @Sendable () -> Void = {}
  ) async throws {
    let recorder = Recorder()
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          channel.closeFuture.whenComplete { _ in whenClosed() }
          try channel.pipeline.syncOperations.addHandler(
            Script(record: recorder, answer: answer, closesAfterwards: closesAfterwards))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
    self.recorder = recorder
  }

  /// Every byte that came after the head.
  var received: [UInt8] { recorder.bytes.withLock { $0 } }

  /// The head of the request.
  var head: String { recorder.head.withLock { $0 } }

  /// Waits (5 s at most) for frames after the head.
  func receivedFrames(atLeast count: Int) async -> [ClientFrame] {
    for _ in 0..<500 {
      let frames = ClientFrame.parse(received)
      if frames.count >= count { return frames }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return ClientFrame.parse(received)
  }

  func stop() async { try? await channel.close() }

  /// The right `Sec-WebSocket-Accept` for the head of a request.
  static func accept(for head: String) -> String {
    let key = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }?.dropFirst(19)
    let digest = Insecure.SHA1.hash(data: Data("\(key ?? "")258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
    return Data(digest).base64EncodedString()
  }

  final class Recorder: Sendable {
    let bytes = Mutex<[UInt8]>([])
    let head = Mutex("")
  }

  private final class Script: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let record: Recorder
    private let answer: @Sendable (String) -> [UInt8]?
    private let closesAfterwards: Bool
    private var head: [UInt8]? = []

    init(record: Recorder, answer: @escaping @Sendable (String) -> [UInt8]?, closesAfterwards: Bool) {
      self.record = record
      self.answer = answer
      self.closesAfterwards = closesAfterwards
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = Array(unwrapInboundIn(data).readableBytesView)
      guard var head else { return record.bytes.withLock { $0 += bytes } }
      head += bytes
      self.head = head
      let text = String(decoding: head, as: UTF8.self)
      // A TLS client's hello starts with 0x16 and gets the same answer.
      guard text.hasSuffix("\r\n\r\n") || head.first == 0x16 else { return }
      self.head = nil
      record.head.withLock { $0 = text }
      if let answer = answer(RawServer.accept(for: text)) {
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: answer)), promise: nil)
        if closesAfterwards { context.close(promise: nil) }
      } else {
        context.close(promise: nil)
      }
    }
  }
}

/// A frame as the server saw it.
struct ClientFrame: Equatable {
  var opcode: UInt8
  /// nil: it was not masked.
  var mask: [UInt8]?
  var payload: [UInt8]

  var text: String { String(decoding: payload, as: UTF8.self) }
  var closeCode: Int? { opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }

  /// Complete frames with payloads below 64 KiB.
  static func parse(_ bytes: [UInt8]) -> [ClientFrame] {
    var rest = bytes[...]
    var frames: [ClientFrame] = []
    while rest.count >= 2 {
      let opcode = rest.removeFirst() & 0x0f
      let second = rest.removeFirst()
      var length = Int(second & 0x7f)
      if length == 126 {
        guard rest.count >= 2 else { break }
        length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
      }
      let maskLength = second & 0x80 != 0 ? 4 : 0
      guard rest.count >= maskLength + length else { break }
      let mask = Array(rest.prefix(maskLength))
      let payload = rest.dropFirst(maskLength).prefix(length)
        .enumerated().map { mask.isEmpty ? $0.element : $0.element ^ mask[$0.offset % 4] }
      frames.append(ClientFrame(opcode: opcode, mask: mask.isEmpty ? nil : mask, payload: payload))
      rest = rest.dropFirst(maskLength + length)
    }
    return frames
  }
}

/// A server's frame with a payload below 126 bytes; `first` holds FIN, reserved bits and opcode.
func frame(_ first: UInt8, _ payload: [UInt8] = []) -> [UInt8] { [first, UInt8(payload.count)] + payload }

/// The right answer to an upgrade.
func accepted(_ accept: String) -> [UInt8] { accepted(accept, more: "") }

/// The same with more header lines.
func accepted(_ accept: String, more fields: String) -> [UInt8] {
  let own = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n"
  return Array("HTTP/1.1 101 Switching Protocols\r\n\(own)\(fields)\r\n".utf8)
}
