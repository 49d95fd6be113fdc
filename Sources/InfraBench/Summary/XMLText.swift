/// Text that came from elsewhere, made harmless in XML 1.0 (https://www.w3.org/TR/xml/, sections 2.2, 2.4, 2.11 and 3.3.3).
enum XMLText {
  /// As an attribute's value in quotation marks: line breaks stay line breaks, which parsers would make blanks of otherwise.
  static func attribute(_ text: String) -> String { escape(text, isAttribute: true) }

  /// As an element's text.
  static func element(_ text: String) -> String { escape(text, isAttribute: false) }

  private static func escape(_ text: String, isAttribute: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars where isAllowed(scalar) {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      // Also because `]]>` must not be in a text.
      case ">": result += "&gt;"
      case "\"" where isAttribute: result += "&quot;"
      case "\n" where isAttribute: result += "&#10;"
      case "\t" where isAttribute: result += "&#9;"
      // Parsers make a line feed of a bare one.
      case "\r": result += "&#13;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// What XML cannot have, not even escaped, is left out.
  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x9, 0xa, 0xd: true
    case ..<0x20, 0xfffe, 0xffff: false
    default: true
    }
  }
}
