extension Threshold {
  /// Judges the threshold over what a result holds; `missing` tells why a metric that the run was there for has no sample,
  /// `bounds` at what time a failure counts.
  package func judge(
    metrics: [String: MetricDocument], counters: [String: UInt64], bounds: FailureBounds,
    missing: [String: String] = [:]
  ) -> ResultDocument.JudgedThreshold {
    switch subject {
    case .metric(let name, let statistic):
      judgeMetric(metrics[name], statistic, bound: bounds.nanoseconds(of: name), missing: missing[name])
    case .counter(let name):
      counters[name].map { judged(Double($0), bound: bound) } ?? skipped("this run did not test it")
    case .rate(let name):
      counters[name].map { judgeRate($0, of: counters["iterations"] ?? 0) } ?? skipped("this run did not test it")
    }
  }

  private func judgeMetric(
    _ metric: MetricDocument?, _ statistic: Statistic, bound failureBound: UInt64?, missing: String?
  ) -> ResultDocument.JudgedThreshold {
    guard let metric else {
      if statistic == .count { return judged(0, bound: bound) }
      if let missing { return .init(expression: expression, observed: nil, pass: false, reason: missing) }
      return withoutSample
    }
    let observed = metric.value(of: statistic)
    if metric.unreliable.contains(statistic.rawValue) {
      return .init(
        expression: expression, observed: observed, pass: false,
        reason: statistic == .max
          ? "\(Self.failures(metric)), and may have been the slowest: failing fast is not being fast"
          : "so many iterations failed or were not finished that this percentile says nothing")
    }
    var judgement = judged(observed, bound: statistic == .count ? bound : bound / 1e6)
    if statistic != .count, let resolution = metric.resolution, resolution > 0 {
      judgement.reason = reason(judgement, resolution: resolution)
    }
    return statistic == .mean ? judgedAgain(judgement, metric, failureBound) : judgement
  }

  /// A mean that is met has to be met with its failures counted at their time-out too, `bound` in ns.
  private func judgedAgain(
    _ judgement: ResultDocument.JudgedThreshold, _ metric: MetricDocument, _ bound: UInt64?
  ) -> ResultDocument.JudgedThreshold {
    guard judgement.pass, metric.failures != nil else { return judgement }
    var again = judgement
    if let bound {
      let mean = metric.mean(countingFailuresAt: bound)
      if comparison.holds(mean, self.bound / 1e6) { return judgement }
      again.reason =
        "\(Self.failures(metric)): counted at the time-out of \(DurationText.write(bound)) this makes it "
        + "\(Figures.time(milliseconds: mean)): failing fast is not being fast"
    } else {
      again.reason = "\(Self.failures(metric)), and the run had no time-out to count at"
    }
    again.pass = false
    return again
  }

  private static func failures(_ metric: MetricDocument) -> String {
    let number = metric.failures ?? 0
    return "\(number) failed or \(number == 1 ? "was" : "were") not finished"
  }

  /// A polled time is judged by its upper end; where the lower one would be judged otherwise, the reader must know.
  private func reason(_ judgement: ResultDocument.JudgedThreshold, resolution: Double) -> String? {
    guard let observed = judgement.observed, comparison.holds(observed - resolution, bound / 1e6) != judgement.pass
    else { return nil }
    return "polls show it to within \(Figures.time(milliseconds: resolution)): it may have been as short as "
      + "\(Figures.time(milliseconds: max(0, observed - resolution))), and the upper end is judged"
  }

  private func judgeRate(_ number: UInt64, of iterations: UInt64) -> ResultDocument.JudgedThreshold {
    guard iterations > 0 else { return withoutSample }
    // Multiplied first: a rate that is exactly its bound is the same number.
    return judged(Double(number) * 100 / Double(iterations), bound: bound)
  }

  private var withoutSample: ResultDocument.JudgedThreshold { skipped("there was no sample") }

  /// Nothing to judge: harmless for the test plan's own, a failure where the user asked for it.
  private func skipped(_ reason: String) -> ResultDocument.JudgedThreshold {
    .init(expression: expression, observed: nil, pass: isDefault, skipped: isDefault ? true : nil, reason: reason)
  }

  private func judged(_ observed: Double, bound: Double) -> ResultDocument.JudgedThreshold {
    .init(expression: expression, observed: observed, pass: comparison.holds(observed, bound))
  }
}
