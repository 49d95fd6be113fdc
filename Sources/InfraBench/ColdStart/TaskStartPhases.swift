import AWS
package import Latency
import Synchronization
import Results
import TextFormatting

/// The phases of a task's start, from stamps of one clock. Pure.
///
/// Polls leave open when a task was RUNNING and when it was connected. Each phase is the upper end of what they leave open,
/// so that the phases overlap: together they may be longer than the whole start.
package struct TaskStartPhases: Sendable, Equatable {
  /// RunTask was sent, for the first time.
  package var sentAt: Instant
  /// The try of RunTask that was answered was sent: later than the first one where ECS throttled that.
  package var triedAt: Instant
  /// RunTask was answered.
  package var answeredAt: Instant
  /// The last look at ECS was sent that didn't show the task RUNNING.
  package var notRunningSince: Instant
  /// ECS's first answer was read that showed it RUNNING; nil if the gateway showed it connected before.
  package var runningSeenAt: Instant?
  /// When the gateway showed it connected.
  package var connected: ObservedTransition

  package init(
    sentAt: Instant, triedAt: Instant? = nil, answeredAt: Instant, notRunningSince: Instant, runningSeenAt: Instant?,
    connected: ObservedTransition
  ) {
    self.sentAt = sentAt
    self.triedAt = triedAt ?? sentAt
    self.answeredAt = answeredAt
    self.notRunningSince = notRunningSince
    self.runningSeenAt = runningSeenAt
    self.connected = connected
  }

  /// `run_task_ms`: from the sending of the answered RunTask to its answer.
  package var runTask: Nanoseconds { Self.length(from: triedAt, to: answeredAt) }

  /// What went before that: tries that ECS throttled, and the pauses after them; nil where the first try was answered. The
  /// user waited for it, so that it is in the whole start.
  package var runTaskPauses: Nanoseconds? { triedAt > sentAt ? triedAt - sentAt : nil }

  /// `pending_to_running_ms`: from RunTask's answer until the task was seen RUNNING. A task that was seen connected before
  /// runs, whatever ECS still says: then until that.
  package var pendingToRunning: Nanoseconds { Self.length(from: answeredAt, to: runningFirst ?? connectedSeenAt) }

  /// `wait_connection_ms`: from the last moment at which the task was known not to be RUNNING until it was seen connected.
  /// nil where the connection was seen first: how long the task waited nobody saw.
  package var waitConnection: Nanoseconds? {
    runningFirst.map { _ in Self.length(from: notRunning, to: connectedSeenAt) }
  }

  /// How much earlier the task may have been RUNNING than it was seen, and `pendingToRunning` shorter.
  package var runningResolution: Nanoseconds {
    guard runningFirst == nil else { return pendingToRunning - Self.length(from: answeredAt, to: notRunning) }
    // ECS lags here: that it denied a task after the gateway did says nothing.
    return Self.length(from: min(notRunning, notConnected), to: connectedSeenAt)
  }

  /// How much earlier the task may have been connected than it was seen.
  package var connectedResolution: Nanoseconds { Self.length(from: notConnected, to: connectedSeenAt) }

  /// How much shorter `waitConnection` may have been; nil where there is none.
  package var waitResolution: Nanoseconds? {
    guard let waitConnection, let runningFirst else { return nil }
    return waitConnection - Self.length(from: runningFirst, to: notConnected)
  }

  /// When the task was seen RUNNING, where that was before it was seen connected.
  private var runningFirst: Instant? { runningSeenAt.flatMap { $0 <= connectedSeenAt ? $0 : nil } }
  private var connectedSeenAt: Instant { connected.firstPositiveAnsweredAt }
  /// No look before RunTask's answer counts.
  private var notRunning: Instant { max(notRunningSince, answeredAt) }
  private var notConnected: Instant { max(connected.lastNegativeSentAt, answeredAt) }

  private static func length(from start: Instant, to end: Instant) -> Nanoseconds { end.elapsed(since: start) }
}

/// What is known of a run's starts beside their samples: how fine their times are, and what ECS itself says of them.
final class TaskStartLog: Sendable {
  private struct State {
    var runningResolution: Nanoseconds = .zero
    var connectedResolution: Nanoseconds = .zero
    /// nil while no start had a wait.
    var waitResolution: Nanoseconds?
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
        state.waitResolution = max(state.waitResolution ?? .zero, wait)
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

  /// How far below its sample a phase may have been, at most, by metric.
  var resolutions: [String: Nanoseconds] {
    state.withLock { state in
      var resolutions: [String: Nanoseconds] = [:]
      if state.runningResolution > .zero {
        resolutions[TaskStartStep.pendingToRunning.rawValue] = state.runningResolution
      }
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
      if state.runningResolution > .zero || state.connectedResolution > .zero {
        findings["task_start_resolution"] = .string(
          "RUNNING was seen at most \(Self.seconds(state.runningResolution)) s late, the connection at most "
            + "\(Self.seconds(state.connectedResolution)) s")
      }
      return findings
    }
  }

  private static func range(_ lengths: [Nanoseconds]) -> JSONValue? {
    guard let least = lengths.min(), let most = lengths.max() else { return nil }
    let tasks = lengths.count == 1 ? "1 task" : "\(lengths.count) tasks"
    return .string("\(seconds(least))–\(seconds(most)) s (\(tasks), by ECS's clock)")
  }

  private static func seconds(_ length: Nanoseconds) -> String { NumberText.decimals(length.seconds, 3) }
}

/// How long ECS says the phases of tasks' starts took, by its own clock and where it says it. Bounded.
struct ECSStartPhases: Sendable {
  /// Of one task; nil where the instants are missing.
  struct Phases: Sendable, Equatable {
    /// From `pullStartedAt` to `pullStoppedAt`.
    var imagePull: Nanoseconds?
    /// From `createdAt`, the entry into PENDING, to `startedAt`.
    var pendingToRunning: Nanoseconds?
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

  /// Instants are seconds since 1970 with a fraction, which a double holds to the microsecond.
  private static func length(from start: Double?, to end: Double?) -> Nanoseconds? {
    guard let start, let end, end >= start, end - start < 3_600 else { return nil }
    return .microseconds(((end - start) * 1e6).rounded())
  }
}
