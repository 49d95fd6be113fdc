/// A trend for people: for a terminal, and as Markdown.
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
    "\(group.key.title): \(ComparisonRemarks.runs(group.runs))"
  }

  private var sections: [ComparisonRemarks.Section] {
    [.init(title: "Notes", sentences: trend.notes), ComparisonRemarks.excluded(trend.excluded)]
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

  /// A table for each metric, and one of all rates that are ever above 0.
  private static func tables(of group: GroupTrend) -> [TextTable] {
    var tables = group.metrics.map(table)
    let rates = group.rates.filter { !$0.isAllZero }
    if !rates.isEmpty { tables.append(table(rates)) }
    return tables
  }

  private static func table(_ metric: MetricTrend) -> TextTable {
    var table = TextTable([metric.name, "runs", "P50", "P95", "P99"])
    for day in metric.days {
      table.add([
        day.day, "\(day.runs)", text(day.p50, Figures.time), text(day.p95, Figures.time),
        text(day.p99, Figures.time) + (day.p99 == nil ? "" : day.mark?.rawValue ?? ""),
      ])
    }
    return table
  }

  private static func table(_ rates: [RateTrend]) -> TextTable {
    var table = TextTable(["rates", "runs"] + rates.map(\.name))
    for day in Set(rates.flatMap { $0.days.map(\.day) }).sorted() {
      let cells = rates.map { rate in rate.days.first { $0.day == day } }
      table.add(
        [day, "\(cells.compactMap { $0?.runs }.max() ?? 0)"]
          + cells.map { text($0?.share, StatisticComparison.percent) })
    }
    return table
  }

  /// `48.2ms (46.9ms–51.0ms)`; the value alone of one run, and nothing of none.
  private static func text(_ spread: Spread?, _ format: (Double) -> String) -> String {
    guard let spread else { return "" }
    guard spread.min < spread.max else { return format(spread.median) }
    return "\(format(spread.median)) (\(format(spread.min))–\(format(spread.max)))"
  }
}
