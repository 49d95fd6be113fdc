extension Markdown {
  /// `text`; or, where it is too long, as many whole lines of it as fit, and `pointer`, which says where the rest is. A block of
  /// code that is open there is closed. nil where there is not even room for `pointer`.
  ///
  /// - Parameters:
  ///   - room: In bytes, of all that is returned.
  ///   - pointer: Whole lines.
  package static func cut(_ text: String, to room: Int, pointer: String) -> String? {
    guard text.utf8.count > room else { return text }
    guard pointer.utf8.count <= room else { return nil }
    let fence = "```\n"
    let most = max(0, room - pointer.utf8.count - fence.utf8.count)
    // Behind a line break there is no half of a character, and no half of a table's row.
    let bytes = text.utf8.prefix(most)
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes.index(after: $0) } ?? bytes.startIndex
    let kept = String(text[..<end])
    let fences = kept.split(separator: "\n").count { $0.hasPrefix("```") }
    return kept + (fences.isMultiple(of: 2) ? "" : fence) + pointer
  }
}
