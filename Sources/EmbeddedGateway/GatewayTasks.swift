import Gateway
import Latency
import NIOCore
import Transport

/// The tasks' side: their starts, sockets, messages and ends.
extension GatewayCore {
  /// Begins the wait that simulates the time ECS takes for scheduling; the task starts after it.
  func scheduleStart(_ id: TaskID, mark: (startedBy: String, group: String)? = nil) {
    var record = TaskRecord(id: id, isOwn: true, requestedAt: MonotonicClock.now())
    ledger.requested(id, mark: mark, at: WallClock.now())
    let delay = TimeAmount(configuration.taskStartDelay)
    record.startTimer = loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.launch(id) }
    records[id] = record
  }

  private func launch(_ id: TaskID) {
    guard let record = records[id] else { return }
    records[id]?.startTimer = nil
    startCount += 1
    log(taskEvent(.taskStart, id, since: record.requestedAt))
    guard !configuration.faults.failsStart(startCount - 1), strike(.start) == nil else {
      return taskEnded(id, reason: "the start was made to fail")
    }
    records[id]?.isInRunner = true
    let bound = NIOLoopBound(self, eventLoop: loop)
    runner.start(id, gatewayURL: webSocketURL) { [loop] event in
      loop.execute { bound.value.runnerReported(event, of: id) }
    }
  }

  private func runnerReported(_ event: RunnerEvent, of id: TaskID) {
    switch event {
    case .running:
      guard let record = records[id] else { return }
      records[id]?.runningAt = MonotonicClock.now()
      ledger.running(id, at: WallClock.now())
      log(taskEvent(.taskPending, id, since: record.requestedAt))
    case .ended(let reason):
      taskEnded(id, reason: reason)
    }
  }

  /// Ends a task, as the pool decided.
  func endTask(_ id: TaskID) {
    guard let record = records[id], !lingers(id) else { return }
    ledger.stopping(id, reason: "stopped by the gateway", at: WallClock.now())
    if record.isInRunner {
      runner.stop(id)
      record.socket?.close()
    } else if let timer = record.startTimer {
      timer.cancel()
      taskEnded(id, reason: "stopped before its start")
    } else if let socket = record.socket {
      // The task was not started by this gateway, which can only close its socket; the closed socket ends the task.
      socket.close()
    }
  }

  /// Handles the end of a task.
  private func taskEnded(_ id: TaskID, reason: String) {
    let record = records.removeValue(forKey: id)
    ledger.ended(id, reason: reason, at: WallClock.now())
    apply(pool.taskDied(id, reason: reason, now: MonotonicClock.now()))
    record?.socket?.close()
  }

  /// Handles a task's open socket; false if the socket must be refused.
  func socketOpened(_ id: TaskID, _ socket: TaskSocket) -> Bool {
    guard pool.admits(id) else { return false }
    let now = MonotonicClock.now()
    var record = records[id] ?? TaskRecord(id: id, isOwn: false, requestedAt: now)
    record.socket = socket
    record.connectedAt = WallClock.now()
    records[id] = record
    log(taskEvent(.taskConnect, id, since: record.runningAt ?? record.requestedAt))
    apply(pool.taskConnected(id, now: now) ?? [])
    if configuration.plantedBug == .endlessReplacement { startAnotherTask() }
    return true
  }

  /// Handles a task's closed socket.
  func socketClosed(_ id: TaskID, _ socket: TaskSocket) {
    guard let record = records[id], record.socket === socket else { return }
    records[id]?.socket = nil
    if !record.isOwn { records[id] = nil }
    apply(pool.taskDisconnected(id, now: MonotonicClock.now()))
  }

  /// Handles a task's message; an unknown message is ignored.
  func received(_ message: TaskToGateway, from id: TaskID) {
    guard let record = records[id] else { return }
    switch message.type {
    case "ready", "user_session_ready":
      guard let sentAt = record.initSentAt, record.breakdown == nil, admitsReady(message, from: id) else { return }
      var breakdown = message.breakdown ?? InitBreakdown()
      breakdown.initUserMs = (MonotonicClock.now() - sentAt).milliseconds
      records[id]?.breakdown = breakdown
      apply(pool.taskReady(id))
    case "init_failed":
      let reason = message.error ?? "the user's session could not be made"
      apply(pool.initFailed(id, reason: reason, now: MonotonicClock.now()))
    case "user_output":
      guard let line = message.line else { return }
      record.session?.taskSaid(line, goesOn: message.goesOn ?? false)
      if configuration.plantedBug == .crosstalk { repeatElsewhere(line, goesOn: message.goesOn ?? false, of: id) }
    default: break
    }
  }

  private func taskEvent(_ phase: LifecycleEvent.Phase, _ id: TaskID, since start: Instant) -> LifecycleEvent {
    var event = LifecycleEvent(phase, duration: MonotonicClock.now() - start)
    event.taskARN = taskARN(id)
    return event
  }
}

