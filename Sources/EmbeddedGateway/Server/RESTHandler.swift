import Faults
import AWS
import FoundationEssentials
import Gateway
import Latency
import NIOCore
import NIOHTTP1
import NIOPosix
import Transport

/// One HTTP connection. It answers one request at a time, while the pipeline holds back the next one, and stays open.
final class RESTHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// A request being read or answered.
  private struct Exchange {
    let head: HTTPRequestHead
    let receivedAt: Instant
    var body: ByteBuffer
    /// The acquire that waits for its task.
    var pendingAcquire: PendingAcquire?
    /// The instant before which the answer is held back.
    var notBefore: Instant = .distantPast
    /// Where faults find the answer.
    var place: FaultPlace?
    /// The fault that spoils the answer.
    var fault: FaultRule?
    /// Whether a fault has taken the place of the answer, so that the work stays done although the client leaves.
    var isSpoiled = false
    /// Whether the body was too long: the request is already answered, and the rest of the body is dropped.
    var isRefused = false
  }

  let core: GatewayCore
  let ecs: ECSEndpoint
  private let activity: ConnectionActivity
  private var context: ChannelHandlerContext?
  private var exchange: Exchange?
  /// The number of the current exchange on this connection, by which a late outcome of an earlier one is recognised.
  private(set) var exchangeNumber = 0

  init(core: GatewayCore, ecs: ECSEndpoint, activity: ConnectionActivity) {
    self.core = core
    self.ecs = ecs
    self.activity = activity
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    if let acquire = exchange?.pendingAcquire { core.abandon(acquire) }
    exchange = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      exchangeNumber += 1
      exchange = Exchange(head: head, receivedAt: MonotonicClock.now(), body: ByteBuffer())
      if head.headers.contains(name: "expect") {
        context.writeAndFlush(
          wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
      }
    case .body(var part):
      guard exchange?.isRefused == false else { return }
      exchange?.body.writeBuffer(&part)
      if let size = exchange?.body.readableBytes, size > core.configuration.limits.bodyBytes {
        exchange?.isRefused = true
        answerError(.payloadTooLarge, "a body has at most \(core.configuration.limits.bodyBytes) bytes", close: true)
      }
    case .end:
      guard let exchange, !exchange.isRefused else { return }
      activity.isBusy = true
      route(exchange.head, exchange.body)
    }
  }

  /// Whether a web page sent this request. Browsers add `Origin` to every WebSocket and every POST (RFC 6454), and any
  /// page may send them to this machine, but the gateway has no pages of its own.
  static func isOfABrowser(_ head: HTTPRequestHead) -> Bool { head.headers.contains(name: "origin") }

  private func route(_ head: HTTPRequestHead, _ body: ByteBuffer) {
    guard !Self.isOfABrowser(head) else {
      return answerError(.forbidden, "requests of web pages (with an Origin header) are refused", close: true)
    }
    let route = core.route(method: head.method.rawValue, uri: head.uri)
    guard !suffersFault(on: route) else { return }
    switch route {
    case .acquire: acquire(body)
    case .release: release(body)
    case .status: answer(encoding: core.status())
    case .users: answerUsers()
    case .health: answerHealth()
    case .ecs: answerECS(head, body)
    case .createSession: if let sessions = core.product { createProductSession(head, body, in: sessions) }
    case .deleteSession(let id): if let sessions = core.product { deleteProductSession(id, head, in: sessions) }
    case .productSocket: if let sessions = core.product { refuseProductSocket(head, in: sessions) }
    case .methodNotAllowed(let allow):
      answerError(.methodNotAllowed, "use \(allow)", headers: [("allow", allow)])
    case .invalidID:
      answerError(.badRequest, "an id in a path is \(UserID.rule)", close: true)
    case .task where core.pool.isShutDown:
      break  // it is being ended like everything else: a refusal would only make it complain on standard error
    case .task(let id) where head.headers.contains(name: "sec-websocket-key") && !core.pool.admits(id):
      answerError(.conflict, "task \(id) is connected already, or ending, or there are too many tasks", close: true)
    case .task, .session:
      answerError(
        .upgradeRequired, "this is a WebSocket (RFC 6455, version 13)", headers: [("upgrade", "websocket")], close: true
      )
    case .unknown: answerError(.notFound, "there is nothing at this path")
    }
  }

  /// Lets the request suffer its fault; false where it is to be carried out.
  private func suffersFault(on route: GatewayRoute) -> Bool {
    guard core.faults != nil, let place = route.faultPlace else { return false }
    exchange?.place = place
    if place == .session {
      guard let rule = activity.fault else { return false }
      spoil(rule, .ok, ByteBuffer())
      return true
    }
    guard let rule = core.strike(.answer(place)) else { return false }
    return spoilsBeforeWork(rule)
  }

  private func release(_ body: ByteBuffer) {
    guard let request = decode(ReleaseRequest.self, from: body), !request.taskId.isEmpty else {
      return answerError(.badRequest, "a release needs a JSON object with a taskId")
    }
    guard core.release(request.taskId) else { return answerError(.notFound, "no assigned task has this taskId") }
    var object = JSONObject()
    object.add("success", true)
    object.add("taskId", request.taskId)
    answer(.ok, object.bytes)
  }

  private func answerUsers() {
    let number = exchangeNumber
    core.users().assumeIsolated().whenComplete { [weak self] result in
      guard let self, isWaiting, exchangeNumber == number else { return }
      switch result {
      case .success(let users): answer(encoding: users)
      case .failure: answerError(.serviceUnavailable, "the workspace could not be read")
      }
    }
  }

  private func answerHealth() {
    var object = JSONObject()
    object.add("status", "ok")
    object.add("warmCount", core.pool.warmCount)
    object.add("assignedCount", core.pool.assignedCount)
    answer(.ok, object.bytes)
  }
}

