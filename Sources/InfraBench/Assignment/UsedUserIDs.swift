import GatewayProtocol
import Synchronization

/// The ids of the users that this run has come with: nobody else's task is taken for one of theirs.
package final class UsedUserIDs: Sendable {
  private let ids = Mutex<Set<String>>([])

  package init() {}

  package func insert(_ id: String) { ids.withLock { _ = $0.insert(id) } }

  /// The ids of the tasks that `status` shows with users who are none of these.
  func tasksOfOthers(in status: StatusAnswer) -> Set<String> {
    let ids = ids.withLock { $0 }
    let tasks = status.tasks?.filter { $0.userId.map { !ids.contains($0) } ?? false }
    return Set((tasks ?? []).map(\.taskId))
  }
}
