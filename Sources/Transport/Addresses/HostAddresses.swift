import Latency
package import NIOCore
import NIOPosix
import Synchronization

/// The addresses of a target's host, looked up once for all connections of a run, and what the run has seen of them.
///
/// A look-up that is older than a minute is made again by the next connection, as balancers change their addresses. A host
/// that is written as an address is not looked up.
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
    /// The one under way.
    var lookUp: EventLoopFuture<Void>?
    var nextTurn = 0
  }

  private let host: String
  private let port: Int
  private let isLiteral: Bool
  private let resolver: Resolver
  private let state = Mutex(State())

  /// Balancers' records say 60 s.
  private static let freshFor: Nanoseconds = .seconds(60)
  /// How long an address that has never connected is waited for while others are left. Lost packets show so; an address
  /// that has connected before is slow for a reason, which is to be measured.
  private static let patience: Nanoseconds = .seconds(1)

  /// The addresses of `endpoint`'s host by the system's resolver.
  public convenience init(of endpoint: Endpoint) { self.init(of: endpoint, resolver: SystemResolver.find) }

  /// The same by a resolver of one's own.
  package init(of endpoint: Endpoint, resolver: @escaping Resolver) {
    host = endpoint.host
    port = endpoint.port
    self.resolver = resolver
    let literal = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
    isLiteral = literal != nil
    if let literal { state.withLock { $0.rotation.found([literal]) } }
  }

  /// How many are taken in turn, without those that are left out; 0 before the first look-up.
  public var count: Int { isLiteral ? 1 : state.withLock { $0.rotation.usableCount } }

  /// The place of the next user in the rotation, from 0.
  public func nextTurn() -> Int {
    state.withLock { state in
      defer { state.nextTurn += 1 }
      return state.nextTurn
    }
  }

  /// What a reader of the figures must know of the addresses; empty where there is but one.
  public var notes: [String] { state.withLock { $0.rotation.notes(host: host) } }

  /// In which order a user tries the addresses; nil where they are to be looked up first.
  func order(turn: Int, at now: Instant) -> [SocketAddress]? {
    state.withLock { state in
      guard isLiteral || state.lookedUpAt.map({ now.elapsed(since: $0) < Self.freshFor }) ?? false else { return nil }
      return state.rotation.order(turn: turn)
    }
  }

  /// The same after a look-up, one for all who wait for it.
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

  /// How long a try at `address` may take of what is left for all of them.
  func patience(with address: SocketAddress, isLast: Bool, of remaining: Nanoseconds) -> Nanoseconds {
    if isLast || state.withLock({ $0.rotation.hasConnected(address) }) { return remaining }
    return min(remaining, Self.patience)
  }

  func connected(_ address: SocketAddress) { state.withLock { $0.rotation.connected(address) } }

  func failed(_ address: SocketAddress, _ reason: String) { state.withLock { $0.rotation.failed(address, reason) } }
}

/// A host has no address, or nobody could be asked for it.
package struct UnresolvedHost: Error {
  package init() {}
}
