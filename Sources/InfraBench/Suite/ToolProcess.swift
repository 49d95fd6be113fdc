import Dispatch
import FoundationEssentials
import Glibc
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

/// Reads what a tool reports for as long as it lives: a full pipe would stop it.
private final class ReportReader: Sendable {
  private let end: OwnedDescriptor?
  private let queue = DispatchQueue(label: "infrabench.reports")
  /// Used on the queue alone.
  private nonisolated(unsafe) var bytes: [UInt8] = []
  private nonisolated(unsafe) var source: (any DispatchSourceRead)?

  init(_ end: OwnedDescriptor?) {
    self.end = end
    guard let end else { return }
    _ = fcntl(end.descriptor, F_SETFL, fcntl(end.descriptor, F_GETFL) | O_NONBLOCK)
    let source = DispatchSource.makeReadSource(fileDescriptor: end.descriptor, queue: queue)
    source.setEventHandler { [weak self] in self?.readAll() }
    // The descriptor must stay open until nobody watches it any more.
    source.setCancelHandler { withExtendedLifetime(end) {} }
    self.source = source
    source.resume()
  }

  /// Everything that was reported. To be called once, when the tool has ended: what it has started may still hold the pipe.
  func finish() async -> [ToolReport] {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        readAll()
        stopWatching()
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        continuation.resume(returning: lines.compactMap { ToolReport(line: $0) })
      }
    }
  }

  private func stopWatching() {
    source?.cancel()
    source = nil
  }

  private func readAll() {
    guard let end else { return }
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = read(end.descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        // At the end of the file it would be ready for ever.
        if count == 0 { stopWatching() }
        return
      }
      bytes += buffer.prefix(count)
    }
  }
}
