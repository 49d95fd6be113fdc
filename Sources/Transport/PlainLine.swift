/// Text from outside, as one line for terminals.
package enum PlainLine {
  /// `text` without tags and with everything but printable ASCII as blanks, never two of them in a row.
  ///
  /// - Parameter limit: the most bytes.
  package static func of(_ text: String, limit: Int = .max) -> String {
    let bytes = Array(text.utf8)
    var line: [UInt8] = []
    var isInTag = false
    for (index, byte) in bytes.enumerated() {
      guard line.count < limit else { break }
      if byte == UInt8(ascii: "<"), index + 1 < bytes.count, beginsName(bytes[index + 1]) { isInTag = true }
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

  /// Whether a tag goes on so behind its `<`; that of a comparison is none.
  private static func beginsName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    default: "/!?".utf8.contains(byte)
    }
  }
}
