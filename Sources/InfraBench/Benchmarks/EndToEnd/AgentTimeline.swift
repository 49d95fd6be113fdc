import Latency
import Synchronization
import WarmTask

/// What happened inside the tool's own agents, by task.
final class AgentTimeline: Sendable {
  /// Instants in ns of `MonotonicClock`; nil what has not happened.
  struct Stamps: Sendable {
    var initReceived: UInt64?
    var workspaceReady: UInt64?
    var processStarted: UInt64?
    var firstLine: UInt64?
    var readySent: UInt64?
    var hasEnded = false
    var failure: String?
  }

  private let tasks = Mutex<[String: Stamps]>([:])

  /// Takes an agent's event; called on the agents' event loop.
  func observe(_ event: TaskEvent) {
    tasks.withLock { tasks in
      switch event.kind {
      case .connected: tasks[event.taskId] = Stamps()
      case .initReceived: tasks[event.taskId]?.initReceived = event.at
      case .workspaceReady: tasks[event.taskId]?.workspaceReady = event.at
      // The inline program has no process whose start could take time.
      case .processStarted(pid: nil): break
      case .processStarted: tasks[event.taskId]?.processStarted = event.at
      case .firstLine: tasks[event.taskId]?.firstLine = event.at
      case .readySent: tasks[event.taskId]?.readySent = event.at
      case .ended(let outcome):
        if case .initFailed(let reason) = outcome { tasks[event.taskId]?.failure = reason }
        tasks[event.taskId]?.hasEnded = true
      }
    }
  }

  /// The stamps of `task` once it has confirmed or ended; nil when neither is so at `deadline`, or on cancellation.
  /// They are forgotten with that.
  func stamps(of task: String, until deadline: UInt64) async -> Stamps? {
    while true {
      let done = tasks.withLock { tasks -> Stamps? in
        guard let stamps = tasks[task], stamps.readySent != nil || stamps.hasEnded else { return nil }
        return tasks.removeValue(forKey: task)
      }
      if let done { return done }
      guard MonotonicClock.now() < deadline, (try? await Task.sleep(for: .milliseconds(1))) != nil else { return nil }
    }
  }
}
