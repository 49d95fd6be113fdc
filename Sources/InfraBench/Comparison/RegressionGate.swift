/// What `--fail-on-regression` decides by: everything that is judged, shown or not. A gate that could not judge does not pass.
package struct RegressionGate: Sendable, Equatable {
  /// Headlines' statistics and rates that got worse.
  package var regressions: [StatisticComparison] = []
  /// What could not be judged and what is missing for it, a sentence for each group.
  package var unjudged: [String] = []
}

extension RegressionGate {
  /// - Parameters:
  ///   - judged: the groups that both sides have, with all that was judged of them.
  ///   - unmatched: those that one side has.
  init(_ judged: [(pair: RunPair, comparison: GroupComparison)], unmatched: [Comparison.UnmatchedGroup]) {
    regressions = judged.flatMap { $0.comparison.all }.filter { !$0.isExploratory && $0.verdict == .slower }
    unjudged = judged.compactMap { pair, comparison in
      Self.missing(in: pair, comparison).map { "\(Self.name(pair.shape)): \($0)" }
    }
    // What is new can't have got worse.
    unjudged += unmatched.filter { $0.side == .old }.map {
      "\(Self.name($0.key)): no NEW run to compare to the \(ComparisonRemarks.runs($0.runs)) of OLD"
    }
  }

  /// What a group lacks; nil where its headline and its rates could be judged.
  private static func missing(in pair: RunPair, _ comparison: GroupComparison) -> String? {
    guard let headline = pair.expectedHeadline else {
      let names = MetricOrder.headlines(of: pair.shape.tool)?.joined(separator: " or ") ?? "a metric that is judged"
      return "no OLD run has a sample of \(names)"
    }
    guard let metric = comparison.metrics.first(where: { $0.name == headline }) else {
      return "no NEW run has a sample of \(headline)"
    }
    let judged = Set(metric.statistics.map(\.statistic))
    let lost = StatisticComparison.Statistic.allCases.filter { statistic in
      !judged.contains(statistic) && pair.old.runs.contains { $0.metrics[headline]?.value(of: statistic) != nil }
    }
    let short = comparison.all.filter { !$0.isExploratory && !$0.isAllZero && $0.verdict == .tooFewRuns }
    let needed = short.compactMap(\.missing).max { $0.old + $0.new < $1.old + $1.new }
    let reasons = [
      lost.isEmpty ? nil : "no NEW run has \(list(lost.map { "\(headline) \($0.title)" }))",
      needed.map { "too few runs for \(list(short.map(\.title))): \(words($0))" },
    ].compactMap { $0 }
    return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
  }

  private static func words(_ missing: StatisticComparison.MissingRuns) -> String {
    let total = missing.old + missing.new
    return "\(total) more \(total == 1 ? "run" : "runs") needed (\(missing.old) OLD, \(missing.new) NEW)"
  }

  private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }

  /// Groups of one tool differ in their parameters.
  private static func name(_ key: LoadShape) -> String { "\(key.title) (\(key.parameterText))" }
}
