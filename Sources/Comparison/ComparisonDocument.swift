import Latency
import Results
import Reports

/// A comparison for machines: `infrabench.comparison/1` (docs/schema/infrabench.comparison-1.schema.json). Fields are
/// only added, never removed.
package struct ComparisonDocument: Encodable, Sendable {
  struct Entry: Encodable, Sendable {
    var tool: String
    @AlwaysPresent var label: String?
    var targetKind: String
    var parameters: [String: String]
    var metric: String
    var statistic: String
    /// The median of OLD's values in `unit`; `new` is that of NEW's.
    var old: Double
    var new: Double
    var unit: String
    var runsOld: Int
    var runsNew: Int
    var changePercent: Double
    @AlwaysPresent var intervalPercent: [Double]?
    var p: Double
    var pUncorrected: Double
    /// The confidence level of the interval, in percent.
    var levelPercent: Double
    var verdict: String
    var exploratory: Bool
    var belowMinEffect: Bool
    var runsNeeded: Int?
    var runsNeededOld: Int?
    var runsNeededNew: Int?
    /// `maximum` or `few samples`, if the percentile rests on little in some runs.
    var restsOn: String?
  }

  struct Pooled: Encodable, Sendable {
    struct Side: Codable, Sendable, Equatable {
      var runs: Int
      var count: UInt64
      var mean: Double
      var p50: Double
      var p90: Double
      var p95: Double
      var p99: Double
      var p999: Double
      var max: Double
    }

    var tool: String
    @AlwaysPresent var label: String?
    var targetKind: String
    var parameters: [String: String]
    var metric: String
    var unit = "ms"
    @AlwaysPresent var old: Side?
    @AlwaysPresent var new: Side?
  }

  struct OneSided: Encodable, Sendable {
    var side: String
    var tool: String
    @AlwaysPresent var label: String?
    var targetKind: String
    var parameters: [String: String]
    var runs: Int
  }

  struct Excluded: Encodable, Sendable {
    var file: String
    var reason: String
  }

  let schema = "infrabench.comparison/1"
  let minEffectPercent: Double
  let alpha: Double
  let comparisons: [Entry]
  let pooled: [Pooled]
  let onlyOnOneSide: [OneSided]
  let excluded: [Excluded]
  let environmentDifferences: [String]
  let notes: [String]

  package init(_ comparison: Comparison) {
    minEffectPercent = comparison.settings.minEffect * 100
    alpha = comparison.settings.alpha
    comparisons = comparison.groups.flatMap { group in group.all.map { Entry($0, of: group.key) } }
    pooled = comparison.groups.flatMap { group in group.metrics.map { Pooled($0, of: group.key) } }
    onlyOnOneSide = comparison.onlyOnOneSide.map { group in
      OneSided(
        side: group.side.rawValue.lowercased(), tool: group.key.tool.name, label: group.key.label,
        targetKind: group.key.targetKind, parameters: group.key.parameters, runs: group.runs)
    }
    excluded = comparison.excluded.map { Excluded(file: $0.file, reason: $0.reason) }
    environmentDifferences = comparison.environmentDifferences.map(\.sentence)
    notes = comparison.notes + comparison.workloadDifferences
  }
}

extension ComparisonDocument.Entry {
  fileprivate init(_ statistic: StatisticComparison, of key: Workload) {
    self.init(
      tool: key.tool.name, label: key.label, targetKind: key.targetKind, parameters: key.parameters,
      metric: statistic.metric, statistic: statistic.statistic.rawValue, old: statistic.oldMedian,
      new: statistic.newMedian, unit: statistic.unit, runsOld: statistic.old.count, runsNew: statistic.new.count,
      changePercent: statistic.change, intervalPercent: statistic.interval.map { [$0.lowerBound, $0.upperBound] },
      p: statistic.pValue, pUncorrected: statistic.uncorrectedPValue, levelPercent: statistic.level * 100,
      verdict: statistic.verdict.rawValue, exploratory: statistic.isExploratory,
      belowMinEffect: statistic.isBelowMinimum,
      runsNeeded: statistic.missing.map { $0.old + $0.new }, runsNeededOld: statistic.missing?.old,
      runsNeededNew: statistic.missing?.new, restsOn: statistic.mark?.words)
  }
}

extension ComparisonDocument.Pooled {
  fileprivate init(_ metric: MetricComparison, of key: Workload) {
    self.init(
      tool: key.tool.name, label: key.label, targetKind: key.targetKind, parameters: key.parameters,
      metric: metric.name,
      old: Side(metric.pooledOld), new: Side(metric.pooledNew))
  }
}

extension ComparisonDocument.Pooled.Side {
  /// Makes the figures in ms; nil without a latency.
  fileprivate init?(_ pooled: PooledLatencies) {
    guard let summary = pooled.summary else { return nil }
    func milliseconds(_ figure: PercentileFigure) -> Double { Nanoseconds(figure.value).milliseconds }
    self.init(
      runs: pooled.runs, count: summary.count, mean: summary.mean / 1e6, p50: milliseconds(summary.p50),
      p90: milliseconds(summary.p90), p95: milliseconds(summary.p95), p99: milliseconds(summary.p99),
      p999: milliseconds(summary.p999), max: Nanoseconds(summary.max).milliseconds)
  }
}

/// A trend for machines: `infrabench.trend/1` (docs/schema/infrabench.trend-1.schema.json). Fields are only added,
/// never removed.
package struct TrendDocument: Encodable, Sendable {
  struct MetricEntry: Encodable, Sendable {
    struct Day: Encodable, Sendable {
      var day: String
      var runs: Int
      @AlwaysPresent var p50: MedianAndRange?
      @AlwaysPresent var p95: MedianAndRange?
      @AlwaysPresent var p99: MedianAndRange?
      /// `maximum` or `few samples`, if P99 rests on little in some runs.
      var p99RestsOn: String?
    }

    var tool: String
    @AlwaysPresent var label: String?
    var targetKind: String
    var parameters: [String: String]
    var metric: String
    var unit = "ms"
    var headline: Bool
    var days: [Day]
  }

  struct RateEntry: Encodable, Sendable {
    struct Day: Encodable, Sendable {
      var day: String
      var runs: Int
      var rate: MedianAndRange
    }

    var tool: String
    @AlwaysPresent var label: String?
    var targetKind: String
    var parameters: [String: String]
    var counter: String
    var unit = "%"
    var days: [Day]
  }

  let schema = "infrabench.trend/1"
  let metrics: [MetricEntry]
  let rates: [RateEntry]
  let excluded: [ComparisonDocument.Excluded]
  let notes: [String]

  package init(_ trend: Trend) {
    metrics = trend.groups.flatMap { group in
      group.metrics.map { metric in
        MetricEntry(
          tool: group.key.tool.name, label: group.key.label, targetKind: group.key.targetKind,
          parameters: group.key.parameters, metric: metric.name, headline: metric.isHeadline,
          days: metric.days.map {
            .init(day: $0.day, runs: $0.runs, p50: $0.p50, p95: $0.p95, p99: $0.p99, p99RestsOn: $0.mark?.words)
          })
      }
    }
    rates = trend.groups.flatMap { group in
      group.rates.map { rate in
        RateEntry(
          tool: group.key.tool.name, label: group.key.label, targetKind: group.key.targetKind,
          parameters: group.key.parameters, counter: rate.name,
          days: rate.days.map { .init(day: $0.day, runs: $0.runs, rate: $0.share) })
      }
    }
    excluded = trend.excluded.map { .init(file: $0.file, reason: $0.reason) }
    notes = trend.notes
  }
}
