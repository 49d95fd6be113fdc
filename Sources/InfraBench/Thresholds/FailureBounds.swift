/// At what time a failure counts where a mean is judged again with its failures.
///
/// What failed has no latency, and what it would have taken is unknown: it counts as if its time-out had been waited for.
package struct FailureBounds: Sendable {
  private let parameters: [String: JSONValue]

  /// - Parameter parameters: a result's.
  package init(_ parameters: [String: JSONValue]) {
    self.parameters = parameters
  }

  /// The time-out that `metric`'s time can meet, in ns; nil where the run had none.
  func nanoseconds(of metric: String) -> UInt64? {
    if metric.hasPrefix("refill_"), let bound = duration("refillTimeout") { return bound }
    let isCold = metric.contains("cold") || ColdStarts.metrics.contains(metric)
    return [duration("timeout"), isCold ? duration("startTimeout") : nil].compactMap(\.self).max()
  }

  /// The mean of `count` times of which `mean` is known, and of `failures` that each took `bound`, all in one unit.
  static func mean(_ mean: Double, of count: UInt64, with failures: UInt64, at bound: Double) -> Double {
    let (count, failures) = (Double(count), Double(failures))
    return (mean * count + bound * failures) / (count + failures)
  }

  private func duration(_ parameter: String) -> UInt64? {
    guard case .string(let text)? = parameters[parameter] else { return nil }
    return DurationText.parse(text)
  }
}
