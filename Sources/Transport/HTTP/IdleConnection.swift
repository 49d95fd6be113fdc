import Glibc
import Latency
import NIOCore

/// How long a kept connection has been without a request, and what its end means right after one. Pure.
///
/// Servers and balancers close connections that nobody uses (nginx after 75 s, Node after 5 s). A request that is sent just
/// then is lost: it crosses the end on its way. It is never sent again by itself, as nobody knows whether it was done.
package struct IdleConnection: Sendable {
  /// In ns of `MonotonicClock`; nil before the first answer.
  private var servedAt: UInt64?
  /// When it was there, its TLS included, in ns.
  private var begunAt = MonotonicClock.now()
  /// Later than this after the request an end is no crossing of the two, in ns: a peer that ends while it works does so
  /// later than the way is long.
  package private(set) var crossing = IdleConnection.longestCrossing

  /// No server's keep-alive time-out is shorter, in ns. A peer that closes a connection in full use has other reasons.
  package static let shortest: UInt64 = 100_000_000
  /// Later than this after the request an end is no crossing of the two on any way, in ns.
  package static let longestCrossing: UInt64 = 1_000_000_000
  /// What a crossing may take beside the round trips, in ns, because either side may be busy with other work.
  package static let delay: UInt64 = 50_000_000
  /// A connection in full use is not looked at before each request, in ns.
  package static let inUse: UInt64 = 1_000_000

  package init() {}

  /// Whether a request was answered over it.
  package var hasServed: Bool { servedAt != nil }

  /// It is set up.
  package mutating func began(at now: UInt64) { begunAt = now }

  /// Its TCP connection took `duration` ns to set up, which is a round trip.
  package mutating func connected(in duration: UInt64) {
    crossing = min(Self.longestCrossing, 3 * min(duration, Self.longestCrossing) + Self.delay)
  }

  /// A request was answered.
  package mutating func served(at now: UInt64) { servedAt = now }

  /// In ns.
  package func length(at now: UInt64) -> UInt64 { now - min(now, servedAt ?? begunAt) }

  /// Whether it is worth a system call to see if the peer has closed it.
  package func isToBeLookedAt(at now: UInt64) -> Bool { length(at: now) >= Self.inUse }

  /// The error of a request that crossed the end of its connection; nil where the end has other reasons.
  ///
  /// - Parameters:
  ///   - idleFor: before the request, in ns.
  ///   - writtenAt: when the request was written, in ns.
  ///   - endedAt: when the end was read, in ns, without a byte of an answer.
  package func race(idleFor: UInt64, writtenAt: UInt64, endedAt: UInt64) -> TransportError? {
    guard idleFor >= Self.shortest, endedAt - min(endedAt, writtenAt) <= crossing else { return nil }
    return TransportError(
      .closedIdle,
      "the peer closed a connection that had been idle for \(idleFor / 1_000_000) ms just as a request was sent; it was not "
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
