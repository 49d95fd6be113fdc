import FoundationEssentials
import Glibc
import ProcessControl
import Synchronization

/// One message of a tool to the bench-suite that runs it: a line of JSON on a pipe of its own.
///
/// The suite cannot list the output folder to find its results, because another suite may write into the same folder.
enum ToolReport: Codable, Equatable {
  /// A run's document is at this path, as the tool itself would open it.
  case result(file: String)
  /// An error that the tool writes to standard error; here it lacks the leading word `error`.
  case error(String)

  /// The longest message, in bytes. A longer one is cut: a line must never fill the pipe.
  private static let longestMessage = 4_000

  private enum Key: String, CodingKey { case event, file, message }
  private enum Event: String, Codable { case result, error }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .result(let file):
      try container.encode(Event.result, forKey: .event)
      try container.encode(file, forKey: .file)
    case .error(let message):
      try container.encode(Event.error, forKey: .event)
      try container.encode(String(decoding: message.utf8.prefix(Self.longestMessage), as: UTF8.self), forKey: .message)
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decode(Event.self, forKey: .event) {
    case .result: self = .result(file: try container.decode(String.self, forKey: .file))
    case .error: self = .error(try container.decode(String.self, forKey: .message))
    }
  }

  /// One line of JSON with a line feed at its end; nil where the report can't be encoded.
  var line: String? {
    (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" }
  }

  /// Decodes a line; nil where it is no report.
  init?(line: some StringProtocol) {
    guard let report = try? JSONDecoder().decode(ToolReport.self, from: Data(line.utf8)) else { return nil }
    self = report
  }
}

/// A tool's end of the pipe to the bench-suite that runs it.
///
/// The pipe is also the tool's lifeline: when bench-suite is gone for any reason, the tool ends in order, as after
/// SIGTERM. Killing the tool together with bench-suite would leave tasks of a real gateway assigned.
package final class SuitePipe: Sendable {
  /// The environment variable with the number of the pipe's descriptor.
  static let variable = "INFRABENCH_SUITE_FD"
  /// The environment variable with the tool's directory for temporary files, which the suite removes.
  static let temporaryVariable = "INFRABENCH_SUITE_TMPDIR"
  /// Opened at the first access; nil where a person or another program runs the tool.
  package static let current = SuitePipe(environment: ProcessInfo.processInfo.environment)

  /// How long the tool may run on after the suite's end, in s: more than it takes to end in order.
  private static let patience: UInt32 = 10

  private let descriptor: Int32

  private init?(environment: [String: String]) {
    // A terminal or a file whose number happens to be in this variable must not be written to.
    var status = stat()
    guard let descriptor = environment[Self.variable].flatMap({ Int32($0) }), descriptor > 2,
      fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO,
      fcntl(descriptor, F_GETFL) & O_ACCMODE == O_WRONLY
    else { return nil }
    self.descriptor = descriptor
    // No program that this tool starts may inherit the descriptor, or the variable that names it.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unsetenv(Self.variable)
    signal(SIGPIPE, SIG_IGN)
    // The suite may be gone by then. rmdir leaves a directory that is not empty as it is.
    atexit { if let path = getenv(SuitePipe.temporaryVariable) { rmdir(path) } }
    watch()
  }

  /// Sends a report to the suite. It is lost where the suite reads no more.
  func report(_ report: ToolReport) {
    guard let line = report.line else { return }
    var bytes = Array(line.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Ends the process when the suite is gone: poll then reports an error, because the pipe has no reader any more.
  /// Nothing else ever happens at this end.
  private func watch() {
    var thread = pthread_t()
    let number = UnsafeMutableRawPointer(bitPattern: Int(descriptor))
    let error = pthread_create(
      &thread, nil,
      { number in
        var end = pollfd(fd: Int32(Int(bitPattern: number)), events: 0, revents: 0)
        while poll(&end, 1, -1) < 0, errno == EINTR {}
        kill(getpid(), SIGTERM)
        sleep(SuitePipe.patience)
        _exit(128 + SIGTERM)
      }, number)
    if error == 0 { pthread_detach(thread) }
  }
}

/// Reads a tool's reports as long as it runs, on a thread of its own: a full pipe would stop the tool.
///
/// Dispatch's read sources are not used: on Linux their event loop has crashed when a pipe ended while it was watched.
final class ReportReader: Sendable {
  /// The end of the tool's pipe that is read; nil until ``begin(_:)``, and where the tool was not started.
  private let pipe = Mutex<OwnedDescriptor?>(nil)
  /// The thread waits at this end of a pipe until ``begin(_:)`` closes `starter`, the other end.
  private let start: OwnedDescriptor
  private let starter: OwnedDescriptor
  /// Whether the tool has ended. Its pipe usually ends with it, but a process that the tool has started may still hold
  /// it.
  private let hasEnded = Atomic(false)
  /// How often the thread checks whether the tool has ended, in ms.
  private static let interval: Int32 = 500
  private let reports = FirstValue<[ToolReport]>()

  /// Makes the thread, which waits for ``begin(_:)``. That must be called in any case.
  ///
  /// - Throws: Where the system has no thread or no descriptor left.
  init(of tool: String) throws(ToolStartError) {
    do throws(SystemError) {
      (start, starter) = try OwnedDescriptor.pipe()
    } catch {
      throw Self.error(tool, error.errno)
    }
    let reader = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let number = pthread_create(
      &thread, nil,
      { raw in
        guard let raw else { return nil }
        let reader = Unmanaged<ReportReader>.fromOpaque(raw).takeRetainedValue()
        reader.reports.give(reader.readToEnd())
        return nil
      }, reader.toOpaque())
    guard number == 0 else {
      reader.release()
      throw Self.error(tool, number)
    }
    pthread_detach(thread)
  }

  private static func error(_ tool: String, _ number: Int32) -> ToolStartError {
    ToolStartError(
      description: "cannot start '\(tool)': its reports could not be read: \(String(cString: strerror(number)))")
  }

  /// Begins to read the pipe of a tool that was just started; nil: it could not be started, and the thread ends.
  func begin(_ pipe: OwnedDescriptor?) {
    self.pipe.withLock { $0 = pipe }
    starter.close()
  }

  /// All reports. Call it once, when the tool has ended.
  func finish() async -> [ToolReport] {
    hasEnded.store(true, ordering: .releasing)
    return await reports.wait()
  }

  private func readToEnd() -> [ToolReport] {
    var nothing: UInt8 = 0
    while read(start.descriptor, &nothing, 1) < 0, errno == EINTR {}
    guard let pipe = self.pipe.withLock({ $0 }) else { return [] }
    _ = fcntl(pipe.descriptor, F_SETFL, fcntl(pipe.descriptor, F_GETFL) | O_NONBLOCK)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    var wanted = pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0)
    var isOver = false
    while !isOver {
      // Checked before the pipe is read: if the tool has ended, all its reports are in the pipe by now.
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
