/// The phases of a task's start, from stamps of one clock. Pure; in ns of `MonotonicClock`.
///
/// Polls leave open when a task was RUNNING and when it was connected. Each phase is the upper end of what they leave open,
/// so that the phases overlap: together they may be longer than the whole start.
package struct TaskStartPhases: Sendable, Equatable {
  /// RunTask was sent, for the first time.
  package var sentAt: UInt64
  /// The try of RunTask that was answered was sent: later than the first one where ECS throttled that.
  package var triedAt: UInt64
  /// RunTask was answered.
  package var answeredAt: UInt64
  /// The last look at ECS was sent that didn't show the task RUNNING.
  package var notRunningSince: UInt64
  /// ECS's first answer was read that showed it RUNNING; nil if the gateway showed it connected before.
  package var runningSeenAt: UInt64?
  /// When the gateway showed it connected.
  package var connected: Crossing

  package init(
    sentAt: UInt64, triedAt: UInt64? = nil, answeredAt: UInt64, notRunningSince: UInt64, runningSeenAt: UInt64?,
    connected: Crossing
  ) {
    self.sentAt = sentAt
    self.triedAt = triedAt ?? sentAt
    self.answeredAt = answeredAt
    self.notRunningSince = notRunningSince
    self.runningSeenAt = runningSeenAt
    self.connected = connected
  }

  /// `run_task_ms`: from the sending of the answered RunTask to its answer.
  package var runTask: UInt64 { Self.length(from: triedAt, to: answeredAt) }

  /// What went before that: tries that ECS throttled, and the pauses after them; nil where the first try was answered. The
  /// user waited for it, so that it is in the whole start.
  package var runTaskPauses: UInt64? { triedAt > sentAt ? triedAt - sentAt : nil }

  /// `pending_to_running_ms`: from RunTask's answer until the task was seen RUNNING. A task that was seen connected before
  /// runs, whatever ECS still says: then until that.
  package var pendingToRunning: UInt64 { Self.length(from: answeredAt, to: runningFirst ?? connectedSeenAt) }

  /// `wait_connection_ms`: from the last moment at which the task was known not to be RUNNING until it was seen connected.
  /// nil where the connection was seen first: how long the task waited nobody saw.
  package var waitConnection: UInt64? { runningFirst.map { _ in Self.length(from: notRunning, to: connectedSeenAt) } }

  /// How much earlier the task may have been RUNNING than it was seen, and `pendingToRunning` shorter.
  package var runningResolution: UInt64 {
    guard runningFirst == nil else { return pendingToRunning - Self.length(from: answeredAt, to: notRunning) }
    // ECS lags here: that it denied a task after the gateway did says nothing.
    return Self.length(from: min(notRunning, notConnected), to: connectedSeenAt)
  }

  /// How much earlier the task may have been connected than it was seen.
  package var connectedResolution: UInt64 { Self.length(from: notConnected, to: connectedSeenAt) }

  /// How much shorter `waitConnection` may have been; nil where there is none.
  package var waitResolution: UInt64? {
    guard let waitConnection, let runningFirst else { return nil }
    return waitConnection - min(waitConnection, Self.length(from: runningFirst, to: notConnected))
  }

  /// When the task was seen RUNNING, where that was before it was seen connected.
  private var runningFirst: UInt64? { runningSeenAt.flatMap { $0 <= connectedSeenAt ? $0 : nil } }
  private var connectedSeenAt: UInt64 { connected.firstPositiveAnsweredAt }
  /// No look before RunTask's answer counts.
  private var notRunning: UInt64 { max(notRunningSince, answeredAt) }
  private var notConnected: UInt64 { max(connected.lastNegativeSentAt, answeredAt) }

  private static func length(from start: UInt64, to end: UInt64) -> UInt64 { end - min(start, end) }
}
