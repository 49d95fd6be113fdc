import Statistics

/// Percentiles by day: how each metric went. Text, Markdown, JSON and HTML are folds of this.
package struct Trend: Sendable {
  /// By tool, then by parameters.
  package var groups: [GroupTrend]
  package var excluded: [ExcludedFile]
  /// What a reader of the figures must know.
  package var notes: [String]
}

/// The runs of one tool under one load.
package struct GroupTrend: Sendable {
  package var key: LoadShape
  package var runs: Int
  /// The headline first, then in the tool's order.
  package var metrics: [MetricTrend]
  package var rates: [RateTrend]
}

/// One latency metric by day.
package struct MetricTrend: Sendable {
  package struct Day: Sendable {
    /// UTC, `2026-11-20`.
    package var day: String
    /// Those with a sample.
    package var runs: Int
    /// In ms; nil where failures make the percentile of every run of the day meaningless.
    package var p50: Spread?
    package var p95: Spread?
    package var p99: Spread?
    /// All runs of the day together.
    package var pooled: PooledLatencies
    /// What P99 rests on in at least one of the runs.
    package var mark: MetricDocument.Mark?
  }

  package var name: String
  /// Whether it is what the tool is there to measure.
  package var isHeadline: Bool
  /// Growing.
  package var days: [Day]
}

/// One counter over the iterations by day.
package struct RateTrend: Sendable {
  package struct Day: Sendable {
    /// UTC, `2026-11-20`.
    package var day: String
    package var runs: Int
    /// In percent.
    package var share: Spread
  }

  /// The counter's name.
  package var name: String
  /// Growing.
  package var days: [Day]

  /// Whether it is 0 in all runs.
  package var isAllZero: Bool { days.allSatisfy { $0.share.max == 0 } }
}

/// Where the runs of a day lie.
package struct Spread: Codable, Sendable, Equatable {
  package var median: Double
  package var min: Double
  package var max: Double

  /// Nil of no value.
  package init?(_ values: [Double]) {
    guard let min = values.min(), let max = values.max() else { return nil }
    median = Statistics.median(of: values)
    self.min = min
    self.max = max
  }
}
