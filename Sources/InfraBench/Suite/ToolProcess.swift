import FoundationEssentials
import Glibc
import ProcessControl
import Results

/// A tool that runs as a child of the suite, and what it reports.
final class ToolProcess: Sendable {
  private let child: ChildProcess
  private let reader: ReportReader

  /// What came of one tool.
  struct Outcome: Sendable {
    var end: ToolEnd
    var results: [(file: String, document: ResultDocument)] = []
    var messages: [String] = []
  }

  /// - Parameters:
  ///   - directory: Where the suite's programs are.
  ///   - temporary: Where its temporary files go; nil: where everybody's do.
  /// - Throws: where the program can't be executed, or what it reports could not be read.
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
    // What the suite was started to ignore its tools are not to be ended by either.
    request.ignoredSignals = TerminationSignals.ignoredAtStart
    // Before the tool: where nobody reads them, all its results would be lost.
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

  /// Sends the tool a signal; false once it has ended.
  @discardableResult
  func signal(_ number: Int32) -> Bool { child.signal(number) }

  /// Waits for its end.
  func outcome() async -> Outcome {
    let exit = await child.waitForExit()
    let reports = await reader.finish()
    var outcome = Outcome(end: ToolEnd(exit))
    for report in reports {
      switch report {
      case .error(let message): outcome.messages.append(message)
      case .result(let file):
        do throws(ResultReadError) {
          outcome.results.append((file, try ResultReader.suite.read(file).document))
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

/// How a tool's process ended, in the contract's words.
struct ToolEnd: Sendable, Equatable {
  /// 0, 99, 1, 64, or that of an interruption.
  var status: Int32
  /// What is to be said of an end that no tool chooses; nil of others.
  var reason: String?
  /// The signal that interrupted it; nil where none did.
  var interruption: Int32?

  /// A tool that a signal ended before it could see to it was interrupted too; one that was killed or has crashed has failed.
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

  /// It was never there.
  static func notStarted(_ reason: String) -> ToolEnd { ToolEnd(status: 1, reason: reason) }
}

/// Signals by name.
enum SignalName {
  /// `SIGTERM`; of others than a program's usual ends `signal 42`.
  static func of(_ number: Int32) -> String {
    let names: [Int32: String] = [
      SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT",
      SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV", SIGPIPE: "SIGPIPE",
      SIGTERM: "SIGTERM", SIGSYS: "SIGSYS", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
    ]
    return names[number] ?? "signal \(number)"
  }
}
