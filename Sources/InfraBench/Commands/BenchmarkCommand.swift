import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl
package import Results

/// A benchmark as a command: it reads options, makes runs, and ends with an exit status.
package protocol BenchmarkCommand: ToolCommand {
  /// Reads the options. Each problem goes to `reader.problems`; nothing is started or written.
  func prepare(_ reader: inout OptionReader) -> PreparedRun
  /// A text to print in place of a run, where the options ask for one; nil: the run is made.
  func textInsteadOfARun(_ reader: inout OptionReader) -> String?
}

extension BenchmarkCommand {
  package func textInsteadOfARun(_ reader: inout OptionReader) -> String? { nil }
}

extension BenchmarkCommand {
  package static func runAsTool(_ commandLine: [String]) async {
    TerminationSignals.quitWithoutBacktrace()
    _ = SuitePipe.current
    let scenario = ScenarioFile(
      commandLine: commandLine, tool: configuration.commandName ?? "this tool", options: ToolOption.all(of: Self.self))
    do {
      var command = try await asyncParseAsRoot(scenario.arguments + commandLine)
      if let benchmark = command as? Self { try await benchmark.run(scenario) } else { try command.run() }
    } catch {
      // The parser reports its own error alone, so the file's problems, which are known by then, are reported here.
      if exitCode(for: error) == .validationFailure, !(error is ExitCode) {
        let console = Console(print: .text, isQuiet: false)
        console.errors(scenario.problems)
        SuitePipe.current?.report(.error(Self.message(for: error)))
        await console.flush()
      }
      exit(withError: error)
    }
  }

  /// Runs the benchmark, and ends the process with an exit status of ``ToolExit``.
  package func run() async throws {
    try await run(ScenarioFile())
  }

  /// - Parameter scenario: The file whose arguments were parsed with those of the command line.
  private func run(_ scenario: ScenarioFile) async throws {
    var reader = OptionReader(environment: ProcessInfo.processInfo.environment, scenario: scenario)
    if let text = textInsteadOfARun(&reader), reader.problems.isEmpty {
      let console = Console(print: .text, isQuiet: false)
      console.data(text)
      throw ExitCode(await console.exitStatus(EX_OK))
    }
    let run = prepare(&reader)
    guard reader.problems.isEmpty else {
      let usage = "See '\(Self.configuration.commandName ?? "the tool") --help'.\n"
      let console = Console(print: .text, isQuiet: false)
      console.errors(reader.problems)
      console.talk(usage)
      throw ExitCode(await console.exitStatus(EX_USAGE))
    }
    let status = await run.perform(environment: reader.environment)
    throw ExitCode(await Console(print: .text, isQuiet: false).exitStatus(status))
  }
}

/// A benchmark whose options are checked, ready to run.
package struct PreparedRun: Sendable {
  /// The parameters of the run, as its result will have them.
  package let parameters: [String: JSONValue]
  let tool: ToolDescription
  private let work: @Sendable (_ environment: [String: String]) async -> Int32

  /// - Parameter second: The measurement `benchmark` of the second gateway; nil: there is one gateway.
  package init<B: Benchmark>(
    _ benchmark: B, second: B? = nil, runs: RunPlan, output: OutputSettings, thresholds: [Threshold]
  ) {
    parameters = benchmark.parameters
    tool = B.description
    work = { environment in
      await RunSequence(
        benchmark: benchmark, second: second, plan: runs, output: output, thresholds: thresholds,
        environment: environment
      ).perform()
    }
  }

  /// Makes the planned runs; returns the process's exit status.
  package func perform(environment: [String: String]) async -> Int32 {
    await work(environment)
  }
}
