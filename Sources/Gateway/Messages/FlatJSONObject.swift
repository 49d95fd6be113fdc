/// Reads one flat JSON object (RFC 8259), the form of most answers of a gateway, straight from its bytes.
///
/// It supports a part of the RFC and gives up on the rest, so that a full parser can decide: names and strings of
/// printable ASCII without escapes; numbers of at most 15 digits, with or without a fraction, without a sign or an
/// exponent; no nesting; only white space around the object.
enum FlatJSONObject {
  /// The bytes of a name or of a string's content.
  struct Token {
    let bytes: UnsafeRawBufferPointer

    var count: Int { bytes.count }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    static func ~= (name: StaticString, token: Token) -> Bool {
      guard token.bytes.count == name.utf8CodeUnitCount else { return false }
      return name.withUTF8Buffer { expected in
        for index in 0..<expected.count where token.bytes[index] != expected[index] { return false }
        return true
      }
    }
  }

  /// A number as `digits` / 10^`fractionDigits`, both exact.
  struct Number {
    fileprivate(set) var digits = 0
    fileprivate(set) var fractionDigits = 0

    /// The number, correctly rounded, because both operands are exact: 10^15 < 2^53 (Clinger, How to Read Floating
    /// Point Numbers Accurately, 1990).
    var double: Double {
      var power = 1.0
      for _ in 0..<fractionDigits { power *= 10 }
      return Double(digits) / power
    }

    /// The number as an integer; nil with a fraction, even an empty one such as `.0`.
    var integer: Int? { fractionDigits == 0 ? digits : nil }
  }

  /// The value of a member.
  enum Value {
    case string(Token)
    case number(Number)
    case bool(Bool)
    case null
  }

  /// Passes every member to `take`, in order. False when this reader does not support the object, or `take` has refused
  /// a member; the members taken until then must be discarded.
  static func scan(_ bytes: UnsafeRawBufferPointer, _ take: (Token, Value) -> Bool) -> Bool {
    var reader = FlatJSONObjectReader(bytes)
    guard reader.skip(UInt8(ascii: "{")) else { return false }
    guard !reader.skip(UInt8(ascii: "}")) else { return reader.isAtEnd }
    repeat {
      guard let name = reader.string(), reader.skip(UInt8(ascii: ":")), let value = reader.value(), take(name, value)
      else { return false }
    } while reader.skip(UInt8(ascii: ","))
    return reader.skip(UInt8(ascii: "}")) && reader.isAtEnd
  }
}

/// A position in the bytes; the bytes before it have been read.
private struct FlatJSONObjectReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  private static let digitLimit = 15

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Whether only white space is left.
  var isAtEnd: Bool {
    mutating get {
      skipWhiteSpace()
      return position == bytes.count
    }
  }

  /// Skips white space and then `byte`; false if `byte` is not next, and then only the white space is skipped.
  mutating func skip(_ byte: UInt8) -> Bool {
    skipWhiteSpace()
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  mutating func string() -> FlatJSONObject.Token? {
    guard skip(UInt8(ascii: "\"")) else { return nil }
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return FlatJSONObject.Token(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<(position - 1)]))
      }
      guard (0x20..<0x7f).contains(byte), byte != UInt8(ascii: "\\") else { return nil }
      position += 1
    }
    return nil
  }

  mutating func value() -> FlatJSONObject.Value? {
    skipWhiteSpace()
    guard position < bytes.count else { return nil }
    switch bytes[position] {
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return number().map { .number($0) }
    case UInt8(ascii: "t"): return skip(word: "true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return skip(word: "false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return skip(word: "null") ? .null : nil
    default: return nil
    }
  }

  /// Reads a number. The caller checks the byte after a value: `1e5` and `truely` go on with neither `,` nor `}`.
  private mutating func number() -> FlatJSONObject.Number? {
    var number = FlatJSONObject.Number()
    let start = position
    takeDigits(into: &number)
    guard position == start + 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      number.fractionDigits = takeDigits(into: &number)
      guard number.fractionDigits > 0 else { return nil }
    }
    return position - start <= Self.digitLimit ? number : nil
  }

  /// Reads digits and returns their count; it stops before the value could overflow.
  @discardableResult
  private mutating func takeDigits(into number: inout FlatJSONObject.Number) -> Int {
    let start = position
    while position < bytes.count, position - start <= Self.digitLimit {
      let digit = bytes[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      number.digits = number.digits &* 10 &+ Int(digit)
      position += 1
    }
    return position - start
  }

  private mutating func skip(word: StaticString) -> Bool {
    guard bytes.count - position >= word.utf8CodeUnitCount else { return false }
    let isThere = word.withUTF8Buffer { expected in
      for index in 0..<expected.count where bytes[position + index] != expected[index] { return false }
      return true
    }
    if isThere { position += word.utf8CodeUnitCount }
    return isThere
  }

  private mutating func skipWhiteSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
      default: return
      }
    }
  }
}
