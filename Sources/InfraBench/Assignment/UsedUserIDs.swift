import Synchronization

/// The ids of the users that this run has come with: a task of another id is somebody else's.
package final class UsedUserIDs: Sendable {
  private let ids = Mutex<Set<String>>([])

  package init() {}

  package func insert(_ id: String) { ids.withLock { _ = $0.insert(id) } }

  /// Whether this run has come with `id`. Somebody else may have come with it too.
  func contains(_ id: String) -> Bool { ids.withLock { $0.contains(id) } }
}
