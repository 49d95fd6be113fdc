import Latency
import NIOCore

/// Splits bytes into lines. A line beyond the maximum comes in pieces marked as such, so that memory stays bounded.
struct LineFramer {
  let maximumLength: Int
  private var partial = ByteBuffer()

  init(maximumLength: Int) { self.maximumLength = max(1, maximumLength) }

  /// The lines that `bytes` complete, without their ends; invalid UTF-8 is replaced.
  mutating func append(_ bytes: ByteBuffer) -> [OutputLine] {
    partial.writeImmutableBuffer(bytes)
    var lines: [OutputLine] = []
    while true {
      let view = partial.readableBytesView
      let end = view.prefix(maximumLength + 1).firstIndex(of: UInt8(ascii: "\n"))
      if let end {
        lines.append(OutputLine(text: take(end - view.startIndex)))
        partial.moveReaderIndex(forwardBy: 1)
      } else if view.count > maximumLength {
        lines.append(OutputLine(text: take(lengthOfPiece(view)), goesOn: true))
      } else {
        partial.discardReadBytes()
        return lines
      }
    }
  }

  /// The last line where it has no end; nil otherwise.
  mutating func finish() -> OutputLine? {
    partial.readableBytes == 0 ? nil : OutputLine(text: take(partial.readableBytes))
  }

  /// The length of the longest piece that ends between two characters; invalid UTF-8 is cut anywhere.
  private func lengthOfPiece(_ view: ByteBufferView) -> Int {
    for length in ((maximumLength - min(3, maximumLength - 1))...maximumLength).reversed()
    where view[view.startIndex + length] & 0xc0 != 0x80 { return length }
    return maximumLength
  }

  private mutating func take(_ count: Int) -> String { partial.readString(length: count) ?? "" }
}

/// Reads lines from a pipe, one batch at a time: the next read waits until it is requested.
final class LineReader: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private var framer: LineFramer
  private var lines: [OutputLine] = []
  private var readAt: Instant = .distantPast
  private let deliver: ([OutputLine], Instant) -> Void

  init(maximumLength: Int, deliver: @escaping (_ lines: [OutputLine], _ at: Instant) -> Void) {
    framer = LineFramer(maximumLength: maximumLength)
    self.deliver = deliver
  }

  func channelActive(context: ChannelHandlerContext) { context.read() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    readAt = MonotonicClock.now()
    lines += framer.append(unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // Half a line was not reported, so no `readMore` will come for it.
    guard !lines.isEmpty else { return context.read() }
    let batch = lines
    lines = []
    deliver(batch, readAt)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if let last = framer.finish() { lines.append(last) }
    if !lines.isEmpty { deliver(lines, MonotonicClock.now()) }
    lines = []
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A line of a user's program, or a piece of one that is longer than the bound.
struct OutputLine: Sendable, Equatable {
  var text: String
  /// Whether the line continues in the next piece.
  var goesOn = false
}

extension OutputLine: ExpressibleByStringLiteral {
  /// A whole line.
  init(stringLiteral text: String) { self.init(text: text) }
}
