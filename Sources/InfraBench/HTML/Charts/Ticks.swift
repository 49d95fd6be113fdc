import Glibc

/// Round values for an axis, and how they are written.
enum Ticks {
  /// Values in steps of 1, 2, 2.5 or 5 of a decade; about `count` of them.
  static func linear(from lower: Double, to upper: Double, count: Int) -> [Double] {
    let length = upper - lower
    guard length.isFinite, length > 0, count > 0 else { return [lower] }
    let rough = length / Double(count)
    let decade = pow(10, floor(log10(rough)))
    let step = [1, 2, 2.5, 5, 10].map { $0 * decade }.first { $0 >= rough * 0.999 } ?? rough
    guard step > 0, step.isFinite else { return [lower] }
    let first = (lower / step).rounded(.up)
    let last = (upper / step * (1 + 1e-12)).rounded(.down)
    guard first.isFinite, last >= first, last - first < 100 else { return [lower] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }

  /// Powers of ten, and where those are few 2 and 5 times them.
  static func logarithmic(from lower: Double, to upper: Double) -> [Double] {
    guard lower > 0, upper > lower, upper.isFinite else { return [lower] }
    let first = Int(floor(log10(lower)))
    let last = Int(ceil(log10(upper)))
    let decades = log10(upper / lower)
    let factors: [Double] = decades > 3.5 ? [1] : decades > 1.7 ? [1, 3] : [1, 2, 5]
    let all = (first...max(first, last)).flatMap { decade in factors.map { $0 * pow(10, Double(decade)) } }
    let inside = all.filter { $0 >= lower * 0.999 && $0 <= upper * 1.001 }
    let stride = max(1, (inside.count + 8) / 9)
    return inside.enumerated().filter { $0.offset.isMultiple(of: stride) }.map(\.element)
  }

  /// A time in ms, short: `250 µs`, `2.5 ms`, `20 s`.
  static func time(_ milliseconds: Double) -> String {
    switch abs(milliseconds) {
    case 0: "0"
    case ..<0.001: "\(number(milliseconds * 1e6)) ns"
    case ..<1: "\(number(milliseconds * 1000)) µs"
    case ..<1000: "\(number(milliseconds)) ms"
    default: "\(number(milliseconds / 1000)) s"
    }
  }

  /// Without zeros at its end.
  static func number(_ value: Double) -> String {
    let text = Figures.decimals(value, abs(value) >= 100 ? 1 : 3)
    // An exponent's zeros count.
    guard text.contains("."), !text.contains("e") else { return text }
    let trimmed = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
    return String(trimmed.reversed())
  }
}
