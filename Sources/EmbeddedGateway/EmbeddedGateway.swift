public import Gateway
import NIOCore
import NIOPosix

/// A Session Gateway with a warm pool of its own, for measurements, tests and development.
public final class EmbeddedGateway: Sendable {
  /// The host that the gateway listens on.
  public let host: String
  /// The port that the gateway listens on: the assigned one where 0 was asked for.
  public let port: Int

  /// The name of the ECS-compatible endpoint's cluster.
  public let cluster: String
  /// The name of the ECS-compatible endpoint's service.
  public let service: String
  /// The family of the ECS-compatible endpoint's task definition, which RunTask takes.
  public let taskDefinition: String
  /// The region in the signatures of requests to the ECS-compatible endpoint.
  public let region: String

  /// The address at which faults are set and read, `http://127.0.0.1:port`; `nil` unless it was asked for.
  public let controlURL: String?
  /// The token that the control address wants; `nil` unless it was asked for.
  public let controlToken: String?

  private let group: MultiThreadedEventLoopGroup
  private let runner: any TaskRunner
  private let listener: any Channel
  private let server: NIOLoopBound<GatewayServer>
  private let core: NIOLoopBound<GatewayCore>
  private let control: (listener: any Channel, server: NIOLoopBound<ControlServer>)?

  /// `http://host:port`.
  public var url: String { "http://\(Self.authority(host, port))" }

  /// Starts the server and begins to fill the pool.
  ///
  /// - Throws: an `IOError` where the port is taken or the address does not belong to this machine.
  public static func start(
    _ configuration: GatewayConfiguration, runner: any TaskRunner
  ) async throws -> EmbeddedGateway {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      return try await group.next().flatSubmit { listen(configuration, runner, group) }.get()
    } catch {
      try? await group.shutdownGracefully()
      throw error
    }
  }

  private static func listen(
    _ configuration: GatewayConfiguration, _ runner: any TaskRunner, _ group: MultiThreadedEventLoopGroup
  ) -> EventLoopFuture<EmbeddedGateway> {
    let loop = group.next()
    let core = NIOLoopBound(
      GatewayCore(configuration: configuration, runner: runner, loop: loop), eventLoop: loop)
    let server = NIOLoopBound(GatewayServer(core: core.value), eventLoop: loop)
    return server.value.bind(host: configuration.host, port: configuration.port, group: group).flatMap { listener in
      let port = listener.localAddress?.port ?? configuration.port
      core.value.webSocketURL = "ws://\(authority(reachable(configuration.host), port))"
      let gateway = { @Sendable (control: (any Channel, NIOLoopBound<ControlServer>)?) in
        core.value.start()
        return EmbeddedGateway(
          host: configuration.host, port: port, fleet: core.value.ledger.service, group: group, runner: runner,
          listener: listener, server: server, core: core, control: control)
      }
      guard configuration.hasControlAddress else { return loop.makeSucceededFuture(gateway(nil)) }
      let control = NIOLoopBound(ControlServer(core: core.value), eventLoop: loop)
      return control.value.bind(group: group).map { gateway(($0, control)) }
    }
  }

  private init(
    host: String, port: Int, fleet: FleetService, group: MultiThreadedEventLoopGroup, runner: any TaskRunner,
    listener: any Channel, server: NIOLoopBound<GatewayServer>, core: NIOLoopBound<GatewayCore>,
    control: (any Channel, NIOLoopBound<ControlServer>)?
  ) {
    cluster = fleet.clusterName
    service = fleet.name
    taskDefinition = fleet.family
    region = fleet.region
    self.host = host
    self.port = port
    self.group = group
    self.runner = runner
    self.listener = listener
    self.server = server
    self.core = core
    self.control = control.map { (listener: $0.0, server: $0.1) }
    controlURL = control.map { "http://\(Self.authority(ControlServer.host, $0.0.localAddress?.port ?? 0))" }
    controlToken = control.map { $0.1.value.token }
  }

  /// The system's error number in an error of ``start(_:runner:)``, if it has one.
  public static func systemError(of error: any Error) -> Int32? { (error as? IOError)?.errnoCode }

  /// The answer of `GET /api/status`.
  public func status() async throws -> StatusAnswer {
    try await listener.eventLoop.submit { [core] in core.value.status() }.get()
  }

  /// Informs all clients, ends all tasks and closes all connections. Call it once; the gateway has released everything
  /// when it returns.
  public func stop() async {
    try? await listener.eventLoop.submit { [core] in core.value.shutDown() }.get()
    // The tasks end before the listener, because a task that is just starting would report a missing gateway.
    await runner.stopAll()
    try? await control?.listener.close()
    try? await listener.close()
    try? await listener.eventLoop.submit { [server, control] in
      server.value.closeConnections()
      control?.server.value.closeConnections()
    }.get()
    try? await group.shutdownGracefully()
  }

  /// The address at which tasks on this machine reach a server that listens on all addresses.
  private static func reachable(_ host: String) -> String {
    switch host {
    case "0.0.0.0": "127.0.0.1"
    case "::": "::1"
    default: host
    }
  }

  private static func authority(_ host: String, _ port: Int) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
