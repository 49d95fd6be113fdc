import NIOCore
import Synchronization

/// The channels of one attempt to connect, one per address that was tried, each with the handler at its end.
///
/// The handlers are kept here because a closed channel's pipeline is empty: a peer's first bytes can end a handshake
/// before the connect is reported. A cancelled task also gives up through this object, which closes the channels.
final class ConnectAttempt: Sendable {
  private struct State {
    var tried: [(channel: any Channel, handler: NIOLoopBound<HTTPExchangeHandler>)] = []
    var isCancelled = false
  }

  private let state = Mutex(State())

  /// Adds the channel of an address that is being tried.
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
  /// - Precondition: ``began(_:_:)`` was called with this channel.
  func handler(of channel: any Channel) -> NIOLoopBound<HTTPExchangeHandler> {
    state.withLock { state in
      guard let tried = state.tried.first(where: { $0.channel === channel }) else {
        // The bootstrap returns only channels that its initializer has seen.
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
