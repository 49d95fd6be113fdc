package import Results

/// The changes of all metrics and rates between two sets of runs, OLD and NEW. The text, Markdown, JSON and HTML
/// reports are made from this value.
///
/// ```swift
/// var settings = Comparison.Settings()
/// settings.minEffect = 0.1  // changes below 10 % do not count
/// let comparison = try await Comparison.make(
///   old: ["results/2026-11-19"], new: ["results/2026-11-20"], reader: ResultReader(tools: .suite), settings: settings)
/// for group in comparison.groups {
///   for statistic in group.all { print(statistic.title, statistic.changeText, statistic.verdict) }
/// }
/// if comparison.hasRegression { print(comparison.gate.regressions.map(\.title)) }
/// ```
package struct Comparison: Sendable {
  package enum Side: String, Sendable, Equatable {
    case old = "OLD"
    case new = "NEW"
  }

  /// A group of runs that only one side has, so that it cannot be compared.
  package struct UnmatchedGroup: Sendable, Equatable {
    package var side: Side
    package var key: Workload
    package var runs: Int
  }

  package var settings: Settings
  /// The name of OLD in reports, such as its path; ``newName`` is that of NEW.
  package var oldName: String
  package var newName: String
  /// The number of comparable runs in OLD, including groups that NEW lacks; ``runsNew`` is that of NEW.
  package var runsOld: Int
  package var runsNew: Int
  /// The groups that both sides have, sorted by tool, then by parameters.
  package var groups: [GroupComparison]
  package var onlyOnOneSide: [UnmatchedGroup]
  /// Why similar groups of both sides did not match, a sentence each.
  package var workloadDifferences: [String]
  package var excluded: [ExcludedFile]
  /// Facts that differ between the compared runs: hosts, CPUs, versions.
  package var environmentDifferences: [EnvironmentDifference]
  /// Notes for a reader of the figures.
  package var notes: [String]
  /// The decision of `--fail-on-regression`, over all groups, shown or not.
  package var gate = RegressionGate()
}

extension Comparison {
  /// The rules of a comparison, and its selection of runs and metrics.
  package struct Settings: Sendable, Equatable {
    /// The smallest change that counts, as a share: 0.05 is 5 %.
    package var minEffect = 0.05
    /// The accepted probability, 0…0.5, of a false change per family of statistics.
    package var alpha = 0.05
    /// Whether runs with different labels are kept apart.
    package var splitsByLabel = false
    /// The label of OLD's runs; with nil runs of any label are taken. ``newLabel`` is that of NEW's runs.
    package var oldLabel: String?
    package var newLabel: String?
    /// The metrics and counters that are shown; empty shows all. The selection does not change verdicts, and the gate
    /// judges all.
    package var only: Set<String> = []

    package init() {}

    func shows(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
  }

  /// Whether a statistic of a headline metric or a rate got worse, shown or not.
  package var hasRegression: Bool { !gate.regressions.isEmpty }

  /// The shown statistics that belong to a family, so that their p-values are corrected.
  package var judged: [StatisticComparison] { groups.flatMap(\.all).filter { !$0.isExploratory } }
}

/// A fact of the environment that differs between compared runs.
package struct EnvironmentDifference: Sendable, Equatable {
  package var sentence: String
  /// Whether the difference makes latencies incomparable; `--strict` refuses it.
  package var isSerious: Bool
}

/// Why two paths can't be compared.
package enum ComparisonError: Error, Sendable, Equatable, CustomStringConvertible {
  /// `count` runs are on both sides and would be compared to themselves; `first` is the first one's file.
  case sharedFiles(first: String, count: Int)

  package var description: String {
    switch self {
    case .sharedFiles(let first, 1): "'\(first)' is on both sides: a run can't be compared to itself"
    case .sharedFiles(let first, let count):
      "\(count) results are on both sides, such as '\(first)': a run can't be compared to itself"
    }
  }
}

extension Comparison {
  /// Compares the results at paths: files, or folders with all results below them.
  ///
  /// - Throws: ``ComparisonError/sharedFiles(first:count:)`` if a run or a copy of it is on both sides, after
  /// `settings` has selected runs by label.
  package static func make(
    old: [String], new: [String], reader: ResultReader, settings: Settings = Settings()
  ) async throws(ComparisonError) -> Comparison {
    let oldRuns = await StoredRuns.load(old, reader)
    let newRuns = old == new ? oldRuns : await StoredRuns.load(new, reader)
    return try await make(old: oldRuns, new: newRuns, settings: settings, names: (name(old), name(new)))
  }

