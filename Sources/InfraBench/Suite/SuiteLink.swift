import FoundationEssentials
import Glibc
import ProcessControl

/// A tool's side of the pipe to the bench-suite that runs it; nil where a person or another program does.
///
/// The pipe is also the tool's lifeline: when bench-suite is gone, however it went, the tool ends in order, as after SIGTERM.
/// Killing it with bench-suite would leave tasks of a real gateway assigned.
package final class SuiteLink: Sendable {
  /// Names the descriptor.
  static let variable = "INFRABENCH_SUITE_FD"
  /// Names the tool's directory for temporary files, which is the suite's to remove.
  static let temporaryVariable = "INFRABENCH_SUITE_TMPDIR"
  /// Opened at the tool's first look at it.
  package static let current = SuiteLink(environment: ProcessInfo.processInfo.environment)

  /// From the suite's end on, in s: more than a tool takes to end in order.
  private static let patience: UInt32 = 10

  private let descriptor: Int32

  private init?(environment: [String: String]) {
    // What else has a number in this variable, a terminal or a file, must not be written to.
    var status = stat()
    guard let descriptor = environment[Self.variable].flatMap({ Int32($0) }), descriptor > 2,
      fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFIFO,
      fcntl(descriptor, F_GETFL) & O_ACCMODE == O_WRONLY
    else { return nil }
    self.descriptor = descriptor
    // No program that this one starts is to have it, or to believe that it has.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unsetenv(Self.variable)
    signal(SIGPIPE, SIG_IGN)
    // The suite may be gone by then; of a directory that is not empty nothing is removed.
    atexit { if let path = getenv(SuiteLink.temporaryVariable) { rmdir(path) } }
    watch()
  }

  /// Tells the suite. What nobody reads any more is lost.
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

  /// A pipe whose readers are all gone is in error; nothing else ever happens on this end.
  private func watch() {
    var thread = pthread_t()
    let number = UnsafeMutableRawPointer(bitPattern: Int(descriptor))
    let error = pthread_create(
      &thread, nil,
      { number in
        var end = pollfd(fd: Int32(Int(bitPattern: number)), events: 0, revents: 0)
        while poll(&end, 1, -1) < 0, errno == EINTR {}
        kill(getpid(), SIGTERM)
        sleep(SuiteLink.patience)
        _exit(128 + SIGTERM)
      }, number)
    if error == 0 { pthread_detach(thread) }
  }
}
