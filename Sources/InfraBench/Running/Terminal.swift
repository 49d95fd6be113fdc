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

  /// `text` cut so that it stays on one line; a full last column would make some terminals go on to the next.
  static func fit(_ text: String, columns: Int) -> String { String(text.prefix(max(0, columns - 1))) }
}
