/// JSON string literals (RFC 8259, section 7).
package enum JSONText {
  /// Whether a literal of `text` holds more than `text` between quotation marks.
  static func needsEscapes(_ text: String) -> Bool {
    !text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  /// `text` in quotation marks, escaped.
  static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

  /// What stands between the quotation marks of a literal of `text`.
  package static func escaped(_ text: String) -> String {
    guard needsEscapes(text) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..."\u{1f}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
