import Latency
package import NIOCore
import NIOPosix
import Synchronization

/// The addresses of a target's host, looked up once for all connections of a run, and the outcomes of the run's
/// attempts.
///
/// Load balancers change their addresses, so the first connection after a minute looks the name up again. A host given
/// as an address is not looked up.
public final class HostAddresses: Sendable {
  /// Finds all addresses of a host, with the port in each.
  package typealias Resolver =
    @Sendable (
      _ host: String, _ port: Int, _ eventLoop: any EventLoop
    ) -> EventLoopFuture<[SocketAddress]>

  private struct State {
    var rotation = AddressRotation()
    /// nil before the first look-up.
    var lookedUpAt: Instant?
    /// The lookup under way.
    var lookUp: EventLoopFuture<Void>?
    var nextTurn = 0
  }

  private let host: String
  private let port: Int
  private let isLiteral: Bool
  private let resolver: Resolver
  private let state = Mutex(State())

  /// The time to live of load balancers' DNS records is 60 s.
  private static let freshFor: Nanoseconds = .seconds(60)
  /// The longest wait for an address that has never connected, while others are left: it may lose packets. An address
  /// that has connected before gets the whole time, because its slowness is to be measured.
  private static let patience: Nanoseconds = .seconds(1)

  /// The addresses of `endpoint`'s host by the system's resolver.
  public convenience init(of endpoint: Endpoint) { self.init(of: endpoint, resolver: SystemResolver.find) }

  /// The addresses of `endpoint`'s host by another resolver.
  package init(of endpoint: Endpoint, resolver: @escaping Resolver) {
    host = endpoint.host
    port = endpoint.port
    self.resolver = resolver
    let literal = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
    isLiteral = literal != nil
    if let literal { state.withLock { $0.rotation.found([literal]) } }
  }

  /// The number of addresses in rotation, without those that are left out; 0 before the first lookup.
  public var count: Int { isLiteral ? 1 : state.withLock { $0.rotation.usableCount } }

  /// The place of the next user in the rotation, from 0.
  public func nextTurn() -> Int {
    state.withLock { state in
      defer { state.nextTurn += 1 }
      return state.nextTurn
    }
  }

  /// Notes on the addresses for a reader of the figures; empty for a single address.
  public var notes: [String] { state.withLock { $0.rotation.notes(host: host) } }

  /// The order in which a user tries the addresses; nil if they have to be looked up first.
  func order(turn: Int, at now: Instant) -> [SocketAddress]? {
    state.withLock { state in
      guard isLiteral || state.lookedUpAt.map({ now.elapsed(since: $0) < Self.freshFor }) ?? false else { return nil }
      return state.rotation.order(turn: turn)
    }
  }

  /// The order in which a user tries the addresses, after a name lookup. Concurrent callers share one lookup.
  ///
  /// Fails with `UnresolvedHost`.
  func lookUp(turn: Int, on eventLoop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
    let (done, isOwn): (EventLoopFuture<Void>, EventLoopPromise<Void>?) = state.withLock { state in
      if let underWay = state.lookUp { return (underWay, nil) }
      let promise = eventLoop.makePromise(of: Void.self)
      state.lookUp = promise.futureResult
      return (promise.futureResult, promise)
    }
    if let isOwn {
      resolver(host, port, eventLoop).flatMapThrowing { found in
        guard !found.isEmpty else { throw UnresolvedHost() }
        return found
      }.whenComplete { result in
        self.state.withLock { state in
          state.lookUp = nil
          guard case .success(let found) = result else { return }
          state.rotation.found(found)
          state.lookedUpAt = MonotonicClock.now()
        }
        isOwn.completeWith(result.map { _ in })
      }
    }
    return done.hop(to: eventLoop).map { self.state.withLock { $0.rotation.order(turn: turn) } }
  }

  /// How long an attempt at `address` may take, of the time that is left for all addresses.
  func patience(with address: SocketAddress, isLast: Bool, of remaining: Nanoseconds) -> Nanoseconds {
    if isLast || state.withLock({ $0.rotation.hasConnected(address) }) { return remaining }
    return min(remaining, Self.patience)
  }

  func connected(_ address: SocketAddress) { state.withLock { $0.rotation.connected(address) } }

  func failed(_ address: SocketAddress, _ reason: String) { state.withLock { $0.rotation.failed(address, reason) } }
}

/// A host has no address, or no name server could be asked.
package struct UnresolvedHost: Error {
  package init() {}
}
