import AWS
package import Latency
import Synchronization
import Results
import TextFormatting

/// The phases of a task's start, from instants of one clock. Pure.
///
/// Polls give only an interval in which a task became RUNNING or was connected. Each phase is the upper end of what the
/// polls allow, so that phases overlap: their sum may be longer than the whole start.
package struct TaskStartPhases: Sendable, Equatable {
  /// When the first try of RunTask was sent.
  package var sentAt: Instant
  /// When the answered try of RunTask was sent: later than the first try if ECS throttled that.
  package var triedAt: Instant
  /// When RunTask was answered.
  package var answeredAt: Instant
  /// When the last poll of ECS was sent that did not show the task RUNNING.
  package var notRunningSince: Instant
  /// When ECS's first answer was read that showed it RUNNING; nil if the gateway showed it connected before.
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

  /// `run_task_ms`: from sending the answered try of RunTask to its answer.
  package var runTask: Nanoseconds { Self.length(from: triedAt, to: answeredAt) }

  /// The time from the first try to the answered one: tries that ECS throttled, and the pauses after them. nil where
  /// the first try was answered. The user waited for it, so that the whole start includes it.
  package var runTaskPauses: Nanoseconds? { triedAt > sentAt ? triedAt - sentAt : nil }

  /// `pending_to_running_ms`: from RunTask's answer until the task was seen RUNNING. A task that the gateway shows
  /// connected is running, even before ECS says so, so that the phase ends then at the latest.
  package var pendingToRunning: Nanoseconds { Self.length(from: answeredAt, to: runningFirst ?? connectedSeenAt) }

  /// `wait_connection_ms`: from the last moment at which the task was known not to be RUNNING until it was seen
  /// connected. nil where the connection was seen first: then nobody saw how long the task waited.
  package var waitConnection: Nanoseconds? {
    runningFirst.map { _ in Self.length(from: notRunning, to: connectedSeenAt) }
  }

  /// How much earlier than seen the task may have become RUNNING, and so how much shorter `pendingToRunning` may be.
  package var runningResolution: Nanoseconds {
    guard runningFirst == nil else { return pendingToRunning - Self.length(from: answeredAt, to: notRunning) }
    // ECS lags here: a poll of ECS after the gateway's last denial tells nothing.
    return Self.length(from: min(notRunning, notConnected), to: connectedSeenAt)
  }

  /// How much earlier than seen the task may have connected.
  package var connectedResolution: Nanoseconds { Self.length(from: notConnected, to: connectedSeenAt) }

  /// How much shorter `waitConnection` may have been; nil without a `waitConnection`.
  package var waitResolution: Nanoseconds? {
    guard let waitConnection, let runningFirst else { return nil }
    return waitConnection - Self.length(from: runningFirst, to: notConnected)
  }

  /// When the task was seen RUNNING, where that was before it was seen connected.
  private var runningFirst: Instant? { runningSeenAt.flatMap { $0 <= connectedSeenAt ? $0 : nil } }
  private var connectedSeenAt: Instant { connected.firstPositiveAnsweredAt }
  /// A poll before RunTask's answer does not count.
  private var notRunning: Instant { max(notRunningSince, answeredAt) }
  private var notConnected: Instant { max(connected.lastNegativeSentAt, answeredAt) }

  private static func length(from start: Instant, to end: Instant) -> Nanoseconds { end.elapsed(since: start) }
}

/// What a run knows of its starts beyond their samples: the resolution of the times, and ECS's own times.
final class TaskStartLog: Sendable {
  private struct State {
    var runningResolution: Nanoseconds = .zero
    var connectedResolution: Nanoseconds = .zero
    /// nil while no start had a `waitConnection`.
    var waitResolution: Nanoseconds?
    var connectedFirst: UInt64 = 0
    var lostPolls: UInt64 = 0
    var throttles: UInt64 = 0
    var retries: UInt64 = 0
    var phases = ECSStartPhases()
  }

  private let state = Mutex(State())

  /// The number of starts whose connection was seen before ECS showed the task RUNNING.
  var connectedFirst: UInt64 { state.withLock { $0.connectedFirst } }
  /// The number of polls of ECS that failed.
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

  /// The number of tries of RunTask and StopTask that ECS throttled.
  var throttles: UInt64 { state.withLock { $0.throttles } }
  /// The number of tries of RunTask and StopTask that were retries.
  var retries: UInt64 { state.withLock { $0.retries } }

  /// Counts the throttled tries and retries of answered calls.
  func noteTries(_ calls: [CallRecord]) {
    for call in calls { noteTries(call.attempts, throttles: call.throttles) }
  }

  /// Counts the throttled tries and retries of a call that failed.
  func noteTries(_ error: AWSError) { noteTries(error.attempts, throttles: error.throttles) }

  private func noteTries(_ attempts: Int, throttles: Int) {
    state.withLock { state in
      state.retries += UInt64(max(0, attempts - 1))
      state.throttles += UInt64(throttles)
    }
  }

  func lostPoll() { state.withLock { $0.lostPolls += 1 } }

  /// Notes ECS's own times of tasks that have run; they don't change any more.
  func note(_ tasks: [ECSTask]) {
    state.withLock { state in
      for task in tasks where task.startedAt != nil && state.phases[task.taskID] == nil { state.phases.note(task) }
    }
  }

  /// By metric: how far below its sample a phase may have been, at most.
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

  /// The result's findings about cold starts.
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

/// The lengths of the phases of tasks' starts by ECS's own instants, where it tells them. Bounded.
struct ECSStartPhases: Sendable {
  /// The phases of one task; nil where instants are missing.
  struct Phases: Sendable, Equatable {
    /// From `pullStartedAt` to `pullStoppedAt`.
    var imagePull: Nanoseconds?
    /// From `createdAt`, the entry into PENDING, to `startedAt`.
    var pendingToRunning: Nanoseconds?
  }

  private var phases: [String: Phases] = [:]
  private static let limit = 10_000

  /// The phases of one task, by the last part of its ARN; nil for a task that was not seen RUNNING.
  subscript(task: String) -> Phases? { phases[task] }

  /// The phases of all tasks, in no order.
  var all: some Collection<Phases> { phases.values }

  /// Notes a task that has been seen RUNNING; its instants don't change any more.
  mutating func note(_ task: ECSTask) {
    guard phases.count < Self.limit else { return }
    phases[task.taskID] = Phases(
      imagePull: Self.length(from: task.pullStartedAt, to: task.pullStoppedAt),
      pendingToRunning: Self.length(from: task.createdAt, to: task.startedAt))
  }

  /// ECS gives instants in seconds since 1970 with a fraction, which a double holds to the microsecond.
  private static func length(from start: Double?, to end: Double?) -> Nanoseconds? {
    guard let start, let end, end >= start, end - start < 3_600 else { return nil }
    return .microseconds(((end - start) * 1e6).rounded())
  }
}
