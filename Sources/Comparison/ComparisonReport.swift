import FoundationEssentials
import Latency
import Reports
package import Results
import TextFormatting

/// A comparison as text for a terminal, and as Markdown for a comment on a pull request.
package struct ComparisonReport {
  private let comparison: Comparison

  package init(_ comparison: Comparison) {
    self.comparison = comparison
  }

  package var text: String {
    var parts = [PlainText.line(sides) + "\n"]
    for group in comparison.groups {
      let tables = ComparisonTables(group: group)
      parts.append(PlainText.line(title(of: group)) + "\n" + PlainText.line(group.key.parameterText) + "\n")
      parts += [tables.headline, tables.rates, tables.pooled, tables.others].compactMap { $0?.plain }
    }
    parts.append(legend.map { "\($0)\n" }.joined())
    parts += ComparisonSections(comparison).sections.map(\.text)
    parts.append("\(outcome)\n")
    return parts.joined(separator: "\n")
  }

  package var markdown: String {
    var parts = ["## Comparison: \(outcome)\n", Markdown.escape(sides) + "\n"]
    for group in comparison.groups {
      let tables = ComparisonTables(group: group)
      parts.append("### \(Markdown.escape(title(of: group)))\n")
      parts.append(Markdown.escape(group.key.parameterText) + "\n")
      parts += [tables.headline, tables.rates, tables.pooled].compactMap { $0?.markdown }
      // Exploratory results are folded up, because they would hide the judged ones in a pull request.
      if let others = tables.others {
        parts.append("<details><summary>Exploratory</summary>\n\n\(others.markdown)\n</details>\n")
      }
    }
    parts += legend.map { Markdown.escape($0) + "\n" }
    parts += ComparisonSections(comparison).sections.map(\.markdown)
    return parts.joined(separator: "\n")
  }

  private var sides: String {
    "OLD: \(comparison.oldName) (\(ComparisonSections.runs(comparison.runsOld))), "
      + "NEW: \(comparison.newName) (\(ComparisonSections.runs(comparison.runsNew)))"
      + (comparison.excluded.isEmpty ? "" : "; left out: \(comparison.excluded.count), see below")
  }

  private var legend: [String] { ComparisonTables.legend(of: comparison.groups, comparison.settings) }

  private func title(of group: GroupComparison) -> String {
    "\(group.key.title): \(ComparisonSections.runs(group.runsOld)) against \(group.runsNew)"
  }

  /// The verdicts on headline metrics and rates in a few words: `2 slower or worse, 6 no change shown`.
  var outcome: String {
    let judged = comparison.judged.filter { !$0.isAllZero || !comparison.settings.only.isEmpty }
    let counts = [
      (StatisticComparison.Verdict.slower, "slower or worse"), (.faster, "faster or better"),
      (.noChange, "no change shown"), (.tooFewRuns, "with too few runs"),
    ].map { verdict, words in (judged.count { $0.verdict == verdict }, words) }
    let texts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return texts.isEmpty ? "exploratory only" : texts.joined(separator: ", ")
  }
}

/// The tables of a group that the text and the Markdown report share.
struct ComparisonTables {
  let group: GroupComparison
  /// The mark of exploratory statistics, which are judged alone.
  private static let exploratory = "~"

  /// The headline metric's statistics.
  var headline: Table? { table("latency", group.metrics.filter(\.isHeadline).flatMap(\.statistics)) }

  /// The other metrics' statistics.
  var others: Table? { table("exploratory", group.metrics.filter { !$0.isHeadline }.flatMap(\.statistics)) }

  /// The rates.
  var rates: Table? { table("rate", group.displayedRates) }

  /// The headline metric's latencies, with all runs of a side together.
  var pooled: Table? {
    guard let metric = group.metrics.first(where: \.isHeadline) else { return nil }
    var table = Table([
      "all runs together", "runs", "count", "mean", "P50", "P90", "P95", "P99", "P99.9", "max",
    ])
    for (side, pooled) in [(Comparison.Side.old, metric.pooledOld), (.new, metric.pooledNew)] {
      guard let summary = pooled.summary else { continue }
      let times = [summary.mean] + summary.percentiles.map { Double($0.value) } + [Double(summary.max)]
      table.add(
        ["\(metric.name) \(side.rawValue)", "\(pooled.runs)", "\(summary.count)"]
          + times.map { NumberText.time(milliseconds: $0 / 1e6) })
    }
    return table
  }

