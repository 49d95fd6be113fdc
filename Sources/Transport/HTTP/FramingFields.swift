/// The header fields that decide where a response ends, whether its connection is kept, and how its body is encoded
/// (RFC 9112, sections 6 and 9; RFC 9110, section 8.4).
struct FramingFields {
  private var length: Int?
  private var isChunked = false
  /// What makes it unknown where a body ends. It matters only to a response that has one.
  private var fault: String?
  private var closes = false
  private var keepsAlive = false

  /// Whether the response sets cookies.
  private(set) var setsCookies = false
  /// How the body is encoded.
  private(set) var coding = ContentCoding.identity

  /// Whether the fields keep the connection. `close` wins, and so does doubt about the end of a body: HTTP/1.0 knows no
  /// transfer encoding (RFC 9112, section 6.1).
  func keepsConnection(inHTTP10 isOld: Bool) -> Bool {
    guard !closes, fault == nil, !(isChunked && (isOld || length != nil)) else { return false }
    return keepsAlive || !isOld
  }

  /// How the body of a response with `status` is delimited (RFC 9112, section 6.3).
  func framing(status: Int) throws(TransportError) -> ResponseHead.Framing {
    switch status {
    // These have no body, whatever the fields say.
    case 100..<200, 204, 304: return .none
    default: break
    }
    if let fault { throw ResponseHead.invalid(fault) }
    guard !(isChunked && length != nil) else {
      throw ResponseHead.invalid("it has both a length and a transfer encoding")
    }
    if isChunked { return .chunked }
    return length.map { .length($0) } ?? .untilClose
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
      // A proxy may join repeated fields into a list, all of whose elements must be one number.
      if !forEachElement(of: value(of: line, after: colon), { setLength(Self.parseLength($0)) }) { setLength(nil) }
    } else if equals(name, "transfer-encoding") {
      let isOne = forEachElement(of: value(of: line, after: colon)) { coding in
        if isChunked || !equals(coding, "chunked") { fault = "its transfer encoding is not 'chunked'" }
        isChunked = true
      }
      if !isOne { fault = "its transfer encoding is not 'chunked'" }
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

  private mutating func setLength(_ number: Int?) {
    guard let number else { return fault = "its length is no number" }
    if let length, length != number { fault = "it has two different lengths" }
    length = number
  }

  /// The number in decimal digits; nil for anything else, and for a number of more than 18 digits.
  private static func parseLength(_ value: UnsafeRawBufferPointer) -> Int? {
    var number = 0
    for byte in value {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9, number < 100_000_000_000_000_000 else { return nil }
      number = number * 10 + Int(digit)
    }
    return value.isEmpty ? nil : number
  }
}

/// The text after the colon, without white space around it.
private func value(of line: UnsafeRawBufferPointer, after colon: Int) -> UnsafeRawBufferPointer {
  trimmed(UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]))
}

/// Calls `body` with each element of a comma-separated list, without white space around it. Empty elements do not count
/// (RFC 9110, section 5.6.1); false if there is no other.
private func forEachElement(of list: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
  var (rest, hasAny) = (list, false)
  while true {
    let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
    let element = trimmed(UnsafeRawBufferPointer(rebasing: rest[..<end]))
    if !element.isEmpty {
      hasAny = true
      body(element)
    }
    guard end < rest.count else { return hasAny }
    rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
  }
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
