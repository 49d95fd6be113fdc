import Statistics
package import Reports
package import Results
import TextFormatting

/// The percentiles of each metric by day. The text, Markdown, JSON and HTML reports are made from this value.
package struct Trend: Sendable {
  /// The groups, sorted by tool, then by parameters.
  package var groups: [GroupTrend]
  package var excluded: [ExcludedFile]
  /// Notes for a reader of the figures.
  package var notes: [String]
}

/// The runs of one tool under one load.
package struct GroupTrend: Sendable {
  package var key: Workload
  package var runs: Int
  /// The metrics, the headline first, then in the tool's order.
  package var metrics: [MetricTrend]
  package var rates: [RateTrend]
}

/// One latency metric by day.
package struct MetricTrend: Sendable {
  package struct Day: Sendable {
    /// UTC, `2026-11-20`.
    package var day: String
    /// The number of runs with a sample.
    package var runs: Int
    /// P50 in ms; nil if failures make it meaningless in all runs of the day. The other percentiles follow this rule
    /// too.
    package var p50: MedianAndRange?
    package var p95: MedianAndRange?
    package var p99: MedianAndRange?
    /// All runs of the day together.
    package var pooled: PooledLatencies
    /// The mark of P99 if it rests on few samples in at least one run.
    package var mark: MetricDocument.Mark?
  }

  package var name: String
  /// Whether it is the tool's headline metric.
  package var isHeadline: Bool
  /// The days in ascending order.
  package var days: [Day]
}

/// One counter over the iterations by day.
package struct RateTrend: Sendable {
  package struct Day: Sendable {
    /// UTC, `2026-11-20`.
    package var day: String
    package var runs: Int
    /// The share in percent.
    package var share: MedianAndRange
  }

  /// The counter's name.
  package var name: String
  /// The days in ascending order.
  package var days: [Day]

  /// Whether it is 0 in all runs.
  package var isAllZero: Bool { days.allSatisfy { $0.share.max == 0 } }
}

extension Trend {
  /// The selection of a trend's runs and metrics.
  package struct Settings: Sendable, Equatable {
    /// The first day, such as `2026-11-20`; nil takes all days.
    package var since: String?
    /// Whether runs with different labels are kept apart.
    package var splitsByLabel = false
    /// The metrics and counters that are taken; empty takes all.
    package var only: Set<String> = []

    package init() {}
  }

  /// Makes the trend of the results at `paths`: files, or folders with results below them.
  package static func make(
    _ paths: [String], reader: ResultReader, settings: Settings = Settings()
  ) async -> Trend {
    var found = await StoredRuns.load(paths, reader)
    found.runs.removeAll { $0.day < settings.since ?? "" }
    let runs = found.comparable
    var excluded = runs.excluded
    var notes: [String] = []
    var groups: [GroupTrend] = []
    let workloads = Dictionary(grouping: runs.runs) { $0.workload(byLabel: settings.splitsByLabel) }
    for (workload, runs) in workloads.sorted(by: { $0.key < $1.key }) {
      let days = await pools(Dictionary(grouping: runs, by: \.day))
      excluded += days.flatMap(\.pool.excluded)
      notes += EnvironmentDifferences.sentences(within: runs)
      let worthless = runs.count(where: \.hasRatesOnly)
      if worthless > 0 {
        notes.append(
          "\(workload.tool.name): \(worthless) of \(runs.count) runs were worthless (verdict error): their rates count, their "
            + "latencies don't")
      }
      let group = TrendBuilder(workload: workload, days: days, only: settings.only).group
      if !group.metrics.isEmpty || !group.rates.isEmpty { groups.append(group) }
    }
    return Trend(
      groups: groups, excluded: excluded.sorted { ($0.file, $0.reason) < ($1.file, $1.reason) },
      notes: notes.unique)
  }

  /// Merges each day's runs, several days concurrently. The days are in order.
  private static func pools(_ days: [String: [StoredRun]]) async -> [(day: String, pool: PooledRuns)] {
    await withTaskGroup(of: (day: String, pool: PooledRuns).self) { group in
      for (day, runs) in days {
        group.addTask { (day, PooledRuns(runs)) }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.day < $1.day }
    }
  }
}

/// Makes the trend of one workload from its days.
private struct TrendBuilder {
  let workload: Workload
  let days: [(day: String, pool: PooledRuns)]
  let only: Set<String>

  var group: GroupTrend {
    let names = Set(days.flatMap { $0.pool.metrics.keys })
    let headline = workload.tool.headline(among: names)
    return GroupTrend(
      key: workload, runs: days.reduce(0) { $0 + $1.pool.runs.count },
      metrics: workload.tool.sorted(names, headline: headline).filter(isWanted)
        .map { MetricTrend(name: $0, isHeadline: $0 == headline, days: days(of: $0)) },
      rates: workload.tool.judgedCounters.filter { isWanted($0.name) }.map {
        RateTrend(name: $0.name, days: days(of: $0))
      }
      .filter { !$0.days.isEmpty })
  }

