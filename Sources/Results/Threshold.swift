package import Latency
import TextFormatting

/// A pass criterion: an expression over what was measured, as the user or the test plan wrote it.
///
/// ```swift
/// let threshold = try ThresholdParser(description).parse("allocation.p99 < 200ms")
/// let judged = threshold.judge(
///   metrics: document.metrics, counters: document.counters, bounds: FailureTimeouts(description, document.parameters))
/// print(judged.pass, judged.observed ?? 0)  // the observed P99 is in ms
/// ```
package struct Threshold: Sendable, Equatable {
  /// The value that is compared with the bound.
  package enum Subject: Sendable, Equatable {
    /// A latency metric's statistic. The bound is in ns; for `count` it is a number.
    case metric(String, Statistic)
    /// A counter's value.
    case counter(String)
    /// A counter's share of the iterations; the bound is in percent.
    case rate(String)
    /// How much a series of a soak grows in an hour; the bound is in percent of the series' median.
    case growth(String)
    /// The share of a soak's time without a warm task; the bound is in percent.
    case empty
  }

  package enum Statistic: String, Sendable, CaseIterable {
    case mean, min, max, p50, p90, p95, p99, p999, count
  }

  package enum Comparison: String, Sendable, CaseIterable {
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case less = "<"
    case greater = ">"

    package func holds(_ observed: Double, _ bound: Double) -> Bool {
      switch self {
      case .less: observed < bound
      case .lessOrEqual: observed <= bound
      case .greater: observed > bound
      case .greaterOrEqual: observed >= bound
      case .equal: observed == bound
      }
    }
  }

  /// As it was written.
  package var expression: String
  package var subject: Subject
  package var comparison: Comparison
  /// In ns, as a number, or in percent, as the subject says.
  package var bound: Double
  /// Whether it is the test plan's: such a threshold is skipped when its metric has no sample.
  package var isDefault: Bool

  /// The unit of an observed value.
  package enum Unit: String, Sendable {
    case milliseconds = "ms"
    case percent = "%"
    case none = ""
  }

  /// Whether it is about what only a soak watches.
  package var isOfSoak: Bool {
    switch subject {
    case .growth, .empty: true
    case .metric, .counter, .rate: false
    }
  }

  /// Whether it is about a share of the iterations.
  package var isOfRate: Bool {
    if case .rate = subject { true } else { false }
  }

  /// Whether `other` has an equal subject, comparison and bound; the expressions may be written differently.
  package func isSameCriterion(as other: Threshold) -> Bool {
    subject == other.subject && comparison == other.comparison && bound == other.bound
  }
}

extension Threshold {
  /// Judges the threshold by the figures of a result.
  ///
  /// - Parameters:
  ///   - bounds: The times at which failures count.
  ///   - missing: By metric, why one that the run was to measure has no sample: a threshold on it then fails.
  ///   - soak: What a soak watched; nil for another run.
  package func judge(
    metrics: [String: MetricDocument], counters: [String: UInt64], bounds: FailureTimeouts,
    missing: [String: String] = [:], soak: Soak? = nil
  ) -> ResultDocument.JudgedThreshold {
    switch subject {
    case .metric(let name, let statistic):
      judgeMetric(metrics[name], statistic, bound: bounds.timeout(of: name), missing: missing[name])
    case .counter(let name):
      counters[name].map { judged(Double($0), bound: bound) } ?? skipped("this run did not test it")
    case .rate(let name):
      counters[name].map { judgeRate($0, of: counters["iterations"] ?? 0) } ?? skipped("this run did not test it")
    case .growth(let name): judgeGrowth(name, soak)
    case .empty: judgeEmpty(soak)
    }
  }

