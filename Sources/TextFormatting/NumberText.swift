/// Numbers as reports write them: fixed point, no locale.
package enum NumberText {
  /// A time in ms with a fitting unit: `830µs`, `47.9ms`, `1.52s`.
  package static func time(milliseconds: Double) -> String {
    switch abs(milliseconds) {
    case ..<1: "\(fixed(milliseconds * 1000, significant: 3))µs"
    case ..<1000: "\(fixed(milliseconds, significant: 3))ms"
    default: "\(fixed(milliseconds / 1000, significant: 3))s"
    }
  }

  /// `value` with about `significant` figures, never with an exponent.
  package static func fixed(_ value: Double, significant: Int) -> String {
    let size = abs(value)
    let whole = size >= 1000 ? 4 : size >= 100 ? 3 : size >= 10 ? 2 : 1
    return decimals(value, max(0, significant - whole))
  }

  /// `value` with exactly `places` digits behind the point.
  package static func decimals(_ value: Double, _ places: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale: Int64 = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = (abs(value) * Double(scale)).rounded()
    guard scaled < 9e18 else { return "\(value)" }
    let number = Int64(scaled)
    let sign = value < 0 && number > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(number)" }
    let fraction = String(number % scale)
    return "\(sign)\(number / scale).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }

  /// `value` with its sign and exactly `places` digits behind the point: `+0.12`, `-3.00`, `0.00`.
  package static func signed(_ value: Double, _ places: Int) -> String {
    let text = decimals(value, places)
    return value > 0 && text.contains(where: { ("1"..."9").contains($0) }) ? "+" + text : text
  }

  /// A whole number with commas between thousands: `10,000`.
  package static func grouped(_ number: UInt64) -> String {
    let digits = Array("\(number)")
    return digits.enumerated().map { place, digit in
      (place > 0 && (digits.count - place).isMultiple(of: 3) ? "," : "") + String(digit)
    }.joined()
  }

  /// A share, 0…1, in percent.
  package static func percent(_ share: Double) -> String { "\(decimals(share * 100, 1))%" }
}
