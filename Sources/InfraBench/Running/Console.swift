import Dispatch
import Glibc
import ProcessControl
import Synchronization
import Reports
import Results

/// The two streams of a tool: data on standard output, messages on standard error. Any thread may use it, event loops
/// too: ``OutputWriter`` writes everything in its order, and lines stay whole.
///
/// A terminal can have a live line below everything else. The live line gives way to other output, and is drawn again.
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

  /// Whether messages are printed: not with `--quiet`.
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

  /// Prints data, which is whole lines, to standard output.
  package func data(_ text: String) {
    writer.put(.data(text, clearsLine: isDataOnTerminal))
  }

  /// Prints one line to standard error; nothing with `--quiet`.
  package func note(_ text: String) {
    if !isQuiet { talk(text + "\n") }
  }

  /// Prints whole lines to standard error, even with `--quiet`.
  package func talk(_ text: String) {
    writer.put(.talk(text))
  }

  /// Prints one line as an error, even with `--quiet`, and reports it to bench-suite.
  package func error(_ text: String) {
    talk("error: \(text)\n")
    SuitePipe.current?.report(.error(text))
  }

  /// Prints all problems of what the user wrote, even with `--quiet`, and reports them to bench-suite.
  package func errors(_ problems: Problems) {
    talk(problems.description)
    for sentence in problems.sentences { SuitePipe.current?.report(.error(sentence)) }
  }

  /// Waits until everything is written; call it before the process ends. A cancelled task waits half a second; false if
  /// something is left then.
  @discardableResult
  package func flush() async -> Bool { await writer.flush() }

  /// Waits for half a second at most until everything is written: a process that is overdue ends then.
  package func flushSoon() async {
    let flushing = Task { await flush() }
    flushing.cancel()
    _ = await flushing.value
  }

  /// Why data did not reach standard output, for people; nil where none is lost, as far as it is written.
  var lostData: String? {
    writer.lostData.map { "standard output could not be written: \(String(cString: strerror($0)))" }
  }

  /// The exit status of a process that would end with `status`, once everything is written. Lost data is a failure, and
  /// is reported.
  package func exitStatus(_ status: Int32) async -> Int32 {
    guard await flush(), let lostData else { return status }
    error(lostData)
    await flush()
    return SuiteSummary.worst([status, ToolExit.failed.status])
  }
}

/// Writes the process's two streams on a thread of its own, in the order in which it gets text.
///
/// Problem: a stopped terminal, a pipe that nobody reads or a slow disk blocks the thread that writes to it. So event
/// loops and the threads of Swift's pool hand their text over and go on.
final class OutputWriter: Sendable {
  static let shared = OutputWriter()

  /// A piece of output.
  enum Piece: Sendable {
    /// Whole lines for standard output; `clearsLine` where it shares its terminal with the live line.
    case data(String, clearsLine: Bool)
    /// Whole lines for standard error.
    case talk(String)
    /// The new live line at the end of standard error.
    case live(String)
    case endLive
    /// Is called when everything before it has been written.
    case mark(@Sendable () -> Void)
  }

  private struct State {
    var waiting: [Piece] = []
    var isWriting = false
    /// The errno with which data could not be written to standard output. A pipe without a reader (EPIPE) is no loss.
    var lostData: Int32?
    /// Whether a caller has given up waiting for the output.
    var isGivenUp = false
  }

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "infrabench.output")
  /// The live line that is on the terminal; empty: no line. Used on the queue alone.
  private nonisolated(unsafe) var liveLine = ""

  /// Takes `piece` and returns at once.
  func put(_ piece: Piece) {
    let mustStart = state.withLock { state in
      // A live line that is not written yet is replaced by the next one: a stopped terminal must not fill the memory.
      if case .live = piece, case .live? = state.waiting.last { state.waiting.removeLast() }
      state.waiting.append(piece)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if mustStart { queue.async { self.writeAll() } }
  }

  /// The errno with which data was lost; nil as long as no data is lost.
  var lostData: Int32? { state.withLock { $0.lostData } }

  /// How long a cancelled task waits for what is not written yet.
  private static let boundWhenCancelled = DispatchTimeInterval.milliseconds(500)

  /// Waits until everything given so far is written, or half a second once the task is cancelled. False if something is
  /// left then; no later call waits for that.
  func flush() async -> Bool {
    guard !state.withLock({ $0.isGivenUp }) else { return false }
    let isDone = FirstValue<Bool>()
    put(.mark { isDone.give(true) })
    let result = await withTaskCancellationHandler {
      await isDone.wait()
    } onCancel: {
      DispatchQueue.global().asyncAfter(deadline: .now() + Self.boundWhenCancelled) { isDone.give(false) }
    }
    if !result { state.withLock { $0.isGivenUp = true } }
    return result
  }

  private func writeAll() {
    while let pieces = next() {
      for piece in pieces { write(piece) }
    }
  }

  private func next() -> [Piece]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isWriting = false
        return nil
      }
      defer { state.waiting = [] }
      return state.waiting
    }
  }

  private func write(_ piece: Piece) {
    switch piece {
    case .data(let text, let clearsLine):
      let isInTheWay = clearsLine && !liveLine.isEmpty
      if isInTheWay { Self.write(Terminal.eraseLine, to: STDERR_FILENO) }
      if let reason = Self.write(text, to: STDOUT_FILENO) { state.withLock { $0.lostData = $0.lostData ?? reason } }
      if isInTheWay { Self.write(liveLine, to: STDERR_FILENO) }
    case .talk(let text):
      Self.write(liveLine.isEmpty ? text : Terminal.eraseLine + text + liveLine, to: STDERR_FILENO)
    case .live(let text):
      liveLine = text
      Self.write(Terminal.eraseLine + text, to: STDERR_FILENO)
    case .endLive:
      if !liveLine.isEmpty { Self.write(Terminal.eraseLine, to: STDERR_FILENO) }
      liveLine = ""
    case .mark(let body): body()
    }
  }

  /// Nil, or the errno with which text was lost although it still has a reader.
  @discardableResult
  private static func write(_ text: String, to file: Int32) -> Int32? {
    WholeWrite.write(text.utf8, to: file).flatMap { $0 == EPIPE ? nil : $0 }
  }
}

/// The terminal behind standard error.
struct Terminal: Sendable {
  /// Removes the line that the cursor is in (ECMA-48: carriage return, erase in line).
  static let eraseLine = "\r\u{1b}[K"

  /// Nil when standard error is no terminal, or one that cannot erase (`TERM` is `dumb`).
  static func ofStandardError() -> Terminal? {
    guard isatty(STDERR_FILENO) == 1 else { return nil }
    let kind = getenv("TERM").map { String(cString: $0) }
    return kind == "dumb" ? nil : Terminal()
  }

  /// The terminal's present width; 80 where the terminal does not tell it.
  var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// `text`, which is facts separated by commas, cut to one line: whole facts are left out at the end, and "…" shows
  /// that. The first fact alone is cut within where it is too long.
  static func fit(_ text: String, columns: Int) -> String {
    // A full last column would make some terminals go on to the next line.
    let room = columns - 1
    guard text.count > room else { return text }
    guard room > 0 else { return "" }
    if let comma = text.prefix(max(0, room - 2)).lastIndex(of: ",") { return text[...comma] + " …" }
    return text.prefix(room - 1) + "…"
  }
}
