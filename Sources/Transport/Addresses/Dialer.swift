import Glibc
import Latency
import NIOCore
import NIOPosix

/// When the successful attempt began, and the name lookup before it.
struct DialAttempt: Sendable {
  /// How long this connection waited for the name lookup; zero if the addresses were known.
  var lookUp: Nanoseconds
  /// When the attempt at the address that accepted the connection began.
  var dialedAt: Instant
}

/// All addresses of a host have failed.
struct DialFailure: Error {
  /// One error per tried address.
  var errors: [any Error]
}

/// Connects to one of a host's addresses: to the first in the user's order, or to the next one if that fails.
struct Dialer: Sendable {
  let addresses: HostAddresses
  /// The user's place in the rotation.
  let turn: Int
  let eventLoop: any EventLoop
  /// The deadline of all attempts together.
  let deadline: Instant
  /// Whether to try another address; called on the loop.
  let goesOn: @Sendable () -> Bool
  /// Sets a channel up; called on the loop for each attempt.
  let configure: @Sendable (any Channel, DialAttempt) -> EventLoopFuture<Void>

  /// The connected channel, and its attempt. Fails with ``DialFailure``, ``UnresolvedHost``, or the error of
  /// `configure`.
  func dial() -> EventLoopFuture<(any Channel, DialAttempt)> {
    let startedAt = MonotonicClock.now()
    if let known = addresses.order(turn: turn, at: startedAt) { return tryFirst(of: known[...], lookUp: .zero) }
    return addresses.lookUp(turn: turn, on: eventLoop).flatMap { found in
      tryFirst(of: found[...], lookUp: MonotonicClock.now() - startedAt)
    }
  }

  private func tryFirst(
    of order: ArraySlice<SocketAddress>, lookUp: Nanoseconds, after errors: [any Error] = []
  ) -> EventLoopFuture<(any Channel, DialAttempt)> {
    let now = MonotonicClock.now()
    guard let address = order.first, now < deadline, goesOn() else {
      return eventLoop.makeFailedFuture(DialFailure(errors: errors))
    }
    let start = DialAttempt(lookUp: lookUp, dialedAt: now)
    let bound = addresses.patience(with: address, isLast: order.count == 1, of: deadline - now)
    return ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(bound))
      .channelInitializer { configure($0, start) }
      .connect(to: address)
      .map { channel in
        addresses.connected(address)
        return (channel, start)
      }
      .flatMapError { error in
        guard goesOn(), let reason = Self.reason(error, bound) else { return eventLoop.makeFailedFuture(error) }
        addresses.failed(address, reason)
        return tryFirst(of: order.dropFirst(), lookUp: lookUp, after: errors + [error])
      }
  }

  /// Why an address did not accept a connection, in words; nil if the address was not the cause.
  static func reason(_ error: any Error, _ bound: Nanoseconds) -> String? {
    switch error {
    case let error as IOError where TransportError.isOfDescriptors(error): nil
    case let error as IOError where error.errnoCode == ECONNREFUSED: "connection refused"
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case ChannelError.connectTimeout: "no connection within \(bound / .milliseconds(1)) ms"
    default: nil
    }
  }
}
