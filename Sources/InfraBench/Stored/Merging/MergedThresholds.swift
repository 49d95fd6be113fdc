import LoadEngine

/// The thresholds of several runs, each once, judged over what they measured together.
struct MergedThresholds {
  let judged: [ResultDocument.JudgedThreshold]

  init(runs: [ResultDocument], metrics: [String: MetricDocument], counters: [String: UInt64]) {
    let parser = ThresholdParser(.init(knownTo: runs))
    // What shapes the load is the same in all of them.
    let bounds = FailureBounds(runs.first?.parameters ?? [:])
    let thresholds = runs.flatMap(\.thresholds)
    let byExpression = Dictionary(grouping: thresholds, by: \.expression)
    var seen: Set<String> = []
    let expressions = thresholds.map(\.expression).filter { seen.insert($0).inserted }
    judged = expressions.map { expression in
      let said = byExpression[expression] ?? []
      // A run that was there for a metric and got no sample has missed the threshold; samples of others don't make up for it.
      if let missed = said.first(where: { $0.observed == nil && !$0.pass }) { return missed }
      // A default is told by its being skipped, and only matters where there is no sample: there every run has skipped it.
      let isDefault = said.allSatisfy { $0.skipped == true }
      guard let threshold = try? parser.parse(expression, isDefault: isDefault) else {
        return .init(
          expression: expression, observed: nil, pass: false, reason: "this version of the suite does not know it")
      }
      return threshold.judge(metrics: metrics, counters: counters, bounds: bounds)
    }
  }
}
