/// What ECS would know of the gateway's own tasks: their statuses and instants, those that ended lately included.
///
/// A pure value. Instants are seconds since 1970. The start delay stands for finding resources (its first half, `PROVISIONING`)
/// and for the image (its second half, `PENDING`).
struct FleetLedger {
  let service: FleetService
  /// In seconds.
  let startDelay: Double
  /// How many ended tasks are remembered.
  let stoppedTasksKept: Int

  private struct Entry {
    var task: FleetTask
    let requestedAt: Double
  }

  private var entries: [TaskID: Entry] = [:]
  /// In order of creation.
  private var order = OrderedQueue<TaskID>()
  private var stopped = OrderedQueue<TaskID>()

  init(service: FleetService, startDelay: Double, stoppedTasksKept: Int = 1000) {
    self.service = service
    self.startDelay = startDelay
    self.stoppedTasksKept = stoppedTasksKept
  }

  /// A task was asked for; with a `mark` by RunTask, else by the service.
  mutating func requested(_ id: TaskID, mark: (startedBy: String, group: String)? = nil, at now: Double) {
    let task = FleetTask(
      arn: service.taskARN(id: id), taskID: id, group: mark?.group ?? "service:\(service.name)",
      startedBy: mark?.startedBy ?? service.deploymentID)
    entries[id] = Entry(task: task, requestedAt: now)
    order.append(id)
  }

  mutating func running(_ id: TaskID, at now: Double) {
    guard var task = task(id, at: now), task.desiredStatus == .running else { return }
    task.lastStatus = .running
    task.createdAt = task.createdAt ?? now
    task.pullStartedAt = task.pullStartedAt ?? now
    task.pullStoppedAt = now
    task.startedAt = now
    entries[id]?.task = task
  }

  mutating func stopping(_ id: TaskID, reason: String, at now: Double) {
    guard var task = task(id, at: now), task.desiredStatus == .running else { return }
    task.lastStatus = .stopping
    task.desiredStatus = .stopped
    task.stoppingAt = now
    task.stoppedReason = reason
    entries[id]?.task = task
  }

  mutating func ended(_ id: TaskID, reason: String, at now: Double) {
    stopping(id, reason: reason, at: now)
    guard entries[id] != nil, !stopped.contains(id) else { return }
    entries[id]?.task.lastStatus = .stopped
    entries[id]?.task.stoppedAt = now
    stopped.append(id)
    while stopped.count > stoppedTasksKept, let oldest = stopped.removeFirst() {
      entries[oldest] = nil
      order.remove(oldest)
    }
  }

  /// All tasks as they are at `now`, in order of creation.
  func tasks(at now: Double) -> [FleetTask] { order.elements.compactMap { task($0, at: now) } }

  /// One task as it is at `now`.
  func task(_ id: TaskID, at now: Double) -> FleetTask? {
    guard let entry = entries[id] else { return nil }
    var task = entry.task
    let placedAt = entry.requestedAt + startDelay / 2
    if task.lastStatus == .provisioning, now >= placedAt {
      task.lastStatus = .pending
      task.createdAt = placedAt
      task.pullStartedAt = placedAt
    }
    return task
  }

  /// The service with its counts at `now`.
  func service(desiredCount: Int, at now: Double) -> FleetService {
    var service = self.service
    service.desiredCount = desiredCount
    for task in tasks(at: now) where task.startedBy == service.deploymentID {
      switch task.lastStatus {
      case .running: service.runningCount += 1
      case .provisioning, .pending: service.pendingCount += 1
      case .stopping, .stopped: break
      }
    }
    return service
  }
}
