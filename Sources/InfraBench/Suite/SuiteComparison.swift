import FoundationEssentials
import Comparison
import Reports
import Results
import TextFormatting

/// This run's results compared with those of an earlier day, or of a folder.
struct SuiteComparison: Sendable {
  /// For the summary; it changes the exit status only with `--fail-on-regression`.
  var finding: SuiteSummary.Comparison
  /// The report for standard output; a single line where there are no figures to show.
  var text: String
  /// The report for summary.md; a single line where there are no figures to show.
  var markdown: String

  /// The comparison's part in the exit status: 0, 99 or 1.
  var exitStatus: Int32 {
    guard finding.decides else { return 0 }
    switch finding.outcome {
    case .regression: return ToolExit.thresholdCrossed.status
    case .notJudged: return ToolExit.failed.status
    case .noRegression, .noEarlierDay: return 0
    }
  }

  /// Compares with all results below `settings.baseline`; without a baseline, with the latest day in the output
  /// directory that lies before the earliest of `results`. A run past midnight has results of two days, and is compared
  /// as a whole.
  static func make(
    of results: [(file: String, document: ResultDocument)], _ settings: SuiteSettings
  ) async -> SuiteComparison {
    let new = runs(results)
    guard let today = new.runs.map(\.day).min() else {
      return nothing(["this run has no results"], .notJudged, with: settings.baseline, settings)
    }
    guard let (name, earlier) = await earlierRuns(before: today, than: new, settings) else {
      let place =
        settings.baseline.map { "'\($0)' has no results" } ?? "'\(settings.directory)' has no earlier day's results"
      return nothing(["\(place) to compare with"], .noEarlierDay, with: settings.baseline, settings)
    }
    guard !earlier.runs.isEmpty else {
      let reasons = sentences(on: earlier.excluded)
      return nothing(["none of its results can be read"] + reasons, .notJudged, with: name, settings)
    }
    let comparison: Comparison
    do throws(ComparisonError) {
      comparison = try await Comparison.make(old: earlier, new: new, names: (name, "this run of \(today)"))
    } catch {
      return nothing(["\(error)"], .notJudged, with: name, settings)
    }
    return SuiteComparison(comparison, with: name, settings)
  }

  private init(_ comparison: Comparison, with name: String, _ settings: SuiteSettings) {
    let gate = comparison.gate
    let judged = comparison.judged.filter { !$0.isAllZero }
    func finding(_ outcome: SuiteSummary.Comparison.Outcome, _ reasons: [String]) -> SuiteSummary.Comparison {
      .init(with: name, outcome: outcome, decides: settings.failsOnRegression, reasons: reasons)
    }
    // The excluded files are taken out here, because each would be a reason of its own; `sentences(on:)` groups them.
    var unnamed = comparison
    unnamed.excluded = []
    if let reasons = unnamed.reasonsForNothing {
      self = Self.nothing(reasons + Self.sentences(on: comparison.excluded), .notJudged, with: name, settings)
    } else if !judged.isEmpty, judged.allSatisfy({ $0.verdict == .tooFewRuns }) {
      let reason =
        "too few runs to tell a change from noise, \(comparison.runsNew) against \(comparison.runsOld) of all tools: "
        + "five a side and tool are the least (--repeat 5)"
      self = Self.nothing([reason], .notJudged, with: name, settings)
    } else {
      let report = ComparisonReport(comparison)
      text = report.text
      markdown = report.markdown
      if comparison.hasRegression {
        self.finding = finding(
          .regression, gate.regressions.map { "\($0.title) is \($0.verdictText): \($0.changeText)" })
      } else if !gate.unjudged.isEmpty {
        self.finding = finding(.notJudged, gate.unjudged)
      } else {
        self.finding = finding(.noRegression, [])
      }
    }
  }

  private init(finding: SuiteSummary.Comparison, text: String, markdown: String) {
    (self.finding, self.text, self.markdown) = (finding, text, markdown)
  }

