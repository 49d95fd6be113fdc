import Glibc

/// The terminal behind standard error.
struct Terminal: Sendable {
  /// Removes the line that the cursor is in (ECMA-48: carriage return, erase in line).
  static let eraseLine = "\r\u{1b}[K"

  /// Nil when standard error is none, or one that cannot erase: `TERM` is `dumb`.
  static func ofStandardError() -> Terminal? {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    let kind = getenv("TERM").map { String(cString: $0) }
    return kind == "dumb" ? nil : Terminal()
  }

  /// Its present width; 80 where it does not tell.
  var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// `text`, facts with commas between them, so short that it stays on one line: whole facts are left out at its end, and
  /// "…" says so. Only the first one is cut where even that is too long.
  static func fit(_ text: String, columns: Int) -> String {
    // A full last column would make some terminals go on to the next line.
    let room = columns - 1
    guard text.count > room else { return text }
    guard room > 0 else { return "" }
    if let comma = text.prefix(max(0, room - 2)).lastIndex(of: ",") { return text[...comma] + " …" }
    return text.prefix(room - 1) + "…"
  }
}
