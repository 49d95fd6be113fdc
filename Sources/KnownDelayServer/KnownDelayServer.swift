import NIOCore
import NIOPosix

/// A gateway on loopback whose delays are known, to test a load generator's accuracy with: `POST /api/acquire` (a new task each
/// time, always warm), `POST /api/release`, `GET /api/status` on kept connections; one event loop of its own.
public struct KnownDelayServer: Sendable {
  /// Where it listens on 127.0.0.1.
  public let port: Int
  private let group: MultiThreadedEventLoopGroup
  private let listener: any Channel
  private let state: NIOLoopBound<ServerState>

  /// Listens; port 0 is a free one.
  /// - Throws: NIO's `IOError` when the port is taken or may not be used.
  public static func start(plan: DelayPlan, port: Int = 0) async throws -> KnownDelayServer {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    do {
      let state = try await loop.submit { NIOLoopBound(ServerState(plan: plan), eventLoop: loop) }.get()
      let listener = try await ServerBootstrap(group: group)
        .serverChannelOption(.backlog, value: 4096)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ExchangeHandler(state: state.value))
          }
        }
        .bind(host: "127.0.0.1", port: port).get()
      return KnownDelayServer(
        port: listener.localAddress?.port ?? port, group: group, listener: listener, state: state)
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  /// What it has seen so far.
  public func report() async throws -> ServerReport {
    let state = state
    return try await group.next().submit { ServerReport(counts: state.value.counts) }.get()
  }

  /// Stops listening and closes every connection.
  public func stop() async {
    try? await listener.close()
    try? await group.shutdownGracefully()
  }
}
