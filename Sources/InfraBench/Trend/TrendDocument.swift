/// A trend for machines: `infrabench.trend/1` (docs/schema/infrabench.trend-1.schema.json). Fields are only ever added.
package struct TrendDocument: Encodable, Sendable {
  struct MetricEntry: Encodable, Sendable {
    struct Day: Encodable, Sendable {
      var day: String
      var runs: Int
      @AlwaysPresent var p50: Spread?
      @AlwaysPresent var p95: Spread?
      @AlwaysPresent var p99: Spread?
      /// `maximum` or `few samples`: what P99 rests on in some runs.
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
      var rate: Spread
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
          tool: group.key.tool, label: group.key.label, targetKind: group.key.targetKind,
          parameters: group.key.parameters, metric: metric.name, headline: metric.isHeadline,
          days: metric.days.map {
            .init(day: $0.day, runs: $0.runs, p50: $0.p50, p95: $0.p95, p99: $0.p99, p99RestsOn: $0.mark?.words)
          })
      }
    }
    rates = trend.groups.flatMap { group in
      group.rates.map { rate in
        RateEntry(
          tool: group.key.tool, label: group.key.label, targetKind: group.key.targetKind,
          parameters: group.key.parameters, counter: rate.name,
          days: rate.days.map { .init(day: $0.day, runs: $0.runs, rate: $0.share) })
      }
    }
    excluded = trend.excluded.map { .init(file: $0.file, reason: $0.reason) }
    notes = trend.notes
  }
}
