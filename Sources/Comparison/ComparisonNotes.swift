import Results
import TextFormatting

/// Notes for a reader of a comparison.
struct ComparisonNotes {
  private let pairs: [RunPair]
  private let groups: [GroupComparison]
  private let settings: Comparison.Settings

  /// - Parameter groups: the shown groups of `pairs`.
  init(_ pairs: [RunPair], _ groups: [GroupComparison], settings: Comparison.Settings) {
    self.pairs = pairs
    self.groups = groups
    self.settings = settings
  }

  /// All notes, each once.
  var all: [String] {
    var notes: [String] = []
    let missing = pairs.flatMap { MissingSampleNotes($0, settings: settings).sentences }
    let tied = groups.flatMap { RareEventNotes($0).sentences }
    for note in days + pairs.flatMap(mixedLabels) + missing + pairs.flatMap(unreliable) + tied + pairs.flatMap(polled)
      + pairs.flatMap(unmerged)
    where !notes.contains(note) {
      notes.append(note)
    }
    return notes
  }

  /// A note if the runs of each side are all of one day: such runs do not show how days differ.
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
      return
        "the \(side.rawValue) runs of \(pair.workload.tool.name) have different labels (\(shown)) and are taken together: "
        + "--by-label keeps them apart"
    }
  }

  private func unreliable(_ pair: RunPair) -> [String] {
    zip([Comparison.Side.old, .new], [pair.old.runs, pair.new.runs]).flatMap { side, runs in
      pair.metricNames.filter(settings.shows).compactMap { name in
        let measured = runs.filter { $0.metrics[name] != nil }
        let left = StatisticComparison.Statistic.allCases.filter { $0 != .rate }.compactMap { statistic in
          let number = measured.count { $0.value(of: name, statistic) == nil }
          return number > 0 ? "\(statistic.rawValue) of \(number)" : nil
        }
        guard !left.isEmpty else { return nil }
        return "\(pair.workload.tool.name), \(name): of the \(measured.count) \(side.rawValue) runs the "
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
    let list = resolutions.map { "\($0) to within \(NumberText.time(milliseconds: $1))" }.joined(separator: ", ")
    return ["\(pair.workload.tool.name) finds these by polling, and smaller changes of them do not count: \(list)"]
  }

  private func unmerged(_ pair: RunPair) -> [String] {
    pair.sides.flatMap { side, pool in
      pool.unmerged.filter(settings.shows).map {
        "\(pair.workload.tool.name), \($0): the \(side.rawValue) runs are not shown together: their histograms can't be merged, such as "
          + "those of different resolutions; what is judged needs no merge"
      }
    }
  }
}

/// Notes on runs that lack samples of a metric that other runs have: the comparison of the others is incomplete.
struct MissingSampleNotes {
  private let pair: RunPair
  private let settings: Comparison.Settings

  init(_ pair: RunPair, settings: Comparison.Settings) {
    self.pair = pair
    self.settings = settings
  }

  var sentences: [String] {
    (worthless + (standIn.map { [$0] } ?? []) + missing).map { "\(pair.workload.tool.name): \($0)" }
  }

  private var worthless: [String] {
    pair.sides.compactMap { side, pool in
      let number = pool.runs.count(where: \.hasRatesOnly)
      guard number > 0 else { return nil }
      return
        "\(number) of \(pool.runs.count) \(side.rawValue) runs were worthless (verdict error): their rates count, their latencies "
        + "don't"
    }
  }

  private var standIn: String? {
    guard let usual = pair.workload.tool.headlines.first, let headline = pair.headline,
      headline != usual, settings.shows(headline)
    else { return nil }
    let without = pair.sides.filter { $0.pool.metrics[usual] == nil }.map(\.side.rawValue)
    return
      "\(headline) stands for \(usual) as the headline, of which no \(without.joined(separator: " and no ")) run has a sample"
  }

  /// The runs without samples, by metric. Runs without any valid latency are named elsewhere.
  private var missing: [String] {
    let names = Set(pair.old.metrics.keys).union(pair.new.metrics.keys)
    let sides = pair.sides.map { side, pool in (side, pool.runs.filter { !$0.hasRatesOnly }) }
    let ordered = pair.workload.tool.sorted(names, headline: pair.headlineOfOld)
    return ordered.filter(settings.shows).flatMap { name in
      sides.compactMap { side, runs in
        let number = runs.count { $0.metrics[name] == nil }
        return number > 0 ? "\(name): no sample in \(number) of \(runs.count) \(side.rawValue) runs" : nil
      }
    }
  }
}

/// Notes on rare events: their rates differ visibly, but the test shows no change, because zeros are ties and a rank
/// test gives ties no weight.
struct RareEventNotes {
  private let group: GroupComparison

  init(_ group: GroupComparison) {
    self.group = group
  }

  var sentences: [String] {
    group.rates.compactMap { rate in
      guard [.noChange, .tooFewRuns].contains(rate.verdict) else { return nil }
      let (old, new) = (rate.old.count { $0 != 0 }, rate.new.count { $0 != 0 })
      let words: String
      if old == 0, new > 0 {
        words = "in \(new) of \(rate.new.count) NEW runs, in none of the \(rate.old.count) OLD"
      } else if new == 0, old > 0 {
        words = "in \(old) of \(rate.old.count) OLD runs, in none of the \(rate.new.count) NEW"
      } else {
        return nil
      }
      return
        "\(group.key.tool.name): \(rate.metric) \(words): runs without any are ties, which count against a difference"
    }
  }
}

/// Groups of both sides that differ only in a parameter or in the kind of target, and so are not compared.
struct WorkloadDifferences {
  private let old: [Workload]
  private let new: [Workload]
  /// The most sentences: for folders that have nothing in common the first ones suffice.
  private static let most = 20

  init(_ groups: [Comparison.UnmatchedGroup]) {
    old = groups.filter { $0.side == .old }.map(\.key)
    new = groups.filter { $0.side == .new }.map(\.key)
  }

  /// Compares each of the first OLD groups with the most similar NEW group.
  var sentences: [String] {
    old.prefix(Self.most).compactMap { old in
      let candidates = new.filter { $0.tool == old.tool }.map { Self.differences(old, $0) }
      guard let nearest = candidates.min(by: { $0.count < $1.count }) else { return nil }
      return "\(old.tool) is not compared: " + nearest.joined(separator: "; ")
    }
  }

  private static func differences(_ old: Workload, _ new: Workload) -> [String] {
    let own = [("the kind of target", old.targetKind, new.targetKind), ("the label", old.label, new.label)]
    let names = Set(old.parameters.keys).union(new.parameters.keys).sorted()
    let parameters = names.map { ($0, old.parameters[$0], new.parameters[$0]) }
    return (own + parameters).filter { $0.1 != $0.2 }.map { name, old, new in
      "\(name) is \(text(old)) in OLD and \(text(new)) in NEW"
    }
  }

  private static func text(_ value: String?) -> String { value.map { "'\($0.prefix(80))'" } ?? "absent" }
}

/// The facts that differ between runs that are compared to each other.
struct EnvironmentDifferences {
  private(set) var all: [EnvironmentDifference] = []

  /// - Parameters:
  ///   - pairs: the compared runs; facts are compared within each tool only.
  ///   - old: all runs of OLD, for the kinds of target: groups with different kinds do not form pairs.
  ///   - new: all runs of NEW, for the kinds of target.
  init(_ pairs: [RunPair], old: [StoredRun], new: [StoredRun]) {
    let tools = Set(old.map(\.tool)).intersection(new.map(\.tool))
    for tool in tools.sorted() {
      add(
        "the kind of target of \(tool)", isSerious: true, old.filter { $0.tool == tool }.map(\.targetKind),
        new.filter { $0.tool == tool }.map(\.targetKind), betweenSidesOnly: true)
    }
    for pair in pairs {
      for fact in Self.facts {
        add(
          fact.name, isSerious: fact.isSerious, pair.old.runs.compactMap(fact.value),
          pair.new.runs.compactMap(fact.value))
      }
      addVersions(pair.old.runs.map(\.version), pair.new.runs.map(\.version))
    }
  }

  /// The differences within `runs`: in facts that make latencies incomparable, in targets and in labels.
  static func sentences(within runs: [StoredRun]) -> [String] {
    let label = Fact(name: "the label (--by-label keeps labels apart)") { $0.label ?? "(no label)" }
    let told = facts.filter { $0.isSerious || $0.name == "the target" } + [label]
    let sentences: [String] = told.compactMap { fact in
      let values = Set(runs.compactMap(fact.value))
      return values.count > 1 ? "\(fact.name) is not the same in all runs: \(list(values))" : nil
    }
    let versions = Set(runs.map(\.version))
    let change = BreakingVersions.sentence(across: versions).map {
      "the tool's version is not the same in all runs: \(list(versions)): \($0)"
    }
    return sentences + [change].compactMap(\.self)
  }

  private struct Fact: Sendable {
    var name: String
    var isSerious = false
    /// The fact's value; nil if the run lacks it, which is no difference.
    var value: @Sendable (StoredRun) -> String?
  }

  private static let facts = [
    Fact(name: "the CPU", isSerious: true) { $0.environment.cpu },
    Fact(name: "the number of cores", isSerious: true) { "\($0.environment.logicalCores)" },
    Fact(name: "the kernel", isSerious: true) { $0.environment.kernel },
    Fact(name: "the target") { $0.remote ?? $0.targetKind },
    // With another profile the gateway is used in another way.
    Fact(name: "the gateway's profile", isSerious: true) { $0.profile },
    Fact(name: "the memory") { "\(NumberText.decimals(Double($0.environment.memoryBytes) / 1_073_741_824, 1)) GiB" },
    Fact(name: "the system") { $0.environment.os },
    Fact(name: "the host") { $0.environment.hostname },
    Fact(name: "the tool's Swift") { $0.environment.swift },
  ]

  /// Adds differing versions. The difference is serious if figures changed their meaning between the versions.
  private mutating func addVersions(_ old: [String], _ new: [String]) {
    let change = BreakingVersions.sentence(across: Set(old + new))
    add("the tool's version", isSerious: change != nil, old, new, explanation: change)
  }

  private mutating func add(
    _ name: String, isSerious: Bool, _ old: [String], _ new: [String], betweenSidesOnly: Bool = false,
    explanation: String? = nil
  ) {
    let (oldValues, newValues) = (Set(old), Set(new))
    if betweenSidesOnly ? oldValues == newValues : oldValues.union(newValues).count <= 1 { return }
    let sentence =
      "\(name) differs: \(Self.list(oldValues)) in OLD, \(Self.list(newValues)) in NEW"
      + (explanation.map { ": \($0)" } ?? "")
    let difference = EnvironmentDifference(sentence: sentence, isSerious: isSerious)
    if !all.contains(difference) { all.append(difference) }
  }

  /// The first values, each cut to a readable length because they are foreign text.
  private static func list(_ values: Set<String>) -> String {
    guard !values.isEmpty else { return "not told" }
    let shown = values.sorted().prefix(3).map { "'\($0.prefix(80))'" }
    return shown.joined(separator: " and ") + (values.count > 3 ? " and \(values.count - 3) more" : "")
  }
}
