import Glibc
import Synchronization

/// The two streams of a tool: standard output is data, standard error is talk. Usable from any thread; lines stay whole.
package final class Console: Sendable {
  private let print: OutputSettings.Print
  private let isQuiet: Bool
  private let lock = Mutex(())

  package init(print: OutputSettings.Print, isQuiet: Bool) {
    self.print = print
    self.isQuiet = isQuiet
  }

  /// Whether lines of single iterations belong on standard output.
  package var showsIterations: Bool { print == .text }

  /// Data.
  package func data(_ text: String) {
    write(text, to: STDOUT_FILENO)
  }

  /// One line of talk; nothing with `--quiet`.
  package func note(_ text: String) {
    if !isQuiet { write(text + "\n", to: STDERR_FILENO) }
  }

  /// Text that is said even with `--quiet`.
  package func talk(_ text: String) {
    write(text, to: STDERR_FILENO)
  }

  /// One line that is said even with `--quiet`.
  package func error(_ text: String) {
    talk("error: \(text)\n")
  }

  private func write(_ text: String, to file: Int32) {
    lock.withLock { _ in
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }  // nobody reads any more
        bytes = bytes.dropFirst(count)
      }
    }
  }
}
