import Latency

/// The tables of a group that the text and the Markdown report share.
struct ComparisonTables {
  let group: GroupComparison
  /// What a statistic is marked with that was judged alone.
  private static let exploratory = "~"

  /// What the tool is there to measure.
  var headline: TextTable? { table("latency", group.metrics.filter(\.isHeadline).flatMap(\.statistics)) }

  /// All other latencies.
  var others: TextTable? { table("exploratory", group.metrics.filter { !$0.isHeadline }.flatMap(\.statistics)) }

  /// Rates of the runs.
  var rates: TextTable? { table("rate", group.shownRates) }

  /// The latencies of each side's runs together, of the headline.
  var pooled: TextTable? {
    guard let metric = group.metrics.first(where: \.isHeadline) else { return nil }
    var table = TextTable([
      "all runs together", "runs", "count", "mean", "P50", "P90", "P95", "P99", "P99.9", "max",
    ])
    for (side, pooled) in [(Comparison.Side.old, metric.pooledOld), (.new, metric.pooledNew)] {
      guard let summary = pooled.summary else { continue }
      let times = [summary.mean] + summary.percentiles.map { Double($0.value) } + [Double(summary.max)]
      table.add(
        ["\(metric.name) \(side.rawValue)", "\(pooled.runs)", "\(summary.count)"]
          + times.map { Figures.time(milliseconds: $0 / 1e6) })
    }
    return table
  }

  private func table(_ kind: String, _ statistics: [StatisticComparison]) -> TextTable? {
    guard !statistics.isEmpty else { return nil }
    var table = TextTable([kind, "OLD", "NEW", "change", "interval", "p", "runs", "verdict"])
    for statistic in statistics {
      table.add([
        statistic.title + (statistic.mark?.rawValue ?? "") + (statistic.isExploratory ? Self.exploratory : ""),
        statistic.text(of: statistic.oldMedian), statistic.text(of: statistic.newMedian), statistic.changeText,
        statistic.intervalText, statistic.pText, "\(statistic.old.count)/\(statistic.new.count)",
        statistic.verdictText,
      ])
    }
    return table
  }

  /// What the tables of `groups` take for granted.
  static func legend(of groups: [GroupComparison], _ settings: Comparison.Settings) -> [String] {
    let statistics = groups.flatMap(\.all).filter { $0.statistic != .rate || !$0.isAllZero }
    var lines = [
      "OLD, NEW: medians of the runs; change: by how much NEW lies above OLD (Hodges–Lehmann), with the interval that leaves out 0 "
        + "exactly where p ≤ \(settings.alpha); a change counts from \(StatisticComparison.percent(settings.minEffect * 100)) on"
    ]
    if statistics.contains(where: { !$0.isExploratory }) {
      let plain = StatisticComparison.percent((1 - settings.alpha) * 100)
      lines.append(
        "p of a headline's statistics, and of rates, is corrected for how many are asked together (Holm), and their intervals are "
          + "wider to match; those of exploratory statistics are \(plain) intervals")
    }
    if statistics.contains(where: \.isExploratory) {
      lines.append("\(exploratory) exploratory: judged alone, as one of many; what it shows is a hint")
    }
    if statistics.contains(where: { $0.mark == .maximum }) {
      lines.append("^ in some runs no sample lies beyond this percentile: it is their maximum")
    }
    if statistics.contains(where: { $0.mark == .fewSamples }) {
      lines.append("* in some runs fewer than 10 samples lie beyond this percentile: it rests on few")
    }
    return lines
  }
}
