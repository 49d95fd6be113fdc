import FoundationEssentials
package import Comparison
import Latency
import Results

/// What `bench-compare` was asked to do, checked.
package enum CompareSettings: Sendable, Equatable {
  case compare(old: String, new: String, Comparison.Settings, isStrict: Bool, failsOnRegression: Bool)
  case trend(String, Trend.Settings)
}

extension OptionReader {
  /// Checks the options of bench-compare.
  mutating func comparison(_ command: CompareCommand) -> CompareSettings {
    let only = metricNames(command.metrics)
    if let folder = command.trend {
      refuseWithTrend(command)
      if let reason = PathText.likeAnOption(folder) {
        problems.add("--trend", reason)
      } else {
        checkExists("--trend", folder)
      }
      var settings = Trend.Settings()
      settings.since = day("--since", command.since)
      settings.splitsByLabel = command.byLabel
      settings.only = only
      return .trend(folder, settings)
    }
    if command.since != nil { problems.add("--since", "it is for --trend: give that, or leave it out") }
    var settings = Comparison.Settings()
    settings.minEffect = percent("--min-effect", command.minEffect, default: settings.minEffect)
    settings.alpha = alpha(command.alpha, default: settings.alpha)
    settings.splitsByLabel = command.byLabel
    settings.oldLabel = command.labelOld
    settings.newLabel = command.labelNew
    settings.only = only
    if command.byLabel, let old = command.labelOld, let new = command.labelNew, old != new {
      problems.add("--by-label", "it keeps apart what --label-old and --label-new would compare: leave it out")
    }
    let paths = sides(command)
    return .compare(
      old: paths.old, new: paths.new, settings, isStrict: command.strict, failsOnRegression: command.failOnRegression)
  }

  private mutating func sides(_ command: CompareCommand) -> (old: String, new: String) {
    guard command.paths.count == 2 else {
      problems.add(
        "OLD NEW", "write two files or folders to compare, not \(command.paths.count); or --trend DIR for a trend")
      return ("", "")
    }
    let (old, new) = (command.paths[0], command.paths[1])
    checkExists("OLD", old)
    checkExists("NEW", new)
    if old == new, command.labelOld == command.labelNew {
      problems.add(
        "OLD NEW",
        "'\(old)' can't be compared to itself; to compare labels in one folder give --label-old and --label-new")
    }
    return (old, new)
  }

  private mutating func refuseWithTrend(_ command: CompareCommand) {
    if !command.paths.isEmpty {
      problems.add("--trend", "'\(command.paths[0])' beside it is one too many: a trend is of one folder")
    }
    let given = [
      ("--min-effect", command.minEffect != nil), ("--alpha", command.alpha != nil), ("--strict", command.strict),
      ("--fail-on-regression", command.failOnRegression), ("--label-old", command.labelOld != nil),
      ("--label-new", command.labelNew != nil),
    ]
    for (option, isGiven) in given where isGiven {
      problems.add(option, "it is for comparing OLD and NEW: with --trend leave it out")
    }
  }

  private mutating func checkExists(_ option: String, _ path: String) {
    if path.isEmpty || path.utf8.contains(0) || !FileManager.default.fileExists(atPath: path) {
      problems.add(option, "there is no file or folder '\(path)'")
    }
  }

  /// Checks the names of metrics and counters: some tool must have each.
  private mutating func metricNames(_ written: [String]) -> Set<String> {
    let known = ToolDescriptions.suite.metricNames + ToolDescriptions.suite.judgedCounterNames.sorted()
    for name in written where !known.contains(name) {
      let nearest = NearestName.near(name, in: known).map { ": did you mean '\($0)'?" } ?? ""
      problems.add("--metric", "no tool has a metric or a rate '\(name)'\(nearest)")
    }
    return Set(written)
  }

  /// A share from a text in percent, from 0% to 1000%.
  private mutating func percent(_ option: String, _ written: String?, default fallback: Double) -> Double {
    guard let written else { return fallback }
    if written.hasSuffix("%"), let number = DurationText.parseDecimal(written.dropLast()), number <= 1000 {
      return number / 100
    }
    problems.add(option, "'\(written)' is wrong: write a percentage from 0% to 1000%, such as 5%")
    return fallback
  }

  private mutating func alpha(_ written: String?, default fallback: Double) -> Double {
    guard let written else { return fallback }
    // Below this, no practical number of runs could show a change.
    if let number = DurationText.parseDecimal(written), number >= 0.000_001, number < 0.5 { return number }
    problems.add("--alpha", "'\(written)' is wrong: write a number from 0.000001 to below 0.5, such as 0.05")
    return fallback
  }

  private mutating func day(_ option: String, _ written: String?) -> String? {
    guard let written else { return nil }
    if CalendarDay(written) == nil {
      problems.add(option, "'\(written)' is no day: write it as 2026-11-20")
    }
    return written
  }
}
