import Gateway
import Latency
import Results

/// Which task was this run's, and when, for the merge of shards: only there a task is seen that users of two shards had.
/// Pure, and bounded.
struct AssignmentLog: Sendable {
  /// How many assignments are kept.
  static let limit = 1_000_000

  private struct Entry {
    var task: TaskID
    var from: Instant
    /// Nil: it was not given back.
    var to: Instant?
  }

  private var entries: [Entry] = []
  /// The latest entry of each task that was not given back.
  private var open: [TaskID: Int] = [:]
  /// Whether an assignment could not be kept.
  private(set) var isOverLimit = false
  private let limit: Int

  init(limit: Int = AssignmentLog.limit) { self.limit = limit }

  var count: Int { entries.count }

  /// The answer that named the task had been read at `instant`.
  mutating func assigned(_ task: TaskID, at instant: Instant) {
    guard entries.count < limit else {
      isOverLimit = true
      return
    }
    // A task that was given out twice is counted as that; here it is held once.
    if let earlier = open[task] { entries[earlier].to = instant }
    open[task] = entries.count
    entries.append(Entry(task: task, from: instant, to: nil))
  }

  /// The task's release is about to be sent: from here on it may be another's. A repeated release changes nothing.
  mutating func gaveBack(_ task: TaskID, at instant: Instant) {
    guard let place = open.removeValue(forKey: task) else { return }
    entries[place].to = instant
  }

  /// The lines of the file, in the order of the assignments. What was before `begin` is at 0.
  func lines(since begin: Instant) -> some Sequence<AssignmentFile.Line> {
    entries.lazy.map { entry in
      AssignmentFile.Line(
        task: entry.task.name, from: entry.from.elapsed(since: begin), to: entry.to?.elapsed(since: begin))
    }
  }
}
