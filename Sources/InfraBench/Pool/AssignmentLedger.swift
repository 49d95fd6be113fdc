package import Gateway

/// Remembers which tasks are given out, so that a task given out twice is noticed. Pure, and bounded.
package struct AssignmentLedger: Sendable {
  /// How many tasks are remembered at one time.
  package static let limit = 1_000_000

  /// Tasks that were given out and whose release has not completed.
  package private(set) var outstanding = TaskIDSet()
  /// Whether a task could not be remembered, so that duplicates may have been missed.
  package private(set) var isOverLimit = false

  private let limit: Int

  package init(limit: Int = AssignmentLedger.limit) {
    self.limit = limit
  }

  /// Notes an answer that names `task`; true if the task was given out already: a violation.
  package mutating func assign(_ task: TaskID) -> Bool {
    if outstanding.count < limit { return !outstanding.insert(task) }
    if outstanding.contains(task) { return true }
    isOverLimit = true
    return false
  }

  /// Notes that the release of `task` has completed.
  package mutating func released(_ task: TaskID) {
    outstanding.remove(task)
  }
}
