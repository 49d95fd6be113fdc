/// A comparison as a page of its own.
package struct ComparisonHTML {
  private let comparison: Comparison
  private let report: ComparisonReport

  package init(_ comparison: Comparison) {
    self.comparison = comparison
    report = ComparisonReport(comparison)
  }

  /// The whole file.
  package var source: String { HTMLPage(title: "Comparison: \(report.outcome)", content: content).source }

  private var content: HTML {
    let groups = comparison.groups.enumerated().map { index, group in
      ComparisonGroupHTML(group, settings: comparison.settings, isDrawn: index < Self.mostDrawn).html
    }
    return HTML([header, tiles, warnings] + groups + [undrawn, notCompared, method].compactMap { $0 })
  }

  /// Each group has some pictures of up to 50 kB.
  private static let mostDrawn = 40

  private var header: HTML {
    let facts = [
      "OLD: \(comparison.oldName) (\(ComparisonRemarks.runs(comparison.runsOld)))",
      "NEW: \(comparison.newName) (\(ComparisonRemarks.runs(comparison.runsNew)))",
    ]
    return """
      <header>
      <h1>Comparison \(headline)</h1>
      \(HTML.list(facts, class: "facts"))</header>

      """
  }

  /// The heaviest verdict there is.
  private var headline: HTML {
    let found = Set(comparison.judged.filter { !$0.isAllZero }.map(\.verdict))
    guard let (verdict, words) = Self.verdicts.first(where: { found.contains($0.0) }) else {
      return "<span class=\"badge\">exploratory only</span>"
    }
    return "<span class=\"badge \(VerdictBadge(verdict).style)\">\(words)</span>"
  }

  private static let verdicts: [(StatisticComparison.Verdict, String)] = [
    (.slower, "slower or worse"), (.faster, "faster or better"), (.noChange, "no change shown"),
    (.tooFewRuns, "too few runs"),
  ]

  /// Counts of what is judged: headlines and rates.
  private var tiles: HTML {
    let judged = comparison.judged.filter { !$0.isAllZero }
    let items = Self.verdicts.map { verdict, words -> HTML in
      "<li><b>\(judged.count { $0.verdict == verdict })</b><span>\(words)</span></li>\n"
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
    return HTML(differences) + HTML.notes(comparison.notes)
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
    return HTMLSection(title: "Not compared", content: unmatched.html + HTML.excluded(comparison.excluded)).html
  }

  private var method: HTML {
    HTMLSection(
      title: "How it is judged",
      content: HTML.list(
        [
          "The unit is the run: the requests of a run share its machine and its minutes, and are no independent samples.",
          "Per statistic an exact rank test over the runs (Mann–Whitney U), and the shift with the interval that inverts "
            + "the same test (Hodges–Lehmann, for latencies of their logarithms).",
          "The statistics of a tool's headline metric are corrected together (Holm), and so are its rates.",
          "Pooled percentiles are exact merges of all runs of a side. They are shown, not tested.",
        ] + ComparisonTables.legend(of: comparison.groups, comparison.settings))
    ).html
  }
}

extension HTML {
  /// Files that were left out, and why; nothing without any.
  static func excluded(_ files: [ExcludedFile]) -> HTML {
    guard !files.isEmpty else { return "" }
    return "<h3>Left out</h3>\n\(list(ComparisonRemarks.excluded(files).sentences))"
  }
}
