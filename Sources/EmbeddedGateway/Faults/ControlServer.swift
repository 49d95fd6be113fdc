import Faults
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import Transport

/// The control address: plays, shows and ends plans of faults, on a loopback port of its own, so that it works while the
/// gateway's own answers stall.
///
/// | request | what it does |
/// |---|---|
/// | `GET /faults` | shows the plan and what was injected |
/// | `POST /faults` | begins a plan, in place of the present one; the body is a specification |
/// | `DELETE /faults` | ends the plan, and shows what was injected |
///
/// Each wants `Authorization: Bearer TOKEN`. Requests of web pages are refused, as on the gateway's own port.
final class ControlServer {
  static let host = "127.0.0.1"
  private let core: GatewayCore
  let token: String
  private var connections: [ObjectIdentifier: any Channel] = [:]

  init(core: GatewayCore, token: String = RandomText.hex(digits: 32)) {
    self.core = core
    self.token = token
  }

  /// Binds a free port of the loopback address and begins to listen.
  func bind(group: any EventLoopGroup) -> EventLoopFuture<any Channel> {
    let bound = NIOLoopBound(self, eventLoop: core.loop)
    return ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try bound.value.accept(channel) }
      }
      .bind(host: Self.host, port: 0)
  }

  func closeConnections() {
    for channel in connections.values { channel.close(promise: nil) }
  }

  private func accept(_ channel: any Channel) throws {
    guard connections.count < 64 else { throw ChannelError.connectTimeout(.zero) }
    let key = ObjectIdentifier(channel)
    connections[key] = channel
    channel.closeFuture.assumeIsolated().whenComplete { [weak self] _ in self?.connections[key] = nil }
    let activity = ConnectionActivity()
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandlers(
      IdleStateHandler(allTimeout: TimeAmount(core.configuration.limits.idleTime)),
      IdleConnectionCloser(activity: activity))
    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true, withErrorHandling: true)
    try pipeline.addHandlers(ControlHandler(core: core, token: token), HTTPErrorCloser())
  }
}

/// One connection to the control address.
private final class ControlHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private struct Problem: Encodable {
    struct Details: Encodable {
      let message: String
      let problems: [String]?
    }
    let error: Details
  }

  private let core: GatewayCore
  private let token: String
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()

  init(core: GatewayCore, token: String) {
    self.core = core
    self.token = token
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = ByteBuffer()
    case .body(var part):
      // One byte beyond the limit is enough to see that the body is too long.
      if body.readableBytes <= InjectedFaults.longestSpecification { body.writeBuffer(&part) }
    case .end:
      guard let head else { return }
      self.head = nil
      respond(to: head, context)
    }
  }

  private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard !RESTHandler.isOfABrowser(head) else {
      return refuse(.forbidden, "requests of web pages (with an Origin header) are refused", head, context)
    }
    guard isAuthorised(head) else {
      return refuse(
        .unauthorized, "this address wants 'Authorization: Bearer TOKEN' with the controlToken of the ready line", head,
        context, [("www-authenticate", "Bearer")])
    }
    guard head.uri.prefix(while: { $0 != "?" }) == "/faults" else {
      return refuse(.notFound, "there is only /faults here", head, context)
    }
    switch head.method {
    case .GET: answer(.ok, core.faultReport(), head, context)
    case .DELETE: answer(.ok, core.endFaults(), head, context)
    case .POST: begin(head, context)
    default: refuse(.methodNotAllowed, "use GET, POST or DELETE", head, context, [("allow", "GET, POST, DELETE")])
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard body.readableBytes <= InjectedFaults.longestSpecification else {
      let message = "a specification has at most \(InjectedFaults.longestSpecification) bytes"
      return refuse(.payloadTooLarge, message, head, context)
    }
    do throws(FaultSpecificationError) {
      core.setFaults(try InjectedFaults(parsing: String(buffer: body)))
      answer(.ok, core.faultReport(), head, context)
    } catch {
      refuse(.badRequest, "the faults are not understood; nothing was changed", head, context, problems: error.problems)
    }
  }

  /// Whether the request shows the token. Digests of equal length are compared, in a time that does not depend on how
  /// much of the token is right.
  private func isAuthorised(_ head: HTTPRequestHead) -> Bool {
    let fields = head.headers["authorization"]
    guard fields.count == 1, fields[0].lowercased().hasPrefix("bearer ") else { return false }
    let shown = SHA256.hash(data: Data(fields[0].dropFirst("bearer ".count).utf8))
    let right = SHA256.hash(data: Data(token.utf8))
    return zip(shown, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  private func refuse(
    _ status: HTTPResponseStatus, _ message: String, _ head: HTTPRequestHead, _ context: ChannelHandlerContext,
    _ headers: [(String, String)] = [], problems: [String]? = nil
  ) {
    answer(status, Problem(error: .init(message: message, problems: problems)), head, context, headers)
  }

  private func answer(
    _ status: HTTPResponseStatus, _ value: some Encodable, _ head: HTTPRequestHead, _ context: ChannelHandlerContext,
    _ extra: [(String, String)] = []
  ) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes = ByteBuffer(bytes: (try? encoder.encode(value)) ?? Data("{}".utf8))
    let keepsAlive = head.isKeepAlive && status.code < 400
    var headers = HTTPHeaders([
      ("content-type", "application/json"), ("content-length", String(bytes.readableBytes)),
      ("date", core.httpDate.value()), ("cache-control", "no-store"),
    ])
    if !keepsAlive { headers.add(name: "connection", value: "close") }
    for (name, value) in extra { headers.add(name: name, value: value) }
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil) }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      if !keepsAlive { bound.value.close(promise: nil) }
    }
  }
}
