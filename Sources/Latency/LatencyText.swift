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
