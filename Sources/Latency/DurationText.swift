/// Durations as users write them: a decimal number and a unit, `250ms`, `1.5s`, `2m`, `1h`. The unit is required.
package enum DurationText {
  /// What to say to whoever wrote another thing.
  package static let rule = "write a number and a unit, such as 250ms, 1.5s, 2m or 1h"

  private static let units: [(suffix: String, nanoseconds: Double)] = [
    ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
  ]
  /// A year: more than any run, and far from overflow.
  private static let longest = 366.0 * 24 * 3600e9

  /// The nanoseconds of `text`; nil when it is no duration.
  package static func parse(_ text: String) -> UInt64? {
    // The longest suffix first: `ms` is no `s`.
    for (suffix, nanoseconds) in units.sorted(by: { $0.suffix.utf8.count > $1.suffix.utf8.count })
    where text.hasSuffix(suffix) {
      guard let number = parseDecimal(text.dropLast(suffix.count)) else { return nil }
      let value = (number * nanoseconds).rounded()
      return value <= longest ? UInt64(value) : nil
    }
    return nil
  }

  /// Digits with at most one point between digits: no sign, no exponent, no white space.
  package static func parseDecimal(_ text: some StringProtocol) -> Double? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), text.utf8.count <= 20 else { return nil }
    guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
    return Double(String(text))
  }

  /// The shortest way to write `nanoseconds` that ``parse(_:)`` reads back, for parameters in reports.
  package static func write(_ nanoseconds: UInt64) -> String {
    guard nanoseconds > 0 else { return "0s" }
    for (suffix, size) in [
      ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000),
    ] as [(String, UInt64)]
    where nanoseconds % size == 0 {
      return "\(nanoseconds / size)\(suffix)"
    }
    return "\(nanoseconds)ns"
  }
}
