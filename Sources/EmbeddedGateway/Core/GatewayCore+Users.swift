import FoundationEssentials
import Gateway
import Latency
import NIOCore
import NIOPosix

/// The users' side: requests for tasks, releases, and what can be asked.
extension GatewayCore {
  /// Asks the pool for a task; `report` may be called before this returns.
  @discardableResult
  func acquire(
    userID: String, sessionID: String?, receivedAt: UInt64, isSession: Bool = false,
    report: @escaping (Acquisition, Acquisition.Outcome) -> Void
  ) -> Acquisition {
    requestCount += 1
    let acquisition = Acquisition(
      request: requestCount, userID: userID, sessionID: sessionID, receivedAt: receivedAt, isSession: isSession,
      report: report)
    acquisitions[acquisition.request] = acquisition
    let deadline = receivedAt + configuration.coldStartTimeout
    apply(pool.acquire(acquisition.request, deadline: deadline, now: MonotonicClock.now()))
    return acquisition
  }

  /// Whoever asked is gone: a wait ends, a task that was assigned is released.
  func abandon(_ acquisition: Acquisition) {
    acquisitions[acquisition.request] = nil
    apply(pool.cancel(acquisition.request))
    // An id that is not the gateway's own may come back and belong to someone else by now.
    if let id = acquisition.taskID, pool.isAssigned(id, to: acquisition.request) { release(id) }
  }

  /// Gives a task back; false if it isn't assigned.
  @discardableResult
  func release(_ id: TaskID) -> Bool {
    guard let actions = pool.release(id, now: MonotonicClock.now()) else { return false }
    apply(actions)
    return true
  }

  func assign(_ id: TaskID, to request: RequestID, _ source: AssignmentSource) {
    // Either side may have gone before the action's turn came. The pool knows a closed socket already, a gone user not yet.
    guard let socket = records[id]?.socket else { return }
    guard let acquisition = acquisitions[request] else {
      release(id)
      return
    }
    let now = MonotonicClock.now()
    acquisition.taskID = id
    acquisition.source = source
    acquisition.assignedAt = now
    records[id]?.userID = acquisition.userID
    records[id]?.assignedAt = WallClock.now()
    records[id]?.initSentAt = now
    lastAssigned = id
    socket.send(initMessage(for: acquisition))
    acquisition.report(acquisition, .assigned)
    log(event(.sessionCreate, acquisition, since: acquisition.receivedAt))
  }

  func confirm(_ id: TaskID, _ request: RequestID) {
    guard let acquisition = acquisitions[request] else { return }
    if !acquisition.isSession { acquisitions[request] = nil }
    let breakdown = records[id]?.breakdown ?? InitBreakdown()
    acquisition.report(acquisition, .ready(breakdown))
    log {
      var ready = event(.taskReady, acquisition, since: records[id]?.initSentAt ?? acquisition.receivedAt)
      ready.breakdown = breakdown
      return ready
    }
    logRestart(acquisition, success: true)
  }

  func fail(_ request: RequestID, _ failure: PoolFailure) {
    if let acquisition = acquisitions[request] { logRestart(acquisition, success: false) }
    finish(request) { .failed(failure) }
  }

  private func logRestart(_ acquisition: Acquisition, success: Bool) {
    log {
      var restart = event(.taskRestart, acquisition, since: acquisition.receivedAt)
      restart.success = success
      return restart
    }
  }

  private func event(_ phase: LifecycleEvent.Phase, _ acquisition: Acquisition, since start: UInt64) -> LifecycleEvent {
    var event = LifecycleEvent(phase, duration: MonotonicClock.now() - start)
    event.userID = acquisition.userID
    event.sessionID = acquisition.sessionID
    event.taskARN = acquisition.taskID.map(taskARN)
    return event
  }

  private func initMessage(for acquisition: Acquisition) -> JSONObject {
    var message = JSONObject()
    switch configuration.dialect {
    case .plan:
      message.add("type", "init_user")
      message.add("userId", acquisition.userID)
      message.add("workspaceDir", "\(environmentDirectory)/\(acquisition.userID)")
      message.add("token", userToken)
    case .lab:
      message.add("type", "init_user_session")
      message.add("userId", acquisition.userID)
      message.add("sessionId", acquisition.sessionID)
      message.add("env", configuration.environment)
    }
    return message
  }

  /// The directory above the users' directories.
  private var environmentDirectory: String { "\(configuration.workspaceRoot)/\(configuration.environment)" }

  func status() -> StatusAnswer {
    let tasks = records.values.sorted { ($0.requestedAt, $0.id) < ($1.requestedAt, $1.id) }.compactMap { record in
      pool.stateName(of: record.id).map { state in
        TaskEntry(
          taskId: record.id, state: state, userId: record.userID,
          connectedAt: record.connectedAt.map(WallClock.iso8601), assignedAt: record.assignedAt.map(WallClock.iso8601))
      }
    }
    return StatusAnswer(
      warmCount: pool.warmCount, assignedCount: pool.assignedCount, tasks: tasks,
      efsMounted: isWorkspaceMounted)
  }

  /// Users with a directory in the workspace, at most 10,000. They are read on another thread, the loop being everybody's.
  func users() -> EventLoopFuture<UsersAnswer> {
    NIOThreadPool.singleton.runIfActive(eventLoop: loop) { [environmentDirectory] in
      let names = (try? FileManager.default.contentsOfDirectory(atPath: environmentDirectory)) ?? []
      return UsersAnswer(users: Array(names.filter { UserID.isValid($0) }.sorted().prefix(10_000)))
    }
  }
}
