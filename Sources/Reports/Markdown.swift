import TextFormatting

/// Escapes foreign text for Markdown.
package enum Markdown {
  /// Escapes markup and puts the text on one line.
  package static func escape(_ text: String) -> String {
    var result = ""
    let characters = Array(text)
    for (index, character) in characters.enumerated() {
      switch character {
      case "_" where isInsideWord(index, of: characters): result.append(character)
      case "\\", "`", "*", "_", "[", "]", "|", "#", "~": result += "\\\(character)"
      // In a comment on GitHub or GitLab an `@` would notify a user.
      case "@": result += "@<!-- -->"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      default: result += PlainText.line(String(character))
      }
    }
    return result
  }

  /// GitHub's Markdown has no emphasis inside words, so that `end_to_end` can stay as it is.
  private static func isInsideWord(_ index: Int, of characters: [Character]) -> Bool {
    guard index > 0, index + 1 < characters.count else { return false }
    return [characters[index - 1], characters[index + 1]].allSatisfy { $0.isLetter || $0.isNumber }
  }
}

extension Markdown {
  /// Shortens `text` to `room` bytes. A text that is too long is cut after the last whole line that fits, an open block
  /// of code is closed, and `pointer` follows, which says where the rest is. Nil if there is no room for `pointer`.
  ///
  /// - Parameters:
  ///   - room: The largest result, in bytes.
  ///   - pointer: One or more whole lines.
  package static func cut(_ text: String, to room: Int, pointer: String) -> String? {
    guard text.utf8.count > room else { return text }
    guard pointer.utf8.count <= room else { return nil }
    let fence = "```\n"
    let most = max(0, room - pointer.utf8.count - fence.utf8.count)
    // A cut behind a line break splits no character and no row of a table.
    let bytes = text.utf8.prefix(most)
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes.index(after: $0) } ?? bytes.startIndex
    let kept = String(text[..<end])
    let fences = kept.split(separator: "\n").count { $0.hasPrefix("```") }
    return kept + (fences.isMultiple(of: 2) ? "" : fence) + pointer
  }
}
