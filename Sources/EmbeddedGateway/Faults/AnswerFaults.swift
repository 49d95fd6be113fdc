import Faults
import Glibc
import Latency
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Transport

/// Answers that a stall holds back.
extension GatewayCore {
  /// Calls `leave` when the stall at `place` is over or the plan is removed; false, without a call, where none plays.
  func holds(_ place: FaultPlace, until leave: @escaping () -> Void) -> Bool {
    guard let end = faults?.stallEnd(at: place, now: MonotonicClock.now()) else { return false }
    heldAnswers.append(leave)
    guard heldAnswers.count == 1 else { return true }
    loop.assumeIsolated().scheduleTask(deadline: NIODeadline(end)) { [weak self] in self?.releaseHeldAnswers() }
    return true
  }

  /// Lets all held answers leave. One that meets another stall is held again.
  func releaseHeldAnswers() {
    let held = heldAnswers
    heldAnswers = []
    for leave in held { leave() }
  }
}

extension GatewayRoute {
  /// The place by which faults know the route; `nil` where they leave it alone.
  var faultPlace: FaultPlace? {
    switch self {
    case .acquire, .createSession: .acquire
    case .release, .deleteSession: .release
    case .status: .status
    case .users: .users
    case .health: .health
    case .ecs: .ecs
    case .session, .productSocket: .session
    default: nil
    }
  }
}

/// Faults of HTTP answers.
extension RESTHandler {
  /// Spoils the request's answer before any work is done; false where the request is to be carried out.
  func spoilsBeforeWork(_ rule: FaultRule) -> Bool {
    switch rule.kind {
    case .answerSlow:
      holdAnswer(until: receivedAt + rule.delay)
      return false
    case .answerOversized: break
    case _ where rule.isWorkDone: break
    default:
      spoil(rule, .ok, ByteBuffer(string: #"{"success": true, "fault": "\#(rule.kind.rawValue)"}"#))
      return true
    }
    spoilAnswer(by: rule)
    return false
  }

  /// Sends what the rule makes of the answer.
  func spoil(_ rule: FaultRule, _ status: HTTPResponseStatus, _ body: ByteBuffer) {
    switch rule.kind {
    case .answer5xx:
      answerError(HTTPResponseStatus(statusCode: rule.status), "injected fault: \(rule.kind.rawValue)")
    case .answerReset: reset()
    case .answerHalfClose: closeOutput()
    case .answerTruncated:
      answer(
        status, body.getSlice(at: body.readerIndex, length: body.readableBytes / 2) ?? body, close: true,
        announcedLength: body.readableBytes)
    case .answerInvalidJSON:
      answer(status, body.getSlice(at: body.readerIndex, length: max(1, body.readableBytes - 2)) ?? body)
    case .answerOversized: answer(status, Self.padded(body, to: rule.size))
    default: answer(status, body)
    }
  }

  func reset() {
    guard let channel else { return }
    channel.reset()
  }

  /// Closes the gateway's direction alone. The first handler does it, because the HTTP handlers would wait for an answer.
  private func closeOutput() {
    guard let first = try? channel?.pipeline.syncOperations.context(handlerType: IdleStateHandler.self) else { return }
    first.close(mode: .output, promise: nil)
  }

  /// A JSON object with white space before its end, which a parser skips.
  static func padded(_ body: ByteBuffer, to size: Int) -> ByteBuffer {
    var bytes = body
    guard let beginning = bytes.readSlice(length: max(0, bytes.readableBytes - 1)) else { return body }
    var padded = ByteBuffer()
    padded.reserveCapacity(max(size, body.readableBytes))
    padded.writeImmutableBuffer(beginning)
    padded.writeRepeatingByte(UInt8(ascii: " "), count: max(0, size - body.readableBytes))
    padded.writeBuffer(&bytes)
    return padded
  }
}

extension Channel {
  /// Closes the connection with RST: a linger time of 0 makes the close send it instead of FIN.
  func reset() {
    let lingerless = (self as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    lingerless?.whenComplete { _ in self.close(promise: nil) }
  }
}

/// The faults of one user's WebSocket: stalls, and what the plan does to the first message.
final class UserSocketFaults {
  private let core: GatewayCore
  /// The fault of the socket; `nil` for none but stalls.
  private var rule: FaultRule?
  private var held: [() -> Void] = []
  /// Whether what is sent waits, so that its sources should pause.
  private(set) var isHolding = false

  init(core: GatewayCore, rule: FaultRule?) {
    self.core = core
    self.rule = rule
  }

  /// Takes the closing of a socket whose messages wait, so that it does not overtake them; false where none wait.
  func holdsClose(_ close: @escaping () -> Void) -> Bool {
    if isHolding { held.append(close) }
    return isHolding
  }

  /// Sends `frame` on `socket` as the faults have it; false where they have nothing to do with it.
  func takes(_ frame: WebSocketFrame, on socket: TextSocket) -> Bool {
    if isHolding {
      held.append { socket.write(frame) }
      return true
    }
    if let rule {
      self.rule = nil
      switch rule.kind {
      case .answerSlow:
        hold(frame, on: socket)
        core.loop.assumeIsolated().scheduleTask(in: TimeAmount(rule.delay)) { self.leave(socket) }
        return true
      default:
        spoil(rule, frame, on: socket)
        return true
      }
    }
    guard core.faults != nil, core.holds(.session, until: { self.leave(socket) }) else { return false }
    hold(frame, on: socket)
    return true
  }

  private func hold(_ frame: WebSocketFrame, on socket: TextSocket) {
    isHolding = true
    held.append { socket.write(frame) }
  }

  private func leave(_ socket: TextSocket) {
    let all = held
    held = []
    isHolding = false
    for send in all { send() }
    socket.reportWritability()
  }

  private func spoil(_ rule: FaultRule, _ frame: WebSocketFrame, on socket: TextSocket) {
    var text = frame.data
    switch rule.kind {
    case .answerInvalidJSON:
      socket.write(
        WebSocketFrame(fin: true, opcode: .text, data: text.readSlice(length: text.readableBytes - 2) ?? text))
    case .answerOversized:
      socket.write(WebSocketFrame(fin: true, opcode: .text, data: RESTHandler.padded(text, to: rule.size)))
    case .answerTruncated: socket.truncate(text)
    default: socket.write(frame)
    }
  }
}
