/// A body of AWS's query protocol, `Action=AssumeRole&Version=2011-06-15&…`.
enum FormEncoding {
  static func body(_ fields: [(name: String, value: String?)]) -> [UInt8] {
    let pairs = fields.compactMap { name, value in value.map { "\(escaped(name))=\(escaped($0))" } }
    return Array(pairs.joined(separator: "&").utf8)
  }

  /// All but RFC 3986's unreserved characters as `%XX`.
  private static func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    let bytes = text.utf8.flatMap { byte -> [UInt8] in
      let isLetter = byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
      let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
      return isLetter || isDigit || "-._~".utf8.contains(byte)
        ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
