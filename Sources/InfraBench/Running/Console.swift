import Glibc

/// The two streams of a tool: standard output is data, standard error is talk. Usable from any thread, event loops too: what
/// is said is written by ``OutputWriter``, in its order. Lines stay whole.
///
/// On a terminal there can be a live line below everything else: it gives way to other output and is drawn again.
package final class Console: Sendable {
  private let print: OutputSettings.Print
  private let isQuiet: Bool
  private let terminal: Terminal?
  private let isDataOnTerminal = isatty(STDOUT_FILENO) == 1
  private let writer = OutputWriter.shared

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
    writer.put(.live(Terminal.fit(text, columns: terminal.columns)))
  }

  /// Removes the live line.
  package func endLive() {
    if terminal != nil { writer.put(.endLive) }
  }

  /// Data: whole lines.
  package func data(_ text: String) {
    writer.put(.data(text, clearsLine: isDataOnTerminal))
  }

  /// One line of talk; nothing with `--quiet`.
  package func note(_ text: String) {
    if !isQuiet { talk(text + "\n") }
  }

  /// Text that is said even with `--quiet`: whole lines.
  package func talk(_ text: String) {
    writer.put(.talk(text))
  }

  /// One line that is said even with `--quiet`, and that bench-suite is told of.
  package func error(_ text: String) {
    talk("error: \(text)\n")
    SuiteLink.current?.report(.error(text))
  }

  /// Everything that is wrong with what the user wrote, likewise.
  package func errors(_ problems: Problems) {
    talk(problems.description)
    for sentence in problems.sentences { SuiteLink.current?.report(.error(sentence)) }
  }

  /// Waits until everything that was said is written: before the process ends. A cancelled task waits half a second; false
  /// when something is left then.
  @discardableResult
  package func flush() async -> Bool { await writer.flush() }

  /// The same, for half a second at most: a process that is overdue ends then.
  package func flushSoon() async {
    let flushing = Task { await flush() }
    flushing.cancel()
    _ = await flushing.value
  }

  /// Why not all data is where it was to go, for people; nil where it is, as far as it is written.
  var lostData: String? {
    writer.lostData.map { "standard output could not be written: \(String(cString: strerror($0)))" }
  }

  /// The exit status of a process that would end with `status`, once everything is written: lost data is a failure, and is
  /// said.
  package func exitStatus(_ status: Int32) async -> Int32 {
    guard await flush(), let lostData else { return status }
    error(lostData)
    await flush()
    return SuiteSummary.worst([status, ToolExit.failed.status])
  }
}
