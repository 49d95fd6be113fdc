import Glibc

/// Maps values to 0…1, in proportion or by their logarithm. Always finite.
struct Axis {
  let lower: Double
  let upper: Double
  let isLogarithmic: Bool
  let ticks: [Double]

  /// From `lower` to `upper` in proportion.
  init(linear lower: Double, _ upper: Double, ticks count: Int = 6) {
    let lower = lower.isFinite ? lower : 0
    self.lower = lower
    self.upper = upper.isFinite && upper > lower ? upper : max(lower + 1, lower.nextUp)
    isLogarithmic = false
    ticks = Ticks.linear(from: lower, to: self.upper, count: count)
  }

  /// By the logarithm; what is not positive is at the lower end.
  init(logarithmic lower: Double, _ upper: Double) {
    let lower = lower.isFinite && lower > 0 ? lower : 1e-6
    self.lower = lower
    self.upper = upper.isFinite && upper > lower ? upper : lower * 10
    isLogarithmic = true
    ticks = Ticks.logarithmic(from: lower, to: self.upper)
  }

  /// An axis for latencies in ms: from 0 where they are of one size, else by their logarithm.
  init(latencies: [Double]) {
    let values = latencies.filter { $0.isFinite && $0 > 0 }
    let most = values.max() ?? 1
    let least = values.min() ?? most
    if most / least > 20 {
      self.init(logarithmic: least / 1.3, most * 1.3)
    } else {
      self.init(linear: 0, most * 1.08)
    }
  }

  /// 0 at the lower end, 1 at the upper; what is beyond is at the end.
  func position(of value: Double) -> Double {
    guard value.isFinite else { return value == .infinity ? 1 : 0 }
    let share =
      isLogarithmic
      ? value > 0 ? log(value / lower) / log(upper / lower) : 0
      : (value - lower) / (upper - lower)
    // Ends so far apart that their distance is infinite.
    guard share.isFinite else { return share == .infinity ? 1 : 0 }
    return min(max(share, 0), 1)
  }

  /// In words, for a caption.
  var kind: String { isLogarithmic ? "logarithmic" : "linear" }
}
