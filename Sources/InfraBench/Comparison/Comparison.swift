/// What became of every metric and rate between two sets of runs. Text, Markdown, JSON and HTML are folds of this.
package struct Comparison: Sendable {
  package enum Side: String, Sendable, Equatable {
    case old = "OLD"
    case new = "NEW"
  }

  /// Groups of runs that are of one side only: nothing can be said of them.
  package struct UnmatchedGroup: Sendable, Equatable {
    package var side: Side
    package var key: LoadShape
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
  package var nearMisses: [String]
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

/// A file that is not compared, and why.
package struct ExcludedFile: Sendable, Equatable {
  package var file: String
  package var reason: String

  package init(file: String, reason: String) {
    self.file = file
    self.reason = reason
  }
}

/// One fact of the environment that is not the same in all compared runs.
package struct EnvironmentDifference: Sendable, Equatable {
  package var sentence: String
  /// Whether latencies cannot be compared across it: what `--strict` refuses.
  package var isSerious: Bool
}
