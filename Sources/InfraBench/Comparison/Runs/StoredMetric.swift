import Latency

/// What comparing needs of a metric: times in ms.
package struct StoredMetric: Sendable, Decodable {
  struct Histogram: Sendable, Decodable {
    var data: String
  }

  var unit: String
  var count: UInt64
  var mean: Double
  var p50: Double
  var p95: Double
  var p99: Double
  /// Decoded only where runs are compared.
  var histogram: Histogram
  var fewSamples: [String]?
  var restOnMaximum: [String]?
  var unreliable: [String]?
  var resolution: Double?
  /// How many failures the latencies leave out; nil where there is none, and in results before 0.2.0.
  var failures: UInt64?
  /// Whether the mean may be one of the failures' making.
  private(set) var isMeanUnreliable = false

  private enum CodingKeys: String, CodingKey {
    case unit, count, mean, p50, p95, p99, histogram, fewSamples, restOnMaximum, unreliable, resolution, failures
  }

  /// Takes `failures` that might have been latencies, and their time-out in ms; nil where there was none.
  ///
  /// A mean that a few time-outs would move shows as little as they do: it is left out where, counted at their time-out, they
  /// would change it by what counts as a change.
  mutating func count(_ failures: UInt64, at timeout: Double?) {
    guard failures > 0 else { return }
    guard let timeout else {
      isMeanUnreliable = true
      return
    }
    let whole = FailureBounds.mean(mean, of: count, with: failures, at: timeout)
    isMeanUnreliable = abs(whole - mean) > Comparison.Settings().minEffect * mean
  }

  /// A statistic's value; nil where failures make it meaningless: failing fast is not being fast.
  func value(of statistic: StatisticComparison.Statistic) -> Double? {
    let unreliable = unreliable ?? []
    if statistic == .mean ? isMeanUnreliable : unreliable.contains(statistic.rawValue) { return nil }
    switch statistic {
    case .mean: return mean
    case .p50: return p50
    case .p95: return p95
    case .p99: return p99
    case .rate: return nil
    }
  }

  /// What a percentile rests on, where that is little.
  func mark(of statistic: StatisticComparison.Statistic) -> MetricDocument.Mark? {
    if restOnMaximum?.contains(statistic.rawValue) == true { return .maximum }
    return fewSamples?.contains(statistic.rawValue) == true ? .fewSamples : nil
  }

  /// Whether all times are ones that a result can have, 1 ns to 1 h.
  var isSound: Bool {
    [mean, p50, p95, p99].allSatisfy(Self.times.contains) && (0...Self.times.upperBound).contains(resolution ?? 0)
  }

  /// Whether `histogram` has other figures. It knows a time to within 0.1 %, and figures that somebody rounded are no others.
  func contradicts(_ histogram: LatencyHistogram) -> Bool {
    let percentiles = histogram.values(atPercentiles: [50, 95, 99]).map { Double($0) }
    return zip([mean, p50, p95, p99], [histogram.mean] + percentiles).contains { said, nanoseconds in
      abs(said - nanoseconds / 1e6) > Self.precision * nanoseconds / 1e6
    }
  }

  private static let precision = 0.001
  /// In ms. Times are their buckets' highest values: the last bucket's lies beyond the hour.
  private static let times = 1e-6...3.6e6 * (1 + precision)
}
