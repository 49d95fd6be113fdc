package import Latency

/// One latency metric in a result: figures in ms, and the histogram they come from.
package struct MetricDocument: Codable, Sendable, Equatable {
  package struct Histogram: Codable, Sendable, Equatable {
    package var encoding: String
    package var unit: String
    package var significantDigits: Int
    package var data: String

    package init(encoding: String, unit: String, significantDigits: Int, data: String) {
      (self.encoding, self.unit, self.significantDigits, self.data) = (encoding, unit, significantDigits, data)
    }

    /// Encodes a histogram of ns.
    init(_ histogram: LatencyHistogram) {
      self.init(
        encoding: HistogramV2Codec.compressedBase64Name, unit: "ns", significantDigits: 3,
        data: HistogramV2Codec.encodeCompressedBase64(histogram))
    }
  }

  package var unit = "ms"
  package var count: UInt64
  package var mean: Double
  package var stddev: Double
  package var min: Double
  package var p50: Double
  package var p90: Double
  package var p95: Double
  package var p99: Double
  package var p999: Double
  package var max: Double
  package var histogram: Histogram
  /// Percentiles with fewer than 10 samples above them.
  package var fewSamples: [String]
  /// Percentiles with no sample above them: they equal the maximum.
  package var restOnMaximum: [String]
  /// Statistics that failures make meaningless: percentiles p where more than 1−p of the iterations failed, and `max`
  /// with any failure.
  package var unreliable: [String]
  /// The number of failures and unfinished iterations that the latencies leave out; nil where nothing is left out.
  package var failures: UInt64?
  /// The number of values beyond 1 ns–1 h, each of which was recorded as the nearer bound.
  package var clamped: UInt64
  /// For times found by polling, in ms: each may have been shorter than its sample by at most this.
  package var resolution: Double?

  /// Describes `histogram`; nil where it has no samples. `failed` is what it leaves out.
  package init?(_ histogram: LatencyHistogram, failed: FailedPart = .none, resolution: Nanoseconds? = nil) {
    // An empty histogram has no figures, so it is not encoded.
    guard !histogram.isEmpty else { return nil }
    self.init(histogram, encoded: Histogram(histogram), failed: failed)
    self.resolution = resolution?.milliseconds
  }

  /// Describes a histogram that is encoded already; nil where it has no samples.
  init?(_ histogram: LatencyHistogram, encoded: Histogram, failed: FailedPart) {
    guard let summary = LatencySummary(histogram) else { return nil }
    let figures = zip(Self.names, summary.percentiles)
    count = summary.count
    mean = summary.mean / 1e6
    stddev = summary.standardDeviation / 1e6
    min = Self.milliseconds(summary.min)
    p50 = Self.milliseconds(summary.p50.value)
    p90 = Self.milliseconds(summary.p90.value)
    p95 = Self.milliseconds(summary.p95.value)
    p99 = Self.milliseconds(summary.p99.value)
    p999 = Self.milliseconds(summary.p999.value)
    max = Self.milliseconds(summary.max)
    self.histogram = encoded
    fewSamples = figures.filter { $0.1.support != .sufficient }.map(\.0)
    restOnMaximum = figures.filter { $0.1.support == .maximum }.map(\.0)
    // In thousandths, which are whole for every percentile here; as fractions, `1 - 0.9` is less than `0.1`.
    unreliable = figures.filter { failed.share * 1000 > 1000 - ($0.1.percentile * 10).rounded() }.map(\.0)
    // An iteration that failed fast may otherwise have been the slowest.
    if failed.failed > 0 {
      unreliable.append("max")
      failures = failed.failed
    }
    clamped = summary.clampedCount
  }

  /// The marks and the number of clamped values may be missing: results before 0.2.0 have none, and the marks follow
  /// from the histogram.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    unit = try container.decode(String.self, forKey: .unit)
    count = try container.decode(UInt64.self, forKey: .count)
    mean = try container.decode(Double.self, forKey: .mean)
    stddev = try container.decode(Double.self, forKey: .stddev)
    min = try container.decode(Double.self, forKey: .min)
    p50 = try container.decode(Double.self, forKey: .p50)
    p90 = try container.decode(Double.self, forKey: .p90)
    p95 = try container.decode(Double.self, forKey: .p95)
    p99 = try container.decode(Double.self, forKey: .p99)
    p999 = try container.decode(Double.self, forKey: .p999)
    max = try container.decode(Double.self, forKey: .max)
    histogram = try container.decode(Histogram.self, forKey: .histogram)
    fewSamples = try container.decodeIfPresent([String].self, forKey: .fewSamples) ?? []
    restOnMaximum = try container.decodeIfPresent([String].self, forKey: .restOnMaximum) ?? []
    unreliable = try container.decodeIfPresent([String].self, forKey: .unreliable) ?? []
    clamped = try container.decodeIfPresent(UInt64.self, forKey: .clamped) ?? 0
    failures = try container.decodeIfPresent(UInt64.self, forKey: .failures)
    resolution = try container.decodeIfPresent(Double.self, forKey: .resolution)
  }

  /// The percentiles' names, in the order of `LatencySummary.percentiles`.
  package static let names = ["p50", "p90", "p95", "p99", "p999"]

  /// The statistics that failures can make unreliable, in the order of reports.
  package static let failable = names + ["max"]

  /// The mean in ms with each failure counted at `bound`.
  func mean(countingFailuresAt bound: Nanoseconds) -> Double {
    FailureTimeouts.mean(mean, of: count, with: failures ?? 0, at: bound.milliseconds)
  }

  /// A statistic's value: the number of samples for `count`, else a time in ms.
  package func value(of statistic: Threshold.Statistic) -> Double {
    switch statistic {
    case .mean: mean
    case .min: min
    case .max: max
    case .p50: p50
    case .p90: p90
    case .p95: p95
    case .p99: p99
    case .p999: p999
    case .count: Double(count)
    }
  }

  private static func milliseconds(_ value: UInt64) -> Double { Nanoseconds(value).milliseconds }
}

