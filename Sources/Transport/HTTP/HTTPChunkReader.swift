import NIOCore

/// Joins the chunks of a chunked body (RFC 9112, section 7.1). Trailers are read and dropped.
struct HTTPChunkReader {
  private enum State {
    case size
    case data(remaining: Int)
    case dataEnd
    case trailer
  }

  private(set) var body = ByteBuffer()
  private var state = State.size
  private var trailerBytes = 0

  /// The longest line of a chunk's size, extensions and leading zeros included, and the longest trailer, in bytes.
  private static let lineLimit = 8 << 10

  init() {}

  /// Consumes as much as possible from the front of `bytes`; true when the body is complete.
  mutating func read(_ bytes: inout ByteBuffer, limit: Int) throws(TransportError) -> Bool {
    while true {
      switch state {
      case .size:
        guard let line = try takeLine(&bytes) else { return false }
        let size = try Self.parseSize(line)
        guard size <= limit - body.readableBytes else {
          throw TransportError(.tooLarge, "the response's body is larger than \(limit) bytes")
        }
        state = size == 0 ? .trailer : .data(remaining: size)
      case .data(let remaining):
        guard var part = bytes.readSlice(length: min(remaining, bytes.readableBytes)), part.readableBytes > 0 else {
          return false
        }
        let taken = part.readableBytes
        body.writeBuffer(&part)
        state = taken == remaining ? .dataEnd : .data(remaining: remaining - taken)
      case .dataEnd:
        guard let line = try takeLine(&bytes) else { return false }
        guard line.isEmpty else { throw Self.invalid }
        state = .size
      case .trailer:
        guard let line = try takeLine(&bytes) else { return false }
        if line.isEmpty { return true }
        trailerBytes += line.count
        guard trailerBytes <= Self.lineLimit else { throw Self.invalid }
      }
    }
  }

  private func takeLine(_ bytes: inout ByteBuffer) throws(TransportError) -> [UInt8]? {
    let window = bytes.readableBytesView.prefix(Self.lineLimit)
    guard let end = window.firstIndex(of: UInt8(ascii: "\n")) else {
      guard window.count < Self.lineLimit else { throw Self.invalid }
      return nil
    }
    guard var line = bytes.readBytes(length: end - window.startIndex + 1), line.count >= 2 else { throw Self.invalid }
    line.removeLast()
    // A bare CR and a NUL are in no valid line, as in a head.
    guard line.removeLast() == UInt8(ascii: "\r"), !line.contains(UInt8(ascii: "\r")), !line.contains(0) else {
      throw Self.invalid
    }
    return line
  }

  /// Hexadecimal digits, which may begin with zeros, then nothing or extensions after `;`.
  private static func parseSize(_ line: [UInt8]) throws(TransportError) -> Int {
    let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
    let rest = line.dropFirst(digits.count).drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    let significant = digits.drop { $0 == UInt8(ascii: "0") }
    guard !digits.isEmpty, significant.count <= 8, rest.first ?? UInt8(ascii: ";") == UInt8(ascii: ";") else {
      throw invalid
    }
    var size = 0
    for digit in significant {
      guard let value = Character(UnicodeScalar(digit)).hexDigitValue else { throw invalid }
      size = size * 16 + value
    }
    return size
  }

  private static let invalid = TransportError(.invalidResponse, "the answer's chunks are malformed")
}
