import Glibc
import Synchronization
import UnixSignals

/// Runs work that SIGINT and SIGTERM end early instead of killing the process.
package enum Interruption {
  /// The work's result, and the signal that ended it, if one did.
  ///
  /// The first signal cancels the work, which then has to return soon; a second one ends the process at once.
  package static func run<T: Sendable>(_ work: @escaping @Sendable () async -> T) async -> (T, signal: Int32?) {
    let received = FirstSignal()
    // First, so that no signal finds the work begun and nobody to end it in order.
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let task = Task { await work() }
    let watcher = Task {
      for await signal in signals {
        let number = signal == .sigint ? SIGINT : SIGTERM
        // Children end by themselves when this process's end of their pipe closes.
        guard received.note(number) else { end(by: number) }
        task.cancel()
      }
    }
    let result = await task.value
    watcher.cancel()
    return (result, received.number)
  }

  /// Ends the process without waiting for anything: a console's lock may be held by what hangs.
  private static func end(by number: Int32) -> Never {
    let line = "ended at once by a second signal: what this run has started or holds may be left as it is\n"
    let bytes = Array(((Terminal.ofStandardError() == nil ? "" : Terminal.eraseLine) + line).utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
    _exit(128 + number)
  }
}

private final class FirstSignal: Sendable {
  private let first = Mutex<Int32?>(nil)

  var number: Int32? { first.withLock { $0 } }

  /// True for the first signal only.
  func note(_ number: Int32) -> Bool {
    first.withLock { first in
      defer { first = first ?? number }
      return first == nil
    }
  }
}
