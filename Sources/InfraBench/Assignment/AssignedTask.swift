import Synchronization

/// The task that a user has at the moment.
package final class AssignedTask: Sendable {
  private let task = Mutex<String?>(nil)

  package init() {}

  package func put(_ task: String) { self.task.withLock { $0 = task } }

  /// Gives the task away; nil if there is none.
  package func take() -> String? { task.withLock { $0.take() } }
}
