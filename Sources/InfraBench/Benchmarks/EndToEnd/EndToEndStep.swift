/// The steps of a user's way, by which failures are counted.
enum EndToEndStep: String, CaseIterable, Sendable {
  case connect, acquire, initUser, ready, firstResponse
  /// Those of a session with more than a first response.
  case complete, hold, recovery
  /// Those of a task's start, with `--cold-by run-task` alone.
  case runTask, pendingToRunning, waitConnection

  /// The step in which a task's start failed.
  init(_ step: TaskStartStep) {
    switch step {
    case .runTask: self = .runTask
    case .pendingToRunning: self = .pendingToRunning
    case .waitConnection: self = .waitConnection
    }
  }

  /// The counter of this step's failures.
  var counterName: String {
    switch self {
    case .connect: "failed_connect"
    case .acquire: "failed_acquire"
    case .initUser: "failed_init_user"
    case .ready: "failed_ready"
    case .firstResponse: "failed_first_response"
    case .complete: "failed_complete"
    case .hold: "failed_hold"
    case .recovery: "failed_recovery"
    case .runTask: "failed_run_task"
    case .pendingToRunning: "failed_pending_to_running"
    case .waitConnection: "failed_wait_connection"
    }
  }

  /// The counters of a task's start.
  static let ofTaskStart = TaskStartStep.allCases.map { EndToEndStep($0).counterName }
}
