import Latency
package import Results
import TextFormatting

/// What a pool has to reach: `hit >= 99%`, `wait.p99 < 5s`, `refused == 0%`, `cost <= 100`, `instances <= 8`.
///
/// A hit rate is judged by the formula where one applies, else by the worse end of its 95 % interval: that a rate was
/// reached by chance is no answer.
package struct Requirement: Sendable, Equatable {
  package enum Subject: Sendable, Equatable {
    /// In percent of the arrivals.
    case hit, refused
    /// A statistic of the waits, in ns.
    case wait(Threshold.Statistic)
    /// Of a month, in the prices' currency.
    case cost
    /// Instances that run or boot, on average.
    case instances
  }

  package let expression: String
  package let subject: Subject
  package let comparison: Threshold.Comparison
  package let bound: Double

  /// A requirement that was judged.
  package struct Judgement: Sendable, Equatable {
    package var expression: String
    package var isMet: Bool
    /// With its unit.
    package var observed: String
  }

  /// - Throws: Why the text is no requirement; the message says what to write instead.
  package init(_ text: String) throws(ThresholdError) {
    let (left, comparison, right) = try ThresholdParser.split(text, example: "hit >= 99%")
    let subject = try Self.subject(left)
    self.subject = subject
    self.comparison = comparison
    expression = "\(left) \(comparison.rawValue) \(right)"
    bound = try Self.bound(right, of: subject)
  }

  private static let waits: [Threshold.Statistic] = [.mean, .p50, .p90, .p95, .p99, .p999, .max]

  private static func subject(_ text: String) throws(ThresholdError) -> Subject {
    switch text {
    case "hit": return .hit
    case "refused": return .refused
    case "cost": return .cost
    case "instances": return .instances
    case "wait": throw ThresholdError(message: "'wait' needs a statistic, such as 'wait.p99'")
    default: break
    }
    guard text.hasPrefix("wait.") else {
      throw ThresholdError(
        message: "'\(text.prefix(40))' is nothing that a plan has: write hit, wait.p99, refused, cost or instances")
    }
    guard let statistic = Threshold.Statistic(rawValue: String(text.dropFirst(5))), waits.contains(statistic) else {
      let known = PlainText.list(waits.map { "wait.\($0.rawValue)" })
      throw ThresholdError(message: "'\(text.prefix(40))' is no statistic of waits: write \(known)")
    }
    return .wait(statistic)
  }

  private static func bound(_ text: String, of subject: Subject) throws(ThresholdError) -> Double {
    switch subject {
    case .hit, .refused:
      if text.hasSuffix("%"), let percent = DurationText.parseDecimal(text.dropLast()), percent <= 100 {
        return percent
      }
      throw ThresholdError(message: "'\(text.prefix(40))' is no share: write it in percent, such as 99%")
    case .wait:
      if let length = DurationText.parse(text) { return Double(length.nanoseconds) }
      throw ThresholdError(message: "'\(text.prefix(40))' is no duration: \(DurationText.rule)")
    case .cost, .instances:
      if let number = DurationText.parseDecimal(text) { return number }
      throw ThresholdError(message: "'\(text.prefix(40))' is no number: write it plainly, such as 100 or 2.5")
    }
  }

  /// Judges a candidate. A value that the candidate does not have is not met; nor is a statistic of waits that are only
  /// known to be longer than the histogram's top.
  package func judge(_ result: CandidateResult) -> Judgement {
    if case .wait(let statistic) = subject, !result.waits.isEmpty, Self.isBeyondTop(statistic, of: result.waits) {
      let top = LatencyText.format(Double(result.waits.layout.highestTrackableValue))
      return Judgement(expression: expression, isMet: false, observed: "more than \(top)")
    }
    guard let (value, text) = observed(result) else {
      return Judgement(expression: expression, isMet: false, observed: "none")
    }
    return Judgement(expression: expression, isMet: comparison.holds(value, bound), observed: text)
  }

  private func observed(_ result: CandidateResult) -> (Double, String)? {
    let all = Double(result.arrivals)
    switch subject {
    case .hit: return all > 0 ? hit(result) : nil
    case .refused:
      guard all > 0 else { return nil }
      let percent = Double(result.refused + result.unserved) * 100 / all
      return (percent, Self.percent(percent))
    case .wait(let statistic):
      // Of users who never got a task the wait is unknown, and any wait may be the longest.
      guard !result.waits.isEmpty, result.refused + result.unserved == 0 else { return nil }
      let value = Self.value(statistic, of: result.waits)
      return (value, LatencyText.format(value))
    case .cost: return result.cost.map { ($0.total, NumberText.decimals($0.total, 2)) }
    case .instances: return result.meanInstances.map { ($0, NumberText.decimals($0, 2)) }
    }
  }

  private func hit(_ result: CandidateResult) -> (Double, String) {
    if let exact = result.formulaHitRate, result.choice.reasonNotCompared == nil {
      return (exact * 100, "\(Self.percent(exact * 100)) by the formula")
    }
    let worse: Double? =
      switch comparison {
      case .greater, .greaterOrEqual: result.hitRate.interval?.lowerBound
      case .less, .lessOrEqual: result.hitRate.interval?.upperBound
      case .equal: nil
      }
    guard let worse else { return (result.hitRate.value * 100, Self.percent(result.hitRate.value * 100)) }
    return (worse * 100, "\(Self.percent(worse * 100)) at the worse end of its interval")
  }

  private static func percent(_ percent: Double) -> String { "\(NumberText.decimals(percent, 3))%" }

  /// Whether a statistic is made of waits that were longer than the histogram's top, and were recorded as that: the mean
  /// and the maximum where there is any, and a percentile that lies at the top.
  private static func isBeyondTop(_ statistic: Threshold.Statistic, of waits: LatencyHistogram) -> Bool {
    guard waits.clampedCount > 0 else { return false }
    switch statistic {
    case .mean, .max: return true
    default: return value(statistic, of: waits) >= Double(waits.layout.highestTrackableValue)
    }
  }

  private static func value(_ statistic: Threshold.Statistic, of waits: LatencyHistogram) -> Double {
    switch statistic {
    case .mean: waits.mean
    case .min: Double(waits.min)
    case .max: Double(waits.max)
    case .count: Double(waits.totalCount)
    case .p50: Double(waits.value(atPercentile: 50))
    case .p90: Double(waits.value(atPercentile: 90))
    case .p95: Double(waits.value(atPercentile: 95))
    case .p99: Double(waits.value(atPercentile: 99))
    case .p999: Double(waits.value(atPercentile: 99.9))
    }
  }
}
