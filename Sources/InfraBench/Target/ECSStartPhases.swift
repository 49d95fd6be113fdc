import AWS

/// How long ECS says the phases of tasks' starts took, by its own clock and where it says it. Bounded.
struct ECSStartPhases: Sendable {
  /// Of one task, in ns; nil where the instants are missing.
  struct Phases: Sendable, Equatable {
    /// From `pullStartedAt` to `pullStoppedAt`.
    var imagePull: UInt64?
    /// From `createdAt`, the entry into PENDING, to `startedAt`.
    var pendingToRunning: UInt64?
  }

  private var phases: [String: Phases] = [:]
  private static let limit = 10_000

  /// Of one task, by the last part of its ARN; nil for one that was not seen RUNNING.
  subscript(task: String) -> Phases? { phases[task] }

  /// Of all tasks, in no order.
  var all: some Collection<Phases> { phases.values }

  /// Notes a task that has been seen RUNNING; its instants don't change any more.
  mutating func note(_ task: ECSTask) {
    guard phases.count < Self.limit else { return }
    phases[task.taskID] = Phases(
      imagePull: Self.length(from: task.pullStartedAt, to: task.pullStoppedAt),
      pendingToRunning: Self.length(from: task.createdAt, to: task.startedAt))
  }

  /// In ns; instants are seconds since 1970 with a fraction, which a double holds to the microsecond.
  private static func length(from start: Double?, to end: Double?) -> UInt64? {
    guard let start, let end, end >= start, end - start < 3_600 else { return nil }
    return UInt64(((end - start) * 1e6).rounded()) * 1_000
  }
}
