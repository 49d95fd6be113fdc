import Latency
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS
import NIOWebSocket

/// From nothing to an open WebSocket: connect, TLS, upgrade, each phase stamped. Confined to the event loop; the first
/// outcome counts, whatever else happens afterwards.
///
/// A name may have several addresses, each tried with a channel of its own (RFC 8305): what happens to a channel counts
/// only if it is the one that got the connection.
final class WebSocketHandshake {
  private let request: UpgradeRequest
  private let limits: WebSocketLimits
  private let loop: any EventLoop
  private let promise: EventLoopPromise<WebSocketConnection>
  private let resolver: (any Resolver & Sendable)?
  private let startedAt = MonotonicClock.now()
  /// All that were begun.
  private var attempts: [Attempt] = []
  /// The one that is connected.
  private var connected: Attempt?
  private var isDecided = false

  /// One address of the endpoint.
  private final class Attempt {
    let channel: any Channel
    let ending = EndDuringUpgrade()
    var phases: WebSocketPhases
    /// What the answer to the upgrade sets.
    var cookies: [String] = []
    /// Why it failed before anybody knew that it is the one that counts.
    var failure: WebSocketError?

    init(_ channel: any Channel, startedAt: UInt64) {
      self.channel = channel
      phases = WebSocketPhases(started: startedAt)
    }
  }

  private init(
    _ request: UpgradeRequest, _ limits: WebSocketLimits, _ loop: any EventLoop,
    _ promise: EventLoopPromise<WebSocketConnection>, _ resolver: (any Resolver & Sendable)?
  ) {
    self.request = request
    self.limits = limits
    self.loop = loop
    self.promise = promise
    self.resolver = resolver
  }

  /// - Parameter resolver: Finds the addresses of the host; nil for the system's.
  static func perform(
    _ request: UpgradeRequest, on loop: any EventLoop, limits: WebSocketLimits, timeout: UInt64,
    resolver: (any Resolver & Sendable)? = nil
  ) async throws(WebSocketError) -> WebSocketConnection {
    let promise = loop.makePromise(of: WebSocketConnection.self)
    let cancelled = loop.makePromise(of: Void.self)
    loop.execute {
      let handshake = WebSocketHandshake(request, limits, loop, promise, resolver)
      handshake.start(timeout: timeout)
      cancelled.futureResult.assumeIsolated().whenSuccess { handshake.fail(.cancelled) }
    }
    let result: Result<WebSocketConnection, WebSocketError> = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        promise.futureResult.whenComplete { result in
          // NIO warns of promises that are never completed; after the outcome this one changes nothing.
          cancelled.succeed()
          continuation.resume(returning: result.mapError(WebSocketError.init(ofConnect:)))
        }
      }
    } onCancel: {
      cancelled.succeed()
    }
    return try result.get()
  }

  private func start(timeout: UInt64) {
    let bound = TimeAmount.nanoseconds(Int64(clamping: timeout))
    let me = NIOLoopBound(self, eventLoop: loop)
    let timer = loop.assumeIsolated().scheduleTask(in: bound) { self.fail(.timeout(nanoseconds: timeout)) }
    promise.futureResult.whenComplete { _ in timer.cancel() }
    ClientBootstrap(group: loop)
      .resolver(resolver)
      .connectTimeout(bound)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try me.value.configure(channel) }
      }
      .connect(host: request.endpoint.host, port: request.endpoint.port)
      .assumeIsolated()
      .whenComplete { result in
        switch result {
        case .success(let channel) where self.isDecided: channel.close(promise: nil)
        case .success(let channel):
          self.connected = self.attempts.first { $0.channel === channel }
          if let failure = self.connected?.failure { self.fail(failure) }
        case .failure(let error): self.fail(WebSocketError(ofConnect: error))
        }
      }
  }

  private func configure(_ channel: any Channel) throws {
    // Cancelled or timed out while other addresses were left to try.
    guard !isDecided else { throw ChannelError.alreadyClosed }
    let attempt = Attempt(channel, startedAt: startedAt)
    attempts.append(attempt)
    let pipeline = channel.pipeline.syncOperations
    if let tls = request.tls {
      try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: request.serverName))
      try pipeline.addHandler(TLSFailureReader(host: request.endpoint.host))
    }
    let phaseStamps = PhaseStamps(
      connected: { attempt.phases.connected = MonotonicClock.now() },
      secured: { attempt.phases.secured = MonotonicClock.now() })
    try pipeline.addHandler(phaseStamps)
    try pipeline.addHandler(attempt.ending)

    let me = NIOLoopBound((handshake: self, attempt: attempt), eventLoop: loop)
    let upgrader = NIOTypedWebSocketClientUpgrader<Void>(
      maxFrameSize: limits.maximumFrameSize, enableAutomaticErrorHandling: false
    ) { channel, _ in
      channel.eventLoop.makeCompletedFuture { try me.value.handshake.open(me.value.attempt) }
    }
    var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
      upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration<Void>(
        upgradeRequestHead: request.head,
        upgraders: [
          StrictUpgrader(base: upgrader, subprotocols: request.subprotocols) { cookies in
            me.value.attempt.ending.isHeld = true
            me.value.attempt.cookies = cookies
          }
        ],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture { try me.value.handshake.readRefusal(me.value.attempt) }
        }))
    // The server's first frame may come in the same segment as its 101; by default NIO drops it.
    configuration.leftOverBytesStrategy = .forwardBytes
    configuration.decoderConfiguration.maxHeaderListSize = 1 << 16
    try pipeline.configureUpgradableHTTPClientPipeline(configuration: configuration)
      .assumeIsolated()
      .whenFailure { error in self.fail(WebSocketError(ofUpgrade: error), of: attempt) }
  }

  private func open(_ attempt: Attempt) throws {
    attempt.phases.upgraded = MonotonicClock.now()
    let pipeline = attempt.channel.pipeline.syncOperations
    let begins = FrameBeginStamps()
    let decoder = try pipeline.handler(type: ByteToMessageHandler<WebSocketFrameDecoder>.self)
    try pipeline.addHandler(begins, position: .before(decoder))
    let handler = WebSocketHandler(limits: limits, begins: begins)
    try pipeline.addHandler(handler)
    attempt.ending.isHeld = false
    guard !isDecided else { return }
    isDecided = true
    promise.succeed(
      WebSocketConnection(
        channel: attempt.channel, handler: handler, phases: attempt.phases, setCookies: attempt.cookies))
  }

  private func readRefusal(_ attempt: Attempt) throws {
    let reader = RefusalReader(maximumBody: limits.maximumRefusalBody) { status, body in
      self.fail(.upgradeRefused(status: status, body: body), of: attempt)
    }
    try attempt.channel.pipeline.syncOperations.addHandler(reader)
  }

  private func fail(_ error: WebSocketError, of attempt: Attempt) {
    if attempt === connected { fail(error) } else { attempt.failure = attempt.failure ?? error }
  }

  private func fail(_ error: WebSocketError) {
    guard !isDecided else { return }
    isDecided = true
    promise.fail(error)
    for attempt in attempts { attempt.channel.close(promise: nil) }
  }
}