  /// Compares loaded runs.
  ///
  /// - Parameter names: the names of both sides in reports.
  /// - Throws: ``ComparisonError/sharedFiles(first:count:)`` if a run or a copy of it is on both sides, after
  ///   `settings` has selected runs by label.
  package static func make(
    old: StoredRuns, new: StoredRuns, settings: Settings = Settings(), names: (old: String, new: String)
  ) async throws(ComparisonError) -> Comparison {
    let (old, new) = (old.labelled(settings.oldLabel), new.labelled(settings.newLabel))
    let oldFiles = Set(old.runs.map(\.file.identity))
    let oldRuns = Set(old.runs.map(\.identity))
    let shared = new.runs.filter { oldFiles.contains($0.file.identity) || oldRuns.contains($0.identity) }
    if let first = shared.first { throw .sharedFiles(first: first.file.path, count: shared.count) }
    return await ComparisonBuilder(settings: settings, names: names, old: old.comparable, new: new.comparable)
      .comparison
  }

  private static func name(_ paths: [String]) -> String {
    paths.prefix(3).joined(separator: ", ") + (paths.count > 3 ? ", …" : "")
  }
}

/// Matches the groups of both sides, and judges their changes.
private struct ComparisonBuilder {
  let settings: Comparison.Settings
  let names: (old: String, new: String)
  let old: StoredRuns
  let new: StoredRuns

  var comparison: Comparison {
    get async {
      let oldGroups = Dictionary(grouping: old.runs) { $0.workload(byLabel: settings.splitsByLabel) }
      let newGroups = Dictionary(grouping: new.runs) { $0.workload(byLabel: settings.splitsByLabel) }
      var excluded = old.excluded
      excluded += new.excluded.filter { !old.excluded.contains($0) }
      var pairs: [RunPair] = []
      for workload in Set(oldGroups.keys).intersection(newGroups.keys).sorted() {
        let pair = await RunPair.pooled(
          workload, old: oldGroups[workload] ?? [], new: newGroups[workload] ?? [])
        excluded += pair.old.excluded + pair.new.excluded
        if !pair.old.runs.isEmpty, !pair.new.runs.isEmpty { pairs.append(pair) }
      }
      let matched = Set(pairs.map(\.workload))
      let unmatched =
        unmatched(oldGroups, of: .old, without: matched) + unmatched(newGroups, of: .new, without: matched)
      let environment = EnvironmentDifferences(pairs, old: old.runs, new: new.runs)
      let judged = pairs.map { ($0, SignificanceTests(pair: $0, settings: settings).comparison) }
      let groups = judged.compactMap { $0.1.showing(settings) }
      return Comparison(
        settings: settings, oldName: name(names.old, settings.oldLabel), newName: name(names.new, settings.newLabel),
        runsOld: old.runs.count - pairs.reduce(0) { $0 + $1.old.excluded.count },
        runsNew: new.runs.count - pairs.reduce(0) { $0 + $1.new.excluded.count },
        groups: groups, onlyOnOneSide: unmatched, workloadDifferences: WorkloadDifferences(unmatched).sentences,
        excluded: excluded.sorted { ($0.file, $0.reason) < ($1.file, $1.reason) },
        environmentDifferences: environment.all,
        notes: ComparisonNotes(pairs, groups, settings: settings).all,
        gate: RegressionGate(judged, unmatched: unmatched))
    }
  }

  private func name(_ name: String, _ label: String?) -> String { name + (label.map { " (\($0))" } ?? "") }

