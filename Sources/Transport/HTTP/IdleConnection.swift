import Glibc
package import Latency
import NIOCore

/// How long a kept connection has been without a request, and what its end means right after one. Pure.
///
/// Servers and balancers close connections that nobody uses (nginx after 75 s, Node after 5 s). A request that is sent just
/// then is lost: it crosses the end on its way. It is never sent again by itself, as nobody knows whether it was done.
package struct IdleConnection: Sendable {
  /// nil before the first answer.
  private var servedAt: Instant?
  /// When it was there, its TLS included.
  private var begunAt = MonotonicClock.now()
  /// Later than this after the request an end is no crossing of the two: a peer that ends while it works does so later
  /// than the way is long.
  package private(set) var crossing = IdleConnection.longestCrossing

  /// No server's keep-alive time-out is shorter. A peer that closes a connection in full use has other reasons.
  package static let shortest: Nanoseconds = .milliseconds(100)
  /// Later than this after the request an end is no crossing of the two on any way.
  package static let longestCrossing: Nanoseconds = .seconds(1)
  /// What a crossing may take beside the round trips, because either side may be busy with other work.
  package static let delay: Nanoseconds = .milliseconds(50)
  /// A connection in full use is not looked at before each request.
  package static let inUse: Nanoseconds = .milliseconds(1)

  package init() {}

  /// Whether a request was answered over it.
  package var hasServed: Bool { servedAt != nil }

  /// It is set up.
  package mutating func began(at now: Instant) { begunAt = now }

  /// Its TCP connection took `duration` to set up, which is a round trip.
  package mutating func connected(in duration: Nanoseconds) {
    crossing = min(Self.longestCrossing, 3 * duration + Self.delay)
  }

  /// A request was answered.
  package mutating func served(at now: Instant) { servedAt = now }

  /// How long nothing has been asked.
  package func length(at now: Instant) -> Nanoseconds { now.elapsed(since: servedAt ?? begunAt) }

  /// Whether it is worth a system call to see if the peer has closed it.
  package func isToBeLookedAt(at now: Instant) -> Bool { length(at: now) >= Self.inUse }

  /// The error of a request that crossed the end of its connection; nil where the end has other reasons.
  ///
  /// - Parameters:
  ///   - idleFor: before the request.
  ///   - writtenAt: when the request was written.
  ///   - endedAt: when the end was read, without a byte of an answer.
  package func race(idleFor: Nanoseconds, writtenAt: Instant, endedAt: Instant) -> TransportError? {
    guard idleFor >= Self.shortest, endedAt.elapsed(since: writtenAt) <= crossing else { return nil }
    return TransportError(
      .closedIdle,
      "the peer closed a connection that had been idle for \(idleFor / .milliseconds(1)) ms just as a request was sent; it was not "
        + "sent again: raise the keep-alive time-out of the server or the proxy above the pauses between requests")
  }
}

extension ChannelHandlerContext {
  /// Whether something has come that no request has asked for: the end of the connection, or bytes before it.
  ///
  /// - Parameter isSecure: TLS may still have to say something of its own, so that bytes are no sign.
  func hasUnaskedInput(isSecure: Bool) -> Bool {
    let hasInput = try? pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
      var byte: UInt8 = 0
      let count = recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
      if count > 0 { return !isSecure }
      return count == 0 || errno != EAGAIN && errno != EINTR
    }
    return hasInput ?? false
  }
}
