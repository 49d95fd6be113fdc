import Statistics
package import Results

/// The runs of one tool under one load on both sides.
package struct GroupComparison: Sendable {
  package var key: Workload
  package var runsOld: Int
  package var runsNew: Int
  /// The metrics, the headline first, then in the tool's order.
  package var metrics: [MetricComparison]
  package var rates: [StatisticComparison]
  /// Whether the user named its rates.
  package var hasNamedRates = false

  /// The rates in reports for people: without counters that are 0 everywhere, unless the user named them.
  package var displayedRates: [StatisticComparison] { rates.filter { hasNamedRates || !$0.isAllZero } }

  /// All statistics of all metrics, then the rates.
  package var all: [StatisticComparison] { metrics.flatMap(\.statistics) + rates }
}

/// One latency metric on both sides.
package struct MetricComparison: Sendable {
  package var name: String
  /// Whether it is the tool's headline metric.
  package var isHeadline: Bool
  /// Mean, P50, P95 and P99; a statistic that no run of a side has is left out.
  package var statistics: [StatisticComparison]
  /// All OLD runs together; ``pooledNew`` has all NEW runs. They are shown and never tested, because values of one run
  /// are not independent of each other.
  package var pooledOld: PooledLatencies
  package var pooledNew: PooledLatencies
  /// For times found by polling: the coarsest resolution of the runs, in ms.
  package var resolution: Double?
}

/// One statistic of the runs of both sides, and the verdict on its change.
package struct StatisticComparison: Sendable, Equatable {
  package enum Statistic: String, Sendable, CaseIterable {
    case mean, p50, p95, p99
    /// A counter divided by the iterations.
    case rate
  }

  package enum Verdict: String, Sendable {
    case faster, slower
    case noChange = "no-change"
    case tooFewRuns = "too-few-runs"
  }

  /// The number of further runs that the test needs to show any change.
  package struct MissingRuns: Sendable, Equatable {
    package var old: Int
    package var new: Int
  }

  /// The metric's or the counter's name.
  package var metric: String
  package var statistic: Statistic
  /// OLD's values in ``unit``, one per run; ``new`` has NEW's. Neither is empty.
  package var old: [Double]
  package var new: [Double]
  /// The change in percent of the OLD value; for rates in percentage points.
  package var change: Double
  /// The confidence interval of ``change``, in its unit; nil if there are too few runs for one.
  package var interval: ClosedRange<Double>?
  /// The p-value, corrected for the statistic's family.
  package var pValue: Double
  /// The p-value without correction.
  package var uncorrectedPValue: Double
  /// The confidence level of the interval: 0.95 is 95 %.
  package var level: Double
  package var verdict: Verdict
  /// Whether it was judged alone, although it is one of many: its verdict is only a hint.
  package var isExploratory: Bool
  /// Whether a change was shown that is too small to count.
  package var isBelowMinimum: Bool
  /// The missing runs; only with the verdict `tooFewRuns`.
  package var missing: MissingRuns?
  /// The mark of a percentile that rests on little in at least one run.
  package var mark: MetricDocument.Mark?

  /// The unit of the values, `ms` or `%`.
  package var unit: String { statistic == .rate ? "%" : "ms" }
  package var oldMedian: Double { median(of: old) }
  package var newMedian: Double { median(of: new) }
  /// Whether the counter is 0 in all runs.
  package var isAllZero: Bool { (old + new).allSatisfy { $0 == 0 } }
}
