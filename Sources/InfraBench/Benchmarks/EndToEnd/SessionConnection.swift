import FoundationEssentials
import Gateway
import Latency
import NIOCore
import Synchronization
import Transport

/// One connection of a user's session. It reads messages as far as the profile needs them, and sends the pings that
/// keep the session alive.
final class SessionConnection: Sendable {
  /// A message, and its JSON where that was parsed.
  struct Message: Sendable {
    let text: String
    let root: JSONNode?
    let begunAt: Instant
    let receivedAt: Instant
  }

  let socket: WebSocketConnection
  private let session: SharedRole<GatewayProfile.Session>
  private var role: GatewayProfile.Session { session.role }
  private let pings: SessionPings?

  init(_ socket: WebSocketConnection, _ session: SharedRole<GatewayProfile.Session>, values: ProfileValues) {
    self.socket = socket
    self.session = session
    pings = session.role.ping.map { SessionPings($0, values: values, on: socket) }
  }

  /// Whether the connection was ended because the gateway left two pings unanswered.
  var wasMute: Bool { pings?.areMissed ?? false }

  /// The next message that is no pong. Plain lines are parsed only where they may be a message of the gateway's own.
  ///
  /// - Throws: why the connection ended, or `cancelled`.
  func receive(isParsed: Bool) async throws(WebSocketError) -> Message? {
    while let message = try await socket.receive() {
      let read = read(message, isParsed: isParsed)
      if let root = read.root, let pings, pings.isPong(root) { continue }
      return read
    }
    return nil
  }

  /// The message with its JSON, where it may be one that the profile needs.
  func read(_ message: WebSocketMessage, isParsed: Bool) -> Message {
    let mayMatter = isParsed || !role.first.isAny || message.text.hasPrefix("{")
    return Message(
      text: message.text, root: mayMatter ? JSONNode.parse(message.text.utf8) : nil, begunAt: message.begunAt,
      receivedAt: message.receivedAt)
  }

  /// Keeps the session idle until `instant`; `take` gets the messages that come meanwhile.
  ///
  /// - Throws: why the connection ended, or `cancelled` when the caller was cancelled.
  func idle(
    until instant: Instant, _ take: @escaping @Sendable (Message) -> Void
  ) async throws(WebSocketError) {
    let failure = await withTaskGroup(of: WebSocketError?.self) { group in
      group.addTask {
        let now = MonotonicClock.now()
        try? await Task.sleep(for: now.remaining(until: instant))
        return nil
      }
      group.addTask {
        do throws(WebSocketError) {
          while let message = try await self.receive(isParsed: true) { take(message) }
          return .closed(code: WebSocketError.abnormalClosure, reason: "")
        } catch {
          return error
        }
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
    if Task.isCancelled { throw .cancelled }
    if let failure, failure != .cancelled { throw failure }
  }

  /// Stops the pings.
  func retire() { pings?.stop() }

  /// Ends the connection without a close frame, as a lost network does.
  func cut() {
    retire()
    socket.abort()
  }

  /// Ends the connection with a close frame.
  func close() async {
    retire()
    await socket.close()
  }
}

extension WebSocketPhases {
  /// When the upgrade request was sent: the connection was open, and its TLS handshake done.
  var upgradeSentAt: Instant { secured ?? connected }
}

/// Sends pings as long as the session lives. Two unanswered pings end the connection.
final class SessionPings: Sendable {
  /// The number of unanswered pings, shared with the timer.
  private final class Count: Sendable {
    let outstanding = Atomic<Int>(0)
    let areMissed = Atomic(false)
  }

  private let pong: ProfileCondition?
  private let count: Count
  private let timer: RepeatedTask

  private static let mostOutstanding = 2

  init(_ ping: GatewayProfile.Session.Ping, values: ProfileValues, on socket: WebSocketConnection) {
    pong = ping.pong
    let text = ping.send.text(values)
    let every = TimeAmount(ping.every)
    let (count, isAnswered) = (Count(), ping.pong != nil)
    self.count = count
    timer = socket.eventLoop.scheduleRepeatedTask(initialDelay: every, delay: every) { timer in
      if isAnswered, count.outstanding.load(ordering: .relaxed) >= Self.mostOutstanding {
        count.areMissed.store(true, ordering: .relaxed)
        timer.cancel()
        return socket.abort()
      }
      count.outstanding.add(1, ordering: .relaxed)
      socket.post(text: text)
    }
  }

  var areMissed: Bool { count.areMissed.load(ordering: .relaxed) }

  /// Whether `root` is the answer to a ping, which then counts as answered.
  func isPong(_ root: JSONNode) -> Bool {
    guard let pong, pong.holds(root) else { return false }
    count.outstanding.store(0, ordering: .relaxed)
    return true
  }

  func stop() { timer.cancel() }
}

/// Ends a session at its deadline.
final class SessionDeadline: Sendable {
  private let instant: Instant
  private let scheduled: Scheduled<Void>

  init(_ instant: Instant, on connection: WebSocketConnection) {
    self.instant = instant
    let now = MonotonicClock.now()
    let delay = TimeAmount(now.remaining(until: instant))
    scheduled = connection.eventLoop.scheduleTask(in: delay) { connection.abort() }
  }

  var hasPassed: Bool { MonotonicClock.now() >= instant }

  func cancel() { scheduled.cancel() }
}
