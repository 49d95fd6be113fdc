import GatewayProtocol
import Synchronization

/// Tells from a gateway's status when a task is ready for the user that was given it. Shared by all users of a run.
///
/// Gateways show a task as assigned at once. Some show its user when the task has confirmed; others show users never, and
/// there the assignment is all that can be seen. Which of them this one is shows within a moment of the first assignment.
final class StatusReadiness: Sendable {
  private enum Users {
    case unknown, shown, hidden
  }

  /// What one user has seen of its task.
  struct Sight: Sendable {
    /// When the status first showed the task as assigned, without a user, in ns.
    fileprivate var assignedAt: UInt64?
  }

  private let users = Mutex(Users.unknown)
  private let patience: UInt64

  /// An assigned task without a user is waited for so long, in ns, before the gateway is taken for one that hides users.
  private static let longestPatience: UInt64 = 1_000_000_000
  private static let assigned = "assigned"

  /// - Parameter patience: at most, in ns.
  init(patience: UInt64) { self.patience = min(patience, Self.longestPatience) }

  /// Whether this gateway shows no users, as far as was seen.
  var hidesUsers: Bool { users.withLock { $0 == .hidden } }

  /// What a look whose answer was read at `now` shows: when `task` was ready, in ns; nil as long as it isn't.
  func look(_ status: StatusAnswer, for task: String, at now: UInt64, _ sight: inout Sight) -> UInt64? {
    let tasks = status.tasks ?? []
    if tasks.contains(where: { $0.userId != nil }) { users.withLock { $0 = .shown } }
    guard let entry = tasks.first(where: { $0.taskId == task }) else { return nil }
    if entry.userId != nil { return now }
    guard entry.state == Self.assigned else { return nil }
    let assignedAt = sight.assignedAt ?? now
    sight.assignedAt = assignedAt
    return users.withLock { users in
      if users == .unknown, now - min(assignedAt, now) >= patience { users = .hidden }
      return users == .hidden ? assignedAt : nil
    }
  }
}