  /// A comparison without figures. The texts show the first three reasons on one line; the finding has all of them.
  private static func nothing(
    _ reasons: [String], _ outcome: SuiteSummary.Comparison.Outcome, with name: String?, _ settings: SuiteSettings
  ) -> SuiteComparison {
    let shown = reasons.prefix(3).joined(separator: "; ")
    let line = PlainText.line("compared with \(name ?? "no earlier day"): \(shown)")
    return SuiteComparison(
      finding: .init(with: name, outcome: outcome, decides: settings.failsOnRegression, reasons: reasons),
      text: line + "\n", markdown: "## Comparison\n\n" + Markdown.escape(line) + "\n")
  }

  /// The most reasons for leaving files out that are named. There may be one for each file: a copy's reason names its
  /// twin.
  private static let mostReasons = 5

  /// The reasons why files are left out, a sentence each. As a rule all files of a day share one reason.
  private static func sentences(on excluded: [ExcludedFile]) -> [String] {
    var reasons: [String] = []
    var files: [String: [String]] = [:]
    for file in excluded {
      if files[file.reason] == nil { reasons.append(file.reason) }
      files[file.reason, default: []].append(file.file)
    }
    let sentences = reasons.prefix(mostReasons).map { reason in
      let named = files[reason] ?? []
      return named.count == 1
        ? "left out: \(named[0]): \(reason)"
        : "\(named.count) files left out, such as \(named.first ?? ""): \(reason)"
    }
    let others = reasons.dropFirst(mostReasons).reduce(0) { $0 + (files[$1]?.count ?? 0) }
    return sentences + (others == 0 ? [] : ["\(others) more files left out, which bench-compare names"])
  }

  // MARK: The runs

  private static func runs(_ results: [(file: String, document: ResultDocument)]) -> StoredRuns {
    let runs = results.enumerated().map { index, result in
      StoredRun(result.document, file: ResultFile(path: result.file, unwritten: index))
    }
    return StoredRuns(runs: runs, excluded: [])
  }

  /// The runs to compare with, and their name; nil where there are no results at all.
  ///
  /// Where files exist but all are unreadable, the runs are empty and the files are among the excluded ones: a damaged
  /// day must neither pass as the first one, nor silently give way to an older day.
  private static func earlierRuns(
    before today: String, than new: StoredRuns, _ settings: SuiteSettings
  ) async -> (name: String, runs: StoredRuns)? {
    if let baseline = settings.baseline {
      let runs = await StoredRuns.load([baseline], .suite).comparable(to: new)
      return runs.isNothing ? nil : (baseline, runs)
    }
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: settings.directory)
    } catch {
      guard FileManager.default.fileExists(atPath: settings.directory) else { return nil }
      let unreadable = ExcludedFile(file: settings.directory, reason: "the folder can't be read")
      return (settings.directory, StoredRuns(runs: [], excluded: [unreadable]))
    }
    for day in names.filter({ CalendarDay($0) != nil && $0 < today }).sorted(by: >) {
      let runs = await StoredRuns.load(["\(settings.directory)/\(day)"], .suite).comparable(to: new)
      if !runs.isNothing { return (day, runs) }
    }
    return nil
  }
}

extension StoredRuns {
  /// Whether there are neither runs nor files that could not be read.
  fileprivate var isNothing: Bool { runs.isEmpty && excluded.isEmpty }

  /// Leaves out this run's own files, which may lie below the same folder, and results of tools and profiles that this
  /// run does not have.
  fileprivate func comparable(to new: StoredRuns) -> StoredRuns {
    let own = Set(new.runs.map(\.identity))
    let ways = Set(new.runs.map(ToolAndProfile.init))
    return StoredRuns(
      runs: runs.filter { ways.contains(ToolAndProfile($0)) && !own.contains($0.identity) }, excluded: excluded)
  }
}

/// What is run: a tool, and the gateway profile that was given to it.
private struct ToolAndProfile: Hashable {
  var tool: ToolDescription
  var profile: String?

  init(_ run: StoredRun) {
    tool = run.tool
    profile = run.document.givenProfile
  }
}
