import Glibc
import Synchronization

/// The two streams of a tool: standard output is data, standard error is talk. Usable from any thread; lines stay whole.
///
/// On a terminal there can be a live line below everything else: it gives way to other output and is drawn again.
package final class Console: Sendable {
  private let print: OutputSettings.Print
  private let isQuiet: Bool
  private let terminal: Terminal?
  private let isDataOnTerminal = isatty(STDOUT_FILENO) == 1
  /// The live line as it is on the terminal; empty when there is none.
  private let liveLine = Mutex("")

  package init(print: OutputSettings.Print, isQuiet: Bool) {
    self.print = print
    self.isQuiet = isQuiet
    terminal = isQuiet ? nil : Terminal.ofStandardError()
  }

  /// Whether lines of single iterations belong on standard output.
  package var showsIterations: Bool { print == .text }

  /// Whether there is anybody to talk to.
  package var showsTalk: Bool { !isQuiet }

  /// Whether ``showLive(_:)`` shows anything: on a terminal, without `--quiet`.
  package var hasLiveLine: Bool { terminal != nil }

  /// Puts `text`, cut to the terminal's width, in place of the live line.
  package func showLive(_ text: String) {
    guard let terminal else { return }
    liveLine.withLock { line in
      line = Terminal.fit(text, columns: terminal.columns)
      Self.write(Terminal.eraseLine + line, to: STDERR_FILENO)
    }
  }

  /// Removes the live line.
  package func endLive() {
    liveLine.withLock { line in
      if !line.isEmpty { Self.write(Terminal.eraseLine, to: STDERR_FILENO) }
      line = ""
    }
  }

  /// Data: whole lines.
  package func data(_ text: String) {
    liveLine.withLock { line in
      let isInTheWay = isDataOnTerminal && !line.isEmpty
      if isInTheWay { Self.write(Terminal.eraseLine, to: STDERR_FILENO) }
      if let reason = Self.write(text, to: STDOUT_FILENO) { Self.lostData.withLock { $0 = $0 ?? reason } }
      if isInTheWay { Self.write(line, to: STDERR_FILENO) }
    }
  }

  /// One line of talk; nothing with `--quiet`.
  package func note(_ text: String) {
    if !isQuiet { talk(text + "\n") }
  }

  /// Text that is said even with `--quiet`: whole lines.
  package func talk(_ text: String) {
    liveLine.withLock { line in
      _ = Self.write(line.isEmpty ? text : Terminal.eraseLine + text + line, to: STDERR_FILENO)
    }
  }

  /// One line that is said even with `--quiet`.
  package func error(_ text: String) {
    talk("error: \(text)\n")
  }

  /// Why data could not be written to standard output, by any console of the process; errno. That nobody reads any more
  /// (EPIPE) is no loss.
  private static let lostData = Mutex<Int32?>(nil)

  /// The exit status of a process that would end with `status`: lost data is a failure, and is said.
  package func exitStatus(_ status: Int32) -> Int32 {
    guard let reason = Self.lostData.withLock({ $0 }) else { return status }
    error("standard output could not be written: \(String(cString: strerror(reason)))")
    return SuiteSummary.worst([status, ToolExit.failed.status])
  }

  /// nil, or errno where the text is lost to somebody who still reads.
  @discardableResult
  private static func write(_ text: String, to file: Int32) -> Int32? {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 && errno != EPIPE ? errno : nil }
      bytes = bytes.dropFirst(count)
    }
    return nil
  }
}
