/// Latencies as people read them: three significant figures and a unit, `12ns`, `830µs`, `47.9ms`, `1.52s`.
public enum LatencyText {
  /// The text of a number of nanoseconds, rounded half up. From 1000 s on it is in whole seconds.
  public static func format(_ nanoseconds: UInt64) -> String {
    var unitSize: UInt64 = 1
    for unit in ["ns", "µs", "ms"] {
      // A value that would round up to 1000 of this unit is 1.00 of the next one.
      if let number = threeFigures(nanoseconds, unitSize: unitSize) {
        return number + unit
      }
      unitSize *= 1000
    }
    return (threeFigures(nanoseconds, unitSize: unitSize) ?? String(divided(nanoseconds, by: unitSize))) + "s"
  }

  /// The text of a mean or a deviation in nanoseconds, rounded to whole ones; what is not finite or negative is `-`.
  public static func format(_ nanoseconds: Double) -> String {
    guard let whole = UInt64(exactly: nanoseconds.rounded()) else { return "-" }
    return format(whole)
  }

  /// `nanoseconds / unitSize` with as many decimals as make three figures; `nil` if it does not stay below 1000.
  private static func threeFigures(_ nanoseconds: UInt64, unitSize: UInt64) -> String? {
    let decimalPlaces = unitSize == 1 ? [0] : [2, 1, 0]
    for decimals in decimalPlaces {
      let scale: UInt64 = [1, 10, 100][decimals]
      let scaled = divided(nanoseconds, by: unitSize / scale)
      guard scaled < 1000 else { continue }
      guard decimals > 0 else { return String(scaled) }
      let fraction = String(scaled % scale)
      let zeros = String(repeating: "0", count: decimals - fraction.count)
      return "\(scaled / scale).\(zeros)\(fraction)"
    }
    return nil
  }

  private static func divided(_ value: UInt64, by divisor: UInt64) -> UInt64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return quotient + (remainder >= divisor - remainder ? 1 : 0)
  }
}

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
