import NIOCore

/// Reads HTTP/1.1 requests with a `Content-Length` or without a body (RFC 9112). Any other input is an error, so that a
/// generator's mistake is reported and does not distort the measurement.
struct RequestReader {
  struct Request: Equatable {
    var method: String
    var target: String
    /// Whether the request has `Connection: close`.
    var closesConnection: Bool
  }

  /// Why the bytes are not a supported request.
  enum Malformation: Error, Equatable {
    case headTooLong, bodyTooLong, requestLine, headerLine, contentLength, transferEncoding
  }

  static let longestHead = 8 << 10
  static let longestBody = 64 << 10

  private var received = ByteBuffer()

  mutating func append(_ bytes: inout ByteBuffer) {
    received.discardReadBytes()
    received.writeBuffer(&bytes)
  }

  /// Takes the next whole request; nil while it is incomplete.
  mutating func next() throws(Malformation) -> Request? {
    let bytes = received.readableBytesView
    guard let headEnd = Self.endOfHead(bytes.prefix(Self.longestHead)) else {
      guard bytes.count < Self.longestHead else { throw .headTooLong }
      return nil
    }
    var lines = bytes[..<headEnd].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
    // The element after the last line's end is empty.
    lines.removeLast()
    guard lines.allSatisfy({ $0.last == UInt8(ascii: "\r") }) else { throw .headerLine }
    var request = try Self.request(lines.removeFirst().dropLast())
    var bodyLength: Int?
    for line in lines.dropLast() {
      try Self.read(header: line.dropLast(), into: &request, &bodyLength)
    }
    let length = headEnd - bytes.startIndex + (bodyLength ?? 0)
    guard bytes.count >= length else { return nil }
    received.moveReaderIndex(forwardBy: length)
    return request
  }

  /// The index behind the empty line that ends a head.
  private static func endOfHead(_ bytes: ByteBufferView) -> Int? {
    var index = bytes.startIndex
    while let lineEnd = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = bytes[index..<lineEnd]
      if index > bytes.startIndex, line.isEmpty || line.elementsEqual("\r".utf8) { return lineEnd + 1 }
      index = lineEnd + 1
    }
    return nil
  }

  private static func request(_ line: ByteBufferView) throws(Malformation) -> Request {
    let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[1].first == UInt8(ascii: "/"),
      parts[2].elementsEqual("HTTP/1.1".utf8)
    else { throw .requestLine }
    return Request(
      method: String(decoding: parts[0], as: UTF8.self), target: String(decoding: parts[1], as: UTF8.self),
      closesConnection: false)
  }

  private static func read(
    header line: ByteBufferView, into request: inout Request, _ bodyLength: inout Int?
  ) throws(Malformation) {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), line[..<colon].allSatisfy(isTokenByte),
      colon > line.startIndex
    else { throw .headerLine }
    let name = line[..<colon]
    let value = line[(colon + 1)...].drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    if isEqual(name, "content-length") {
      guard bodyLength == nil, (1...9).contains(value.count), value.allSatisfy({ (0x30...0x39).contains($0) }) else {
        throw .contentLength
      }
      let length = value.reduce(0) { $0 * 10 + Int($1 - 0x30) }
      guard length <= longestBody else { throw .bodyTooLong }
      bodyLength = length
    } else if isEqual(name, "transfer-encoding") {
      throw .transferEncoding
    } else if isEqual(name, "connection") {
      request.closesConnection = isEqual(value, "close")
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  /// Whether the byte is a visible ASCII character: wider than RFC 9110's token, and enough to refuse blanks in names.
  private static func isTokenByte(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f }

  /// Whether `bytes` spell `lowercase` in ASCII of any case.
  private static func isEqual(_ bytes: some Collection<UInt8>, _ lowercase: StaticString) -> Bool {
    guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
    return lowercase.withUTF8Buffer { expected in
      zip(bytes, expected).allSatisfy { byte, wanted in
        byte == wanted || ((0x41...0x5a).contains(byte) && byte | 0x20 == wanted)
      }
    }
  }
}