  private func judgeMetric(
    _ metric: MetricDocument?, _ statistic: Statistic, bound failureBound: Nanoseconds?, missing: String?
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

  /// A mean that meets the threshold must meet it too when each of its failures counts at `bound`, their time-out.
  private func judgedAgain(
    _ judgement: ResultDocument.JudgedThreshold, _ metric: MetricDocument, _ bound: Nanoseconds?
  ) -> ResultDocument.JudgedThreshold {
    guard judgement.pass, metric.failures != nil else { return judgement }
    var again = judgement
    if let bound {
      let mean = metric.mean(countingFailuresAt: bound)
      if comparison.holds(mean, self.bound / 1e6) { return judgement }
      again.reason =
        "\(Self.failures(metric)): counted at the time-out of \(DurationText.write(bound)) this makes it "
        + "\(NumberText.time(milliseconds: mean)): failing fast is not being fast"
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

  /// A polled time is judged by its upper end. Where its lower end would be judged differently, the reader must know.
  private func reason(_ judgement: ResultDocument.JudgedThreshold, resolution: Double) -> String? {
    guard let observed = judgement.observed, comparison.holds(observed - resolution, bound / 1e6) != judgement.pass
    else { return nil }
    return "polls show it to within \(NumberText.time(milliseconds: resolution)): it may have been as short as "
      + "\(NumberText.time(milliseconds: max(0, observed - resolution))), and the upper end is judged"
  }

  private func judgeRate(_ number: UInt64, of iterations: UInt64) -> ResultDocument.JudgedThreshold {
    guard iterations > 0 else { return withoutSample }
    // The product comes first: then a rate that equals its bound exactly is the same number.
    return judged(Double(number) * 100 / Double(iterations), bound: bound)
  }

  private static let noSoak = "this run was no soak (--soak)"

  private func judgeEmpty(_ soak: Soak?) -> ResultDocument.JudgedThreshold {
    guard let soak else { return skipped(Self.noSoak) }
    guard let percent = soak.emptyPercent else { return skipped("the gateway gives no status of its pool") }
    guard soak.isPoolWatched else {
      return skipped(
        "the pool was seen for \(NumberText.decimals(soak.watchedSeconds ?? 0, 0)) s of "
          + "\(NumberText.decimals(soak.knownSeconds, 0)) s: less than half of the run")
    }
    return judged(percent, bound: bound)
  }

  /// Judges by the end of the slope's interval that is kinder to the run: a growth that may be chance crosses nothing.
  private func judgeGrowth(_ name: String, _ soak: Soak?) -> ResultDocument.JudgedThreshold {
    guard let soak else { return skipped(Self.noSoak) }
    let trends = soak.trends(of: name)
    guard !trends.isEmpty else { return skipped("this run did not watch it") }
    // Of several processes those are judged that can be: one that was seen for a short while hides no leak of another.
    let judgements = trends.compactMap { trend -> ResultDocument.JudgedThreshold? in
      guard trend.points >= SoakSeries.fewestPoints, let growth = trend.growth else { return nil }
      let judgedEnd =
        switch comparison {
        case .less, .lessOrEqual: growth.low
        case .greater, .greaterOrEqual: growth.high
        case .equal: min(max(bound, growth.low), growth.high)
        }
      let pass = comparison.holds(judgedEnd, bound)
      let range =
        "\(trend.series): with 95 % between \(NumberText.signed(growth.low, 2)) and \(NumberText.signed(growth.high, 2)) %/h"
      return ResultDocument.JudgedThreshold(
        expression: expression, observed: growth.percent, pass: pass,
        reason: pass == comparison.holds(growth.percent, bound) && pass ? nil : range)
    }
    // The worst one is said: one that fails, or else the one that grows most.
    if let failed = judgements.first(where: { !$0.pass }) { return failed }
    if let most = judgements.max(by: { ($0.observed ?? 0) < ($1.observed ?? 0) }) { return most }
    if let short = trends.first(where: { $0.points < SoakSeries.fewestPoints }) {
      return skipped(
        "\(short.series) has \(short.points) points after the first tenth: not enough, a trend needs \(SoakSeries.fewestPoints)"
      )
    }
    return skipped("\(trends[0].series) has a median of 0, which nothing is relative to")
  }

  private var withoutSample: ResultDocument.JudgedThreshold { skipped("there was no sample") }

  /// A threshold with nothing to judge: the test plan's own passes, the user's fails.
  private func skipped(_ reason: String) -> ResultDocument.JudgedThreshold {
    .init(expression: expression, observed: nil, pass: isDefault, skipped: isDefault ? true : nil, reason: reason)
  }

  private func judged(_ observed: Double, bound: Double) -> ResultDocument.JudgedThreshold {
    .init(expression: expression, observed: observed, pass: comparison.holds(observed, bound))
  }
}

extension ResultDocument.JudgedThreshold {
  /// The unit of the observed value, which follows from the expression's subject. For an expression of another version,
  /// which can't be parsed here, the form decides too: `<counter>.rate`, `<metric>.<statistic>`, `<counter>`.
  package var observedUnit: Threshold.Unit {
    let subject = expression.prefix { !" <>=".contains($0) }
    if subject.hasSuffix(".rate") || subject.hasSuffix("_growth") { return .percent }
    return subject.contains(".") && !subject.hasSuffix(".count") ? .milliseconds : .none
  }

  /// The observed value with its unit, for people.
  package var observedText: String {
    guard let value = observed else { return "no sample" }
    switch observedUnit {
    case .percent: return "\(NumberText.decimals(value, 2))%"
    case .milliseconds: return NumberText.time(milliseconds: value)
    case .none: return NumberText.decimals(value, 0)
    }
  }

  /// A crossed threshold with the observed value, in one line.
  package var crossing: String { "\(expression): observed \(observedText)" + (reason.map { " (\($0))" } ?? "") }
}

/// The times at which failures count where a mean is judged again with its failures.
///
/// A failed iteration has no latency, and the time that it would have taken is unknown. So it counts as if its whole
/// time-out had passed.
package struct FailureTimeouts: Sendable {
  private let tool: ToolDescription
  /// The run's time-outs by parameter.
  private let durations: [String: Nanoseconds]

  /// - Parameter durations: The time-outs of a run of `tool`, by parameter.
  package init(_ tool: ToolDescription, _ durations: [String: Nanoseconds]) {
    self.tool = tool
    self.durations = durations
  }

  /// The time-outs among the parameters of a stored run of `tool`; a value that is no duration is left out.
  package init(_ tool: ToolDescription, _ parameters: [String: JSONValue]) {
    self.tool = tool
    durations = parameters.compactMapValues { value in
      guard case .string(let text) = value else { return nil }
      return DurationText.parse(text)
    }
  }

  /// The longest of the time-outs that bound `metric`; nil where the run had none of them. A metric that the tool's
  /// description does not name is bounded by `timeout`.
  package func timeout(of metric: String) -> Nanoseconds? {
    (tool.metric(metric)?.timeouts ?? ["timeout"]).compactMap { durations[$0] }.max() ?? durations["timeout"]
  }

  /// The mean of `count` times whose mean is `mean`, and of `failures` that took `bound` each, all in one unit.
  package static func mean(_ mean: Double, of count: UInt64, with failures: UInt64, at bound: Double) -> Double {
    let (count, failures) = (Double(count), Double(failures))
    return (mean * count + bound * failures) / (count + failures)
  }
}
