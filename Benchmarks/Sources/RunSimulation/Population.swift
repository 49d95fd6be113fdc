import Glibc

/// Log-normal latencies of which a run's requests are drawn: the median is 50 ms, P99 twice that.
struct Population {
  /// What is added to every logarithm.
  var shift = 0.0
  /// By how much the logarithm of P99 is above a log-normal's; the excess grows evenly from P90 on.
  var tail = 0.0

  /// Of the standard normal distribution.
  static let (z90, z99) = (1.281_551_565_544_6, 2.326_347_874_040_8)
  private static let logMedian = log(50e6)
  private static let sigma = log(2) / z99

  /// The latency in nanoseconds at a place of the standard normal distribution.
  func latency(at z: Double) -> Double {
    let beyond = max(0, z - Self.z90) / (Self.z99 - Self.z90)
    return exp(Self.logMedian + shift + Self.sigma * z + tail * beyond)
  }
}
