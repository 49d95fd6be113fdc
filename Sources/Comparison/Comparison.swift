package import Results

/// What became of every metric and rate between two sets of runs. Text, Markdown, JSON and HTML are folds of this.
package struct Comparison: Sendable {
  package enum Side: String, Sendable, Equatable {
    case old = "OLD"
    case new = "NEW"
  }

  /// Groups of runs that are of one side only: nothing can be said of them.
  package struct UnmatchedGroup: Sendable, Equatable {
    package var side: Side
    package var key: Workload
    package var runs: Int
  }

  package var settings: Settings
  /// What was compared, as it was named.
  package var oldName: String
  package var newName: String
  /// How many runs each side has that can be compared at all, whether the other side has their like or not.
  package var runsOld: Int
  package var runsNew: Int
  /// By tool, then by parameters.
  package var groups: [GroupComparison]
  package var onlyOnOneSide: [UnmatchedGroup]
  /// Why groups that are alike are on one side only, a sentence each.
  package var workloadDifferences: [String]
  package var excluded: [ExcludedFile]
  /// A sentence each: hosts, CPUs, versions that are not the same everywhere.
  package var environmentDifferences: [EnvironmentDifference]
  /// What a reader of the figures must know.
  package var notes: [String]
  /// Of all groups, shown or not.
  package var gate = RegressionGate()
}

extension Comparison {
  /// How a comparison judges, and of what.
  package struct Settings: Sendable, Equatable {
    /// A change counts from here on, as a share: 0.05 is 5 %.
    package var minEffect = 0.05
    /// How often no change at all may be called one, 0…0.5, over a family of statistics.
    package var alpha = 0.05
    /// Whether runs with different labels are kept apart.
    package var splitsByLabel = false
    /// Only runs with this label are taken; nil: any.
    package var oldLabel: String?
    package var newLabel: String?
    /// Only these metrics and counters are shown; empty: all. Verdicts are the same with and without, and the gate sees all.
    package var only: Set<String> = []

    package init() {}

    func shows(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
  }

  /// Whether a headline or a rate got worse, shown or not.
  package var hasRegression: Bool { !gate.regressions.isEmpty }

  /// Of what is shown, what is corrected for being one of several.
  package var judged: [StatisticComparison] { groups.flatMap(\.all).filter { !$0.isExploratory } }
}

/// One fact of the environment that is not the same in all compared runs.
package struct EnvironmentDifference: Sendable, Equatable {
  package var sentence: String
  /// Whether latencies cannot be compared across it: what `--strict` refuses.
  package var isSerious: Bool
}

/// Why two paths can't be compared.
package enum ComparisonError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The same run would be compared to itself.
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
  /// Throws where a file or its copy is on both sides, once `settings` has taken the runs with the right labels.
  package static func make(
    old: [String], new: [String], reader: ResultReader, settings: Settings = Settings()
  ) async throws(ComparisonError) -> Comparison {
    let oldRuns = await StoredRuns.load(old, reader)
    let newRuns = old == new ? oldRuns : await StoredRuns.load(new, reader)
    return try await make(old: oldRuns, new: newRuns, settings: settings, names: (name(old), name(new)))
  }

  /// Compares runs that were read; `names` is what they are called in reports.
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

/// Puts like beside like, and asks what changed.
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
  /// What `--metric` leaves of it; nil where that is nothing.
  fileprivate func showing(_ settings: Comparison.Settings) -> GroupComparison? {
    var shown = self
    shown.metrics = metrics.filter { settings.shows($0.name) }
    shown.rates = rates.filter { settings.shows($0.metric) }
    shown.hasNamedRates = !settings.only.isEmpty
    return shown.metrics.isEmpty && shown.rates.isEmpty ? nil : shown
  }
}

extension Comparison {
  /// Why there is nothing to compare, in sentences; nil where there is something.
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
      Self.missing(in: pair, comparison).map { "\(Self.name(pair.workload)): \($0)" }
    }
    // What is new can't have got worse.
    unjudged += unmatched.filter { $0.side == .old }.map {
      "\(Self.name($0.key)): no NEW run to compare to the \(ComparisonSections.runs($0.runs)) of OLD"
    }
  }

  /// What a group lacks; nil where its headline and its rates could be judged.
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

  /// Groups of one tool differ in their parameters.
  private static func name(_ key: Workload) -> String { "\(key.title) (\(key.parameterText))" }
}
