import Latency
import NIOCore

/// When the first byte of each of a server's frames was read (RFC 6455, section 5.2). Pure: no I/O.
///
/// A frame is decoded with its last byte: whether it was begun before a question was sent shows only here.
struct FrameStarts {
  /// Of the frame that is being read, until all of it is here.
  private var header: [UInt8] = []
  private var payloadLeft: UInt64 = 0
  private var begins = CircularBuffer<Instant>()

  /// Takes the next bytes of the connection, which were read at `now`.
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

  /// Of the next frame that was decoded; nil if none has been begun.
  mutating func next() -> Instant? { begins.popFirst() }

  /// nil while the header is not whole.
  private var payloadLength: UInt64? {
    guard header.count >= 2 else { return nil }
    let length = header[1] & 0x7f
    let extended = length == 127 ? 8 : length == 126 ? 2 : 0
    // A server's frames have no mask; whoever decodes one that has refuses it.
    let mask = header[1] & 0x80 == 0 ? 0 : 4
    guard header.count >= 2 + extended + mask else { return nil }
    guard extended > 0 else { return UInt64(length) }
    return header[2..<2 + extended].reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// Stands before the frame decoder and notes when frames begin. Confined to the event loop.
final class FrameStartStamps: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  private var begins = FrameStarts()

  /// Of the next frame that was decoded.
  func next() -> Instant? { begins.next() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    begins.read(unwrapInboundIn(data), at: MonotonicClock.now())
    context.fireChannelRead(data)
  }
}
