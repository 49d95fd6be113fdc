package import ArgumentParser
import ProcessControl

/// A tool as a command: `bench-allocation`, which is also `infrabench allocation`.
package protocol ToolCommand: AsyncParsableCommand {
  /// Does the work of the whole process, and ends it.
  ///
  /// - Parameter arguments: the words behind the tool's name.
  static func runAsTool(_ arguments: [String]) async
}

extension ToolCommand {
  package static func runAsTool(_ arguments: [String]) async {
    TerminationSignals.quitWithoutBacktrace()
    await main(arguments)
  }

  /// The tool's name as a program, `bench-allocation`.
  static var programName: String { _commandName }
  /// The tool's name behind `infrabench`, `allocation`.
  static var shortName: String { String(_commandName.trimmingPrefix("bench-")) }
}
