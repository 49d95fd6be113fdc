import Latency
import NIOCore

/// When the first byte of each of a server's frames was read (RFC 6455, section 5.2). Pure: no I/O.
///
/// A frame is decoded with its last byte, so only these instants show whether it began before a question was sent.
struct FrameStarts {
  /// The header of the frame that is being read.
  private var header: [UInt8] = []
  private var payloadLeft: UInt64 = 0
  private var begins = CircularBuffer<Instant>()

  /// Takes the connection's next bytes, which were read at `now`.
  mutating func read(_ bytes: ByteBuffer, at now: Instant) {
    var rest = bytes.readableBytesView
    while !rest.isEmpty {
      if payloadLeft > 0 {
        let part = min(payloadLeft, UInt64(rest.count))
        payloadLeft -= part
        rest = rest.dropFirst(Int(part))
        continue
      }
      if header.isEmpty { begins.append(now) }
      if let byte = rest.popFirst() { header.append(byte) }
      guard let length = payloadLength else { continue }
      header.removeAll(keepingCapacity: true)
      payloadLeft = length
    }
  }

  /// The begin of the next decoded frame; nil if no frame has begun.
  mutating func next() -> Instant? { begins.popFirst() }

  /// The payload's length in bytes; nil while the header is incomplete.
  private var payloadLength: UInt64? {
    guard header.count >= 2 else { return nil }
    let length = header[1] & 0x7f
    let extended = length == 127 ? 8 : length == 126 ? 2 : 0
    // A server's frames have no mask; the decoder refuses a frame with one.
    let mask = header[1] & 0x80 == 0 ? 0 : 4
    guard header.count >= 2 + extended + mask else { return nil }
    guard extended > 0 else { return UInt64(length) }
    return header[2..<2 + extended].reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// Stands before the frame decoder and stamps the begin of each frame. Confined to the event loop.
final class FrameStartStamps: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  private var begins = FrameStarts()

  /// The begin of the next decoded frame.
  func next() -> Instant? { begins.next() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    begins.read(unwrapInboundIn(data), at: MonotonicClock.now())
    context.fireChannelRead(data)
  }
}