  private func isWanted(_ name: String) -> Bool { only.isEmpty || only.contains(name) }

  private func days(of name: String) -> [MetricTrend.Day] {
    days.compactMap { day, pool in
      guard let pooled = pool.metrics[name] else { return nil }
      let metrics = pool.runs.compactMap { $0.metrics[name] }
      func spread(_ statistic: StatisticComparison.Statistic) -> MedianAndRange? {
        MedianAndRange(pool.runs.compactMap { $0.value(of: name, statistic) })
      }
      return MetricTrend.Day(
        day: day, runs: metrics.count, p50: spread(.p50), p95: spread(.p95), p99: spread(.p99), pooled: pooled,
        mark: MetricDocument.Mark.allCases.first { mark in metrics.contains { $0.mark(of: .p99) == mark } })
    }
  }

  private func days(of counter: ToolDescription.Counter) -> [RateTrend.Day] {
    days.compactMap { day, pool in
      let shares = pool.runs.compactMap { $0.document.share(of: counter).map { $0 * 100 } }
      return MedianAndRange(shares).map { RateTrend.Day(day: day, runs: shares.count, share: $0) }
    }
  }
}

extension [String] {
  /// The elements, each once, in the order of their first appearance.
  fileprivate var unique: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}

/// A trend as text for a terminal, and as Markdown.
package struct TrendReport {
  private let trend: Trend

  package init(_ trend: Trend) {
    self.trend = trend
  }

  package var text: String {
    var parts: [String] = []
    for group in trend.groups {
      parts.append(PlainText.line(title(of: group)) + "\n" + PlainText.line(group.key.parameterText) + "\n")
      parts += Self.tables(of: group).map(\.plain)
    }
    parts.append(legend.map { "\($0)\n" }.joined())
    parts += sections.map(\.text)
    return parts.joined(separator: "\n")
  }

  package var markdown: String {
    var parts = ["## Trend\n"]
    for group in trend.groups {
      parts.append("### \(Markdown.escape(title(of: group)))\n")
      parts.append(Markdown.escape(group.key.parameterText) + "\n")
      parts += Self.tables(of: group).map(\.markdown)
    }
    parts += legend.map { Markdown.escape($0) + "\n" }
    parts += sections.map(\.markdown)
    return parts.joined(separator: "\n")
  }

  private func title(of group: GroupTrend) -> String {
    "\(group.key.title): \(ComparisonSections.runs(group.runs))"
  }

  private var sections: [ComparisonSections.Section] {
    [.init(title: "Notes", sentences: trend.notes), ComparisonSections.excluded(trend.excluded)]
      .filter { !$0.sentences.isEmpty }
  }

  private var legend: [String] {
    let marks = Set(trend.groups.flatMap(\.metrics).flatMap(\.days).compactMap(\.mark))
    var lines = ["median of the day's runs (lowest–highest); days are UTC's"]
    if marks.contains(.maximum) {
      lines.append("^ in some runs no sample lies beyond this percentile: it is their maximum")
    }
    if marks.contains(.fewSamples) {
      lines.append("* in some runs fewer than 10 samples lie beyond this percentile: it rests on few")
    }
    return lines
  }

  /// A table per metric, and one of all rates that are above 0 on some day.
  private static func tables(of group: GroupTrend) -> [Table] {
    var tables = group.metrics.map(table)
    let rates = group.rates.filter { !$0.isAllZero }
    if !rates.isEmpty { tables.append(table(rates)) }
    return tables
  }

  private static func table(_ metric: MetricTrend) -> Table {
    var table = Table([metric.name, "runs", "P50", "P95", "P99"])
    for day in metric.days {
      table.add([
        day.day, "\(day.runs)", text(day.p50, NumberText.time), text(day.p95, NumberText.time),
        text(day.p99, NumberText.time) + (day.p99 == nil ? "" : day.mark?.rawValue ?? ""),
      ])
    }
    return table
  }

  private static func table(_ rates: [RateTrend]) -> Table {
    var table = Table(["rates", "runs"] + rates.map(\.name))
    for day in Set(rates.flatMap { $0.days.map(\.day) }).sorted() {
      let cells = rates.map { rate in rate.days.first { $0.day == day } }
      table.add(
        [day, "\(cells.compactMap { $0?.runs }.max() ?? 0)"]
          + cells.map { text($0?.share, StatisticComparison.percent) })
    }
    return table
  }

  /// The median and the range, `48.2ms (46.9ms–51.0ms)`; for one run only its value, without runs an empty text.
  private static func text(_ spread: MedianAndRange?, _ format: (Double) -> String) -> String {
    guard let spread else { return "" }
    guard spread.min < spread.max else { return format(spread.median) }
    return "\(format(spread.median)) (\(format(spread.min))–\(format(spread.max)))"
  }
}
