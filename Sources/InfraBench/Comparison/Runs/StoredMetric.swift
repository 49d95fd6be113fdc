/// What comparing needs of a metric: times in ms.
package struct StoredMetric: Sendable, Decodable {
  struct Histogram: Sendable, Decodable {
    var data: String
  }

  var mean: Double
  var p50: Double
  var p95: Double
  var p99: Double
  /// Decoded only where latencies are pooled.
  var histogram: Histogram
  var fewSamples: [String]?
  var restOnMaximum: [String]?
  var unreliable: [String]?
  var resolution: Double?

  /// A statistic's value; nil where failures make it meaningless: failing fast is not being fast.
  func value(of statistic: StatisticComparison.Statistic) -> Double? {
    let unreliable = unreliable ?? []
    // Of what is left when more than half failed, the mean says no more than the median.
    if unreliable.contains(statistic == .mean ? "p50" : statistic.rawValue) { return nil }
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

  /// Whether all times are ones.
  var isSound: Bool {
    [mean, p50, p95, p99].allSatisfy { $0 > 0 && $0.isFinite } && (resolution ?? 0) >= 0
      && (resolution ?? 0).isFinite
  }
}
