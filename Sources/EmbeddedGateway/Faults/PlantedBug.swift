import Gateway
import Latency

/// A bug of session gateways that can be planted, to see that the tools find it. Each was seen in the field or is feared
/// there; `docs/faults.md` says how each shows.
public enum PlantedBug: String, Sendable, CaseIterable {
  /// Every second acquire is given the task that another user still has.
  case doubleAssignment = "double-assignment"
  /// The task of a user who disconnects stays assigned.
  case leakOnDisconnect = "leak-on-disconnect"
  /// A user whose task could not start, or did not confirm, is told nothing.
  case swallowedStartFailure = "swallowed-start-failure"
  /// Each task that connects has another one started, beyond every limit (here up to four times `maxTasks`).
  case endlessReplacement = "endless-replacement"
  /// Lines of a user's program reach another user too.
  case crosstalk
  /// Each task has a directory of its own for its user, so a user who returns finds nothing.
  case lostFiles = "lost-files"
}

/// The bugs' effects.
extension GatewayCore {
  /// Gives the task that was assigned last once more; false where it is this acquire's turn to get one of its own.
  func sharesTask(with acquire: PendingAcquire) -> Bool {
    guard acquire.request % 2 == 0, let id = lastAssigned, pool.stateName(of: id) == "assigned" else { return false }
    acquire.taskID = id
    acquire.assignedAt = MonotonicClock.now()
    if !acquire.isSession { pendingAcquires[acquire.request] = nil }
    acquire.report(acquire, .assigned)
    acquire.report(acquire, .ready(records[id]?.breakdown ?? InitBreakdown()))
    return true
  }

  /// Starts a task that nobody needs. The bound only keeps the machine alive.
  func startAnotherTask() {
    guard !pool.isShutDown, records.count < 4 * pool.rules.maxTasks else { return }
    scheduleStart(pool.addStartingTask(now: MonotonicClock.now()))
  }

  /// Passes a line of a user's program on to the session of another user.
  func repeatElsewhere(_ line: String, goesOn: Bool, of id: TaskID) {
    let others = records.values.filter { $0.id != id && $0.session != nil }
    others.min { $0.id < $1.id }?.session?.taskSaid(line, goesOn: goesOn)
  }

  /// What is added to the name of the environment, so that no task finds the directory of another.
  func environmentSuffix(_ acquire: PendingAcquire) -> String {
    guard configuration.plantedBug == .lostFiles, let id = acquire.taskID else { return "" }
    return "-\(id.prefix(8))"
  }
}
