import Gateway

/// One user's request for a task, from its arrival until the task has confirmed, or for a session until its end.
final class Acquisition {
  /// What the requester is told.
  enum Outcome {
    /// The task is the user's, and its `init_user` is on the way.
    case assigned
    /// The task has confirmed.
    case ready(InitBreakdown)
    /// There was no task, and none is waited for.
    case missed
    /// There will be no task.
    case failed(PoolFailure)
    /// The task had confirmed, and is gone.
    case lost(PoolFailure)
  }

  let request: RequestID
  let userID: String
  let sessionID: String?
  /// Monotonic, in ns.
  let receivedAt: UInt64
  /// Whether the outcome after `ready` matters: a session's does.
  let isSession: Bool
  let report: (Acquisition, Outcome) -> Void

  /// From the assignment on.
  var taskID: TaskID?
  /// Monotonic, in ns.
  var assignedAt: UInt64?
  var source = AssignmentSource.warm

  init(
    request: RequestID, userID: String, sessionID: String?, receivedAt: UInt64, isSession: Bool,
    report: @escaping (Acquisition, Outcome) -> Void
  ) {
    self.request = request
    self.userID = userID
    self.sessionID = sessionID
    self.receivedAt = receivedAt
    self.isSession = isSession
    self.report = report
  }
}
