import Dispatch
import Glibc
import ProcessControl
import Synchronization

/// Writes the process's two streams, in the order of what it was given, on a thread of its own.
///
/// A terminal that is stopped, a pipe that nobody reads or a slow disk blocks who writes to it. Event loops and the threads
/// of Swift's pool give their text away and go on.
final class OutputWriter: Sendable {
  static let shared = OutputWriter()

  /// What is written.
  enum Piece: Sendable {
    /// Whole lines for standard output; `clearsLine` where it shares its terminal with the live line.
    case data(String, clearsLine: Bool)
    /// Whole lines for standard error.
    case talk(String)
    /// Takes the place of the live line at the end of standard error.
    case live(String)
    case endLive
    /// Everything before it has been written.
    case mark(@Sendable () -> Void)
  }

  private struct State {
    var waiting: [Piece] = []
    var isWriting = false
    /// Why data could not be written to standard output; errno. That nobody reads any more (EPIPE) is no loss.
    var lostData: Int32?
    /// Whether somebody has stopped waiting for it.
    var isGivenUp = false
  }

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "infrabench.output")
  /// The live line as it is on the terminal; empty when there is none. Used on the queue alone.
  private nonisolated(unsafe) var liveLine = ""

  /// Takes `piece` and returns at once.
  func put(_ piece: Piece) {
    let mustStart = state.withLock { state in
      // A live line that nobody has seen yet gives way to the next one: a stopped terminal must not fill the memory.
      if case .live = piece, case .live? = state.waiting.last { state.waiting.removeLast() }
      state.waiting.append(piece)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if mustStart { queue.async { self.writeAll() } }
  }

  /// Why data was lost by now; errno.
  var lostData: Int32? { state.withLock { $0.lostData } }

  /// How long a cancelled task waits for what is not written yet.
  private static let boundWhenCancelled = DispatchTimeInterval.milliseconds(500)

  /// Waits until everything given so far is written, or half a second once the task is cancelled. False when something is
  /// left then; nobody waits for that again.
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

  /// nil, or errno where the text is lost to somebody who still reads.
  @discardableResult
  private static func write(_ text: String, to file: Int32) -> Int32? {
    WholeWrite.write(text.utf8, to: file).flatMap { $0 == EPIPE ? nil : $0 }
  }
}
