import FoundationEssentials
import Glibc
import ProcessControl
import Results

/// A tool that runs as a child process of the suite, with its reports.
final class ToolProcess: Sendable {
  private let child: ChildProcess
  private let reader: ReportReader

  /// How one tool ended, and what it reported.
  struct Outcome: Sendable {
    var end: ToolEnd
    var results: [(file: String, document: ResultDocument)] = []
    var messages: [String] = []
  }

  /// - Parameters:
  ///   - directory: The directory of the suite's programs.
  ///   - temporary: The tool's directory for temporary files; nil: the common one.
  /// - Throws: Where the program can't be executed, or its reports could not be read.
  static func start(
    _ tool: PlannedTool, in directory: String, environment: [String: String], temporary: TemporaryFiles? = nil
  ) async throws(ToolStartError) -> ToolProcess {
    var environment = environment
    environment[SuitePipe.variable] = "3"
    if let temporary {
      environment["TMPDIR"] = temporary.path
      environment[SuitePipe.temporaryVariable] = temporary.path
    }
    var request = ProcessRequest(
      executable: "\(directory)/\(tool.name)", arguments: tool.arguments, environment: environment, standardInput: .null
    )
    request.reports = true
    // Signals that the suite was started to ignore must not end its tools either.
    request.ignoredSignals = TerminationSignals.ignoredAtStart
    // The reader comes before the tool: without it, all the tool's results would be lost.
    let reader = try ReportReader(of: tool.name)
    do throws(SpawnError) {
      let child = try await ProcessKeeper.shared.spawn(request)
      reader.begin(child.reports)
      return ToolProcess(child, reader)
    } catch {
      reader.begin(nil)
      throw ToolStartError(description: "\(error)")
    }
  }

  private init(_ child: ChildProcess, _ reader: ReportReader) {
    self.child = child
    self.reader = reader
  }

  /// Sends the tool a signal; false where it has ended.
  @discardableResult
  func signal(_ number: Int32) -> Bool { child.signal(number) }

  /// Waits for the tool's end.
  func outcome() async -> Outcome {
    let exit = await child.waitForExit()
    let reports = await reader.finish()
    var outcome = Outcome(end: ToolEnd(exit))
    for report in reports {
      switch report {
      case .error(let message): outcome.messages.append(message)
      case .result(let file):
        do throws(ResultReadError) {
          outcome.results.append((file, try ResultReader.suite.readWritten(ResultFile(path: file, unwritten: 0))))
        } catch {
          outcome.messages.append("its result \(error)")
        }
      }
    }
    return outcome
  }
}

/// Why a tool was not started.
struct ToolStartError: Error, CustomStringConvertible {
  /// A sentence for people.
  let description: String
}

/// How a tool's process ended, as one of the exit statuses that tools have.
struct ToolEnd: Sendable, Equatable {
  /// 0, 99, 1, 64, or 128 and the number of the signal that interrupted it.
  var status: Int32
  /// Describes an end that no tool chooses, such as a crash; nil for other ends.
  var reason: String?
  /// The signal that interrupted the tool; nil where none did.
  var interruption: Int32?

  /// A tool that a signal ended before the tool could handle it was interrupted too; one that was killed or crashed has
  /// failed.
  init(_ exit: ExitStatus) {
    switch exit {
    case .exited(let code) where ToolExit.isInterruption(code): self.init(status: code, interruption: code - 128)
    case .exited(let code) where [0, 1, 64, 99].contains(code): self.init(status: code)
    case .exited(let code): self.init(status: 1, reason: "it ended with the exit status \(code), which no tool has")
    case .signaled(let signal) where ToolExit.isInterruption(128 + signal):
      self.init(status: 128 + signal, interruption: signal)
    case .signaled(SIGKILL):
      self.init(status: 1, reason: "it was killed by SIGKILL: by somebody, or by the kernel for want of memory")
    case .signaled(let signal): self.init(status: 1, reason: "it crashed: \(SignalName.of(signal))")
    case .unknown: self.init(status: 1, reason: "how it ended is not known")
    }
  }

  private init(status: Int32, reason: String? = nil, interruption: Int32? = nil) {
    self.status = status
    self.reason = reason
    self.interruption = interruption
  }

  /// The end of a tool that was never started.
  static func notStarted(_ reason: String) -> ToolEnd { ToolEnd(status: 1, reason: reason) }
}

/// Names of signals, for people.
enum SignalName {
  /// `SIGTERM`; `signal 42` for other signals than a program's usual ends.
  static func of(_ number: Int32) -> String {
    let names: [Int32: String] = [
      SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT",
      SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE",
      SIGTERM: "SIGTERM", SIGSYS: "SIGSYS", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
    ]
    return names[number] ?? "signal \(number)"
  }
}
