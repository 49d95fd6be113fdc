import Latency

/// Rates as users write them: `200/s`, `30/m`, `0.5/s`, `5/h`.
public enum RateText {
  /// The hint for a text that is no rate.
  public static let form = "write a number and a unit, such as 200/s, 30/m or 5/h, of at most \(mostPerSecond)/s"
  /// The hint where a rate of zero is refused.
  public static let rule =
    "write a number and a unit, such as 200/s, 30/m or 5/h, of more than 0 and at most \(mostPerSecond)/s"
  /// The highest rate that can be written, in starts per second.
  public static let mostPerSecond: UInt64 = 1_000_000

  private static let units: [(name: Character, length: Nanoseconds)] = [
    ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3_600)),
  ]
  /// The number of whole digits of the highest rate per hour.
  private static let wholeDigits = 10
  private static let fractionDigits = 6

  /// The exact rate in `text`; nil for a text that is no rate, or a rate above ``mostPerSecond``.
  ///
  /// At most 10 digits before the point and 6 behind it. Zero is a rate; a caller that cannot use it refuses it.
  public static func parse(_ text: String) -> ArrivalRate? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let unit = units.first(where: { String($0.name) == parts[1] }) else { return nil }
    let digits = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    guard digits.count <= 2, isNumber(digits[0], most: wholeDigits) else { return nil }
    var fraction = digits.count == 2 ? digits[1] : "0"
    guard isNumber(fraction, most: fractionDigits) else { return nil }
    while fraction.last == "0" { fraction.removeLast() }
    guard let starts = UInt64(digits[0] + fraction) else { return nil }
    let period = unit.length * powerOfTen(fraction.count)
    // starts / period <= mostPerSecond / 1 s, without rounding.
    guard UInt128(starts) * 1_000_000_000 <= UInt128(period.nanoseconds) * UInt128(mostPerSecond) else { return nil }
    return ArrivalRate(starts: starts, period: period)
  }

  /// Writes `rate` so that ``parse(_:)`` reads it: exactly where one of the units allows that, else as the nearest rate
  /// with six digits per second.
  public static func write(_ rate: ArrivalRate) -> String {
    for unit in units {
      for digits in 0...fractionDigits where rate.period == unit.length * powerOfTen(digits) {
        return decimal(rate.starts, fractionDigits: digits) + "/\(unit.name)"
      }
    }
    let scaled = UInt128(rate.starts) * UInt128(1_000_000_000 * powerOfTen(fractionDigits))
    let rounded = (scaled + UInt128(rate.period.nanoseconds / 2)) / UInt128(rate.period.nanoseconds)
    return decimal(UInt64(clamping: rounded), fractionDigits: fractionDigits) + "/s"
  }

  private static func isNumber(_ text: Substring, most: Int) -> Bool {
    (1...most).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func decimal(_ number: UInt64, fractionDigits: Int) -> String {
    let scale = powerOfTen(fractionDigits)
    guard number % scale > 0 else { return "\(number / scale)" }
    let behind = String(number % scale)
    var fraction = String(repeating: "0", count: fractionDigits - behind.count) + behind
    while fraction.last == "0" { fraction.removeLast() }
    return "\(number / scale).\(fraction)"
  }

  private static func powerOfTen(_ exponent: Int) -> UInt64 {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }
}
