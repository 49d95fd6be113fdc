import NIOCore

/// The status line and the headers that decide where a response ends (RFC 9112, sections 4–6).
struct ResponseHead {
  enum Framing: Equatable {
    case none
    case length(Int)
    case chunked
    case untilClose
  }

  var status: Int
  var keepsConnection: Bool
  var framing: Framing
  var lines: ByteBuffer

  /// Takes a head off the front of `bytes`; nil while its end is not there.
  static func parse(_ bytes: inout ByteBuffer, limit: Int) throws(TransportError) -> ResponseHead? {
    let found = bytes.withUnsafeReadableBytes { endOfHead(in: $0) }
    guard let length = found else {
      guard bytes.readableBytes <= limit else { throw tooLarge(limit) }
      // Said early: a peer that speaks another protocol may never send an empty line.
      if let first = bytes.getBytes(at: bytes.readerIndex, length: min(5, bytes.readableBytes)),
        !"HTTP/".utf8.starts(with: first)
      {
        throw invalid("it does not start with 'HTTP/'")
      }
      return nil
    }
    guard length <= limit else { throw tooLarge(limit) }
    guard var head = bytes.readSlice(length: length) else { return nil }
    let result = head.withUnsafeReadableBytes { text -> Result<(ResponseHead, Int), TransportError> in
      Result { () throws(TransportError) in try parseLines(text) }
    }
    var (parsed, statusLineLength) = try result.get()
    head.moveReaderIndex(forwardBy: min(statusLineLength, head.readableBytes))
    parsed.lines = head
    return parsed
  }

  /// The number of bytes up to and with the empty line.
  private static func endOfHead(in bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 4 else { return nil }
    var index = 3
    while index < bytes.count {
      // Most bytes are letters: only a line feed can end a head.
      if bytes[index] == lineFeed {
        if bytes[index - 1] == carriageReturn, bytes[index - 2] == lineFeed, bytes[index - 3] == carriageReturn {
          return index + 1
        }
      }
      index += 1
    }
    return nil
  }

  private static func parseLines(_ text: UnsafeRawBufferPointer) throws(TransportError) -> (ResponseHead, Int) {
    let status = try parseStatusLine(text)
    var keepsConnection = text[7] != UInt8(ascii: "0")
    var closes = false
    var length: Int?
    var isChunked = false
    var position = 0
    var statusLineLength = 0
    while position < text.count {
      guard let end = text[position...].firstIndex(of: lineFeed) else { break }
      guard end > position, text[end - 1] == carriageReturn else { throw invalid("a header line ends without CR") }
      let line = UnsafeRawBufferPointer(rebasing: text[position..<(end - 1)])
      position = end + 1
      if statusLineLength == 0 {
        statusLineLength = position
        continue
      }
      if line.isEmpty { break }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0, line[..<colon].allSatisfy(isNameByte) else {
        throw invalid("a header line has no proper name")
      }
      let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
      let value = trimmed(UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]))
      if equals(name, "content-length") {
        let number = try parseLength(value)
        guard length == nil || length == number else { throw invalid("it has two different lengths") }
        length = number
      } else if equals(name, "transfer-encoding") {
        guard equals(value, "chunked"), !isChunked else { throw invalid("its transfer encoding is not 'chunked'") }
        isChunked = true
      } else if equals(name, "connection") {
        if contains(value, token: "close") { closes = true }
        if contains(value, token: "keep-alive") { keepsConnection = true }
      }
    }
    guard !(isChunked && length != nil) else { throw invalid("it has both a length and a transfer encoding") }
    let framing: Framing =
      switch (status, length) {
      case (100..<200, _), (204, _), (304, _): .none
      case _ where isChunked: .chunked
      case (_, let length?): .length(length)
      case (_, nil): .untilClose
      }
    let head = ResponseHead(
      status: status, keepsConnection: keepsConnection && !closes, framing: framing, lines: ByteBuffer())
    return (head, statusLineLength)
  }

  /// `HTTP/1.x` and a status of three digits.
  private static func parseStatusLine(_ text: UnsafeRawBufferPointer) throws(TransportError) -> Int {
    let prefix: StaticString = "HTTP/1."
    guard text.count >= 13, prefix.withUTF8Buffer({ text.starts(with: $0) }) else {
      throw invalid("it does not start with 'HTTP/1.'")
    }
    guard text[7] == UInt8(ascii: "0") || text[7] == UInt8(ascii: "1"), text[8] == UInt8(ascii: " ") else {
      throw invalid("its version is not HTTP/1.0 or HTTP/1.1")
    }
    var status = 0
    for index in 9..<12 {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) else {
        throw invalid("its status is no number")
      }
      status = status * 10 + Int(text[index] - UInt8(ascii: "0"))
    }
    guard (100..<600).contains(status), text[12] == UInt8(ascii: " ") || text[12] == carriageReturn else {
      throw invalid("its status is not in 100–599")
    }
    return status
  }

  private static func parseLength(_ value: UnsafeRawBufferPointer) throws(TransportError) -> Int {
    guard !value.isEmpty, value.count <= 18 else { throw invalid("its length is no number") }
    var number = 0
    for byte in value {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { throw invalid("its length is no number") }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number
  }

  private static func invalid(_ reason: String) -> TransportError {
    TransportError(.invalidResponse, "the answer is not HTTP/1.1: \(reason)")
  }

  private static func tooLarge(_ limit: Int) -> TransportError {
    TransportError(.tooLarge, "the response's head is larger than \(limit) bytes")
  }
}

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")

private func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

/// Visible ASCII: a superset of RFC 9110's token that leaves out white space and control characters.
private func isNameByte(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) }

private func trimmed(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
  var slice = value[...]
  while let first = slice.first, isSpace(first) { slice = slice.dropFirst() }
  while let last = slice.last, isSpace(last) { slice = slice.dropLast() }
  return UnsafeRawBufferPointer(rebasing: slice)
}

/// Compares without regard to the case of ASCII letters; `lowercase` holds letters and `-` only.
private func equals(_ bytes: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
  guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
  return lowercase.withUTF8Buffer { expected in
    for index in 0..<expected.count where bytes[index] | 0x20 != expected[index] | 0x20 { return false }
    return true
  }
}

/// Whether a comma-separated list has `token`.
private func contains(_ list: UnsafeRawBufferPointer, token: StaticString) -> Bool {
  list.split(separator: UInt8(ascii: ",")).contains { part in
    equals(trimmed(UnsafeRawBufferPointer(rebasing: part)), token)
  }
}
