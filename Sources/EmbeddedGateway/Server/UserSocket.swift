import Gateway
import Latency
import NIOCore
import Transport

/// A user's WebSocket, `/session/{userId}`: it gets a task, reports it, and then carries lines between the user and the
/// task's process.
///
/// Neither direction buffers without limit: a side that reads too slowly stops the reading of the other side's socket.
final class UserSocket: TextSocketOwner, TaskListener {
  private enum State {
    /// Lines that came before the task was ready, and their number of bytes.
    case starting(early: [String], bytes: Int)
    case bridging(TaskID)
    case ended
  }

  private let core: GatewayCore
  private let userID: String
  private var state = State.starting(early: [], bytes: 0)
  private var pendingAcquire: PendingAcquire?
  private weak var socket: TextSocket?
  /// When the last line went to the task; nil once the line has an answer.
  private var unansweredSince: Instant?
  /// Whether the task's line is incomplete: its pieces are fragments of one message (RFC 6455, section 5.4).
  private var isInsideLine = false
  private var endReason = "the user left"

  init(core: GatewayCore, userID: String) {
    self.core = core
    self.userID = userID
  }

  func socketOpened(_ socket: TextSocket) {
    self.socket = socket
    let receivedAt = MonotonicClock.now()
    let delay = core.configuration.faults.acquireDelay
    guard delay > .zero else { return acquire(receivedAt: receivedAt) }
    core.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { [weak self] in
      guard let self, case .starting = state else { return }
      acquire(receivedAt: receivedAt)
    }
  }

  private func acquire(receivedAt: Instant) {
    pendingAcquire = core.acquire(
      userID: userID, sessionID: nil, receivedAt: receivedAt, isSession: true
    ) { [weak self] acquire, outcome in self?.handle(outcome, of: acquire) }
  }

  private func handle(_ outcome: PendingAcquire.Outcome, of acquire: PendingAcquire) {
    switch outcome {
    case .assigned: break
    case .ready(let breakdown): bridge(acquire, breakdown)
    case .missed: end(message: "No warm tasks available", code: "NO_WARM_TASK")
    case .failed(let failure), .lost(let failure): end(message: failure.message, code: failure.code.rawValue)
    }
  }

  private func bridge(_ acquire: PendingAcquire, _ breakdown: InitBreakdown) {
    guard case .starting(let early, _) = state, let taskID = acquire.taskID else { return }
    var phases = JSONObject()
    phases.add("acquire_ms", milliseconds: acquire.assignedAt.map { $0 - acquire.receivedAt })
    phases.add("init_user_ms", milliseconds: breakdown.initUserMs)
    phases.add("workspace_ms", milliseconds: breakdown.workspaceMs)
    phases.add("process_start_ms", milliseconds: breakdown.processStartMs)
    var ready = JSONObject()
    ready.add("type", "session_ready")
    ready.add("taskId", taskID)
    ready.add("source", acquire.source.rawValue)
    ready.add("breakdown", phases)
    socket?.send(ready)
    state = .bridging(taskID)
    core.records[taskID]?.session = self
    early.forEach(forward)
  }

  func socketReceived(_ message: ByteBuffer) {
    // The task's program reads lines, so a message with a line break would become several messages.
    guard !message.readableBytesView.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
      return end(message: "a message is one line, without line ends", code: "INVALID_LINE")
    }
    let line = String(buffer: message)
    switch state {
    case .starting(var early, var bytes):
      early.append(line)
      // An empty frame counts too, because it takes memory.
      bytes += message.readableBytes + 64
      state = .starting(early: early, bytes: bytes)
      if bytes > core.configuration.limits.earlyInputBytes {
        end(message: "too much input before session_ready", code: "INPUT_TOO_EARLY")
      }
    case .bridging: forward(line)
    case .ended: break
    }
  }

  private func forward(_ line: String) {
    guard case .bridging(let taskID) = state, let task = core.records[taskID]?.socket else { return }
    var message = JSONObject()
    message.add("type", "user_input")
    message.add("line", line)
    task.send(message)
    unansweredSince = unansweredSince ?? MonotonicClock.now()
    if !task.isWritable { socket?.setReading(false) }
  }

  /// The task's process has written a line, or a piece of one.
  func taskSaid(_ line: String, goesOn: Bool) {
    guard case .bridging(let taskID) = state, let socket else { return }
    socket.send(ByteBuffer(string: line), continues: isInsideLine, isLast: !goesOn)
    isInsideLine = goesOn
    if !socket.isWritable { core.records[taskID]?.socket?.setReading(false) }
    if !goesOn, let since = unansweredSince {
      unansweredSince = nil
      core.log { event(.roundtrip, since: since) }
    }
  }

  /// The task reads again, or has stopped reading.
  func taskWritabilityChanged(isWritable: Bool) { socket?.setReading(isWritable) }

  func socketWritabilityChanged(isWritable: Bool) {
    guard case .bridging(let taskID) = state else { return }
    core.records[taskID]?.socket?.setReading(isWritable)
  }

  func socketClosed() {
    core.log {
      var disconnect = event(.disconnect, since: nil)
      disconnect.processingState = unansweredSince == nil ? "idle" : "processing"
      disconnect.reason = endReason
      return disconnect
    }
    state = .ended
    if let pendingAcquire { core.abandon(pendingAcquire) }
  }

  private func end(message: String, code: String) {
    if case .ended = state { return }
    state = .ended
    endReason = code
    var failure = JSONObject()
    failure.add("message", message)
    failure.add("code", code)
    var error = JSONObject()
    error.add("type", "error")
    error.add("error", failure)
    // RFC 6455 allows no new message inside an open one, so the open one is ended first.
    if isInsideLine { socket?.send(ByteBuffer(), continues: true) }
    socket?.send(error)
    socket?.close()
  }

  private func event(_ phase: LifecycleEvent.Phase, since start: Instant?) -> LifecycleEvent {
    var event = LifecycleEvent(phase, duration: start.map { MonotonicClock.now() - $0 })
    event.userID = userID
    event.taskARN = pendingAcquire?.taskID.map(core.taskARN)
    return event
  }
}
