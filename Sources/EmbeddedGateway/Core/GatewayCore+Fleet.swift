import Latency

/// What ECS calls do to the pool.
extension GatewayCore {
  func fleetService() -> FleetService {
    ledger.service(desiredCount: pool.rules.targetSize, at: WallClock.now())
  }

  func stopTask(_ id: TaskID, reason: String) -> FleetTask? {
    // A task that connected by itself is none of the fleet's.
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

  /// `nil` for more than the pool may hold.
  func setTarget(_ target: Int) -> FleetService? {
    guard target <= min(pool.rules.maxSize, pool.rules.maxTasks) else { return nil }
    apply(pool.setTarget(target, now: MonotonicClock.now()))
    return fleetService()
  }
}
