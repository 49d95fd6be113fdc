package import Latency
import TextFormatting

/// A pass criterion: an expression over what was measured, as the user or the test plan wrote it.
package struct Threshold: Sendable, Equatable {
  /// What is looked at.
  package enum Subject: Sendable, Equatable {
    /// A latency metric's statistic; the bound is in ns, or a number for `count`.
    case metric(String, Statistic)
    /// A counter's value.
    case counter(String)
    /// A counter's share of the iterations, in percent.
    case rate(String)
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
  /// In ns, as a number, or in percent, after the subject.
  package var bound: Double
  /// Whether it is the test plan's: such a one is skipped when its metric got no sample.
  package var isDefault: Bool

  /// What an observed value is in.
  package enum Unit: String, Sendable {
    case milliseconds = "ms"
    case percent = "%"
    case none = ""
  }

  /// Whether `other` asks for the same, however it is written.
  package func isSameCriterion(as other: Threshold) -> Bool {
    subject == other.subject && comparison == other.comparison && bound == other.bound
  }
}

extension Threshold {
  /// Judges the threshold over what a result holds; `missing` tells why a metric that the run was there for has no sample,
  /// `bounds` at what time a failure counts.
  package func judge(
    metrics: [String: MetricDocument], counters: [String: UInt64], bounds: FailureTimeouts,
    missing: [String: String] = [:]
  ) -> ResultDocument.JudgedThreshold {
    switch subject {
    case .metric(let name, let statistic):
      judgeMetric(metrics[name], statistic, bound: bounds.timeout(of: name), missing: missing[name])
    case .counter(let name):
      counters[name].map { judged(Double($0), bound: bound) } ?? skipped("this run did not test it")
    case .rate(let name):
      counters[name].map { judgeRate($0, of: counters["iterations"] ?? 0) } ?? skipped("this run did not test it")
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

  /// A mean that is met has to be met with its failures counted at their time-out too, `bound`.
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

  /// A polled time is judged by its upper end; where the lower one would be judged otherwise, the reader must know.
  private func reason(_ judgement: ResultDocument.JudgedThreshold, resolution: Double) -> String? {
    guard let observed = judgement.observed, comparison.holds(observed - resolution, bound / 1e6) != judgement.pass
    else { return nil }
    return "polls show it to within \(NumberText.time(milliseconds: resolution)): it may have been as short as "
      + "\(NumberText.time(milliseconds: max(0, observed - resolution))), and the upper end is judged"
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

extension ResultDocument.JudgedThreshold {
  /// The unit of the observed value, which is that of the expression's subject. An expression of another version, which nobody
  /// can parse here, has its unit by the same form: `<counter>.rate`, `<metric>.<statistic>`, `<counter>`.
  package var observedUnit: Threshold.Unit {
    let subject = expression.prefix { $0 != " " }
    if subject.hasSuffix(".rate") { return .percent }
    return subject.contains(".") && !subject.hasSuffix(".count") ? .milliseconds : .none
  }

  /// The observed value in its own unit, for people.
  package var observedText: String {
    guard let value = observed else { return "no sample" }
    switch observedUnit {
    case .percent: return "\(NumberText.decimals(value, 2))%"
    case .milliseconds: return NumberText.time(milliseconds: value)
    case .none: return NumberText.decimals(value, 0)
    }
  }

  /// A threshold that was crossed, with what was observed, in one line.
  package var crossing: String { "\(expression): observed \(observedText)" + (reason.map { " (\($0))" } ?? "") }
}

/// At what time a failure counts where a mean is judged again with its failures.
///
/// What failed has no latency, and what it would have taken is unknown: it counts as if its time-out had been waited for.
package struct FailureTimeouts: Sendable {
  private let tool: ToolDescription
  /// The run's bounds by parameter.
  private let durations: [String: Nanoseconds]

  /// - Parameter durations: The bounds of a run of `tool` by parameter.
  package init(_ tool: ToolDescription, _ durations: [String: Nanoseconds]) {
    self.tool = tool
    self.durations = durations
  }

  /// The bounds among the parameters of a stored run of `tool`; what is no duration is none.
  package init(_ tool: ToolDescription, _ parameters: [String: JSONValue]) {
    self.tool = tool
    durations = parameters.compactMapValues { value in
      guard case .string(let text) = value else { return nil }
      return DurationText.parse(text)
    }
  }

  /// The time-out that `metric`'s time can meet: the longest of those that bound it; nil where the run had none. A metric
  /// that the tool's description doesn't name is bounded by `timeout`.
  package func timeout(of metric: String) -> Nanoseconds? {
    (tool.metric(metric)?.timeouts ?? ["timeout"]).compactMap { durations[$0] }.max()
  }

  /// The mean of `count` times of which `mean` is known, and of `failures` that each took `bound`, all in one unit.
  package static func mean(_ mean: Double, of count: UInt64, with failures: UInt64, at bound: Double) -> Double {
    let (count, failures) = (Double(count), Double(failures))
    return (mean * count + bound * failures) / (count + failures)
  }
}
