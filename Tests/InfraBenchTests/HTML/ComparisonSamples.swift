import Latency

@testable import InfraBench
@testable import Comparison
@testable import Reports
@testable import Results

/// A comparison and a trend with every verdict.
enum ComparisonSamples {
  static func comparison(naming text: String = "bench-allocation") -> Comparison {
    let key = Workload(
      tool: .init(stringLiteral: text), targetKind: "embedded", label: nil,
      parameters: ["count": "1000", "userId": text])
    let metric = MetricComparison(
      name: text, isHeadline: true,
      statistics: [
        statistic(text, .mean, change: 13.2, interval: 6.7...23.1, .slower),
        statistic(text, .p50, change: -12, interval: -20 ... -8.5, .faster),
        statistic(text, .p95, change: 2.5, interval: -1...1200, .noChange),
        statistic(text, .p99, change: 41, interval: nil, .tooFewRuns),
      ], pooledOld: pooled(1), pooledNew: pooled(2), resolution: nil)
    let exploratory = MetricComparison(
      name: "connect", isHeadline: false,
      statistics: [statistic("connect", .mean, change: 0, interval: 0...0, .noChange, isExploratory: true)],
      pooledOld: pooled(3), pooledNew: pooled(3), resolution: nil)
    let group = GroupComparison(
      key: key, runsOld: 6, runsNew: 5, metrics: [metric, exploratory],
      rates: [
        statistic("misses", .rate, change: 29.7, interval: 29...30.5, .slower),
        statistic("errors", .rate, change: 0, interval: nil, .noChange, values: [0, 0]),
      ])
    return Comparison(
      settings: .init(), oldName: text, newName: "results/new", runsOld: 6, runsNew: 5, groups: [group],
      onlyOnOneSide: [.init(side: .old, key: key, runs: 2)], workloadDifferences: ["nearly: \(text)"],
      excluded: [.init(file: text, reason: "the run was interrupted")],
      environmentDifferences: [
        .init(sentence: "the CPU differs: \(text)", isSerious: true),
        .init(sentence: "the host differs", isSerious: false),
      ], notes: ["runs of one day: \(text)"])
  }

  static func trend(naming text: String = "bench-allocation") -> Trend {
    let days = ["2026-11-02", "2026-11-03", "2026-11-20"].enumerated().map { index, day in
      MetricTrend.Day(
        day: day, runs: 3, p50: MedianAndRange([4, 4.1, 4.3]), p95: index == 1 ? nil : MedianAndRange([7, 8]),
        p99: MedianAndRange([15, Double(20 + index)]), pooled: pooled(1), mark: index == 2 ? .fewSamples : nil)
    }
    let rates = RateTrend(
      name: "misses", days: MedianAndRange([0, 1.5]).map { [.init(day: "2026-11-02", runs: 3, share: $0)] } ?? [])
    return Trend(
      groups: [
        GroupTrend(
          key: Workload(
            tool: .init(stringLiteral: text), targetKind: "embedded", label: text, parameters: ["count": text]),
          runs: 9,
          metrics: [MetricTrend(name: text, isHeadline: true, days: days)], rates: [rates])
      ], excluded: [.init(file: text, reason: text)], notes: [text])
  }

  private static func statistic(
    _ metric: String, _ statistic: StatisticComparison.Statistic, change: Double, interval: ClosedRange<Double>?,
    _ verdict: StatisticComparison.Verdict, isExploratory: Bool = false, values: [Double] = [4, 5]
  ) -> StatisticComparison {
    StatisticComparison(
      metric: metric, statistic: statistic, old: values, new: values, change: change, interval: interval, pValue: 0.01,
      uncorrectedPValue: 0.005, level: 0.95, verdict: verdict, isExploratory: isExploratory, isBelowMinimum: false,
      missing: verdict == .tooFewRuns ? .init(old: 2, new: 3) : nil, mark: statistic == .p99 ? .fewSamples : nil)
  }

  static func pooled(_ factor: UInt64) -> PooledLatencies {
    var histogram = LatencyHistogram()
    for value in 1...200 as ClosedRange<UInt64> { histogram.record(value * factor * 100_000) }
    return PooledLatencies(histogram, runs: 6)
  }
}
