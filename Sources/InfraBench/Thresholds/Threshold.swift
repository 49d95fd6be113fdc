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

  /// Whether `other` asks for the same, however it is written.
  func isSameCriterion(as other: Threshold) -> Bool {
    subject == other.subject && comparison == other.comparison && bound == other.bound
  }
}
