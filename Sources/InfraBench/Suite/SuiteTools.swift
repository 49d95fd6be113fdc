import ArgumentParser
import FoundationEssentials
package import Results

extension ToolDescriptions {
  /// The tools whose results are known: those that bench-suite runs, in its order, and bench-verify. A new benchmark is
  /// added here, and in ``SuiteTool/all`` if bench-suite runs it.
  package static let suite = ToolDescriptions([
    AllocationBenchmark.description, DirInitBenchmark.description, EndToEndBenchmark.description,
    ConcurrentBenchmark.description, ExhaustionBenchmark.description, APIBenchmark.description,
    VerifyBenchmark.description,
  ])
}

extension ResultReader {
  /// A reader that knows the suite's tools.
  package static let suite = ResultReader(tools: .suite)
}

/// A benchmark of the suite: all that bench-suite has to know before it runs it.
struct SuiteTool: Sendable {
  let name: String
  let command: any BenchmarkCommand.Type
  let description: ToolDescription
  /// Its options with long names.
  let options: [ToolOption]
  private let findProblems: @Sendable (_ arguments: [String], _ environment: [String: String], _ now: Date) -> Problems

  /// In the order in which they run.
  static let all: [SuiteTool] = [
    SuiteTool(AllocationCommand.self, AllocationBenchmark.self),
    SuiteTool(DirInitCommand.self, DirInitBenchmark.self),
    SuiteTool(EndToEndCommand.self, EndToEndBenchmark.self),
    SuiteTool(ConcurrentCommand.self, ConcurrentBenchmark.self),
    SuiteTool(ExhaustionCommand.self, ExhaustionBenchmark.self),
    SuiteTool(APICommand.self, APIBenchmark.self),
  ]

  /// The tools' names, in the order in which they run.
  static let names = all.map(\.name)

  private init<Command: BenchmarkCommand, Work: Benchmark>(_ command: Command.Type, _ benchmark: Work.Type) {
    name = benchmark.tool
    self.command = command
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
        // The tool's name is left out: bench-suite reports once what several tools refuse alike, and adds their names
        // itself.
        reader.problems.add(whole: command.message(for: error))
      }
      return reader.problems
    }
  }

  /// All problems of these arguments. Nothing is started or written.
  func problems(with arguments: [String], environment: [String: String], now: Date) -> Problems {
    findProblems(arguments, environment, now)
  }

  /// The problems of the tool's object in a scenario file that do not depend on how the tool is run: those of its keys
  /// and thresholds.
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

  /// Whether this tool uses the option only with `--cold-by run-task`.
  func isForRunTask(_ name: String) -> Bool {
    option(named: "cold-by") != nil && RunTaskOptions.namesForRunTask.contains(name)
  }
}
