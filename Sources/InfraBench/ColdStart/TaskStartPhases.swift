/// The phases of a task's start, from stamps of one clock. Pure; in ns of `MonotonicClock`.
package struct TaskStartPhases: Sendable, Equatable {
  /// RunTask was sent.
  package var sentAt: UInt64
  /// RunTask was answered.
  package var answeredAt: UInt64
  /// When ECS showed the task RUNNING; nil if the gateway showed it connected before.
  package var running: Crossing?
  /// When the gateway showed it connected.
  package var connected: Crossing

  package init(sentAt: UInt64, answeredAt: UInt64, running: Crossing?, connected: Crossing) {
    self.sentAt = sentAt
    self.answeredAt = answeredAt
    self.running = running
    self.connected = connected
  }

  /// `run_task_ms`: from RunTask's sending to its answer.
  package var runTask: UInt64 { answeredAt - min(sentAt, answeredAt) }

  /// `pending_to_running_ms`: from RunTask's answer until the task was seen RUNNING. A task that was seen connected before
  /// runs, whatever ECS still says: then until that. The upper end of what the polls leave open.
  package var pendingToRunning: UInt64 { runningSeenAt - min(answeredAt, runningSeenAt) }

  /// `wait_connection_ms`: from RUNNING seen until the task was seen connected. The phases add up to the whole start. nil
  /// where the connection was seen first: how long the task waited nobody saw.
  package var waitConnection: UInt64? {
    guard let running, running.firstPositiveAnsweredAt <= connected.firstPositiveAnsweredAt else { return nil }
    return connected.firstPositiveAnsweredAt - running.firstPositiveAnsweredAt
  }

  /// How much earlier the task may have been RUNNING than it was seen.
  package var runningResolution: UInt64 { width(isSeenRunningFirst ? running ?? connected : connected) }

  /// How much earlier the task may have been connected than it was seen.
  package var connectedResolution: UInt64 { width(connected) }

  private var isSeenRunningFirst: Bool { waitConnection != nil }

  private var runningSeenAt: UInt64 {
    (isSeenRunningFirst ? running ?? connected : connected).firstPositiveAnsweredAt
  }

  private func width(_ crossing: Crossing) -> UInt64 {
    let earliest = max(crossing.lastNegativeSentAt, answeredAt)
    return crossing.firstPositiveAnsweredAt - min(earliest, crossing.firstPositiveAnsweredAt)
  }
}
