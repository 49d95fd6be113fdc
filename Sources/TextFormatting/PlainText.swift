/// Text from other programs and people, made harmless for a terminal.
package enum PlainText {
  /// `text` on one line: each control character, which could begin an escape sequence, and each line break becomes a
  /// blank.
  package static func line(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029: true
    // Overrides, embeddings, isolates and marks of the direction could make the text appear as another one.
    case 0x202a...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0x061c: true
    default: false
    }
  }

  /// `a, b or c`; empty without items.
  package static func list(_ items: [String], _ conjunction: String = "or") -> String {
    guard let last = items.last, items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " \(conjunction) " + last
  }

  /// A whole number of at most 18 digits, without sign and blanks; nil for any other text.
  package static func wholeNumber(_ text: String) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 18, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(text)
  }
}

extension PlainText {
  /// The first `limit` Unicode scalars of `text` as one line: for texts of a service or a user's file, in any language.
  package static func line(_ text: String, limit: Int) -> String {
    line(String(text.unicodeScalars.prefix(limit)))
  }

  /// The first `limit` bytes; each byte that is not printable ASCII becomes a blank. For texts that a peer sent in an
  /// ASCII protocol.
  package static func ascii(_ text: String, limit: Int = 120) -> String { ascii(text.utf8, limit: limit) }

  /// The first `limit` of the bytes; each that is not printable ASCII becomes a blank.
  package static func ascii(_ bytes: some Sequence<UInt8>, limit: Int = 120) -> String {
    String(decoding: bytes.prefix(limit).map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }, as: UTF8.self)
  }

  /// Printable ASCII without tags, for pages: a run of other characters becomes one blank, and both ends are trimmed.
  ///
  /// ```swift
  /// PlainText.withoutMarkup("<h1>502 Bad\n Gateway</h1>")  // "502 Bad Gateway"
  /// ```
  ///
  /// - Parameter limit: the most bytes of the result.
  package static func withoutMarkup(_ text: String, limit: Int = .max) -> String {
    let bytes = Array(text.utf8)
    var line: [UInt8] = []
    var isInTag = false
    for (index, byte) in bytes.enumerated() {
      guard line.count < limit else { break }
      if byte == UInt8(ascii: "<"), index + 1 < bytes.count, beginsTagName(bytes[index + 1]) { isInTag = true }
      if isInTag || !(0x21..<0x7f).contains(byte) {
        if let last = line.last, last != 0x20 { line.append(0x20) }
      } else {
        line.append(byte)
      }
      if byte == UInt8(ascii: ">") { isInTag = false }
    }
    if line.last == 0x20 { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }

  /// Whether this byte behind `<` begins a tag. In a comparison such as `a < b`, a blank or a digit follows.
  private static func beginsTagName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: "/!?".utf8.contains(byte)
    }
  }
}

extension StringProtocol {
  /// Without the characters at both ends for which `isDropped` holds.
  package func trimming(while isDropped: (Character) -> Bool) -> String {
    String(drop(while: isDropped).reversed().drop(while: isDropped).reversed())
  }
}
