/// Latencies as people read them: three significant figures and a unit, `12ns`, `830µs`, `47.9ms`, `1.52s`.
public enum LatencyText {
  /// The text of a number of nanoseconds, rounded half up. From 1000 s on the text is in whole seconds.
  public static func format(_ nanoseconds: UInt64) -> String {
    var unitSize: UInt64 = 1
    for unit in ["ns", "µs", "ms"] {
      // A value that would round up to 1000 of this unit is written as 1.00 of the next one.
      if let number = threeFigures(nanoseconds, unitSize: unitSize) {
        return number + unit
      }
      unitSize *= 1000
    }
    return (threeFigures(nanoseconds, unitSize: unitSize) ?? String(divided(nanoseconds, by: unitSize))) + "s"
  }

  /// The text of a mean or a deviation in nanoseconds, rounded to whole ones; `-` for a negative number and for one
  /// that is not finite.
  public static func format(_ nanoseconds: Double) -> String {
    guard let whole = UInt64(exactly: nanoseconds.rounded()) else { return "-" }
    return format(whole)
  }

  /// `nanoseconds / unitSize` with three significant figures; nil if the number would be 1000 or more.
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
///
/// ```swift
/// DurationText.parse("1.5s")                                    // 1.5 s
/// DurationText.parse("2h", units: [.ms, .s], upTo: .seconds(60))  // nil
/// DurationText.write(.milliseconds(1500))                       // "1500ms"
/// ```
package enum DurationText {
  /// The hint for a text that is no duration.
  package static let rule = "write a number and a unit, such as 250ms, 1.5s, 2m or 1h"

  /// A unit by its name.
  package enum Unit: String, CaseIterable, Sendable {
    case ns, us, ms, s, m, h
    /// `us` with the Greek letter.
    case microseconds = "µs"

    /// The length of one unit.
    var length: Nanoseconds {
      switch self {
      case .ns: 1
      case .us, .microseconds: .microseconds(1)
      case .ms: .milliseconds(1)
      case .s: .seconds(1)
      case .m: .seconds(60)
      case .h: .seconds(3600)
      }
    }
  }

  /// A year: longer than any run, and far from overflow.
  package static let longest: Nanoseconds = .seconds(366 * 24 * 3600)

  /// The length in `text`, to the nearest nanosecond; nil for a text that is no duration.
  ///
  /// - Parameters:
  ///   - units: the units that are accepted.
  ///   - bound: the longest length that is accepted.
  package static func parse(
    _ text: String, units: [Unit] = Unit.allCases, upTo bound: Nanoseconds = longest
  ) -> Nanoseconds? {
    // The unit is all that follows the last digit, so `ms` is not read as `s`.
    let name = text.drop { $0 == "." || $0.isNumber }
    guard let unit = Unit(rawValue: String(name)), units.contains(unit),
      let number = parseDecimal(text.dropLast(name.count))
    else { return nil }
    let nanoseconds = number * Double(unit.length.nanoseconds)
    return nanoseconds <= Double(bound.nanoseconds) ? .nanoseconds(nanoseconds) : nil
  }

  /// Parses digits with at most one point between digits: no sign, no exponent, no white space.
  package static func parseDecimal(_ text: some StringProtocol) -> Double? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), text.utf8.count <= 20 else { return nil }
    guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
    return Double(String(text))
  }

  /// The shortest text from which ``parse(_:units:upTo:)`` reads the length back; reports show parameters in this form.
  package static func write(_ length: Nanoseconds) -> String {
    guard length > .zero else { return "0s" }
    for unit in [Unit.h, .m, .s, .ms, .us] where length % unit.length == .zero {
      return "\(length / unit.length)\(unit.rawValue)"
    }
    return "\(length.nanoseconds)ns"
  }
}