  private func unmatched(
    _ groups: [Workload: [StoredRun]], of side: Comparison.Side, without matched: Set<Workload>
  ) -> [Comparison.UnmatchedGroup] {
    groups.filter { !matched.contains($0.key) }.sorted { $0.key < $1.key }
      .map { .init(side: side, key: $0.key, runs: $0.value.count) }
  }
}

extension GroupComparison {
  /// The part of the group that `--metric` selects; nil if it selects nothing.
  fileprivate func showing(_ settings: Comparison.Settings) -> GroupComparison? {
    var shown = self
    shown.metrics = metrics.filter { settings.shows($0.name) }
    shown.rates = rates.filter { settings.shows($0.metric) }
    shown.hasNamedRates = !settings.only.isEmpty
    return shown.metrics.isEmpty && shown.rates.isEmpty ? nil : shown
  }
}

extension Comparison {
  /// Why nothing could be compared, a sentence each; nil if a group was compared.
  package var reasonsForNothing: [String]? {
    guard groups.isEmpty else { return nil }
    var reasons: [String] = []
    for (side, name, runs) in [(Side.old, oldName, runsOld), (.new, newName, runsNew)] where runs == 0 {
      reasons.append("there is no run to be compared in \(side.rawValue), \(name)")
    }
    if reasons.isEmpty {
      let tools = Set(onlyOnOneSide.filter { $0.side == .old }.map(\.key.tool))
        .intersection(onlyOnOneSide.filter { $0.side == .new }.map(\.key.tool))
      reasons.append(
        !settings.only.isEmpty
          ? "nothing that --metric names is in runs of both sides"
          : onlyOnOneSide.isEmpty
            ? "no metric or counter is in runs of both sides"
            : tools.isEmpty
              ? "OLD and NEW have no tool in common" : "OLD and NEW have no tool under the same load in common")
    }
    reasons += workloadDifferences
    reasons += ComparisonSections.excluded(excluded).sentences.map { "left out: \($0)" }
    return reasons
  }
}

/// The decision of `--fail-on-regression`, over all judged statistics, shown or not. A gate that could not judge a
/// group does not pass.
package struct RegressionGate: Sendable, Equatable {
  /// Statistics of headline metrics, and rates, that got worse.
  package var regressions: [StatisticComparison] = []
  /// The groups that could not be judged, and why, a sentence each.
  package var unjudged: [String] = []
}

extension RegressionGate {
  /// - Parameters:
  ///   - judged: the groups that both sides have, with all their statistics.
  ///   - unmatched: the groups that one side has.
  init(_ judged: [(pair: RunPair, comparison: GroupComparison)], unmatched: [Comparison.UnmatchedGroup]) {
    regressions = judged.flatMap { $0.comparison.all }.filter { !$0.isExploratory && $0.verdict == .slower }
    unjudged = judged.compactMap { pair, comparison in
      Self.missing(in: pair, comparison).map { "\(Self.name(pair.workload)): \($0)" }
    }
    // A group that only NEW has cannot have got worse.
    unjudged += unmatched.filter { $0.side == .old }.map {
      "\(Self.name($0.key)): no NEW run to compare to the \(ComparisonSections.runs($0.runs)) of OLD"
    }
  }

  /// Why a group could not be judged; nil if its headline metric and its rates could be.
  private static func missing(in pair: RunPair, _ comparison: GroupComparison) -> String? {
    guard let headline = pair.headlineOfOld else {
      let names =
        pair.workload.tool.isKnown ? pair.workload.tool.headlines.joined(separator: " or ") : "a metric that is judged"
      return "no OLD run has a sample of \(names)"
    }
    guard let metric = comparison.metrics.first(where: { $0.name == headline }) else {
      return "no NEW run has a sample of \(headline)"
    }
    let judged = Set(metric.statistics.map(\.statistic))
    let lost = StatisticComparison.Statistic.allCases.filter { statistic in
      !judged.contains(statistic) && pair.old.runs.contains { $0.value(of: headline, statistic) != nil }
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

  /// The group's name, with its parameters, in which groups of one tool differ.
  private static func name(_ key: Workload) -> String { "\(key.title) (\(key.parameterText))" }
}
