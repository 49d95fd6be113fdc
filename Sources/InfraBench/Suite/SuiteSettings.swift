import ArgumentParser
import FoundationEssentials
import Glibc
import Latency
import LoadEngine
import Results
import TextFormatting

/// What bench-suite was asked to do, checked: which tools run with which arguments, and what is done with their
/// results.
struct SuiteSettings: Sendable, Equatable {
  /// In the order in which they run; skipped tools are among them.
  var tools: [PlannedTool]
  var directory: String
  /// From the start of bench-suite; nil: no deadline.
  var deadline: Nanoseconds?
  /// The path of the results to compare with; nil: the latest earlier day in ``directory``.
  var baseline: String?
  var failsOnRegression: Bool
  /// `--label`; nil without one.
  var label: String?
  /// Sentences that a reader of the summary must know.
  var notes: [String] = []
}

/// A tool of the suite, with its arguments.
struct PlannedTool: Sendable, Equatable {
  var name: String
  var arguments: [String] = []
  /// Whether files that the tool leaves behind are kept: `--keep`.
  var keepsFiles = false
  /// Why the tool is skipped; nil: it runs.
  var skipReason: String?
  /// The label of its results where that tells this run from another run of the tool; nil: it is the tool's usual run.
  var label: String?

  /// The tool's name, with the label where the tool has several runs.
  var title: String { name + (label.map { " (\($0))" } ?? "") }

  /// The command line for people. The values of headers are left out: they are secrets.
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
  /// Checks all options of bench-suite and of its tools. A problem that several tools report alike is reported once.
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
      // The summary is made of the documents, so they are always written.
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
    // The tools have already reported what is wrong with the folder itself.
    if Self.reasonNotWritable(directory) == nil {
      for obstacle in SuiteFiles(directory: directory).obstacles { problems.add("--output-dir", obstacle) }
    }
    if let baseline = command.baseline { checkFolder("--baseline", baseline) }
    return SuiteSettings(
      tools: plan.tools, directory: directory,
      deadline: optionalDuration("--deadline", command.deadline, minimum: .milliseconds(1)), baseline: command.baseline,
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

/// How much each tool of the suite measures by default.
enum SuiteSize: Sendable {
  case full
  /// All tools together take less than 90 seconds.
  case quick

  private struct Part {
    var words: [String]
    /// Long names of options. Where one of them is given, the words would be wrong or mean something else, and are left
    /// out.
    var unless: Set<String>
  }

  /// The words of this size for a tool; `options` are the long names of the options that it is given anyway.
  func words(for tool: String, beside options: Set<String>) -> [String] {
    parts(of: tool).filter { $0.unless.isDisjoint(with: options) }.flatMap(\.words)
  }

  private func parts(of tool: String) -> [Part] {
    let isQuick = self == .quick
    let loop: Set<String> = ["count", "duration", "stages"]
    switch tool {
    case AllocationBenchmark.tool: return [Part(words: ["--count", isQuick ? "20" : "100"], unless: loop)]
    case DirInitBenchmark.tool: return [Part(words: ["--count", isQuick ? "20" : "100"], unless: loop)]
    case EndToEndBenchmark.tool: return [Part(words: ["--count", isQuick ? "10" : "50"], unless: loop)]
    case ConcurrentBenchmark.tool:
      return [
        Part(words: ["--beyond", "3"], unless: loop.union(["rate", "beyond"])),
        Part(words: ["--bursts", isQuick ? "1" : "5"], unless: loop.union(["rate", "bursts"])),
      ]
    case APIBenchmark.tool: return [Part(words: ["--iterations", isQuick ? "10" : "50"], unless: ["iterations"])]
    default: return []
    }
  }
}
