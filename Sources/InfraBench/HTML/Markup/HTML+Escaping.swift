extension HTML {
  /// Text for between tags and for attributes in quotes.
  ///
  /// Escaped is what the HTML Standard's serialisation escapes (13.3), and both quotation marks. Characters that are no text
  /// in HTML (13.1.4), other control characters, and those that turn the direction of writing, so that a text seems to be
  /// another one (Trojan Source, CVE-2021-42574), are replaced by U+FFFD; line breaks and tabs are blanks.
  static func escape(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\r", "\t", "\u{2028}", "\u{2029}": result += " "
      case _ where isHarmful(scalar): result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f...0x9f: true
    // Overrides, embeddings, isolates and marks of the direction.
    case 0x202a...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0x061c: true
    // Noncharacters.
    case 0xfdd0...0xfdef: true
    default: scalar.value & 0xfffe == 0xfffe
    }
  }
}
