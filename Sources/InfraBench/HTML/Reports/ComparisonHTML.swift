/// A comparison as a page of its own.
package struct ComparisonHTML {
  let comparison: Comparison
  private let names: (old: String, new: String)

  /// - Parameters:
  ///   - old: what was compared, as the user wrote it.
  ///   - new: the same.
  package init(_ comparison: Comparison, old: String, new: String) {
    self.comparison = comparison
    names = (old, new)
  }

  /// The whole file.
  package var source: String { HTMLPage(title: "Comparison: \(outcome.words)", content: content).source }

  private var content: HTML {
    let groups = comparison.groups.enumerated().map { index, group in
      ComparisonGroupHTML(group, settings: comparison.settings, isDrawn: index < Self.mostDrawn).html
    }
    return HTML([header, tiles, warnings] + groups + [undrawn, notCompared, method].compactMap { $0 })
  }

  /// Each group has some pictures of up to 50 kB.
  private static let mostDrawn = 40

  private var outcome: (words: String, style: String) {
    if comparison.judged.isEmpty { return ("nothing to compare", "warn") }
    if comparison.hasRegression { return ("slower or worse", "bad") }
    if comparison.judged.contains(where: { $0.verdict == .faster }) { return ("faster or better", "good") }
    let isUnknown = comparison.judged.allSatisfy { $0.verdict == .tooFewRuns }
    return isUnknown ? ("too few runs", "warn") : ("no change shown", "")
  }

  private var header: HTML {
    let facts = [
      "OLD: \(names.old) (\(Self.runs(comparison.runsOld)))", "NEW: \(names.new) (\(Self.runs(comparison.runsNew)))",
    ]
    return """
      <header>
      <h1>Comparison<span class="badge \(outcome.style)">\(outcome.words)</span></h1>
      \(HTML.list(facts, class: "facts"))</header>

      """
  }

  static func runs(_ number: Int) -> String { number == 1 ? "1 run" : "\(number) runs" }

  /// Counts of what is judged: headlines and rates.
  private var tiles: HTML {
    let verdicts: [(StatisticComparison.Verdict, String)] = [
      (.slower, "slower or worse"), (.faster, "faster or better"), (.noChange, "no change shown"),
      (.tooFewRuns, "too few runs"),
    ]
    let items = verdicts.map { verdict, words -> HTML in
      "<li><b>\(comparison.judged.count { $0.verdict == verdict })</b><span>\(words)</span></li>\n"
    }
    return """
      <ul class="tiles">
      \(items)</ul>
      <p class="soft">Statistics of headline metrics, and rates. All other metrics are exploratory and not counted here.</p>

      """
  }

  private var warnings: HTML {
    let differences = comparison.environmentDifferences.map { difference in
      difference.isSerious
        ? HTML.alert("Not the same machine:", difference.sentence, class: "bad")
        : HTML.alert("Different:", difference.sentence, class: "")
    }
    return HTML(differences) + HTML(comparison.notes.map { HTML.alert("Note:", $0, class: "warn") })
      + HTML(comparison.nearMisses.map { HTML.alert("Nearly alike:", $0, class: "warn") })
  }

  private var undrawn: HTML? {
    comparison.groups.count <= Self.mostDrawn
      ? nil : HTML.paragraph("Pictures are made of the first \(Self.mostDrawn) groups; the others have their tables.")
  }

  private var notCompared: HTML? {
    guard !comparison.excluded.isEmpty || !comparison.onlyOnOneSide.isEmpty else { return nil }
    var unmatched = HTMLTable("On one side only", header: ["group", "side", "runs", "parameters"])
    for group in comparison.onlyOnOneSide {
      unmatched.add([group.key.title, group.side.rawValue, "\(group.runs)", group.key.parameterText])
    }
    return HTMLSection(
      title: "Not compared", content: unmatched.html + HTMLTable.excluded(comparison.excluded)
    ).html
  }

  private var method: HTML {
    let settings = comparison.settings
    return HTMLSection(
      title: "How it is judged",
      content: HTML.list([
        "The unit is the run: the requests of a run share its machine and its minutes, and are no independent samples.",
        "Per statistic an exact rank test over runs (Mann–Whitney U), and the shift with the interval that inverts the same test (Hodges–Lehmann, of logarithms for latencies).",
        "The statistics of the headline metric are corrected together (Holm), and so are the rates; at alpha \(Ticks.number(settings.alpha)). Other metrics are judged alone: what they show is a hint.",
        "A change counts from \(Ticks.number(settings.minEffect * 100)) % on.",
        "Pooled percentiles are exact merges of all runs of a side. They are shown, not tested.",
      ])
    ).html
  }
}

extension HTMLTable {
  /// Files that were left out, and why; nothing without any.
  static func excluded(_ files: [ExcludedFile]) -> HTML {
    var table = HTMLTable("Left out", header: ["file", "why"])
    for file in files { table.add([file.file, file.reason]) }
    return table.html
  }
}
