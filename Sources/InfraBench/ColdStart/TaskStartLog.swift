import AWS
import Synchronization

/// What is known of a run's starts beside their samples: how fine their times are, and what ECS itself says of them.
final class TaskStartLog: Sendable {
  private struct State {
    var runningResolution: UInt64 = 0
    var connectedResolution: UInt64 = 0
    /// nil while no start had a wait.
    var waitResolution: UInt64?
    var connectedFirst: UInt64 = 0
    var lostPolls: UInt64 = 0
    var throttles: UInt64 = 0
    var retries: UInt64 = 0
    var phases = ECSStartPhases()
  }

  private let state = Mutex(State())

  /// Starts whose connection was seen before ECS showed them RUNNING.
  var connectedFirst: UInt64 { state.withLock { $0.connectedFirst } }
  /// Looks at ECS that brought nothing.
  var lostPolls: UInt64 { state.withLock { $0.lostPolls } }

  func add(_ phases: TaskStartPhases) {
    state.withLock { state in
      state.runningResolution = max(state.runningResolution, phases.runningResolution)
      state.connectedResolution = max(state.connectedResolution, phases.connectedResolution)
      if let wait = phases.waitResolution {
        state.waitResolution = max(state.waitResolution ?? 0, wait)
      } else {
        state.connectedFirst += 1
      }
    }
  }

  /// Tries of RunTask and StopTask that ECS throttled.
  var throttles: UInt64 { state.withLock { $0.throttles } }
  /// Tries of RunTask and StopTask that were made again.
  var retries: UInt64 { state.withLock { $0.retries } }

  /// Notes what answered calls took beside the tries that were answered.
  func noteTries(_ calls: [CallRecord]) {
    for call in calls { noteTries(call.attempts, throttles: call.throttles) }
  }

  /// Notes the tries of a call that failed.
  func noteTries(_ error: AWSError) { noteTries(error.attempts, throttles: error.throttles) }

  private func noteTries(_ attempts: Int, throttles: Int) {
    state.withLock { state in
      state.retries += UInt64(max(0, attempts - 1))
      state.throttles += UInt64(throttles)
    }
  }

  func lostPoll() { state.withLock { $0.lostPolls += 1 } }

  /// Notes what ECS says of the starts of tasks that have run; it doesn't change any more.
  func note(_ tasks: [ECSTask]) {
    state.withLock { state in
      for task in tasks where task.startedAt != nil && state.phases[task.taskID] == nil { state.phases.note(task) }
    }
  }

  /// How far below its sample a phase may have been, at most, by metric, in ns.
  var resolutions: [String: UInt64] {
    state.withLock { state in
      var resolutions: [String: UInt64] = [:]
      if state.runningResolution > 0 { resolutions[TaskStartStep.pendingToRunning.rawValue] = state.runningResolution }
      resolutions[TaskStartStep.waitConnection.rawValue] = state.waitResolution
      return resolutions
    }
  }

  /// For the result.
  func findings(mark: String) -> [String: JSONValue] {
    state.withLock { state in
      var findings: [String: JSONValue] = ["started_by": .string(mark)]
      findings["ecs_pending_to_running"] = Self.range(state.phases.all.compactMap(\.pendingToRunning))
      findings["ecs_image_pull"] = Self.range(state.phases.all.compactMap(\.imagePull))
      if state.runningResolution > 0 || state.connectedResolution > 0 {
        findings["task_start_resolution"] = .string(
          "RUNNING was seen at most \(Self.seconds(state.runningResolution)) s late, the connection at most "
            + "\(Self.seconds(state.connectedResolution)) s")
      }
      return findings
    }
  }

  private static func range(_ lengths: [UInt64]) -> JSONValue? {
    guard let least = lengths.min(), let most = lengths.max() else { return nil }
    let tasks = lengths.count == 1 ? "1 task" : "\(lengths.count) tasks"
    return .string("\(seconds(least))–\(seconds(most)) s (\(tasks), by ECS's clock)")
  }

  private static func seconds(_ nanoseconds: UInt64) -> String { Figures.decimals(Double(nanoseconds) / 1e9, 3) }
}
