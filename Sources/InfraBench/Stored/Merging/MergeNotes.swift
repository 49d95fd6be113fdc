/// What a reader of a merged result must know: of the merge first, then what the runs themselves had noted.
struct MergeNotes {
  let runs: [ResultDocument]
  private static let mostOfRuns = 100

  var all: [String] {
    let own =
      [days] + verdicts + differences
      + [
        "each run's timeline is left out"
      ].filter { _ in runs.contains { $0.timeline != nil } }
    return own + notesOfRuns
  }

  private var days: String {
    let days = runs.reduce(into: [String: Int]()) { $0[String($1.startedAt.prefix(10)), default: 0] += 1 }
    let list = days.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
    return
      "\(runs.count) runs were merged, of \(list): runs of one day share that day and are not independent, so that "
      + "the samples are fewer than they seem"
  }

  /// Runs that are less than they should be.
  private var verdicts: [String] {
    func note(_ number: Int, _ what: String) -> [String] {
      number > 0 ? ["\(number) of \(runs.count) runs \(what)"] : []
    }
    let allowed = runs.filter { $0.generator.saturated && $0.notes.contains(Saturation.allowedNote) }
    return note(runs.count { $0.verdict == .interrupted }, "ended early: interrupted")
      + note(runs.count { $0.verdict == .error }, "measured nothing of what it was there for (verdict error)")
      + note(runs.count { $0.generator.saturated }, "had a saturated generator")
      + note(runs.count { $0.build == "debug" }, "came from a debug build: latencies are higher than a release build's")
      + (allowed.count > 0 && allowed.count == runs.count { $0.generator.saturated } ? [Saturation.allowedNote] : [])
  }

  private var differences: [String] {
    let first = runs[0]
    var notes: [String] = []
    let facts: [(String, (ResultDocument) -> String)] = [
      ("version", \.version), ("host", \.environment.hostname), ("system", \.environment.os),
      ("kernel", \.environment.kernel), ("CPU", \.environment.cpu), ("cores", { "\($0.environment.logicalCores)" }),
      ("commit", { $0.environment.gitCommit ?? "" }), ("label", { $0.label ?? "" }),
    ]
    let differing = facts.filter { fact in runs.contains { fact.1($0) != fact.1(first) } }.map(\.0)
    if !differing.isEmpty {
      notes.append(
        "the runs differ in \(OptionReader.list(differing, "and")): what is shown of the machine and the version is the "
          + "earliest run's")
    }
    if let change = MeaningChanges.sentence(across: Set(runs.map(\.version))) {
      notes.append("the runs are of versions whose figures mean different things: \(change)")
    }
    for name in Set(runs.flatMap(\.counters.keys)).sorted() {
      let number = runs.count { $0.counters[name] != nil }
      if number < runs.count { notes.append("\(name) was counted in \(number) of \(runs.count) runs") }
    }
    let findings = Set(runs.flatMap { ($0.findings ?? [:]).keys }).sorted()
    let left = findings.filter { name in runs.contains { $0.findings?[name] != first.findings?[name] } }
    if !left.isEmpty {
      notes.append("findings that differ between the runs are left out: \(left.joined(separator: ", "))")
    }
    return notes
  }

  /// Each once. That of allowed saturation belongs to a verdict, which is made anew.
  private var notesOfRuns: [String] {
    var seen: Set<String> = [Saturation.allowedNote]
    let notes = runs.flatMap(\.notes).filter { seen.insert($0).inserted }
    let surplus = notes.count - Self.mostOfRuns
    return surplus > 0 ? notes.prefix(Self.mostOfRuns) + ["\(surplus) more notes are in the runs' own files"] : notes
  }
}
