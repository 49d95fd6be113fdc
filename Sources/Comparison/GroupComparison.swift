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

/// Judges all statistics of two sets of runs.
///
/// The statistics of the headline metric are one family of Holm's correction, and the rates are another. Per family, of
/// any size, at most the share alpha of comparisons reports a false change. All other statistics are judged alone and
/// are called exploratory.
struct SignificanceTests {
  let pair: RunPair
  let settings: Comparison.Settings

  /// The whole comparison, even if `settings` selects a part of it.
  var comparison: GroupComparison {
    GroupComparison(
      key: pair.workload, runsOld: pair.old.runs.count, runsNew: pair.new.runs.count, metrics: metrics, rates: rates)
  }

  private var metrics: [MetricComparison] {
    let headline = pair.headline
    return pair.metricNames.compactMap { name in
      guard let pooledOld = pair.old.metrics[name], let pooledNew = pair.new.metrics[name] else { return nil }
      let statistics = StatisticComparison.Statistic.allCases.compactMap { values(of: name, $0) }
      let isHeadline = name == headline
      let judged = isHeadline ? judge(statistics) : statistics.flatMap { judge([$0], isExploratory: true) }
      return MetricComparison(
        name: name, isHeadline: isHeadline, statistics: judged, pooledOld: pooledOld, pooledNew: pooledNew,
        resolution: resolution(of: name))
    }
  }

  /// The rates that vary form the family. Constant rates can show no change, and would only make the correction
  /// stricter for the others.
  private var rates: [StatisticComparison] {
    let all = pair.workload.tool.judgedCounters.compactMap(values)
    let (varying, constant) = (all.filter { !$0.isConstant }, all.filter(\.isConstant))
    let judged = judge(varying) + constant.flatMap { judge([$0]) }
    let order = all.map(\.metric)
    return judged.sorted { (order.firstIndex(of: $0.metric) ?? 0) < (order.firstIndex(of: $1.metric) ?? 0) }
  }

  private func judge(_ values: [RunValues], isExploratory: Bool = false) -> [StatisticComparison] {
    // Statistics with equal values in all runs are tested once: a second test would count twice in the family and
    // require more runs.
    var tested: [RunValues] = []
    let places = values.map { value in
      if let place = tested.firstIndex(where: { $0.testsTheSame(as: value) }) { return place }
      tested.append(value)
      return tested.count - 1
    }
    let outcomes = TestFamily.outcomes(of: tested.map(\.samples), alpha: settings.alpha, minEffect: settings.minEffect)
    return zip(values, places).map { StatisticComparison($0, outcomes[$1], isExploratory: isExploratory) }
  }

  /// The values of a metric's statistic; nil if a side has no run with a value.
  private func values(of metric: String, _ statistic: StatisticComparison.Statistic) -> RunValues? {
    let documents = (pair.old.runs + pair.new.runs).compactMap { $0.metrics[metric] }
    return RunValues(
      metric: metric, statistic: statistic, isGood: false,
      old: pair.old.runs.compactMap { $0.value(of: metric, statistic) },
      new: pair.new.runs.compactMap { $0.value(of: metric, statistic) },
      resolution: resolution(of: metric) ?? 0, hasOneSample: documents.allSatisfy { $0.count == 1 },
      mark: MetricDocument.Mark.allCases.first { mark in documents.contains { $0.mark(of: statistic) == mark } })
  }

  private func values(of counter: ToolDescription.Counter) -> RunValues? {
    RunValues(
      metric: counter.name, statistic: .rate, isGood: counter.meaning == .good,
      old: pair.old.runs.compactMap { $0.document.share(of: counter).map { $0 * 100 } },
      new: pair.new.runs.compactMap { $0.document.share(of: counter).map { $0 * 100 } }, resolution: 0,
      hasOneSample: false,
      mark: nil)
  }

  private func resolution(of metric: String) -> Double? {
    (pair.old.runs + pair.new.runs).compactMap { $0.metrics[metric]?.resolution }.max()
  }
}

/// One statistic's values, one per run.
private struct RunValues {
  var metric: String
  var statistic: StatisticComparison.Statistic
  /// Whether a higher value is better.
  var isGood: Bool
  var old: [Double]
  var new: [Double]
  /// The resolution in ms.
  var resolution: Double
  /// Whether each run has a single sample, so that all its statistics are equal.
  var hasOneSample: Bool
  var mark: MetricDocument.Mark?

  /// Makes the values; nil if a side has no value.
  init?(
    metric: String, statistic: StatisticComparison.Statistic, isGood: Bool, old: [Double], new: [Double],
    resolution: Double, hasOneSample: Bool, mark: MetricDocument.Mark?
  ) {
    guard !old.isEmpty, !new.isEmpty else { return nil }
    (self.metric, self.statistic, self.isGood) = (metric, statistic, isGood)
    (self.old, self.new, self.resolution, self.mark) = (old, new, resolution, mark)
    self.hasOneSample = hasOneSample
  }

  func testsTheSame(as other: RunValues) -> Bool {
    metric == other.metric && (hasOneSample || old == other.old && new == other.new)
  }

  var isConstant: Bool { Set(old + new).count == 1 }

  var samples: TwoSamples {
    TwoSamples(old: old, new: new, scale: statistic == .rate ? .difference : .ratio, resolution: resolution)
  }
}

extension StatisticComparison {
  fileprivate init(_ values: RunValues, _ outcome: TestOutcome, isExploratory: Bool) {
    // Changes of latencies are shares, which become percent here; rates are in percent already.
    let unit = values.statistic == .rate ? 1.0 : 100.0
    let verdict: Verdict =
      switch outcome.verdict {
      case .lower: values.isGood ? .slower : .faster
      case .higher: values.isGood ? .faster : .slower
      case .noChange: .noChange
      case .tooFewRuns: .tooFewRuns
      }
    self.init(
      metric: values.metric, statistic: values.statistic, old: values.old, new: values.new,
      change: outcome.change * unit,
      interval: outcome.interval.map { $0.lowerBound * unit...$0.upperBound * unit },
      pValue: outcome.adjustedPValue, uncorrectedPValue: outcome.pValue, level: 1 - outcome.level, verdict: verdict,
      isExploratory: isExploratory, isBelowMinimum: outcome.isBelowMinimum,
      missing: outcome.verdict == .tooFewRuns ? MissingRuns(old: outcome.needed.old, new: outcome.needed.new) : nil,
      mark: values.mark)
  }
}
