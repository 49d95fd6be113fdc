import Glibc
import Latency
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOTLS
import NIOWebSocket

/// Opens a WebSocket: connect, TLS and upgrade, each phase stamped. Confined to the event loop. Only the first outcome
/// counts.
///
/// A name may have several addresses, each tried with a channel of its own. Only the events of the channel that got the
/// connection count.
final class WebSocketHandshake {
  private let request: UpgradeRequest
  private let limits: WebSocketLimits
  private let loop: any EventLoop
  private let promise: EventLoopPromise<WebSocketConnection>
  private let startedAt = MonotonicClock.now()
  /// All attempts.
  private var attempts: [Attempt] = []
  /// The attempt that is connected.
  private var connected: Attempt?
  private var isDecided = false

  /// The attempt at one address of the endpoint.
  private final class Attempt {
    let channel: any Channel
    let ending = EndDuringUpgrade()
    var phases: WebSocketPhases
    /// The values of the `Set-Cookie` fields of the 101.
    var setCookies: [String] = []
    /// Notes that the upgrade was accepted with this answer.
    func isAccepted(_ answer: HTTPResponseHead) {
      ending.isHeld = true
      setCookies = answer.headers["Set-Cookie"]
    }

    /// Why the attempt failed before it was known to be the connected one.
    var failure: WebSocketError?

    init(_ channel: any Channel, startedAt: Instant, _ start: DialAttempt) {
      self.channel = channel
      phases = WebSocketPhases(started: startedAt, lookUp: start.lookUp, dialed: start.dialedAt)
    }
  }

  private init(
    _ request: UpgradeRequest, _ limits: WebSocketLimits, _ loop: any EventLoop,
    _ promise: EventLoopPromise<WebSocketConnection>
  ) {
    self.request = request
    self.limits = limits
    self.loop = loop
    self.promise = promise
  }

