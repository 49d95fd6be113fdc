import Glibc
import Synchronization
import UnixSignals

/// Runs work that SIGINT and SIGTERM end early instead of killing the process.
package final class Interruption: Sendable {
  private let first = Mutex<Int32?>(nil)

  /// The signal that is ending the work; nil as long as none has come.
  package var signal: Int32? { first.withLock { $0 } }

  /// The work's result.
  ///
  /// The first signal cancels the work, which then has to return soon; a second one ends the process at once.
  package static func run<T: Sendable>(_ work: @escaping @Sendable (Interruption) async -> T) async -> T {
    let interruption = Interruption()
    // First, so that no signal finds the work begun and nobody to end it in order.
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let task = Task { await work(interruption) }
    let watcher = Task {
      for await signal in signals {
        let number = signal == .sigint ? SIGINT : SIGTERM
        // Children end by themselves when this process's end of their pipe closes.
        guard interruption.note(number) else { end(by: number) }
        task.cancel()
      }
    }
    let result = await task.value
    watcher.cancel()
    return result
  }

  /// Ends the process without waiting for anything: a console's lock may be held by what hangs.
  private static func end(by number: Int32) -> Never {
    let line = "ended at once by a second signal: what this run has started or holds may be left as it is\n"
    let bytes = Array(((Terminal.ofStandardError() == nil ? "" : Terminal.eraseLine) + line).utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
    _exit(128 + number)
  }

  /// True for the first signal only.
  private func note(_ number: Int32) -> Bool {
    first.withLock { first in
      defer { first = first ?? number }
      return first == nil
    }
  }
}
