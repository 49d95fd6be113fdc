package import ArgumentParser
import FoundationEssentials
import Glibc

/// A benchmark as a command: options in, one run, an exit status.
package protocol SuiteCommand: AsyncParsableCommand {
  /// Reads the options. What is wrong goes to `reader.problems`; nothing is started or written.
  func prepare(_ reader: inout OptionReader) -> PreparedRun
}

extension SuiteCommand {
  /// Runs the benchmark and ends the process with the contract's exit status.
  package func run() async throws {
    var reader = OptionReader(environment: ProcessInfo.processInfo.environment)
    let run = prepare(&reader)
    guard reader.problems.isEmpty else {
      let usage = "See '\(Self.configuration.commandName ?? "the tool") --help'.\n"
      Console(print: .text, isQuiet: false).talk(reader.problems.description + usage)
      throw ExitCode(EX_USAGE)
    }
    throw ExitCode(await run.perform(environment: reader.environment))
  }
}

/// A benchmark whose options are right, ready to be run.
package struct PreparedRun: Sendable {
  private let work: @Sendable (_ environment: [String: String]) async -> Int32

  package init(_ benchmark: some Benchmark, output: OutputSettings, thresholds: [Threshold]) {
    work = { environment in
      let runner = BenchmarkRunner(output: output, thresholds: thresholds, environment: environment)
      return await runner.run(benchmark).status
    }
  }

  /// Runs it; the process's exit status.
  package func perform(environment: [String: String]) async -> Int32 {
    await work(environment)
  }
}

extension SuiteCommand {
  /// The whole of an executable: parses the process's arguments and runs. Does not return.
  package static func runAsTool() async {
    await main()
  }
}