/// How many of something failed or were not finished, which the latencies leave out: they hold successes only.
package struct FailedPart: Sendable, Equatable {
  package var failed: UInt64
  package var all: UInt64

  /// Nothing failed, or failures of iterations say nothing about the metric.
  package static let none = FailedPart(0, of: 0)

  package init(_ failed: UInt64, of all: UInt64) {
    self.failed = failed
    self.all = all
  }

  /// This part for a metric with `number` samples an iteration: an iteration that failed gave no sample.
  package func times(_ number: UInt64) -> FailedPart {
    FailedPart(failed.saturatingProduct(number), of: all.saturatingProduct(number))
  }

  /// The part that failed, 0…1; 0 where there is nothing.
  var share: Double { all > 0 ? Double(failed) / Double(all) : 0 }
}

extension FailedPart {
  /// The iterations that failed or were not finished in a result: its errors and censored starts. Where the run was
  /// interrupted, censored starts do not count.
  package init(ofIterations counters: [String: UInt64], errors: [ResultDocument.Failure], isInterrupted: Bool) {
    let unfinished = isInterrupted ? 0 : counters["censored"] ?? 0
    let beside = errors.filter(\.isOutsideOfIterations).reduce(UInt64(0)) { $0.saturatingSum($1.count) }
    let failures = counters["errors"] ?? 0
    self.init(
      (failures - Swift.min(beside, failures)).saturatingSum(unfinished),
      of: (counters["iterations"] ?? 0).saturatingSum(unfinished))
  }
}

extension ResultDocument.Failure {
  /// Whether the failure says nothing about an iteration: tasks are stopped when their users are done.
  var isOutsideOfIterations: Bool { kind.hasPrefix(Self.ofStoppingTasks) }

  /// How the kinds of these failures begin.
  package static let ofStoppingTasks = "stop_task: "
}

extension ResultDocument {
  /// What the latencies of `metric` leave out.
  package func failedPart(of metric: String) -> FailedPart {
    let description = tool.metric(metric)
    if description?.role == .setUp { return .none }
    if description?.failures == .ofItsOwn {
      // A document has no count of what such a metric is about, other than its samples and its failures.
      guard let metric = metrics[metric], let failed = metric.failures else { return .none }
      return FailedPart(failed, of: metric.count.saturatingSum(failed))
    }
    return FailedPart(ofIterations: counters, errors: errors, isInterrupted: verdict == .interrupted)
      .times(tool.samplesPerIteration(of: metric, parameters))
  }
}

extension MetricDocument {
  /// Why a percentile or a maximum means less than it seems to.
  package enum Mark: String, CaseIterable, Sendable {
    case maximum = "^"
    case fewSamples = "*"
    case unreliable = "!"

    /// The mark in words, for tables that machines read.
    package var words: String {
      switch self {
      case .unreliable: "unreliable"
      case .maximum: "maximum"
      case .fewSamples: "few samples"
      }
    }

    /// The explanations of `marks`, a line each.
    package static func legend(of marks: Set<Mark>) -> [String] {
      allCases.filter(marks.contains).map { "\($0.rawValue) \($0.meaning)" }
    }

    private var meaning: String {
      switch self {
      case .maximum: "no sample lies beyond this percentile: it is the maximum"
      case .fewSamples: "fewer than 10 samples lie beyond this percentile: it rests on few"
      case .unreliable:
        "so many iterations failed or were not finished that this says nothing: of a maximum one is enough"
      }
    }
  }

  /// The strongest mark of a percentile or of `max`; nil for other statistics.
  package func mark(of statistic: String) -> Mark? {
    if unreliable.contains(statistic) { return .unreliable }
    if restOnMaximum.contains(statistic) { return .maximum }
    return fewSamples.contains(statistic) ? .fewSamples : nil
  }
}

extension UInt64 {
  /// A sum that stops at the largest number: the counts of a stored document may be anything.
  func saturatingSum(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// A product that stops at the largest number.
  func saturatingProduct(_ other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