/// The effects of ECS calls on the pool.
extension GatewayCore {
  func fleetService() -> FleetService {
    ledger.service(desiredCount: pool.rules.targetSize, at: WallClock.now())
  }

  func stopTask(_ id: TaskID, reason: String) -> FleetTask? {
    // A task that connected by itself does not belong to the fleet.
    guard ledger.task(id, at: WallClock.now()) != nil else { return nil }
    ledger.stopping(id, reason: reason, at: WallClock.now())
    apply(pool.stopTask(id, reason: reason, now: MonotonicClock.now()))
    return ledger.task(id, at: WallClock.now())
  }

  func runTasks(count: Int, mark: (startedBy: String, group: String)) -> [FleetTask] {
    var ids: [TaskID] = []
    while ids.count < count, let id = pool.runTask(now: MonotonicClock.now()) {
      scheduleStart(id, mark: mark)
      ids.append(id)
    }
    apply([])
    return ids.compactMap { ledger.task($0, at: WallClock.now()) }
  }

  /// `nil` where the target exceeds the pool's limit.
  func setTarget(_ target: Int) -> FleetService? {
    guard target <= min(pool.rules.maxSize, pool.rules.maxTasks) else { return nil }
    apply(pool.setTarget(target, now: MonotonicClock.now()))
    return fleetService()
  }
}

/// The session that a task serves. All calls are on the event loop.
protocol TaskListener: AnyObject {
  /// The task's program has written a line, or a piece of a longer line.
  func taskSaid(_ line: String, goesOn: Bool)
  /// The task reads again, or has stopped reading.
  func taskWritabilityChanged(isWritable: Bool)
}

/// The gateway's record of one task, beside the task's state in the pool.
struct TaskRecord {
  let id: TaskID
  /// Whether the gateway started the task; false for a task that connected by itself.
  let isOwn: Bool
  /// When the task was asked for.
  let requestedAt: Instant
  /// The timer of the wait before the start; nil once it has ended.
  var startTimer: Scheduled<Void>?
  /// Whether the runner has been asked for the task and has not reported its end.
  var isInRunner = false
  var socket: TaskSocket?
  /// The user's side, once the task serves a session.
  weak var session: (any TaskListener)?

  var userID: String?
  /// When the task connected: wall clock, in seconds since 1970.
  var connectedAt: Double?
  /// When the task was assigned: wall clock, in seconds since 1970.
  var assignedAt: Double?
  /// When the runner reported that the task runs.
  var runningAt: Instant?
  /// When its user was sent to the task.
  var initSentAt: Instant?
  /// The phases in the task's confirmation.
  var breakdown: InitBreakdown?

  /// Whether an injected fault has killed the task, or has broken its socket in a way that does not show at once.
  var isStruck = false
  /// Whether an injected fault holds the task's confirmation back, or has lost it.
  var isReadyHeld = false
  /// Whether an injected fault has let the task live on beyond its end.
  var hasLingered = false

  init(id: TaskID, isOwn: Bool, requestedAt: Instant) {
    self.id = id
    self.isOwn = isOwn
    self.requestedAt = requestedAt
  }
}