// MARK: - What the routes use

extension RESTHandler {
  /// When the request's head was read.
  var receivedAt: Instant { exchange?.receivedAt ?? MonotonicClock.now() }

  /// Whether the request still waits for its answer.
  var isWaiting: Bool { exchange != nil && context != nil }

  var channel: (any Channel)? { context?.channel }

  /// Notes the request's acquire, which is abandoned if the client leaves.
  func wait(for acquire: PendingAcquire) {
    if exchange?.isSpoiled == false { exchange?.pendingAcquire = acquire }
  }

  /// Holds the answer back until `instant`; the time that the work takes is part of the delay.
  func holdAnswer(until instant: Instant) {
    guard let exchange, exchange.notBefore < instant else { return }
    self.exchange?.notBefore = instant
  }

  /// Has the rule spoil the answer once the work is done.
  func spoilAnswer(by rule: FaultRule) { exchange?.fault = rule }

  func decode<Value: Decodable>(_ type: Value.Type, from body: ByteBuffer) -> Value? {
    try? JSONDecoder().decode(type, from: Data(body.readableBytesView))
  }

  func answer(encoding value: some Encodable) {
    guard let data = try? JSONEncoder().encode(value) else { return answerError(.internalServerError, "no answer") }
    answer(.ok, ByteBuffer(bytes: data))
  }

  func answerError(
    _ status: HTTPResponseStatus, _ message: String, code: String? = nil, headers: [(String, String)] = [],
    close: Bool = false
  ) {
    var object = JSONObject()
    if core.product != nil {
      object.add("error", JSONObject(message: message, code: code ?? ProductError.code(of: status)))
    } else {
      object.add("success", false)
      object.add("error", message)
      object.add("code", code)
    }
    answer(status, object.bytes, headers: headers, close: close)
  }

