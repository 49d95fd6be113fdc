import Faults
import Gateway
import Latency
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Transport

/// REST and WebSocket on one port, on one event loop, which is the core's.
final class GatewayServer {
  private let core: GatewayCore
  private let ecs: ECSEndpoint
  /// The open connections.
  private var connections: [ObjectIdentifier: any Channel] = [:]

  init(core: GatewayCore) {
    self.core = core
    ecs = ECSEndpoint(
      fleet: PoolFleet(core: core), credentials: core.configuration.ecsCredentials,
      wallClock: { Int64(WallClock.now()) })
  }

  /// Binds the port and begins to listen.
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
    let idleTime = TimeAmount(limits.idleTime)
    try channel.pipeline.syncOperations.addHandlers(
      IdleStateHandler(allTimeout: idleTime), IdleConnectionCloser(activity: activity))
    var configuration = NIOUpgradableHTTPServerPipelineConfiguration<Void>(
      upgradeConfiguration: upgradeConfiguration(activity))
    configuration.decoderConfiguration.maxHeaderFieldSize = limits.headerBytes
    configuration.decoderConfiguration.maxHeaderListSize = limits.headerBytes
    configuration.decoderConfiguration.maxHeaderFieldCount = 100
    // All header values come from this gateway's own code, so no validation is needed.
    configuration.enableResponseHeaderValidation = false
    // The handlers close the connection, so the upgrade's result is not needed.
    _ = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
    let upgrader = try channel.pipeline.syncOperations.handler(type: NIOTypedHTTPServerUpgradeHandler<Void>.self)
    let filter = UpgradeFilter(activity: activity) { [core] head in
      !RESTHandler.isOfABrowser(head) && Self.owner(for: head, in: core) != nil
        && Self.survivesHandshake(head, activity, in: core)
    }
    try channel.pipeline.syncOperations.addHandler(filter, position: .before(upgrader))
    try channel.pipeline.syncOperations.addHandler(HTTPErrorCloser())
  }

  private func upgradeConfiguration(_ activity: ConnectionActivity) -> NIOTypedHTTPServerUpgradeConfiguration<Void> {
    let bound = NIOLoopBound((core: core, ecs: ecs, activity: activity), eventLoop: core.loop)
    let upgrader = NIOTypedWebSocketServerUpgrader<Void>(
      // The parser has the largest limit of all owners; each owner then checks its own limit.
      maxFrameSize: max(core.configuration.limits.messageBytes, core.configuration.limits.taskMessageBytes),
      // The filter has passed only requests that are accepted.
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
          let faults = owner is TaskSocket ? nil : UserSocketFaults(core: core, rule: activity.fault)
          try TextSocket.install(on: channel, owner: owner, maximumMessage: maximum, faults: faults)
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

  /// Whether an injected fault lets a user's handshake pass. The fault is noted in `activity`: one of the handshake is the
  /// REST handler's work, one of the first message the socket's.
  private static func survivesHandshake(
    _ head: HTTPRequestHead, _ activity: ConnectionActivity, in core: GatewayCore
  ) -> Bool {
    guard core.route(method: head.method.rawValue, uri: head.uri).faultPlace == .session,
      let rule = core.strike(.answer(.session))
    else { return true }
    activity.fault = rule
    return ![.answer5xx, .answerReset, .answerHalfClose].contains(rule.kind)
  }

  /// The owner of the WebSocket that `head` asks for; `nil` where it is refused.
  private static func owner(for head: HTTPRequestHead, in core: GatewayCore) -> (any TextSocketOwner)? {
    switch core.route(method: head.method.rawValue, uri: head.uri) {
    case .productSocket: try? core.product?.socket(for: head.uri)
    case .task(let id): core.pool.admits(id) ? TaskSocket(core: core, taskID: id) : nil
    case .session(let userID): UserSocket(core: core, userID: userID)
    default: nil
    }
  }
}

/// The route of a request, by its method and path.
enum GatewayRoute: Equatable {
  case acquire, release, status, users, health
  /// `POST /`: the ECS-compatible endpoint.
  case ecs
  /// A WebSocket of a task.
  case task(TaskID)
  /// The routes of the product's profile: its REST sessions, and its WebSocket at the root.
  case createSession, productSocket
  case deleteSession(id: String)
  /// A WebSocket of a user.
  case session(userID: String)
  /// The path exists but not with this method; `allow` lists the right ones.
  case methodNotAllowed(allow: String)
  /// The id in the path is not valid.
  case invalidID
  case unknown

  /// Reads `uri` as the embedded profile does; its query is ignored.
  init(method: String, uri: String) {
    let path = uri.prefix { $0 != "?" && $0 != "#" }
    switch path {
    case "/api/acquire": self = Self.only("POST", method, .acquire)
    case "/api/release": self = Self.only("POST", method, .release)
    case "/api/status": self = Self.only("GET", method, .status)
    case "/api/users": self = Self.only("GET", method, .users)
    case "/health": self = Self.only("GET", method, .health)
    case "/": self = Self.only("POST", method, .ecs)
    default:
      if path.hasPrefix("/internal/warm/") {
        let id = path.dropFirst("/internal/warm/".count)
        // Task ids end up in paths and logs as user ids do, and obey the same rule.
        self = UserID.isValid(id) ? Self.only("GET", method, .task(String(id))) : .invalidID
      } else if path.hasPrefix("/session/") {
        let id = path.dropFirst("/session/".count)
        self = UserID.isValid(id) ? Self.only("GET", method, .session(userID: String(id))) : .invalidID
      } else {
        self = .unknown
      }
    }
  }

  private static func only(_ right: String, _ method: String, _ route: GatewayRoute) -> GatewayRoute {
    method == right ? route : .methodNotAllowed(allow: right)
  }
}

/// Turns a request whose upgrade is refused into an ordinary request, so that the REST handler can explain the refusal.
/// It stands before NIO's upgrade handler, which would swallow the head of such a request, and leaves after the first
/// request's head.
final class UpgradeFilter: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private let activity: ConnectionActivity
  private let accepts: (HTTPRequestHead) -> Bool

  /// - Parameter accepts: whether the WebSocket that this head asks for has an owner.
  init(activity: ConnectionActivity, accepts: @escaping (HTTPRequestHead) -> Bool) {
    self.activity = activity
    self.accepts = accepts
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    if head.headers.contains(name: "upgrade"), !(Self.isHandshake(head) && accepts(head)) {
      // The parser expects another protocol from here on, so this is the connection's last request.
      head.headers.remove(name: "upgrade")
      activity.mustClose = true
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  /// Whether the head is a WebSocket handshake (RFC 6455, section 4.2.1).
  private static func isHandshake(_ head: HTTPRequestHead) -> Bool {
    let headers = head.headers
    return head.method == .GET && headers[canonicalForm: "upgrade"].map { $0.lowercased() } == ["websocket"]
      && headers["sec-websocket-version"] == ["13"] && headers["sec-websocket-key"].count == 1
      && !headers.contains(name: "content-length") && !headers.contains(name: "transfer-encoding")
  }
}

/// State that the handlers of one connection share.
final class ConnectionActivity {
  /// Whether the connection may be silent: a request is in work, or it carries a WebSocket.
  var isBusy = false
  /// Whether the connection must close after the present request.
  var mustClose = false
  /// The injected fault of the WebSocket that the connection becomes.
  var fault: FaultRule?
}

/// Closes an HTTP connection that has been silent for too long without a reason; stands behind an `IdleStateHandler`.
final class IdleConnectionCloser: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let activity: ConnectionActivity

  init(activity: ConnectionActivity) {
    self.activity = activity
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
    if !activity.isBusy { context.close(promise: nil) }
  }
}

/// Closes an HTTP connection after an error; a request that cannot be parsed has been answered by then. It is a handler
/// of its own because the REST handler does not exist yet while the first request is read.
final class HTTPErrorCloser: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
