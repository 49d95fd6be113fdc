import AWSClient
import Synchronization

/// What is known of a run's starts beside their samples: how fine their times are, and what ECS itself says of them.
final class TaskStartLog: Sendable {
  private struct State {
    var runningResolution: UInt64 = 0
    var connectedResolution: UInt64 = 0
    var connectedFirst: UInt64 = 0
    var lostPolls: UInt64 = 0
    var pendingToRunning = Range()
    var imagePull = Range()
    var noted: Set<String> = []
  }

  /// Lengths in seconds.
  private struct Range {
    var least = Double.infinity
    var most = 0.0
    var count = 0

    mutating func add(from start: Double?, to end: Double?) {
      guard let start, let end, end >= start else { return }
      least = min(least, end - start)
      most = max(most, end - start)
      count += 1
    }

    var text: JSONValue? {
      guard count > 0 else { return nil }
      return .string("\(Figures.decimals(least, 3))–\(Figures.decimals(most, 3)) s (\(count) tasks, by ECS's clock)")
    }
  }

  private let state = Mutex(State())
  private static let limit = 10_000

  /// Starts whose connection was seen before ECS showed them RUNNING.
  var connectedFirst: UInt64 { state.withLock { $0.connectedFirst } }
  /// Looks at ECS that brought nothing.
  var lostPolls: UInt64 { state.withLock { $0.lostPolls } }

  func add(_ phases: TaskStartPhases) {
    state.withLock { state in
      state.runningResolution = max(state.runningResolution, phases.runningResolution)
      state.connectedResolution = max(state.connectedResolution, phases.connectedResolution)
      if phases.waitConnection == nil { state.connectedFirst += 1 }
    }
  }

  func lostPoll() { state.withLock { $0.lostPolls += 1 } }

  /// Notes the instants of tasks that are RUNNING; they don't change any more.
  func note(_ tasks: [ECSTask]) {
    state.withLock { state in
      for task in tasks where task.isRunning && state.noted.count < Self.limit {
        guard state.noted.insert(task.taskArn).inserted else { continue }
        state.pendingToRunning.add(from: task.createdAt, to: task.startedAt)
        state.imagePull.add(from: task.pullStartedAt, to: task.pullStoppedAt)
      }
    }
  }

  /// For the result.
  func findings(mark: String) -> [String: JSONValue] {
    state.withLock { state in
      var findings: [String: JSONValue] = ["started_by": .string(mark)]
      findings["ecs_pending_to_running"] = state.pendingToRunning.text
      findings["ecs_image_pull"] = state.imagePull.text
      if state.runningResolution > 0 || state.connectedResolution > 0 {
        findings["task_start_resolution"] = .string(
          "RUNNING was seen at most \(Self.seconds(state.runningResolution)) s late, the connection at most "
            + "\(Self.seconds(state.connectedResolution)) s")
      }
      return findings
    }
  }

  private static func seconds(_ nanoseconds: UInt64) -> String { Figures.decimals(Double(nanoseconds) / 1e9, 3) }
}