  /// Sends the answer and makes the connection ready for the next request, or closes it.
  ///
  /// - Parameter announcedLength: a false `content-length`, for a fault.
  func answer(
    _ status: HTTPResponseStatus, _ body: ByteBuffer, headers extra: [(String, String)] = [],
    type: String = "application/json", close: Bool = false, announcedLength: Int? = nil
  ) {
    guard let context, let exchange else { return }
    guard exchange.notBefore <= MonotonicClock.now() else {
      let number = exchangeNumber
      core.loop.assumeIsolated().scheduleTask(deadline: NIODeadline(exchange.notBefore)) { [weak self] in
        guard let self, isWaiting, exchangeNumber == number else { return }
        answer(status, body, headers: extra, type: type, close: close, announcedLength: announcedLength)
      }
      return
    }
    if let rule = exchange.fault {
      self.exchange?.fault = nil
      // The answer counts as given: a task that was granted stays with its user, who will not hear of it.
      self.exchange?.isSpoiled = true
      self.exchange?.pendingAcquire = nil
      return spoil(rule, status, body)
    }
    let number = exchangeNumber
    if core.faults != nil, let place = exchange.place,
      core.holds(
        place,
        until: { [weak self] in
          guard let self, isWaiting, exchangeNumber == number else { return }
          answer(status, body, headers: extra, type: type, close: close, announcedLength: announcedLength)
        })
    {
      return
    }
    let keepsAlive = exchange.head.isKeepAlive && !close && !activity.mustClose
    var headers = HTTPHeaders()
    headers.reserveCapacity(4 + extra.count)
    // A 204 answer must not have a Content-Length (RFC 9110, section 8.6).
    if status != .noContent {
      headers.add(name: "content-type", value: type)
      headers.add(name: "content-length", value: String(announcedLength ?? body.readableBytes))
    }
    if !extra.contains(where: { $0.0 == "date" }) { headers.add(name: "date", value: core.httpDate.value()) }
    if !keepsAlive {
      headers.add(name: "connection", value: "close")
    } else if exchange.head.version.minor == 0 {
      headers.add(name: "connection", value: "keep-alive")
    }
    for (name, value) in extra { headers.add(name: name, value: value) }
    if !exchange.isRefused { self.exchange = nil }
    activity.isBusy = false
    let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if exchange.head.method != .HEAD, status != .noContent {
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    }
    let end = wrapOutboundOut(.end(nil))
    guard !keepsAlive else { return context.writeAndFlush(end, promise: nil) }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(end).whenComplete { _ in bound.value.close(promise: nil) }
  }
}

/// `POST /api/acquire`, with the injected faults.
extension RESTHandler {
  func acquire(_ body: ByteBuffer) {
    guard let request = decode(AcquireRequest.self, from: body), !request.userId.isEmpty else {
      return answerError(.badRequest, "userId is required, in a JSON object")
    }
    guard UserID.isValid(request.userId) else { return answerError(.badRequest, "a userId is \(UserID.rule)") }
    if let waitFor = request.waitFor, waitFor != "ready", waitFor != "assigned" {
      return answerError(.badRequest, "waitFor is \"assigned\" or \"ready\"")
    }
    let fault = core.configuration.faults.fault(ofAcquire: core.acquireCount)
    core.acquireCount += 1
    holdAnswer(until: receivedAt + core.configuration.faults.acquireDelay)
    acquire(request, fault)
  }

  private func acquire(_ request: AcquireRequest, _ fault: AcquireFault?) {
    switch fault {
    case nil: acquireTask(request)
    case .unavailable: answerError(.serviceUnavailable, "a fault that was asked for")
    case .mute: break
    case .reset: reset()
    case .rubbish: answer(.ok, ByteBuffer(string: "{\"success\": tru"))
    case .truncate: answer(.ok, ByteBuffer(string: "{\"success\": true, "), close: true, announcedLength: 200)
    case .miss: answerMiss(warmCount: 0)
    case .duplicate:
      guard let taskID = core.lastAssigned else { return acquireTask(request) }
      answer(.ok, granted(taskID, request.userId, request.sessionId, .warm).bytes)
    }
  }

  private func acquireTask(_ request: AcquireRequest) {
    let waitsForReady = request.waitFor == "ready"
    let number = exchangeNumber
    let acquire = core.acquire(
      userID: request.userId, sessionID: request.sessionId, receivedAt: receivedAt
    ) { [weak self] acquire, outcome in
      // Later outcomes of the task must not reach a later request on this connection.
      guard let self, isWaiting, exchangeNumber == number else { return }
      report(outcome, of: acquire, waitsForReady: waitsForReady)
    }
    // A request that still waits is abandoned if its client leaves. For an answered one this has no effect.
    wait(for: acquire)
  }

