/// A JSON text (RFC 8259) as it was written. Decoders lose what is needed here: repeated keys, lines, and the digits of
/// numbers.
package struct StrictJSON {
  package enum Value: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The number's digits as they were written.
    case number(String)
    case string(String)
    case array([Value])
    case object([Member])
  }

  package struct Member: Sendable, Equatable {
    package var key: String
    package var value: Value
    /// The line of the key, from 1.
    package var line: Int
  }

  /// What is wrong and where. No part of the text is in it, because the text may hold secrets.
  package struct Failure: Error, Equatable, CustomStringConvertible {
    package var line: Int
    /// In bytes, from 1.
    package var column: Int
    package var reason: String

    package var description: String { "line \(line), column \(column): \(reason)" }
  }

  private static let deepest = 32
  private let bytes: [UInt8]
  private var place = 0
  private var line = 1
  private var lineStart = 0

  /// Reads the whole text; a byte order mark at its beginning is skipped.
  ///
  /// - Throws: For the first mistake: bytes that are not UTF-8, a text that is no JSON or goes on behind it, and values
  ///   that are nested too deeply.
  package static func parse(_ bytes: [UInt8]) throws(Failure) -> Value {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Failure(line: 1, column: 1, reason: "the file is not UTF-8")
    }
    var reader = StrictJSON(bytes: bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes)
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.place == reader.bytes.count else { throw reader.failure("there is more behind the end") }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private func failure(_ reason: String) -> Failure {
    Failure(line: line, column: place - lineStart + 1, reason: reason)
  }

  private mutating func skipBlanks() {
    while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) {
      place += 1
      if byte == 0x0a { (line, lineStart) = (line + 1, place) }
    }
  }

  /// Takes `character` if it is the next one.
  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func value(depth: Int) throws(Failure) -> Value {
    guard depth < Self.deepest else { throw failure("values are nested too deeply") }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return .object(try members(depth: depth))
    case UInt8(ascii: "["): return .array(try elements(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .number(try number())
    default:
      for (word, value) in [("true", Value.bool(true)), ("false", .bool(false)), ("null", .null)]
      where bytes[place...].starts(with: word.utf8) {
        place += word.utf8.count
        return value
      }
      throw failure("a value is expected")
    }
  }

  private mutating func members(depth: Int) throws(Failure) -> [Member] {
    var members: [Member] = []
    place += 1
    skipBlanks()
    if take("}") { return members }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("a key in quotation marks is expected") }
      let line = self.line
      let key = try string()
      skipBlanks()
      guard take(":") else { throw failure("a colon is expected") }
      members.append(Member(key: key, value: try value(depth: depth + 1), line: line))
      skipBlanks()
    } while take(",")
    guard take("}") else { throw failure("a comma or } is expected") }
    return members
  }

  private mutating func elements(depth: Int) throws(Failure) -> [Value] {
    var elements: [Value] = []
    place += 1
    skipBlanks()
    if take("]") { return elements }
    repeat {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
    } while take(",")
    guard take("]") else { throw failure("a comma or ] is expected") }
    return elements
  }

  private mutating func number() throws(Failure) -> String {
    let start = place
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }

  private mutating func digits() throws(Failure) {
    let start = place
    while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
    guard place > start else { throw failure("a digit is expected") }
  }

  private mutating func string() throws(Failure) -> String {
    var text: [UInt8] = []
    place += 1
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        place += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        place += 1
        text += String(try escaped()).utf8
      case ..<0x20: throw failure("a control character in a text must be escaped, or the text has no end")
      default:
        place += 1
        text.append(byte)
      }
    }
    throw failure("a text has no end")
  }

  /// The character for what stands behind a backslash.
  private mutating func escaped() throws(Failure) -> Unicode.Scalar {
    for (letter, scalar) in [
      ("\"", "\""), ("\\", "\\"), ("/", "/"), ("b", "\u{8}"), ("f", "\u{c}"), ("n", "\n"), ("r", "\r"), ("t", "\t"),
    ] as [(Unicode.Scalar, Unicode.Scalar)] where take(letter) { return scalar }
    guard take("u") else { throw failure("no such escape") }
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard UTF16.isLeadSurrogate(first), take("\\"), take("u") else { throw failure("half a character is escaped") }
    let second = try codeUnit()
    guard UTF16.isTrailSurrogate(second) else { throw failure("half a character is escaped") }
    return UTF16.decode(UTF16.EncodedScalar([first, second]))
  }

  private mutating func codeUnit() throws(Failure) -> UInt16 {
    let digits = bytes[place...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits are expected") }
    place += 4
    return unit
  }
}
