import Latency

/// What ECS calls do to the pool.
extension GatewayCore {
  func fleetService() -> FleetService {
    ledger.service(desiredCount: pool.rules.targetSize, at: WallClock.now())
  }

  func stopTask(_ id: TaskID, reason: String) -> FleetTask? {
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

  func setTarget(_ target: Int) -> FleetService {
    apply(pool.setTarget(target, now: MonotonicClock.now()))
    return fleetService()
  }
}
