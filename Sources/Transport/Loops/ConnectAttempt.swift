import NIOCore
import Synchronization

/// Lets a cancelled task give up connecting: the channels of the attempt are closed.
final class ConnectAttempt: Sendable {
  private struct State {
    var channels: [any Channel] = []
    var isCancelled = false
  }

  private let state = Mutex(State())

  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  /// One of the addresses of the target is being tried.
  func began(_ channel: any Channel) {
    let isCancelled = state.withLock { state in
      state.channels.append(channel)
      return state.isCancelled
    }
    if isCancelled { channel.close(promise: nil) }
  }

  func cancel() {
    let channels = state.withLock { state in
      state.isCancelled = true
      return state.channels
    }
    for channel in channels { channel.close(promise: nil) }
  }
}
