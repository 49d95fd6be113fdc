import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// REST and WebSocket on one port. Everything runs on one event loop, the core's.
final class GatewayServer {
  private let core: GatewayCore
  private let ecs: ECSEndpoint
  /// Open connections.
  private var connections: [ObjectIdentifier: any Channel] = [:]

  init(core: GatewayCore) {
    self.core = core
    ecs = ECSEndpoint(
      fleet: PoolFleet(core: core), credentials: core.configuration.ecsCredentials,
      wallClock: { Int64(WallClock.now()) })
  }

  /// Listens.
  func bind(host: String, port: Int, group: any EventLoopGroup) -> EventLoopFuture<any Channel> {
    let bound = NIOLoopBound(self, eventLoop: core.loop)
    return ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 4096)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
      }
      .bind(host: host, port: port)
  }

  /// Closes every connection.
  func closeConnections() {
    for channel in connections.values { channel.close(promise: nil) }
  }

  private func accept(_ channel: any Channel) throws {
    guard connections.count < core.configuration.limits.connections else { throw ChannelError.connectTimeout(.zero) }
    let key = ObjectIdentifier(channel)
    connections[key] = channel
    channel.closeFuture.assumeIsolated().whenComplete { [weak self] _ in self?.connections[key] = nil }

    let limits = core.configuration.limits
    let activity = ConnectionActivity()
    let idleTime = TimeAmount.nanoseconds(Int64(limits.idleTime))
    try channel.pipeline.syncOperations.addHandlers(
      IdleStateHandler(allTimeout: idleTime), IdleConnectionCloser(activity: activity))
    var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Void>(
      upgradeConfiguration: upgradeConfiguration(activity))
    configuration.decoderConfiguration.maxHeaderFieldSize = limits.headerBytes
    configuration.decoderConfiguration.maxHeaderListSize = limits.headerBytes
    configuration.decoderConfiguration.maxHeaderFieldCount = 100
    // Every value of a header is this gateway's own or an error text of its own.
    configuration.enableResponseHeaderValidation = false
    // What becomes of the connection is its handlers' matter.
    _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
    let upgrader = try channel.pipeline.syncOperations.handler(type: NIOTypedHTTPServerUpgradeHandler<Void>.self)
    let filter = UpgradeFilter(activity: activity) { [core] head in
      !RESTHandler.isOfABrowser(head) && Self.owner(for: head, in: core) != nil
    }
    try channel.pipeline.syncOperations.addHandler(filter, position: .before(upgrader))
    try channel.pipeline.syncOperations.addHandler(HTTPErrorCloser())
  }

  private func upgradeConfiguration(_ activity: ConnectionActivity) -> NIOTypedHTTPServerUpgradeConfiguration<Void> {
    let bound = NIOLoopBound((core: core, ecs: ecs, activity: activity), eventLoop: core.loop)
    let upgrader = NIOTypedWebSocketServerUpgrader<Void>(
      // The parser's bound is the same for all; each owner's own bound is checked behind it.
      maxFrameSize: max(core.configuration.limits.messageBytes, core.configuration.limits.taskMessageBytes),
      // The filter has let through only what is accepted.
      shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
      upgradePipelineHandler: { channel, head in
        channel.eventLoop.makeCompletedFuture {
          let (core, _, activity) = bound.value
          guard let owner = Self.owner(for: head, in: core) else { throw ChannelError.inappropriateOperationForState }
          activity.isBusy = true
          if owner is ProductSocket, let time = core.configuration.product?.idleTimeout {
            try IdleWebSocketCutter.install(on: channel, after: time)
          }
          let limits = core.configuration.limits
          let maximum = owner is TaskSocket ? limits.taskMessageBytes : limits.messageBytes
          try TextSocket.install(on: channel, owner: owner, maximumMessage: maximum)
        }
      })
    return NIOTypedHTTPServerUpgradeConfiguration(
      upgraders: [upgrader],
      notUpgradingCompletionHandler: { channel in
        channel.eventLoop.makeCompletedFuture {
          let (core, ecs, activity) = bound.value
          try channel.pipeline.syncOperations.addHandler(RESTHandler(core: core, ecs: ecs, activity: activity))
        }
      })
  }

  /// Who gets the WebSocket that `head` asks for; `nil` for nobody.
  private static func owner(for head: HTTPRequestHead, in core: GatewayCore) -> (any TextSocketOwner)? {
    switch core.route(method: head.method.rawValue, uri: head.uri) {
    case .productSocket: try? core.product?.socket(for: head.uri)
    case .task(let id): core.pool.admits(id) ? TaskSocket(core: core, taskID: id) : nil
    case .session(let userID): UserSession(core: core, userID: userID)
    default: nil
    }
  }
}
