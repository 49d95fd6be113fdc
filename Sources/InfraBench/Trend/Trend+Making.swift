extension Trend {
  /// What a trend is of.
  package struct Settings: Sendable, Equatable {
    /// Only runs of this day, `2026-11-20`, and later ones; nil: all.
    package var since: String?
    /// Whether runs with different labels are kept apart.
    package var splitsByLabel = false
    /// Only these metrics and counters; empty: all.
    package var only: Set<String> = []

    package init() {}
  }

  /// The trend of all results at `paths`: files, or folders with all results below them.
  package static func make(_ paths: [String], settings: Settings = Settings()) async -> Trend {
    var found = await StoredRuns.load(paths)
    found.runs.removeAll { $0.day < settings.since ?? "" }
    let runs = found.comparable
    var excluded = runs.excluded
    var notes: [String] = []
    var groups: [GroupTrend] = []
    let shapes = Dictionary(grouping: runs.runs) { $0.shape(byLabel: settings.splitsByLabel) }
    for (shape, runs) in shapes.sorted(by: { $0.key < $1.key }) {
      let days = await pools(Dictionary(grouping: runs, by: \.day))
      excluded += days.flatMap(\.pool.excluded)
      notes += EnvironmentDifferences.sentences(within: runs)
      let worthless = runs.count(where: \.countsForRatesOnly)
      if worthless > 0 {
        notes.append(
          "\(shape.tool): \(worthless) of \(runs.count) runs were worthless (verdict error): their rates count, their "
            + "latencies don't")
      }
      let group = TrendBuilder(shape: shape, days: days, only: settings.only).group
      if !group.metrics.isEmpty || !group.rates.isEmpty { groups.append(group) }
    }
    return Trend(
      groups: groups, excluded: excluded.sorted { ($0.file, $0.reason) < ($1.file, $1.reason) },
      notes: notes.unique)
  }

  /// Each day's runs merged, the days in order; several at the same time.
  private static func pools(_ days: [String: [StoredRun]]) async -> [(day: String, pool: RunPool)] {
    await withTaskGroup(of: (day: String, pool: RunPool).self) { group in
      for (day, runs) in days {
        group.addTask { (day, RunPool(runs)) }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.day < $1.day }
    }
  }
}

/// Puts the days of one load together.
private struct TrendBuilder {
  let shape: LoadShape
  let days: [(day: String, pool: RunPool)]
  let only: Set<String>

  var group: GroupTrend {
    let names = Set(days.flatMap { $0.pool.metrics.keys })
    let headline = MetricOrder.headlines(of: shape.tool)?.first(where: names.contains)
    return GroupTrend(
      key: shape, runs: days.reduce(0) { $0 + $1.pool.runs.count },
      metrics: MetricOrder.sorted(names, of: shape.tool, headline: headline).filter(isWanted)
        .map { MetricTrend(name: $0, isHeadline: $0 == headline, days: days(of: $0)) },
      rates: RateCounter.all.filter { isWanted($0.name) }.map { RateTrend(name: $0.name, days: days(of: $0)) }
        .filter { !$0.days.isEmpty })
  }

  private func isWanted(_ name: String) -> Bool { only.isEmpty || only.contains(name) }

  private func days(of name: String) -> [MetricTrend.Day] {
    days.compactMap { day, pool in
      guard let pooled = pool.metrics[name] else { return nil }
      let metrics = pool.runs.compactMap { $0.metrics[name] }
      func spread(_ statistic: StatisticComparison.Statistic) -> Spread? {
        Spread(metrics.compactMap { $0.value(of: statistic) })
      }
      return MetricTrend.Day(
        day: day, runs: metrics.count, p50: spread(.p50), p95: spread(.p95), p99: spread(.p99), pooled: pooled,
        mark: MetricDocument.Mark.allCases.first { mark in metrics.contains { $0.mark(of: .p99) == mark } })
    }
  }

  private func days(of counter: RateCounter) -> [RateTrend.Day] {
    days.compactMap { day, pool in
      let shares = pool.runs.compactMap { counter.share(in: $0.counters).map { $0 * 100 } }
      return Spread(shares).map { RateTrend.Day(day: day, runs: shares.count, share: $0) }
    }
  }
}

extension [String] {
  /// Each once, in the order of its first appearance.
  fileprivate var unique: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
