import AWSClient

/// How long ECS says the phases of tasks' starts took, by its own clock and where it says it. Bounded.
struct ECSStartPhases: Sendable {
  private struct Phases: Sendable {
    var imagePull: Double?
    var pendingToRunning: Double?
  }

  private var phases: [String: Phases] = [:]
  private static let limit = 10_000

  /// Notes a task that has been seen RUNNING; its instants don't change any more.
  mutating func note(_ task: ECSTask) {
    guard phases.count < Self.limit else { return }
    phases[task.taskID] = Phases(
      imagePull: Self.length(from: task.pullStartedAt, to: task.pullStoppedAt),
      pendingToRunning: Self.length(from: task.createdAt, to: task.startedAt))
  }

  /// The shortest and the longest of the tasks for which `isNew` holds, for the findings.
  func findings(of isNew: (String) -> Bool) -> [String: JSONValue] {
    let new = phases.filter { isNew($0.key) }.values
    var findings: [String: JSONValue] = [:]
    findings["ecs_image_pull"] = Self.text(new.compactMap(\.imagePull))
    findings["ecs_pending_to_running"] = Self.text(new.compactMap(\.pendingToRunning))
    return findings
  }

  private static func length(from start: Double?, to end: Double?) -> Double? {
    guard let start, let end, end >= start else { return nil }
    return end - start
  }

  private static func text(_ lengths: [Double]) -> JSONValue? {
    guard let least = lengths.min(), let most = lengths.max() else { return nil }
    return .string(
      "\(Figures.decimals(least, 3))–\(Figures.decimals(most, 3)) s (\(lengths.count) tasks, by ECS's clock)")
  }
}
