import FoundationEssentials
import Glibc
import ProcessControl
import Synchronization

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

  /// - Parameter directory: where the suite's programs are.
  static func start(
    _ tool: PlannedTool, in directory: String, environment: [String: String]
  ) async throws(SpawnError) -> ToolProcess {
    var request = ProcessRequest(
      executable: "\(directory)/\(tool.name)", arguments: tool.arguments,
      environment: environment.merging([SuiteLink.variable: "3"]) { $1 }, standardInput: .null)
    request.reports = true
    return ToolProcess(try await ProcessKeeper.shared.spawn(request))
  }

  private init(_ child: ChildProcess) {
    self.child = child
    reader = ReportReader(child.reports)
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

/// Reads what a tool reports for as long as it lives, on a thread of its own: a full pipe would stop the tool.
///
/// Dispatch's read sources are not used: on Linux their event loop has crashed with a pipe that ended while it was watched.
private final class ReportReader: Sendable {
  private let pipe: OwnedDescriptor?
  /// Usually the pipe ends with the tool; but what the tool has started may still hold it.
  private let hasEnded = Atomic(false)
  /// Between two looks at whether the tool has ended, in ms.
  private static let interval: Int32 = 500
  private let reports = FirstValue<[ToolReport]>()

  init(_ pipe: OwnedDescriptor?) {
    self.pipe = pipe
    guard let pipe else {
      reports.give([])
      return
    }
    _ = fcntl(pipe.descriptor, F_SETFL, fcntl(pipe.descriptor, F_GETFL) | O_NONBLOCK)
    let reader = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let error = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let reader = Unmanaged<ReportReader>.fromOpaque(raw).takeRetainedValue()
        reader.reports.give(reader.readToEnd())
        return nil
      }, reader.toOpaque())
    if error == 0 {
      pthread_detach(thread)
    } else {
      reader.release()
      reports.give([])
    }
  }

  /// Everything that was reported. To be called once, when the tool has ended.
  func finish() async -> [ToolReport] {
    hasEnded.store(true, ordering: .releasing)
    return await reports.wait()
  }

  private func readToEnd() -> [ToolReport] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    var wanted = pollfd(fd: pipe?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
    var isOver = false
    while !isOver {
      // Looked at before the pipe: what was reported before the end is in it by now.
      isOver = hasEnded.load(ordering: .acquiring)
      _ = poll(&wanted, 1, isOver ? 0 : Self.interval)
      while true {
        let count = read(wanted.fd, &buffer, buffer.count)
        if count > 0 { bytes += buffer.prefix(count) }
        if count == 0 { isOver = true }
        if count == 0 || count < 0 && errno != EINTR { break }
      }
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { ToolReport(line: $0) }
  }
}
