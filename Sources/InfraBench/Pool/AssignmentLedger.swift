package import Gateway
import Synchronization

/// Remembers which tasks are given out, so that a task given out twice is noticed. Pure, and bounded.
///
/// Problem: a gateway may give a task to the next user as soon as it has taken it back, and that user's answer may be
/// read before the answer to the release. So a task is free to be given out once from the moment its release is sent.
package struct AssignmentLedger: Sendable {
  /// How many tasks are remembered at one time.
  package static let limit = 1_000_000

  /// Tasks that were given out and whose release has not completed.
  package private(set) var outstanding = TaskIDSet()
  /// Outstanding tasks whose release has been sent and which were not given out again since.
  private var releasing = TaskIDSet()
  /// Whether a task could not be remembered, so that duplicates may have been missed.
  package private(set) var isOverLimit = false

  fileprivate let limit: Int

  package init(limit: Int = AssignmentLedger.limit) {
    self.limit = limit
  }

  /// Notes an answer that names `task`; true if the task was given out already: a violation.
  package mutating func assign(_ task: TaskID) -> Bool {
    if releasing.count > 0, releasing.remove(task) { return false }
    if outstanding.count < limit { return !outstanding.insert(task) }
    if outstanding.contains(task) { return true }
    isOverLimit = true
    return false
  }

  /// Notes that the release of `task` is sent.
  package mutating func beginRelease(_ task: TaskID) {
    if outstanding.contains(task) { releasing.insert(task) }
  }

  /// Notes that the release of `task` has succeeded. Where the task was given out again meanwhile, it stays given out.
  package mutating func endRelease(_ task: TaskID) {
    if releasing.remove(task) { outstanding.remove(task) }
  }

  /// Notes that the release of `task` has failed, so that the task is still given out.
  package mutating func failRelease(_ task: TaskID) { releasing.remove(task) }

  /// Notes that `task` is no longer given out.
  package mutating func released(_ task: TaskID) {
    releasing.remove(task)
    outstanding.remove(task)
  }
}

/// The ledger of a run, in parts by the tasks' names. The users of several event loops seldom want the same part at the
/// same time, so that their loops do not wait for one another.
final class SharedLedger: Sendable {
  private final class Part: Sendable {
    let ledger: Mutex<AssignmentLedger>

    init(limit: Int) {
      ledger = Mutex(AssignmentLedger(limit: limit))
    }
  }

  /// A power of two.
  private static let partCount = 16

  private let parts: [Part]

  /// - Parameter limit: how many tasks are remembered at one time; each part remembers its share of that.
  init(limit: Int = AssignmentLedger.limit) {
    parts = (0..<Self.partCount).map { _ in Part(limit: max(1, limit / Self.partCount)) }
  }

  private func part(of task: TaskID) -> Part {
    // Names that are numbers are random in their last digits.
    let number = task.form == .other ? task.hashValue : Int(truncatingIfNeeded: task.number)
    return parts[number & (Self.partCount - 1)]
  }

  /// Notes an answer that names `task`; true if the task was given out already: a violation.
  func assign(_ task: TaskID) -> Bool { part(of: task).ledger.withLock { $0.assign(task) } }

  /// Notes that the release of `task` is sent.
  func beginRelease(_ task: TaskID) { part(of: task).ledger.withLock { $0.beginRelease(task) } }

  /// Notes that the release of `task` has succeeded.
  func endRelease(_ task: TaskID) { part(of: task).ledger.withLock { $0.endRelease(task) } }

  /// Notes that the release of `task` has failed.
  func failRelease(_ task: TaskID) { part(of: task).ledger.withLock { $0.failRelease(task) } }

  /// Notes that `task` is no longer given out.
  func released(_ task: TaskID) { part(of: task).ledger.withLock { $0.released(task) } }

  /// The number of tasks that were given out and not released.
  var count: Int { parts.reduce(0) { $0 + $1.ledger.withLock { $0.outstanding.count } } }

  /// The tasks that were given out and not released.
  var all: [TaskID] { parts.flatMap { $0.ledger.withLock { $0.outstanding.all } } }

  /// Whether a task could not be remembered, so that duplicates may have been missed.
  var isOverLimit: Bool { parts.contains { $0.ledger.withLock { $0.isOverLimit } } }

  /// Forgets all tasks.
  func clear() {
    for part in parts { part.ledger.withLock { $0 = AssignmentLedger(limit: $0.limit) } }
  }
}
