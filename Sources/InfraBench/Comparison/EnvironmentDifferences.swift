/// What is not the same in all runs that are compared to each other.
struct EnvironmentDifferences {
  private(set) var all: [EnvironmentDifference] = []

  /// - Parameters:
  ///   - pairs: what is compared: one tool's machine is no other's business.
  ///   - old: every run of the side, for kinds of target: groups of unlike ones are no pairs.
  ///   - new: the same.
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

  /// What is not the same in all of `runs`, of the facts across which latencies can't be compared, and of targets and labels.
  static func sentences(within runs: [StoredRun]) -> [String] {
    let label = Fact(name: "the label (--by-label keeps labels apart)") { $0.label ?? "(no label)" }
    let told = facts.filter { $0.isSerious || $0.name == "the target" } + [label]
    let sentences: [String] = told.compactMap { fact in
      let values = Set(runs.compactMap(fact.value))
      return values.count > 1 ? "\(fact.name) is not the same in all runs: \(list(values))" : nil
    }
    let versions = Set(runs.map(\.version))
    let change = MeaningChanges.sentence(across: versions).map {
      "the tool's version is not the same in all runs: \(list(versions)): \($0)"
    }
    return sentences + [change].compactMap(\.self)
  }

  private struct Fact: Sendable {
    var name: String
    var isSerious = false
    /// Nil of a run that doesn't tell: it differs from none.
    var value: @Sendable (StoredRun) -> String?
  }

  private static let facts = [
    Fact(name: "the CPU", isSerious: true) { $0.environment.cpu },
    Fact(name: "the number of cores", isSerious: true) { "\($0.environment.logicalCores)" },
    Fact(name: "the kernel", isSerious: true) { $0.environment.kernel },
    Fact(name: "the target") { $0.remote ?? $0.targetKind },
    // Another profile measures another way through the gateway.
    Fact(name: "the gateway's profile", isSerious: true) { $0.profile },
    Fact(name: "the memory") { "\(Figures.decimals(Double($0.environment.memoryBytes) / 1_073_741_824, 1)) GiB" },
    Fact(name: "the system") { $0.environment.os },
    Fact(name: "the host") { $0.environment.hostname },
    Fact(name: "the tool's Swift") { $0.environment.swift },
  ]

  /// Versions between which figures changed their meaning are more than a fact that differs.
  private mutating func addVersions(_ old: [String], _ new: [String]) {
    let change = MeaningChanges.sentence(across: Set(old + new))
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

  /// The first few, each cut to a readable length: they came from elsewhere.
  private static func list(_ values: Set<String>) -> String {
    guard !values.isEmpty else { return "not told" }
    let shown = values.sorted().prefix(3).map { "'\($0.prefix(80))'" }
    return shown.joined(separator: " and ") + (values.count > 3 ? " and \(values.count - 3) more" : "")
  }
}
