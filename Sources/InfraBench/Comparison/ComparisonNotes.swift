/// What a reader of a comparison must know.
struct ComparisonNotes {
  private let pairs: [RunPair]
  private let groups: [GroupComparison]
  private let settings: Comparison.Settings

  /// - Parameter groups: what was judged of `pairs`, as far as it is shown.
  init(_ pairs: [RunPair], _ groups: [GroupComparison], settings: Comparison.Settings) {
    self.pairs = pairs
    self.groups = groups
    self.settings = settings
  }

  /// Each said once.
  var all: [String] {
    var notes: [String] = []
    let missing = pairs.flatMap { MissingSamples($0, settings: settings).sentences }
    let tied = groups.flatMap { TiedRates($0).sentences }
    for note in days + pairs.flatMap(mixedLabels) + missing + pairs.flatMap(unreliable) + tied + pairs.flatMap(polled)
      + pairs.flatMap(unmerged)
    where !notes.contains(note) {
      notes.append(note)
    }
    return notes
  }

  /// Runs of one day are no sample of days.
  private var days: [String] {
    let old = Set(pairs.flatMap { $0.old.runs.map(\.day) })
    let new = Set(pairs.flatMap { $0.new.runs.map(\.day) })
    guard old.count == 1, new.count == 1, old != new, let oldDay = old.first, let newDay = new.first else { return [] }
    return [
      "all OLD runs are of \(oldDay) and all NEW runs of \(newDay), and the runs of a day share that day's machine and network: "
        + "a verdict here says that the two days differ by more than the runs within a day do, not that what you changed is the "
        + "reason; for that measure both in alternation (--ab-gateway-url), or over several days"
    ]
  }

  private func mixedLabels(_ pair: RunPair) -> [String] {
    zip([Comparison.Side.old, .new], [pair.old.runs, pair.new.runs]).compactMap { side, runs in
      let labels = Set(runs.map { $0.label.map { "'\($0)'" } ?? "none" })
      guard labels.count > 1 else { return nil }
      let shown = labels.sorted().prefix(4).joined(separator: ", ") + (labels.count > 4 ? ", …" : "")
      return "the \(side.rawValue) runs of \(pair.shape.tool) have different labels (\(shown)) and are taken together: "
        + "--by-label keeps them apart"
    }
  }

  private func unreliable(_ pair: RunPair) -> [String] {
    zip([Comparison.Side.old, .new], [pair.old.runs, pair.new.runs]).flatMap { side, runs in
      pair.metricNames.filter(settings.shows).compactMap { name in
        let metrics = runs.compactMap { $0.metrics[name] }
        let left = StatisticComparison.Statistic.allCases.filter { $0 != .rate }.compactMap { statistic in
          let number = metrics.count { $0.value(of: statistic) == nil }
          return number > 0 ? "\(statistic.rawValue) of \(number)" : nil
        }
        guard !left.isEmpty else { return nil }
        return "\(pair.shape.tool), \(name): of the \(metrics.count) \(side.rawValue) runs the "
          + "\(left.joined(separator: ", the ")) are left out, as more iterations failed than lie beyond them, or than leave a mean "
          + "as it is: failing fast is not being fast"
      }
    }
  }

  private func polled(_ pair: RunPair) -> [String] {
    let resolutions = pair.metricNames.filter(settings.shows).compactMap {
      name in
      (pair.old.runs + pair.new.runs).compactMap { $0.metrics[name]?.resolution }.max().map { (name, $0) }
    }
    guard !resolutions.isEmpty else { return [] }
    let list = resolutions.map { "\($0) to within \(Figures.time(milliseconds: $1))" }.joined(separator: ", ")
    return ["\(pair.shape.tool) finds these by polling, and smaller changes of them do not count: \(list)"]
  }

  private func unmerged(_ pair: RunPair) -> [String] {
    pair.sides.flatMap { side, pool in
      pool.unmerged.filter(settings.shows).map {
        "\(pair.shape.tool), \($0): the \(side.rawValue) runs are not shown together: their histograms can't be merged, such as "
          + "those of different resolutions; what is judged needs no merge"
      }
    }
  }
}
