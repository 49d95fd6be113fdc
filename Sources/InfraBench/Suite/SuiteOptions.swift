import ArgumentParser
import FoundationEssentials
import Glibc
import Latency
import LoadEngine
import Results
import TextFormatting

/// What bench-suite was asked to do, checked: which tools are run with which arguments, and what is done with their results.
struct SuiteSettings: Sendable, Equatable {
  /// In the order in which they are run, those that are skipped among them.
  var tools: [PlannedTool]
  var directory: String
  /// From the start of bench-suite; nil: none.
  var deadline: Nanoseconds?
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

/// A benchmark of the suite, as bench-suite has to know it before it runs it.
struct SuiteTool: Sendable {
  let name: String
  let description: ToolDescription
  /// Its options with long names.
  let options: [ToolOption]
  private let findProblems: @Sendable (_ arguments: [String], _ environment: [String: String], _ now: Date) -> Problems

  /// In the order in which they are run.
  static let all: [SuiteTool] = [
    SuiteTool(AllocationCommand.self, AllocationBenchmark.self),
    SuiteTool(DirInitCommand.self, DirInitBenchmark.self),
    SuiteTool(EndToEndCommand.self, EndToEndBenchmark.self),
    SuiteTool(ConcurrentCommand.self, ConcurrentBenchmark.self),
    SuiteTool(ExhaustionCommand.self, ExhaustionBenchmark.self),
    SuiteTool(APICommand.self, APIBenchmark.self),
  ]

  /// In the same order.
  static let names = ToolDescriptions.suite.all.map(\.name)

  private init<Command: SuiteCommand, Work: Benchmark>(_ command: Command.Type, _ benchmark: Work.Type) {
    name = benchmark.tool
    description = benchmark.description
    options = ToolOption.all(of: command)
    findProblems = { arguments, environment, now in
      let scenario = ScenarioFile(
        commandLine: arguments, tool: benchmark.tool, options: ToolOption.all(of: command))
      var reader = OptionReader(environment: environment, scenario: scenario, now: now)
      do {
        let parsed = try command.parseAsRoot(scenario.arguments + arguments)
        if let parsed = parsed as? Command { _ = parsed.prepare(&reader) }
      } catch {
        // Without the tool's name: bench-suite says once what several tools refuse alike, and names them itself.
        reader.problems.add(whole: command.message(for: error))
      }
      return reader.problems
    }
  }

  /// Everything that is wrong with these arguments, without starting or writing anything.
  func problems(with arguments: [String], environment: [String: String], now: Date) -> Problems {
    findProblems(arguments, environment, now)
  }

  /// What is wrong with the tool's object in a scenario file, however the tool is run: its keys, and its thresholds.
  func problems(inScenarioFile path: String) -> Problems {
    let scenario = ScenarioFile(commandLine: ["--scenario", path], tool: name, options: options)
    var reader = OptionReader(environment: [:], scenario: scenario)
    let parser = ThresholdParser(description)
    for (option, expression) in zip(scenario.arguments, scenario.arguments.dropFirst()) where option == "--threshold" {
      do throws(ThresholdError) {
        _ = try parser.parse(expression)
      } catch {
        reader.problems.add("--threshold", error.message)
      }
    }
    return reader.problems
  }

  func option(named name: String) -> ToolOption? { options.first { $0.name == name } }

  /// Whether an option of this tool means something to it only beside `--cold-by run-task`.
  func isForRunTask(_ name: String) -> Bool {
    option(named: "cold-by") != nil && RunTaskOptions.namesForRunTask.contains(name)
  }
}

/// How much each tool of the suite measures, unless it is told otherwise.
enum SuiteSize: Sendable {
  case full
  /// Under 90 seconds for all.
  case quick

  private struct Part {
    var words: [String]
    /// Options, by long name, beside which these words would be wrong or mean something else.
    var unless: Set<String>
  }

  /// The words for a tool that is given `options`, by long name, anyway.
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
