import Glibc
import ProcessControl
import Synchronization

/// Reads what a tool reports for as long as it lives, on a thread of its own: a full pipe would stop the tool.
///
/// Dispatch's read sources are not used: on Linux their event loop has crashed with a pipe that ended while it was watched.
final class ReportReader: Sendable {
  /// What the tool writes into; nil until ``begin(_:)``, and where the tool was not started.
  private let pipe = Mutex<OwnedDescriptor?>(nil)
  /// The thread waits at this end of a pipe until ``begin(_:)`` closes the other one.
  private let start: OwnedDescriptor
  private let starter: OwnedDescriptor
  /// Usually the pipe ends with the tool; but what the tool has started may still hold it.
  private let hasEnded = Atomic(false)
  /// Between two looks at whether the tool has ended, in ms.
  private static let interval: Int32 = 500
  private let reports = FirstValue<[ToolReport]>()

  /// Makes the thread. ``begin(_:)`` must follow, which it waits for.
  ///
  /// - Throws: where the system has no thread or no descriptor left.
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

  /// Begins to read the pipe of a tool that has just been started; nil: it could not be, and the thread ends.
  func begin(_ pipe: OwnedDescriptor?) {
    self.pipe.withLock { $0 = pipe }
    starter.close()
  }

  /// Everything that was reported. To be called once, when the tool has ended.
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
