import Statistics
package import Results

/// The runs of one tool under one load on both sides.
package struct GroupComparison: Sendable {
  package var key: Workload
  package var runsOld: Int
  package var runsNew: Int
  /// The headline first, then in the tool's order.
  package var metrics: [MetricComparison]
  package var rates: [StatisticComparison]
  /// Whether its rates were asked for by name.
  package var hasNamedRates = false

  /// For people: without counters that are 0 everywhere, unless they were asked for.
  package var displayedRates: [StatisticComparison] { rates.filter { hasNamedRates || !$0.isAllZero } }

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

/// Judges every statistic of two sets of runs.
///
/// The statistics of the headline are one family of Holm's correction, the rates another: of each family, however many there are in
/// it, some change is called by mistake in at most alpha of all comparisons. All others are judged alone, and called exploratory.
struct SignificanceTests {
  let pair: RunPair
  let settings: Comparison.Settings

  /// Everything, also where `settings` asks for some of it only.
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

  /// Those that vary are a family. The others could show nothing, and would only make it harder for these.
  private var rates: [StatisticComparison] {
    let all = pair.workload.tool.judgedCounters.compactMap(values)
    let (varying, constant) = (all.filter { !$0.isConstant }, all.filter(\.isConstant))
    let judged = judge(varying) + constant.flatMap { judge([$0]) }
    let order = all.map(\.metric)
    return judged.sorted { (order.firstIndex(of: $0.metric) ?? 0) < (order.firstIndex(of: $1.metric) ?? 0) }
  }

  private func judge(_ values: [RunValues], isExploratory: Bool = false) -> [StatisticComparison] {
    // Statistics that are one number are one test: made twice, it would need more runs, and count twice.
    var tested: [RunValues] = []
    let places = values.map { value in
      if let place = tested.firstIndex(where: { $0.testsTheSame(as: value) }) { return place }
      tested.append(value)
      return tested.count - 1
    }
    let outcomes = TestFamily.outcomes(of: tested.map(\.samples), alpha: settings.alpha, minEffect: settings.minEffect)
    return zip(values, places).map { StatisticComparison($0, outcomes[$1], isExploratory: isExploratory) }
  }

  /// nil where a side has no run with a value.
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

/// One statistic's values, one a run.
private struct RunValues {
  var metric: String
  var statistic: StatisticComparison.Statistic
  /// Whether more is better.
  var isGood: Bool
  var old: [Double]
  var new: [Double]
  /// In ms.
  var resolution: Double
  /// Whether all statistics of every run are its only sample.
  var hasOneSample: Bool
  var mark: MetricDocument.Mark?

  /// nil where a side has no value.
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
    // Latencies change in percent of the old value; rates are in percent already.
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
