import CLibcurl
import Synchronization

/// What the thread is asked to do.
enum CurlCommand: Sendable {
  case start(CurlTransfer)
  case cancel(UInt64)
  case shutDown
}

/// Commands for the thread, from any other thread.
final class CurlCommandQueue: Sendable {
  private struct State {
    var commands: [CurlCommand] = []
    /// The thread's multi handle, here only to wake the thread; `nil` once the thread has ended.
    nonisolated(unsafe) var multi: UnsafeMutableRawPointer?
  }

  private let state: Mutex<State>

  init(multi: sending UnsafeMutableRawPointer) {
    state = Mutex(State(multi: multi))
  }

  /// Adds a command and wakes the thread. After the thread's end a transfer fails at once, other commands are void.
  func post(_ command: CurlCommand) {
    let accepted = state.withLock { state in
      guard let multi = state.multi else { return false }
      state.commands.append(command)
      // Inside the lock: the thread frees the handle only after it has taken it from here.
      curl_multi_wakeup(multi)
      return true
    }
    if !accepted, case .start(let transfer) = command {
      transfer.fail(TransferError(.shutDown, "the HTTP transport was shut down"))
    }
  }

  /// Takes all commands, in order.
  func take() -> [CurlCommand] {
    state.withLock { state in
      defer { state.commands = [] }
      return state.commands
    }
  }

  /// Accepts nothing from now on; returns what had not been taken.
  func close() -> [CurlCommand] {
    state.withLock { state in
      defer {
        state.commands = []
        state.multi = nil
      }
      return state.commands
    }
  }
}
