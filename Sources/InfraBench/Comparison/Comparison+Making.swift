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
    old: [String], new: [String], settings: Settings = Settings()
  ) async throws(ComparisonError) -> Comparison {
    let oldRuns = await StoredRuns.load(old)
    let newRuns = old == new ? oldRuns : await StoredRuns.load(new)
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
      let oldGroups = Dictionary(grouping: old.runs) { $0.shape(byLabel: settings.splitsByLabel) }
      let newGroups = Dictionary(grouping: new.runs) { $0.shape(byLabel: settings.splitsByLabel) }
      var excluded = old.excluded
      excluded += new.excluded.filter { !old.excluded.contains($0) }
      var pairs: [RunPair] = []
      for shape in Set(oldGroups.keys).intersection(newGroups.keys).sorted() {
        let pair = await RunPair.pooled(shape, old: oldGroups[shape] ?? [], new: newGroups[shape] ?? [])
        excluded += pair.old.excluded + pair.new.excluded
        if !pair.old.runs.isEmpty, !pair.new.runs.isEmpty { pairs.append(pair) }
      }
      let matched = Set(pairs.map(\.shape))
      let unmatched =
        unmatched(oldGroups, of: .old, without: matched) + unmatched(newGroups, of: .new, without: matched)
      let environment = EnvironmentDifferences(pairs, old: old.runs, new: new.runs)
      let judged = pairs.map { ($0, GroupJudge(pair: $0, settings: settings).comparison) }
      let groups = judged.compactMap { $0.1.showing(settings) }
      return Comparison(
        settings: settings, oldName: name(names.old, settings.oldLabel), newName: name(names.new, settings.newLabel),
        runsOld: old.runs.count - pairs.reduce(0) { $0 + $1.old.excluded.count },
        runsNew: new.runs.count - pairs.reduce(0) { $0 + $1.new.excluded.count },
        groups: groups, onlyOnOneSide: unmatched, nearMisses: NearMisses(unmatched).sentences,
        excluded: excluded.sorted { ($0.file, $0.reason) < ($1.file, $1.reason) },
        environmentDifferences: environment.all,
        notes: ComparisonNotes(pairs, groups, settings: settings).all,
        gate: RegressionGate(judged, unmatched: unmatched))
    }
  }

  private func name(_ name: String, _ label: String?) -> String { name + (label.map { " (\($0))" } ?? "") }

  private func unmatched(
    _ groups: [LoadShape: [StoredRun]], of side: Comparison.Side, without matched: Set<LoadShape>
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
