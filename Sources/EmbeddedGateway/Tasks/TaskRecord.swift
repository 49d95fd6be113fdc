import Gateway
import NIOCore

/// The session that a task serves. All calls are on the event loop.
protocol TaskListener: AnyObject {
  /// The task's program has written a line, or a piece of one that goes on.
  func taskSaid(_ line: String, goesOn: Bool)
  /// The task reads again, or has stopped reading.
  func taskWritabilityChanged(isWritable: Bool)
}

/// What the gateway knows of one task besides its state in the pool.
struct TaskRecord {
  let id: TaskID
  /// Started by the gateway; else it connected by itself.
  let isOwn: Bool
  /// Monotonic instant, in ns, at which the task was asked for.
  let requestedAt: UInt64
  /// The wait before the start, as long as it lasts.
  var startTimer: Scheduled<Void>?
  /// Asked of the runner, and not ended yet.
  var isInRunner = false
  var socket: TaskSocket?
  /// The user's side, once the task serves a session.
  weak var session: (any TaskListener)?

  var userID: String?
  /// Wall clock, in seconds since 1970.
  var connectedAt: Double?
  /// Wall clock, in seconds since 1970.
  var assignedAt: Double?
  /// Monotonic, in ns.
  var runningAt: UInt64?
  /// Monotonic, in ns.
  var initSentAt: UInt64?
  /// What the task confirmed with.
  var breakdown: InitBreakdown?

  init(id: TaskID, isOwn: Bool, requestedAt: UInt64) {
    self.id = id
    self.isOwn = isOwn
    self.requestedAt = requestedAt
  }
}
