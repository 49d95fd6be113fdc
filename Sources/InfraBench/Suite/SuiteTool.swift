import ArgumentParser
import LoadEngine

/// A benchmark of the suite, as bench-suite has to know it before it runs it.
struct SuiteTool: Sendable {
  let name: String
  let catalogue: Catalogue
  /// Its options with long names.
  let options: [ToolOption]
  private let findProblems: @Sendable (_ arguments: [String], _ environment: [String: String]) -> Problems

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
    findProblems = { arguments, environment in
      let scenario = ScenarioFile(
        commandLine: arguments, tool: benchmark.tool, options: ToolOption.all(of: command))
      var reader = OptionReader(environment: environment, scenario: scenario)
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
  func problems(with arguments: [String], environment: [String: String]) -> Problems {
    findProblems(arguments, environment)
  }

  func option(named name: String) -> ToolOption? { options.first { $0.name == name } }
}