  private func table(_ kind: String, _ statistics: [StatisticComparison]) -> Table? {
    guard !statistics.isEmpty else { return nil }
    var table = Table([kind, "OLD", "NEW", "change", "interval", "p", "runs", "verdict"])
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

  /// The explanations of marks and terms in the tables of `groups`.
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

/// The texts of a statistic in reports.
extension StatisticComparison {
  /// The statistic's name, such as `allocation P99`; for rates the counter's name.
  package var title: String { statistic == .rate ? metric : "\(metric) \(statistic.title)" }

  /// A value in this statistic's unit.
  package func text(of value: Double) -> String {
    statistic == .rate ? Self.percent(value) : NumberText.time(milliseconds: value)
  }

  /// The change, such as `+14.2%`; for rates in percentage points, such as `−40.0 pp`.
  package var changeText: String { Self.signed(change) + changeUnit }

  /// The interval, such as `+9.1% … +20.3%`; empty if there are too few runs for one.
  package var intervalText: String {
    interval.map { "\(Self.signed($0.lowerBound))\(changeUnit) … \(Self.signed($0.upperBound))\(changeUnit)" } ?? ""
  }

  package var pText: String { pValue < 0.0001 ? "<0.0001" : NumberText.decimals(pValue, 4) }

  package var verdictText: String {
    switch verdict {
    case .faster: return statistic == .rate ? "better" : "faster"
    case .slower: return statistic == .rate ? "worse" : "slower"
    case .noChange: return isBelowMinimum ? "no change shown that counts" : "no change shown"
    case .tooFewRuns:
      guard let missing else { return "too few runs" }
      let side = missing.old == 0 ? "NEW " : missing.new == 0 ? "OLD " : ""
      return "too few runs: \(missing.old + missing.new) more \(side)needed"
    }
  }

  private var changeUnit: String { statistic == .rate ? " pp" : "%" }

  private static func signed(_ value: Double) -> String {
    let size = NumberText.decimals(abs(value), 1)
    return size == "0.0" ? size : (value < 0 ? "−" : "+") + size
  }

  /// A value in percent; small values have more decimals.
  static func percent(_ value: Double) -> String {
    value == 0 ? "0%" : NumberText.decimals(value, abs(value) < 1 ? 3 : 1) + "%"
  }
}

extension StatisticComparison.Statistic {
  /// The statistic's name in tables.
  package var title: String {
    switch self {
    case .mean, .rate: rawValue
    case .p50, .p95, .p99: rawValue.uppercased()
    }
  }
}

/// The sections beside the figures in all reports of a comparison. Their sentences contain foreign text.
package struct ComparisonSections {
  package struct Section: Equatable {
    package var title: String
    package var sentences: [String]
  }

  /// The most files or groups that a report for people names; JSON names all.
  private static let most = 50

  /// The sections that are not empty.
  package let sections: [Section]

  package init(_ comparison: Comparison) {
    let oneSided = comparison.onlyOnOneSide.map { group in
      "\(group.key.title), only in \(group.side.rawValue) (\(Self.runs(group.runs))): \(group.key.parameterText)"
    }
    sections = [
      Section(title: "Unlike environments", sentences: comparison.environmentDifferences.map(\.sentence)),
      Section(title: "Notes", sentences: comparison.notes),
      Section(title: "On one side only", sentences: Self.first(oneSided) + comparison.workloadDifferences),
      Self.excluded(comparison.excluded),
    ].filter { !$0.sentences.isEmpty }
  }

  /// The files that the figures leave out.
  package static func excluded(_ files: [ExcludedFile]) -> Section {
    Section(title: "Left out", sentences: first(files.map { "\($0.file): \($0.reason)" }))
  }

  private static func first(_ sentences: [String]) -> [String] {
    let others = sentences.count > most ? ["and \(sentences.count - most) more, which --print json names"] : []
    return sentences.prefix(most) + others
  }

  static func runs(_ number: Int) -> String { number == 1 ? "1 run" : "\(number) runs" }
}

extension ComparisonSections.Section {
  /// The section for a terminal.
  var text: String { "\(title):\n" + sentences.map { "  \(PlainText.line($0))\n" }.joined() }

  var markdown: String {
    "**\(title)**\n\n" + sentences.map { "- \(Markdown.escape($0))\n" }.joined()
  }
}

/// The comparison of two gateways that were measured in turn: the second's runs (NEW) against the first's (OLD).
package struct ABComparison {
  let a: [ResultDocument]
  let b: [ResultDocument]

  package init(a: [ResultDocument], b: [ResultDocument]) {
    self.a = a
    self.b = b
  }

  /// The report as text or Markdown.
  package func report(asMarkdown: Bool) async -> String {
    let comparison: Comparison
    do throws(ComparisonError) {
      comparison = try await Comparison.make(old: runs(of: a), new: runs(of: b), names: (name("a", a), name("b", b)))
    } catch {
      return "a and b cannot be compared: \(error)\n"
    }
    if let reasons = comparison.reasonsForNothing {
      let lines = reasons.map { asMarkdown ? "- \(Markdown.escape($0))\n" : "  \(PlainText.line($0))\n" }.joined()
      return "a and b cannot be compared:\n" + (asMarkdown ? "\n" : "") + lines
    }
    let report = ComparisonReport(comparison)
    return asMarkdown ? report.markdown : report.text
  }

  private func runs(of documents: [ResultDocument]) -> StoredRuns {
    let runs = documents.map { document in
      // These runs have no file. A number of its own per run suffices as its identity.
      let number = document.repetition?.run ?? 0
      return StoredRun(document, file: ResultFile(path: "run \(number)", unwritten: number))
    }
    return StoredRuns(runs: runs, excluded: [])
  }

  private func name(_ side: String, _ documents: [ResultDocument]) -> String {
    [side, documents.first?.target.gatewayUrl].compactMap { $0 }.joined(separator: " ")
  }
}