  static func perform(
    _ request: UpgradeRequest, _ addresses: HostAddresses, turn: Int, on loop: any EventLoop, limits: WebSocketLimits,
    timeout: Nanoseconds
  ) async throws(WebSocketError) -> WebSocketConnection {
    let promise = loop.makePromise(of: WebSocketConnection.self)
    let cancelled = loop.makePromise(of: Void.self)
    loop.execute {
      let handshake = WebSocketHandshake(request, limits, loop, promise)
      handshake.start(addresses, turn, timeout: timeout)
      cancelled.futureResult.assumeIsolated().whenSuccess { handshake.fail(.cancelled) }
    }
    let result: Result<WebSocketConnection, WebSocketError> = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        promise.futureResult.whenComplete { result in
          // NIO warns about promises that are never completed. After the outcome this promise changes nothing.
          cancelled.succeed()
          continuation.resume(returning: result.mapError { WebSocketError(ofConnect: $0, to: request.endpoint) })
        }
      }
    } onCancel: {
      cancelled.succeed()
    }
    return try result.get()
  }

  private func start(_ addresses: HostAddresses, _ turn: Int, timeout: Nanoseconds) {
    let bound = TimeAmount(timeout)
    let me = NIOLoopBound(self, eventLoop: loop)
    let timer = loop.assumeIsolated().scheduleTask(in: bound) { self.fail(.timeout(timeout)) }
    promise.futureResult.whenComplete { _ in timer.cancel() }
    let dialer = Dialer(
      addresses: addresses, turn: turn, eventLoop: loop, deadline: startedAt + timeout,
      goesOn: { !me.value.isDecided },
      configure: { channel, start in channel.eventLoop.makeCompletedFuture { try me.value.configure(channel, start) } })
    dialer.dial().assumeIsolated().whenComplete { result in
      switch result {
      case .success((let channel, _)) where self.isDecided: channel.close(promise: nil)
      case .success((let channel, _)):
        self.connected = self.attempts.first { $0.channel === channel }
        if let failure = self.connected?.failure { self.fail(failure) }
      case .failure(let error): self.fail(WebSocketError(ofConnect: error, to: self.request.endpoint))
      }
    }
  }

  private func configure(_ channel: any Channel, _ start: DialAttempt) throws {
    // The handshake was cancelled or timed out while other addresses were left to try.
    guard !isDecided else { throw ChannelError.alreadyClosed }
    let attempt = Attempt(channel, startedAt: startedAt, start)
    attempts.append(attempt)
    let pipeline = channel.pipeline.syncOperations
    if let tls = request.tls {
      try pipeline.addHandler(tls.makeHandler(for: request.endpoint))
      try pipeline.addHandler(TLSFailureReader(host: request.endpoint.host, wanted: tls.wanted))
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
          StrictUpgrader(base: upgrader, subprotocols: request.subprotocols) { me.value.attempt.isAccepted($0) }
        ],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture { try me.value.handshake.readRefusal(me.value.attempt) }
        }))
    // The server's first frame may come in one segment with its 101; by default NIO drops it.
    configuration.leftOverBytesStrategy = .forwardBytes
    configuration.decoderConfiguration.maxHeaderListSize = 1 << 16
    try pipeline.configureUpgradableHTTPClientPipeline(configuration: configuration)
      .assumeIsolated()
      .whenFailure { error in self.fail(self.error(ofUpgrade: error), of: attempt) }
  }

  private func open(_ attempt: Attempt) throws {
    attempt.phases.upgraded = MonotonicClock.now()
    let pipeline = attempt.channel.pipeline.syncOperations
    let begins = FrameStartStamps()
    let decoder = try pipeline.handler(type: ByteToMessageHandler<WebSocketFrameDecoder>.self)
    try pipeline.addHandler(begins, position: .before(decoder))
    let handler = WebSocketHandler(limits: limits, begins: begins)
    try pipeline.addHandler(handler)
    attempt.ending.isHeld = false
    guard !isDecided else { return }
    isDecided = true
    promise.succeed(
      WebSocketConnection(
        channel: attempt.channel, handler: handler, phases: attempt.phases, setCookies: attempt.setCookies))
  }

  private func readRefusal(_ attempt: Attempt) throws {
    let reader = RefusalReader(maximumBody: limits.maximumRefusalBody) { response in
      let asked = self.request.tls?.wasAskedInVain ?? false
      let refusal = response.map { UpgradeRefusal($0, askedForCertificate: asked) }
      self.fail(refusal.map { .upgradeRefused($0) } ?? self.endWithoutAnswer, of: attempt)
    }
    try attempt.channel.pipeline.syncOperations.addHandler(reader)
  }

  private func error(ofUpgrade error: any Error) -> WebSocketError {
    switch error {
    case ChannelError.inappropriateOperationForState: endWithoutAnswer
    case let error as IOError where error.errnoCode == ECONNRESET && request.tls?.wanted.wasNotGiven ?? false:
      endWithoutAnswer
    default: WebSocketError(ofUpgrade: error, to: request.endpoint)
    }
  }

  /// Some servers close the connection instead of saying that they want a certificate.
  private var endWithoutAnswer: WebSocketError {
    request.tls?.wanted.wasNotGiven ?? false
      ? .clientCertificate(CertificateRequest.advice)
      : .unreachable("the server closed the connection without an answer")
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

/// Stamps the end of the TCP connect and of the TLS handshake.
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

/// Problem: when the connection ends right behind the 101, NIO's HTTP decoder, which still waits for its removal, would
/// drop the frames between the two. So this handler keeps the end from the decoder. The frame handler learns of the end
/// after those frames, when the closed channel's pipeline is taken down.
private final class EndDuringUpgrade: ChannelInboundHandler {
  typealias InboundIn = NIOAny
  /// True from the 101's head until the frame handler is in the pipeline.
  var isHeld = false

  func channelInactive(context: ChannelHandlerContext) {
    if !isHeld { context.fireChannelInactive() }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if !isHeld { context.fireErrorCaught(error) }
  }
}

/// NIO's upgrader, with the checks of RFC 6455, section 4.1, that NIO leaves out: `Connection: Upgrade`, and no
/// extension or subprotocol that was not asked for.
private struct StrictUpgrader: NIOTypedHTTPClientProtocolUpgrader {
  let base: NIOTypedWebSocketClientUpgrader<Void>
  /// The offered subprotocols.
  let subprotocols: [String]
  /// Called on the loop when the answer is accepted.
  let willUpgrade: @Sendable (HTTPResponseHead) -> Void
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
    if isAllowed { willUpgrade(upgradeResponse) }
    return isAllowed
  }

  func upgrade(channel: any Channel, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Void> {
    base.upgrade(channel: channel, upgradeResponse: upgradeResponse)
  }
}
