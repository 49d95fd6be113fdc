import FoundationEssentials
import ProcessControl

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
    environment[SuiteLink.variable] = "3"
    if let temporary {
      environment["TMPDIR"] = temporary.path
      environment[SuiteLink.temporaryVariable] = temporary.path
    }
    var request = ProcessRequest(
      executable: "\(directory)/\(tool.name)", arguments: tool.arguments, environment: environment, standardInput: .null
    )
    request.reports = true
    // What the suite was started to ignore its tools are not to be ended by either.
    request.ignoredSignals = EndSignals.ignoredAtStart
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
        let contents = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
        if let document = contents.flatMap({ try? ResultCoding.decode($0) }) {
          outcome.results.append((file, document))
        } else {
          outcome.messages.append("its result '\(file)' can't be read any more")
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
