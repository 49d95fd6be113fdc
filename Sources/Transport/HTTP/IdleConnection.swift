import Glibc
public import Latency
import NIOCore

/// When the end of an idle connection is told apart from the end of one that is in use.
public struct IdleBounds: Sendable {
  /// The shortest pause between an answer and the next request that a server's keep-alive time-out may end. No server's
  /// is shorter; a peer that closes a busy connection has other reasons.
  public var kept: Nanoseconds = .milliseconds(100)
  /// The shortest pause before the first request. Servers wait many seconds for it (nginx and Node 60 s), while
  /// a generator that connects many users at once may take a tenth of a second to send it.
  public var fresh: Nanoseconds = .seconds(1)
  /// Added to the round trips in which an end crosses a request, because either side may be busy with other work.
  public var delay: Nanoseconds = .milliseconds(50)

  /// The bounds for a real network.
  public init() {}
}

/// Tracks how long a persistent connection has been idle, and tells what its end right after a request means. Pure.
///
/// Problem: servers and load balancers close idle connections (nginx after 75 s, Node after 5 s). A request sent at
/// that moment crosses the end on its way and is lost. It is never repeated automatically, because the server may have
/// processed it. It gets an error kind of its own instead.
package struct IdleConnection: Sendable {
  /// When the last answer came; nil before the first one.
  private var servedAt: Instant?
  /// When the connection was established, TLS included.
  private var begunAt = MonotonicClock.now()
  /// An end later than this after the request did not cross it: a peer that ends the connection while it works on the
  /// request ends it later than a round trip.
  package private(set) var crossing: Nanoseconds
  private let bounds: IdleBounds

  /// The upper bound of ``crossing`` for any network path, beside the delay.
  package static let longestCrossing: Nanoseconds = .seconds(1)
  /// A connection that was used within this time is not checked before the next request.
  package static let inUse: Nanoseconds = .milliseconds(1)

  package init(bounds: IdleBounds = IdleBounds()) {
    self.bounds = bounds
    crossing = max(Self.longestCrossing, bounds.delay)
  }

  /// Whether a request was answered over it.
  package var hasServed: Bool { servedAt != nil }

  /// Notes that the connection is set up.
  package mutating func began(at now: Instant) { begunAt = now }

  /// Notes that TCP took `duration` to connect, which is one round trip.
  package mutating func connected(in duration: Nanoseconds) {
    crossing = max(bounds.delay, min(Self.longestCrossing, 3 * duration + bounds.delay))
  }

  /// Notes an answered request.
  package mutating func served(at now: Instant) { servedAt = now }

  /// How long the connection has been idle.
  package func length(at now: Instant) -> Nanoseconds { now.elapsed(since: servedAt ?? begunAt) }

  /// Whether the connection has been idle for so long that a system call should check whether the peer has closed it.
  package func isToBeLookedAt(at now: Instant) -> Bool { length(at: now) >= Self.inUse }

  /// The error of a request that crossed the end of its connection; nil if the end has other reasons.
  ///
  /// - Parameters:
  ///   - idleFor: how long the connection was idle before the request.
  ///   - writtenAt: when the request was written.
  ///   - endedAt: when the end was read, before any byte of an answer.
  package func race(idleFor: Nanoseconds, writtenAt: Instant, endedAt: Instant) -> TransportError? {
    guard idleFor >= (hasServed ? bounds.kept : bounds.fresh), endedAt.elapsed(since: writtenAt) <= crossing else {
      return nil
    }
    return TransportError(
      .closedIdle,
      "the peer closed a connection that had been idle for \(idleFor / .milliseconds(1)) ms just as a request was sent; it was not "
        + "sent again: raise the keep-alive time-out of the server or the proxy above the pauses between requests")
  }
}

extension ChannelHandlerContext {
  /// Whether the socket has input that answers no request: the end of the connection, or bytes before it.
  ///
  /// - Parameter isSecure: TLS sends messages of its own, so with TLS bytes alone are no sign.
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
