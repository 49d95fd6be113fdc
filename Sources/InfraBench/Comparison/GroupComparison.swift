import Statistics

/// The runs of one tool under one load on both sides.
package struct GroupComparison: Sendable {
  package var key: LoadShape
  package var runsOld: Int
  package var runsNew: Int
  /// The headline first, then in the tool's order.
  package var metrics: [MetricComparison]
  package var rates: [StatisticComparison]
  /// Whether its rates were asked for by name.
  package var hasNamedRates = false

  /// For people: without counters that are 0 everywhere, unless they were asked for.
  package var shownRates: [StatisticComparison] { rates.filter { hasNamedRates || !$0.isAllZero } }

  /// Every statistic of every metric, then the rates.
  package var all: [StatisticComparison] { metrics.flatMap(\.statistics) + rates }
}

/// One latency metric on both sides.
package struct MetricComparison: Sendable {
  package var name: String
  /// Whether it is what the tool is there to measure.
  package var isHeadline: Bool
  /// Mean, P50, P95 and P99; without those that no run of a side has.
  package var statistics: [StatisticComparison]
  /// All runs of a side together: shown, never tested, as their values are not independent of each other.
  package var pooledOld: PooledLatencies
  package var pooledNew: PooledLatencies
  /// Of times that were found by polling, in ms: the coarsest of the runs'.
  package var resolution: Double?
}

/// One statistic of the runs of both sides, and what they say about a change.
package struct StatisticComparison: Sendable, Equatable {
  package enum Statistic: String, Sendable, CaseIterable {
    case mean, p50, p95, p99
    /// A counter over the iterations.
    case rate
  }

  package enum Verdict: String, Sendable {
    case faster, slower
    case noChange = "no-change"
    case tooFewRuns = "too-few-runs"
  }

  /// How many more runs the test needs before it can show any change.
  package struct MissingRuns: Sendable, Equatable {
    package var old: Int
    package var new: Int
  }

  /// The metric's or the counter's name.
  package var metric: String
  package var statistic: Statistic
  /// One value a run, in `unit`. Neither is empty.
  package var old: [Double]
  package var new: [Double]
  /// The change in percent of the old value; of rates in percentage points.
  package var change: Double
  /// In the same unit; nil where the runs are too few for one.
  package var interval: ClosedRange<Double>?
  /// Corrected for the family that it was judged in.
  package var pValue: Double
  /// As it would be alone.
  package var uncorrectedPValue: Double
  /// Of the interval: 0.95 is 95 %.
  package var level: Double
  package var verdict: Verdict
  /// Judged alone, as one of many: what it shows is a hint.
  package var isExploratory: Bool
  /// Whether there is a change, which is too small to count.
  package var isBelowMinimum: Bool
  /// With `tooFewRuns`.
  package var missing: MissingRuns?
  /// What the percentile rests on in at least one of the runs.
  package var mark: MetricDocument.Mark?

  /// `ms` or `%`.
  package var unit: String { statistic == .rate ? "%" : "ms" }
  package var oldMedian: Double { median(of: old) }
  package var newMedian: Double { median(of: new) }
  /// Whether nothing ever happened: a counter that is 0 in all runs.
  package var isAllZero: Bool { (old + new).allSatisfy { $0 == 0 } }
}
