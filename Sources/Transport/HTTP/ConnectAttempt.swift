import NIOCore
import Synchronization

/// The channels of one attempt to connect, one per address that was tried, each with the handler at its end.
///
/// Kept here rather than looked up in the pipeline, which is empty once a channel has closed: a peer's first bytes can
/// end a handshake before the connect is told. It also lets a cancelled task give up: the channels are closed.
final class ConnectAttempt: Sendable {
  private struct State {
    var tried: [(channel: any Channel, handler: NIOLoopBound<HTTPExchangeHandler>)] = []
    var isCancelled = false
  }

  private let state = Mutex(State())

  /// One of the addresses of the target is being tried.
  func began(_ channel: any Channel, _ handler: HTTPExchangeHandler) {
    let handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    let isCancelled = state.withLock { state in
      state.tried.append((channel, handler))
      return state.isCancelled
    }
    if isCancelled { channel.close(promise: nil) }
  }

  /// The handler at the end of a channel of this attempt.
  ///
  /// - Precondition: the attempt ``began(_:_:)`` with this channel.
  func handler(of channel: any Channel) -> NIOLoopBound<HTTPExchangeHandler> {
    state.withLock { state in
      guard let tried = state.tried.first(where: { $0.channel === channel }) else {
        // The bootstrap hands back no other channel than one that its initializer has seen.
        preconditionFailure("this channel is not of the attempt")
      }
      return tried.handler
    }
  }

  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  func cancel() {
    let channels = state.withLock { state in
      state.isCancelled = true
      return state.tried.map(\.channel)
    }
    for channel in channels { channel.close(promise: nil) }
  }
}
