/// The header fields that decide where a response ends, whether its connection is kept, and how its body is encoded
/// (RFC 9112, sections 6 and 9; RFC 9110, section 8.4).
struct FramingFields {
  private var length: Int?
  private var isChunked = false
  private var closes = false
  private var keepsAlive = false

  /// Whether the response sets cookies.
  private(set) var setsCookies = false
  /// How the body is encoded.
  private(set) var coding = ContentCoding.identity

  /// Whether the fields keep the connection; nil if they leave that to the HTTP version. `close` wins.
  var keepsConnection: Bool? {
    if closes { return false }
    return keepsAlive ? true : nil
  }

  /// How the body of a response with `status` is delimited.
  func framing(status: Int) throws(TransportError) -> ResponseHead.Framing {
    guard !(isChunked && length != nil) else {
      throw ResponseHead.invalid("it has both a length and a transfer encoding")
    }
    switch (status, length) {
    case (100..<200, _), (204, _), (304, _): return .none
    case _ where isChunked: return .chunked
    case (_, let length?): return .length(length)
    case (_, nil): return .untilClose
    }
  }

  /// Takes a header line, without its line end.
  mutating func take(_ line: UnsafeRawBufferPointer) throws(TransportError) {
    var colon = 0
    while colon < line.count, line[colon] != UInt8(ascii: ":"), isNameByte(line[colon]) { colon += 1 }
    guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else {
      throw ResponseHead.invalid("a header line has no proper name")
    }
    let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
    if equals(name, "content-length") {
      // A proxy may join repeated fields into a list, all of whose elements must be one number (RFC 9112, section 6.3).
      try forEachElement(of: value(of: line, after: colon)) { element throws(TransportError) in
        try setLength(Self.parseLength(element))
      }
    } else if equals(name, "transfer-encoding") {
      guard equals(value(of: line, after: colon), "chunked"), !isChunked else {
        throw ResponseHead.invalid("its transfer encoding is not 'chunked'")
      }
      isChunked = true
    } else if equals(name, "connection") {
      let value = value(of: line, after: colon)
      if contains(value, token: "close") { closes = true }
      if contains(value, token: "keep-alive") { keepsAlive = true }
    } else if equals(name, "set-cookie") {
      setsCookies = true
    } else if equals(name, "content-encoding") {
      coding = coding.followed(by: ContentCoding(String(decoding: value(of: line, after: colon), as: UTF8.self)))
    }
  }

  private mutating func setLength(_ number: Int) throws(TransportError) {
    guard length == nil || length == number else { throw ResponseHead.invalid("it has two different lengths") }
    length = number
  }

  private static func parseLength(_ value: UnsafeRawBufferPointer) throws(TransportError) -> Int {
    guard !value.isEmpty, value.count <= 18 else { throw ResponseHead.invalid("its length is no number") }
    var number = 0
    for byte in value {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9 else { throw ResponseHead.invalid("its length is no number") }
      number = number * 10 + Int(digit)
    }
    return number
  }
}

/// The text after the colon, without white space around it.
private func value(of line: UnsafeRawBufferPointer, after colon: Int) -> UnsafeRawBufferPointer {
  trimmed(UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]))
}

/// Calls `body` with each element of a comma-separated list, without white space around it.
private func forEachElement(
  of list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(TransportError) -> Void
) throws(TransportError) {
  var rest = list
  while let end = rest.firstIndex(of: UInt8(ascii: ",")) {
    try body(trimmed(UnsafeRawBufferPointer(rebasing: rest[..<end])))
    rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
  }
  try body(trimmed(rest))
}

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
  var rest = list
  while true {
    let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
    if equals(trimmed(UnsafeRawBufferPointer(rebasing: rest[..<end])), token) { return true }
    guard end < rest.count else { return false }
    rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
  }
}
