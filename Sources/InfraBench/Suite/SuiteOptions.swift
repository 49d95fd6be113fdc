import Glibc

/// What bench-suite was asked to do, checked: which tools are run with which arguments, and what is done with their results.
struct SuiteSettings: Sendable, Equatable {
  /// In the order in which they are run, those that are skipped among them.
  var tools: [PlannedTool]
  var directory: String
  /// In ns, from the start of bench-suite; nil: none.
  var deadline: UInt64?
  /// Where results to compare with are; nil: the latest earlier day in ``directory``.
  var baseline: String?
  var failsOnRegression: Bool
  /// `--label`; nil without one.
  var label: String?
  /// What a reader of the summary must know, a sentence each.
  var notes: [String] = []
}

/// A tool of the suite, and how it is run.
struct PlannedTool: Sendable, Equatable {
  var name: String
  var arguments: [String] = []
  /// Whether files that it leaves behind are wanted: `--keep`.
  var keepsFiles = false
  /// Why it is not run; nil: it is.
  var skipReason: String?
  /// Its results' label where that tells it from another run of the same tool; nil: it is the tool's usual run.
  var label: String?

  /// What it is called where the tool has several runs.
  var title: String { name + (label.map { " (\($0))" } ?? "") }

  /// For people: a header's value is a secret.
  var commandLine: String {
    var words = [name]
    for word in arguments {
      let isHeader = words.last == "--header" || word.hasPrefix("--header=")
      words.append(isHeader ? (word.hasPrefix("--header=") ? "--header=…" : "…") : word)
    }
    return words.joined(separator: " ")
  }
}

extension OptionReader {
  /// Checks all that bench-suite and its tools were given. What several tools refuse alike is said once.
  mutating func suite(_ command: BenchSuiteCommand) -> SuiteSettings {
    let directory = command.outputDir ?? "results"
    var plan = SuitePlan(
      environment: environment, now: now, size: command.quick ? .quick : .full, label: command.label)
    plan.runAgain(by: command.withProfile, &problems)
    plan.skip(command.skip, "--skip", &problems)
    plan.only(command.only, "--only", &problems)
    if command.skipEfs { plan.skip(DirInitBenchmark.tool, "--skip-efs") }
    plan.give("output-dir", directory)
    if let count = command.repeatCount { plan.give("repeat", count) }
    plan.giveLabels()
    if let format = command.format {
      // Without the documents there would be nothing to sum up.
      plan.give("format", format.split(separator: ",").contains("json") ? format : format + ",json")
    }
    if let file = command.scenario { plan.give(scenarioFile: file, &problems) }
    plan.give(further: command.further, &problems)
    plan.skipByTarget()
    plan.giveProfiles(&problems)
    plan.confirmDrain()
    plan.skipUnconfirmedDrain()
    plan.checkTakers(&problems)
    plan.give(thresholds: command.thresholds, &problems)
    plan.check(&problems)
    let notes = plan.unusedObjects(&problems)
    // What stands against the folder itself the tools have said.
    if Self.reasonNotWritable(directory) == nil {
      for obstacle in SuiteFiles(directory: directory).obstacles { problems.add("--output-dir", obstacle) }
    }
    if let baseline = command.baseline { checkFolder("--baseline", baseline) }
    return SuiteSettings(
      tools: plan.tools, directory: directory,
      deadline: optionalDuration("--deadline", command.deadline, minimum: 1_000_000), baseline: command.baseline,
      failsOnRegression: command.failOnRegression, label: command.label, notes: notes)
  }

  private mutating func checkFolder(_ option: String, _ path: String) {
    var status = stat()
    if let reason = PathText.likeAnOption(path) {
      problems.add(option, reason)
    } else if path.isEmpty || path.utf8.contains(0) || stat(path, &status) != 0 {
      let shown = PlainText.line(String(path.prefix(200)))
      problems.add(option, "there is no folder '\(shown)': make it where the first run has none to be compared with")
    } else if status.st_mode & S_IFMT != S_IFDIR {
      problems.add(option, "'\(PlainText.line(String(path.prefix(200))))' is no folder")
    }
  }
}
