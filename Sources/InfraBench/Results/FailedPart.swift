/// How many of something failed, or were not finished: a latency metric shows successes only.
package struct FailedPart: Sendable, Equatable {
  package var failed: UInt64
  package var all: UInt64

  /// Nothing failed, or what failed is no business of the metric's.
  package static let none = FailedPart(0, of: 0)

  package init(_ failed: UInt64, of all: UInt64) {
    self.failed = failed
    self.all = all
  }

  /// The same of a metric of which each iteration gives `number` samples: one that failed gave none of them.
  func times(_ number: UInt64) -> FailedPart {
    FailedPart(saturatingProduct(failed, number), of: saturatingProduct(all, number))
  }

  /// 0 of nothing.
  var share: Double { all > 0 ? Double(failed) / Double(all) : 0 }
}

extension FailedPart {
  /// Of the iterations that a result tells of: errors, and what was not finished, unless that is because the run was
  /// interrupted.
  init(ofIterations counters: [String: UInt64], errors: [ResultDocument.Failure], isInterrupted: Bool) {
    let unfinished = isInterrupted ? 0 : counters["censored"] ?? 0
    let beside = errors.filter(\.isOutsideOfIterations).reduce(0) { saturatingSum($0, $1.count) }
    let failures = counters["errors"] ?? 0
    self.init(
      saturatingSum(failures - min(beside, failures), unfinished),
      of: saturatingSum(counters["iterations"] ?? 0, unfinished))
  }
}

extension ResultDocument.Failure {
  /// Whether it says nothing of an iteration: tasks are stopped when the users that they were started for are done.
  var isOutsideOfIterations: Bool { kind.hasPrefix("stop_task: ") }
}

extension ResultDocument {
  /// What the latencies of `metric` leave out.
  func failedPart(of metric: String) -> FailedPart {
    if MetricOrder.ofSetUp.contains(metric) { return .none }
    if tool == ExhaustionBenchmark.tool {
      // Its metrics have populations of their own, of which a document has the failures alone.
      guard let metric = metrics[metric], let failed = metric.failures else { return .none }
      return FailedPart(failed, of: saturatingSum(metric.count, failed))
    }
    return FailedPart(ofIterations: counters, errors: errors, isInterrupted: verdict == .interrupted)
      .times(SamplesPerIteration.of(metric, parameters))
  }
}
