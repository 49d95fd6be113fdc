/// Paths as users write them.
enum PathText {
  /// Why the value of an option is no path: it begins with a dash. `--output-dir -x` is refused by the parser, which takes `-x`
  /// for an option; `--output-dir=-x` would be taken, and more likely a value is missing than a folder is called so.
  static func likeAnOption(_ path: String) -> String? {
    guard path.utf8.first == UInt8(ascii: "-") else { return nil }
    let shown = PlainText.line(path)
    return "'\(shown)' begins with a dash, as options do: write './\(shown)'"
  }
}
