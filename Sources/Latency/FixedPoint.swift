import Glibc

/// Numbers as C's `printf` writes them, which the text formats of HdrHistogram are made of.
enum FixedPoint {
  /// `%<width>.<decimals>f`: correctly rounded, without a locale unless the program sets one, which no tool does.
  static func text(_ value: Double, width: Int = 0, decimals: Int) -> String {
    // The longest finite number has 309 digits before the point.
    var buffer = [CChar](repeating: 0, count: 400)
    let length = withVaList([Int32(width), Int32(decimals), value]) { arguments in
      vsnprintf(&buffer, buffer.count, "%*.*f", arguments)
    }
    return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Text, padded with blanks in front.
  static func padded(_ text: String, width: Int) -> String {
    String(repeating: " ", count: Swift.max(0, width - text.utf8.count)) + text
  }
}
