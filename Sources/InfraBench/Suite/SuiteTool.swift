import ArgumentParser
import FoundationEssentials
import LoadEngine

/// A benchmark of the suite, as bench-suite has to know it before it runs it.
struct SuiteTool: Sendable {
  let name: String
  let catalogue: Catalogue
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
  static let names = [
    AllocationBenchmark.tool, DirInitBenchmark.tool, EndToEndBenchmark.tool, ConcurrentBenchmark.tool,
    ExhaustionBenchmark.tool, APIBenchmark.tool,
  ]

  private init<Command: SuiteCommand, Work: Benchmark>(_ command: Command.Type, _ benchmark: Work.Type) {
    name = benchmark.tool
    catalogue = benchmark.catalogue
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
    let parser = ThresholdParser(catalogue)
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
