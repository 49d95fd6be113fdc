import Statistics
import Results

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
    // Statistics of a metric can be one number, because each run has a single sample or all values are equal. They are
    // tested once: a second test would count twice in the family and require more runs.
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
