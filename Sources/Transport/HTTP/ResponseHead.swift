import Glibc
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
  /// How the body is encoded.
  var coding: ContentCoding
  var setsCookies: Bool
  /// The length of the status line in bytes, with its line end; `length` is that of the whole head.
  var statusLineLength: Int
  var length: Int

  /// Whether another head follows this one (RFC 9110, section 15.2).
  var isInterim: Bool { (100..<200).contains(status) && status != 101 }

  /// Parses the head at the front of `text`; nil while the head is incomplete.
  static func parse(_ text: UnsafeRawBufferPointer, limit: Int) throws(TransportError) -> ResponseHead? {
    let head = try parseLines(text)
    // While the end is missing, all bytes belong to the head.
    guard head?.length ?? text.count <= limit else { throw tooLarge(limit) }
    return head
  }

  private static func parseLines(_ text: UnsafeRawBufferPointer) throws(TransportError) -> ResponseHead? {
    guard let statusLineEnd = lineEnd(in: text, from: 0) else {
      // This is checked early: a peer that speaks another protocol may never send a line end.
      guard startsWithHTTP(text) else { throw invalid("it does not start with 'HTTP/'") }
      return nil
    }
    try checkLine(in: text, from: 0, to: statusLineEnd)
    let status = try parseStatusLine(UnsafeRawBufferPointer(rebasing: text[..<statusLineEnd]))
    var fields = FramingFields()
    var position = statusLineEnd + 1
    while let end = lineEnd(in: text, from: position) {
      try checkLine(in: text, from: position, to: end)
      if end == position + 1 {
        guard let start = text.baseAddress, memchr(start, 0, end) == nil else { throw invalid("it has a NUL") }
        return ResponseHead(
          status: status, keepsConnection: fields.keepsConnection(inHTTP10: text[7] == UInt8(ascii: "0")),
          framing: try fields.framing(status: status),
          coding: fields.coding, setsCookies: fields.setsCookies,
          statusLineLength: statusLineEnd + 1, length: end + 1)
      }
      // Only the next line's first byte tells whether this line is folded.
      guard end + 1 < text.count else { return nil }
      if isBlank(text[end + 1]) {
        guard let folded = try foldedLine(in: text, from: position) else { return nil }
        try folded.line.withUnsafeBytes { line in
          Result { () throws(TransportError) in try fields.take(line) }
        }.get()
        position = folded.end
      } else {
        try fields.take(UnsafeRawBufferPointer(rebasing: text[position..<(end - 1)]))
        position = end + 1
      }
    }
    return nil
  }

  /// A folded header line, which continues in lines that begin with white space (`obs-fold`; RFC 9112, section 5.2),
  /// joined by blanks, and its end; nil while it is incomplete.
  private static func foldedLine(
    in text: UnsafeRawBufferPointer, from position: Int
  ) throws(TransportError) -> (line: [UInt8], end: Int)? {
    var line: [UInt8] = []
    var position = position
    while let end = lineEnd(in: text, from: position), end + 1 < text.count {
      try checkLine(in: text, from: position, to: end)
      line += text[position..<(end - 1)]
      position = end + 1
      guard isBlank(text[position]) else { return (line, position) }
      line.append(UInt8(ascii: " "))
    }
    return nil
  }

  /// Checks the line that begins at `position` and whose LF is at `end`: it has one CR, right before the LF. A bare CR
  /// makes its element invalid, and a bare LF is not taken for a line's end (RFC 9112, section 2.2).
  private static func checkLine(
    in text: UnsafeRawBufferPointer, from position: Int, to end: Int
  ) throws(TransportError) {
    guard end > position, text[end - 1] == carriageReturn, let start = text.baseAddress else {
      throw invalid("a line of its head ends without CR")
    }
    guard let first = memchr(start + position, Int32(carriageReturn), end - position),
      start.distance(to: UnsafeRawPointer(first)) == end - 1
    else { throw invalid("a line of its head has a bare CR") }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  private static func lineEnd(in text: UnsafeRawBufferPointer, from position: Int) -> Int? {
    guard let start = text.baseAddress, let found = memchr(start + position, Int32(lineFeed), text.count - position)
    else { return nil }
    return start.distance(to: UnsafeRawPointer(found))
  }

  private static func startsWithHTTP(_ text: UnsafeRawBufferPointer) -> Bool {
    let prefix: StaticString = "HTTP/"
    return prefix.withUTF8Buffer { expected in zip(text, expected).allSatisfy { $0 == $1 } }
  }

  /// Parses `HTTP/1.x` and a status of three digits.
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
    guard (100..<600).contains(status), text[12] == UInt8(ascii: " ") || text.count == 13 && text[12] == carriageReturn
    else {
      throw invalid("its status is not in 100–599")
    }
    return status
  }

  static func invalid(_ reason: String) -> TransportError {
    TransportError(.invalidResponse, "the answer is not HTTP/1.1: \(reason)")
  }

  private static func tooLarge(_ limit: Int) -> TransportError {
    TransportError(.tooLarge, "the response's head is larger than \(limit) bytes")
  }
}

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