  private func report(_ outcome: PendingAcquire.Outcome, of acquire: PendingAcquire, waitsForReady: Bool) {
    switch outcome {
    case .assigned: if !waitsForReady { answerGranted(acquire, nil) }
    case .ready(let breakdown): if waitsForReady { answerGranted(acquire, breakdown) }
    case .missed: answerMiss(warmCount: core.pool.warmCount)
    case .failed(let failure), .lost(let failure):
      answerError(.serviceUnavailable, failure.message, code: failure.code.rawValue)
    }
  }

  private func answerGranted(_ acquire: PendingAcquire, _ breakdown: InitBreakdown?) {
    guard let taskID = acquire.taskID else { return }
    var object = granted(taskID, acquire.userID, acquire.sessionID, acquire.source)
    if let breakdown { object.add("breakdown", JSONObject(breakdown)) }
    answer(.ok, object.bytes)
  }

  /// The answer with the fields of both dialects.
  private func granted(
    _ taskID: TaskID, _ userID: String, _ sessionID: String?, _ source: AssignmentSource
  ) -> JSONObject {
    var object = JSONObject()
    object.add("success", true)
    object.add("taskArn", core.taskARN(taskID))
    object.add("taskId", taskID)
    object.add("userId", userID)
    object.add("sessionId", sessionID)
    // The latency includes the injected delay, because a held-back answer leaves when the delay is over.
    let latency = max(MonotonicClock.now() - receivedAt, core.configuration.faults.acquireDelay)
    object.add("latency", milliseconds: latency)
    object.add("source", source.rawValue)
    return object
  }

  /// Answers a miss with status 200, as the lab's gateway does.
  private func answerMiss(warmCount: Int) {
    var object = JSONObject()
    object.add("success", false)
    object.add("error", "No warm tasks available")
    object.add("warmCount", warmCount)
    answer(.ok, object.bytes)
  }
}

/// `POST /`: the requests to the ECS-compatible endpoint.
extension RESTHandler {
  func answerECS(_ head: HTTPRequestHead, _ body: ByteBuffer) {
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let request = SignableRequest(
      method: head.method.rawValue, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
      headers: head.headers.map { (name: $0.name, value: $0.value) }, body: Array(body.readableBytesView))
    guard ECSEndpoint.claims(request) else {
      return answerError(.notFound, "POST / is the ECS endpoint: it needs X-Amz-Target and a signature")
    }
    let operation = request.header("x-amz-target").flatMap { $0.split(separator: ".").last } ?? "Unknown"
    if let refusal = core.ecsRefusal(String(operation)) { return answer(ECSEndpoint.response(to: refusal), skew: 0) }
    let skew = core.faults?.clockSkew(now: MonotonicClock.now()) ?? 0
    let number = exchangeNumber
    let bound = NIOLoopBound(self, eventLoop: core.loop)
    Task { [ecs, loop = core.loop] in
      let response = await ecs.respond(to: request, clockSkew: skew)
      loop.execute {
        let handler = bound.value
        guard handler.isWaiting, handler.exchangeNumber == number else { return }
        handler.answer(response, skew: skew)
      }
    }
  }

  private func answer(_ response: ECSEndpoint.Response, skew: Int64) {
    let type = response.headers.first { $0.name.lowercased() == "content-type" }?.value
    var others = response.headers.filter { $0.name.lowercased() != "content-type" }.map { ($0.name, $0.value) }
    // A client sets its clock by the date of the answer, so the date is the skewed clock's.
    if skew != 0 { others.append(("date", HTTPDate.text(of: Int(WallClock.now()) + Int(skew)))) }
    answer(
      HTTPResponseStatus(statusCode: response.status), ByteBuffer(bytes: response.body), headers: others,
      type: type ?? "application/x-amz-json-1.1")
  }
}
