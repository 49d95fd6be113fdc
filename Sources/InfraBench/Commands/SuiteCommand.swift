package import ArgumentParser
import FoundationEssentials
import Glibc
import ProcessControl
package import Results

/// A benchmark as a command: options in, its runs, an exit status.
package protocol SuiteCommand: AsyncParsableCommand {
  /// Reads the options. What is wrong goes to `reader.problems`; nothing is started or written.
  func prepare(_ reader: inout OptionReader) -> PreparedRun
  /// What is printed in place of a run, where the options ask for that; nil: the run is made.
  func textInsteadOfARun(_ reader: inout OptionReader) -> String?
}

extension SuiteCommand {
  package func textInsteadOfARun(_ reader: inout OptionReader) -> String? { nil }
}

extension SuiteCommand {
  /// The whole of an executable: parses the process's arguments and runs. Does not return.
  package static func runAsTool() async {
    TerminationSignals.quitWithoutBacktrace()
    _ = SuitePipe.current
    let commandLine = Array(CommandLine.arguments.dropFirst())
    let scenario = ScenarioFile(
      commandLine: commandLine, tool: configuration.commandName ?? "this tool", options: ToolOption.all(of: Self.self))
    do {
      var command = try await asyncParseAsRoot(scenario.arguments + commandLine)
      if let benchmark = command as? Self { try await benchmark.run(scenario) } else { try command.run() }
    } catch {
      // The parser reports what it refuses alone; what is wrong with the file is known by then.
      if exitCode(for: error) == .validationFailure, !(error is ExitCode) {
        let console = Console(print: .text, isQuiet: false)
        console.errors(scenario.problems)
        SuitePipe.current?.report(.error(Self.message(for: error)))
        await console.flush()
      }
      exit(withError: error)
    }
  }

  /// Runs the benchmark and ends the process with the contract's exit status.
  package func run() async throws {
    try await run(ScenarioFile())
  }

  /// - Parameter scenario: the file whose arguments were parsed with the command line's.
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

/// A benchmark whose options are right, ready to be run.
package struct PreparedRun: Sendable {
  /// What shapes the run, as its result will have it.
  package let parameters: [String: JSONValue]
  let tool: ToolDescription
  private let work: @Sendable (_ environment: [String: String]) async -> Int32

  /// - Parameter second: the same measurement of the second gateway, where there are two.
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

  /// Runs it as often as planned; the process's exit status.
  package func perform(environment: [String: String]) async -> Int32 {
    await work(environment)
  }
}