/// Notes when the TCP connection and the TLS handshake are done.
private final class PhaseStamps: ChannelInboundHandler {
  typealias InboundIn = NIOAny
  private let connected: () -> Void
  private let secured: () -> Void

  init(connected: @escaping () -> Void, secured: @escaping () -> Void) {
    self.connected = connected
    self.secured = secured
  }

  func channelActive(context: ChannelHandlerContext) {
    connected()
    context.fireChannelActive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted = event as? TLSUserEvent { secured() }
    context.fireUserInboundEventTriggered(event)
  }
}

/// Keeps an end of the connection that comes right behind the 101 from NIO's HTTP decoder, which waits for its removal
/// and would drop the frames between the two. The frame handler learns of the end as the closed channel's pipeline
/// is taken down: after those frames.
private final class EndDuringUpgrade: ChannelInboundHandler {
  typealias InboundIn = NIOAny
  /// From the 101's head until the frame handler is there.
  var isHeld = false

  func channelInactive(context: ChannelHandlerContext) {
    if !isHeld { context.fireChannelInactive() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if !isHeld { context.fireErrorCaught(error) }
  }
}

/// Collects the status and the beginning of the body of an answer that is no 101.
private final class RefusalReader: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  private let maximumBody: Int
  private let done: (Int, String) -> Void
  private var status = 0
  private var body = ByteBuffer()

  init(maximumBody: Int, done: @escaping (Int, String) -> Void) {
    self.maximumBody = maximumBody
    self.done = done
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): status = Int(head.status.code)
    case .body(var part):
      if let slice = part.readSlice(length: min(part.readableBytes, maximumBody - body.readableBytes)) {
        body.writeImmutableBuffer(slice)
      }
      if body.readableBytes >= maximumBody { finish() }
    case .end: finish()
    }
  }

  func channelInactive(context: ChannelHandlerContext) { finish() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { finish() }

  private func finish() { done(status, String(buffer: body)) }
}

/// NIO's upgrader, and what RFC 6455 section 4.1 demands beyond it: `Connection: Upgrade`, and no extension or
/// subprotocol that was not asked for.
private struct StrictUpgrader: NIOTypedHTTPClientProtocolUpgrader {
  let base: NIOTypedWebSocketClientUpgrader<Void>
  /// Those that were offered.
  let subprotocols: [String]
  /// Called on the loop when the answer is accepted, with the values of its `Set-Cookie` fields.
  let willUpgrade: @Sendable ([String]) -> Void
  var supportedProtocol: String { base.supportedProtocol }
  var requiredUpgradeHeaders: [String] { base.requiredUpgradeHeaders }

  func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {
    base.addCustom(upgradeRequestHeaders: &upgradeRequestHeaders)
  }

  func shouldAllowUpgrade(upgradeResponse: HTTPResponseHead) -> Bool {
    let headers = upgradeResponse.headers
    let isAllowed =
      headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
      && !headers.contains(name: "sec-websocket-extensions")
      && headers["sec-websocket-protocol"].allSatisfy(subprotocols.contains)
      && headers["sec-websocket-protocol"].count <= 1 && base.shouldAllowUpgrade(upgradeResponse: upgradeResponse)
    if isAllowed { willUpgrade(headers["set-cookie"]) }
    return isAllowed
  }

  func upgrade(channel: any Channel, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Void> {
    base.upgrade(channel: channel, upgradeResponse: upgradeResponse)
  }
}
