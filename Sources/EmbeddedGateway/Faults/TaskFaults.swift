import Faults
import Gateway
import Latency
import NIOCore
import Transport

/// The plan of faults in the gateway: its start, its timer, and what it does to tasks. The pool learns of it as it does
/// in earnest, by tasks that die, sockets that close and confirmations that don't come.
extension GatewayCore {
  /// Begins a plan in place of the present one, whose counts are lost.
  func setFaults(_ plan: InjectedFaults) {
    endFaults()
    guard !plan.isEmpty, !pool.isShutDown else { return }
    faults = FaultInjector(plan, startedAt: MonotonicClock.now())
    armFaultTimer()
  }

  /// Ends the plan: held answers leave, and hidden tasks are listed again. What broke stays broken.
  ///
  /// - Returns: what was injected.
  @discardableResult
  func endFaults() -> FaultReport {
    let report = faultReport()
    faults = nil
    faultTimer?.cancel()
    faultTimer = nil
    hiddenTasks = [:]
    releaseHeldAnswers()
    return report
  }

  func faultReport() -> FaultReport { FaultReport(faults, now: MonotonicClock.now()) }

  /// The fault that this event suffers now, already counted.
  func strike(_ event: FaultEvent) -> FaultRule? { faults?.strike(event, now: MonotonicClock.now()) }

  private func armFaultTimer() {
    guard let due = faults?.nextDue else { return }
    faultTimer = loop.assumeIsolated().scheduleTask(deadline: NIODeadline(due)) { [weak self] in
      self?.playDueFaults()
    }
  }

  private func playDueFaults() {
    guard let struck = faults?.due(now: MonotonicClock.now(), targets: { targets(of: $0).count }) else { return }
    for (rule, target) in struck {
      let ids = targets(of: rule)
      // A strike before it may have taken a task away.
      guard let id = ids.indices.contains(target) ? ids[target] : ids.last else { continue }
      strike(id, with: rule)
    }
    armFaultTimer()
  }

  /// The tasks that a rule could strike now, oldest first.
  private func targets(of rule: FaultRule) -> [TaskID] {
    let states: [FaultPlace]
    switch rule.kind {
    case .taskDiesWarm: states = [.warm]
    case .taskDiesInUse: states = [.inUse]
    case .ecsTaskVanishes: return visibleRunningTasks()
    default: states = Array(rule.places)
    }
    return records.values.filter { record in
      switch pool.tasks[record.id]?.state {
      case .warm: states.contains(.warm) && !record.isStruck
      case .inUse: states.contains(.inUse) && !record.isStruck
      default: false
      }
    }.sorted { ($0.requestedAt, $0.id) < ($1.requestedAt, $1.id) }.map(\.id)
  }

  private func strike(_ id: TaskID, with rule: FaultRule) {
    switch rule.kind {
    case .taskDiesWarm, .taskDiesInUse, .taskDiesAssigned: killTask(id)
    case .socketBreaks: records[id]?.socket?.abort()
    case .socketHalfCloses:
      records[id]?.isStruck = true
      records[id]?.socket?.closeOutput()
    case .socketMute:
      records[id]?.isStruck = true
      records[id]?.socket?.mute()
    case .restartStopsNew:
      apply(pool.stopTask(id, reason: "a restart stopped it", now: MonotonicClock.now()))
    case .ecsTaskVanishes:
      hiddenTasks[id] = rule.hold.map { MonotonicClock.now() + $0 } ?? .distantFuture
    default: break
    }
  }

  /// Kills a task's process, or resets its socket where it has no process of its own.
  private func killTask(_ id: TaskID) {
    guard let record = records[id] else { return }
    // A confirmation that is on its way comes from a dead task.
    records[id]?.isStruck = true
    if record.isInRunner, runner.hasProcesses {
      runner.kill(id)
    } else {
      record.socket?.abort()
      if record.isInRunner { runner.kill(id) }
    }
  }

  /// Lets a task that was just sent its user suffer what the plan says.
  func strikeAssigned(_ id: TaskID) {
    if let rule = strike(.assigned) { strike(id, with: rule) }
  }

  /// Whether a task's confirmation goes through now: not if it is lost, or delivered later.
  func admitsReady(_ message: TaskToGateway, from id: TaskID) -> Bool {
    guard let record = records[id], !record.isStruck else { return false }
    if record.isReadyHeld { return true }
    guard let rule = strike(.ready) else { return true }
    records[id]?.isReadyHeld = true
    guard rule.kind == .slowInit else { return false }
    let requestedAt = record.requestedAt
    loop.assumeIsolated().scheduleTask(in: TimeAmount(rule.delay)) { [weak self] in
      guard let self, records[id]?.requestedAt == requestedAt else { return }
      received(message, from: id)
    }
    return false
  }

  /// Whether a task that is to end now ends later, and arranges that.
  func lingers(_ id: TaskID) -> Bool {
    guard let record = records[id], record.userID != nil, !record.hasLingered, let rule = strike(.sessionEnd) else {
      return false
    }
    records[id]?.hasLingered = true
    guard let hold = rule.hold else { return false }
    let requestedAt = record.requestedAt
    loop.assumeIsolated().scheduleTask(in: TimeAmount(hold)) { [weak self] in
      guard let self, records[id]?.requestedAt == requestedAt else { return }
      endTask(id)
    }
    return true
  }
}

/// The plan's faults of the ECS-compatible endpoint.
extension GatewayCore {
  /// The refusal that a call of the endpoint meets; `nil` where it goes through.
  func ecsRefusal(_ operation: String) -> ECSError? {
    guard let rule = strike(.ecsCall) else { return nil }
    let service = ledger.service
    switch rule.kind {
    case .ecsThrottling: return ECSError(code: "ThrottlingException", message: "Rate exceeded")
    case .ecsAccessDenied:
      return ECSError(
        code: "AccessDeniedException",
        message: "User: arn:aws:iam::\(service.accountID):user/embedded is not authorized to perform: "
          + "ecs:\(operation) on resource: * because no identity-based policy allows the ecs:\(operation) action")
    default:
      return ECSError(
        code: "ExpiredTokenException", message: "The security token included in the request is expired")
    }
  }

  /// The tasks as ECS lists them now.
  func fleetTasks() -> [FleetTask] {
    let tasks = ledger.tasks(at: WallClock.now())
    guard faults != nil else { return tasks }
    let now = MonotonicClock.now()
    hiddenTasks = hiddenTasks.filter { $0.value > now }
    var hidden = Set(hiddenTasks.keys)
    let running = tasks.filter { $0.lastStatus == .running && !hidden.contains($0.taskID) }
    if !running.isEmpty, let rule = faults?.strike(.ecsListing, now: now) {
      hidden.insert(running[faults?.pick(of: running.count, for: rule) ?? 0].taskID)
    }
    return tasks.filter { !hidden.contains($0.taskID) }
  }

  private func visibleRunningTasks() -> [TaskID] {
    let now = MonotonicClock.now()
    return ledger.tasks(at: WallClock.now())
      .filter { $0.lastStatus == .running && (hiddenTasks[$0.taskID] ?? .distantPast) <= now }.map(\.taskID)
  }
}
