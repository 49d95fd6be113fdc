import Gateway
import Latency
import LoadEngine
import Synchronization
import Transport
import WarmTask

/// The way by REST alone. Its phases are seen from inside this tool's agents where it supplies the tasks, otherwise
/// from the gateway's status.
///
/// A class, because its suspended functions would hold copies of a structure.
final class AcquireJourney: Sendable {
  let scenario: EndToEndScenario
  let user: EndToEndUser
  /// The task that was started for this user.
  let started: TaskStarter.Started?
  let deadline: Instant

  init(scenario: EndToEndScenario, user: EndToEndUser, started: TaskStarter.Started?, deadline: Instant) {
    self.scenario = scenario
    self.user = user
    self.started = started
    self.deadline = deadline
  }

  func travel(into record: inout IterationRecord) async {
    let outcome = await user.client.acquire(userID: user.id, waitForReady: true)
    let evidence = user.evidence.take().map(scenario.pool.finish)
    let acquisition: AssignedTask
    switch outcome {
    case .assigned(let assigned): acquisition = assigned
    case .miss(let stamps):
      record.wrote(at: stamps.firstByteWrittenAt)
      return record.fail(.acquire, "miss", "the pool had no warm task")
    case .failed(let error, let writtenAt):
      scenario.session.held.acquireFailed(error, writtenAt: writtenAt)
      if let writtenAt { record.wrote(at: writtenAt) }
      return error.isCancellation ? record.censor() : record.fail(.acquire, error.kind.rawValue, error.message)
    }
    record.wrote(at: acquisition.stamps.firstByteWrittenAt)
    let (id, task) = (acquisition.task, acquisition.task.name)
    scenario.wasGiven(task, user, started)
    let place = scenario.session.place(of: user.client)
    if scenario.session.held.assign(id, cookies: user.client.cookies, user: user.number, place: place) {
      record.count(EndToEndMetrics.duplicates)
    } else {
      user.assigned.put(id)
    }
    let begin = acquisition.stamps.firstByteWrittenAt
    let seen: Seen? =
      switch scenario.route {
      case .agents: await seenByAgent(task, begin: begin, into: &record)
      case .status, .session: await seenInStatus(task, into: &record)
      }
    guard let seen else { return }
    if started != nil, scenario.isStarted(task, into: &record) { return record.count(EndToEndMetrics.coldStarts) }
    switch await scenario.classify(task, source: acquisition.source, evidence, started, user.client) {
    case .warm:
      record.sample(EndToEndMetrics.acquire, acquisition.stamps.serviceTime)
      record.sample(EndToEndMetrics.ready, from: begin, to: seen.readyAt)
      for (metric, length) in seen.phases { record.sample(metric, length) }
    case .cold: record.count(EndToEndMetrics.coldStarts)
    case .unclassified: record.count(EndToEndMetrics.unclassified)
    }
  }

  /// When the task was ready, and the phases that could be seen.
  private struct Seen {
    var readyAt: Instant
    var phases: [(metric: Metric, length: Nanoseconds)] = []
  }

  private func seenByAgent(_ task: String, begin: Instant, into record: inout IterationRecord) async -> Seen? {
    guard let stamps = await scenario.agents.stamps(of: task, until: deadline) else {
      if Task.isCancelled {
        record.censor()
      } else {
        record.fail(.ready, "timeout", "task \(task.prefix(40)) did not confirm in time")
      }
      return nil
    }
    if let failure = stamps.failure {
      record.fail(.initUser, "init_failed", failure)
      return nil
    }
    guard let received = stamps.initReceived, let ready = stamps.readySent else {
      record.fail(.ready, "closed", "the task ended before it confirmed")
      return nil
    }
    // These are instants of an earlier assignment: the gateway has given out a task that another user had.
    guard received >= begin, ready >= received else {
      record.fail(.ready, "not_ours", "task \(task.prefix(40)) was somebody's already when it was asked for")
      return nil
    }
    var seen = Seen(readyAt: ready, phases: [(EndToEndMetrics.initUser, ready - received)])
    if let workspace = stamps.workspaceReady, workspace >= received {
      seen.phases.append((EndToEndMetrics.workspace, workspace - received))
    }
    if let start = stamps.processStarted, let line = stamps.firstLine, line >= start {
      seen.phases.append((EndToEndMetrics.processStart, line - start))
    }
    return seen
  }

  /// Polls the status until it shows the task with its user. A gateway shows a task as assigned at once, and its user
  /// when the task has confirmed. A gateway that never shows users cannot be told from one whose task is slow, so that
  /// the assignment alone never counts as readiness.
  private func seenInStatus(_ task: String, into record: inout IterationRecord) async -> Seen? {
    var showsUsers = false
    while MonotonicClock.now() < deadline {
      guard !Task.isCancelled else {
        record.censor()
        return nil
      }
      if case .success(let (status, exchange)) = await user.client.status() {
        let tasks = status.tasks ?? []
        if tasks.contains(where: { $0.taskId == task && $0.userId != nil }) {
          return Seen(readyAt: exchange.lastByteReadAt)
        }
        showsUsers = showsUsers || tasks.contains { $0.userId != nil }
      }
      try? await Task.sleep(for: .milliseconds(1))
    }
    let hint =
      showsUsers ? "" : "; it showed no user of any task: where a gateway hides them, only --agents can see readiness"
    record.fail(.ready, "timeout", "the status did not show task \(task.prefix(40)) with its user in time\(hint)")
    return nil
  }
}

/// The instants of events inside the tool's own agents, by task.
final class AgentTimeline: Sendable {
  /// The instants of one task; nil for an event that has not happened.
  struct Stamps: Sendable {
    var initReceived: Instant?
    var workspaceReady: Instant?
    var processStarted: Instant?
    var firstLine: Instant?
    var readySent: Instant?
    var hasEnded = false
    var failure: String?
  }

  private let tasks = Mutex<[String: Stamps]>([:])

  /// Notes an agent's event; called on the agents' event loop.
  func observe(_ event: TaskEvent) {
    tasks.withLock { tasks in
      switch event.kind {
      case .connected: tasks[event.taskId] = Stamps()
      case .initReceived: tasks[event.taskId]?.initReceived = event.at
      case .workspaceReady: tasks[event.taskId]?.workspaceReady = event.at
      // The inline program has no process whose start takes time.
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

  /// The instants of `task` once it has confirmed or ended; nil when neither has happened at `deadline`, or on
  /// cancellation. They are then forgotten.
  func stamps(of task: String, until deadline: Instant) async -> Stamps? {
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
