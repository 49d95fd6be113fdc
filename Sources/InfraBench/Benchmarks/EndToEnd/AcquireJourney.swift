import GatewayProtocol
import Latency
import LoadEngine
import SessionGateway
import Transport

/// The way by REST alone: the phases from inside this tool's agents where it supplies the tasks, else from the status.
struct AcquireJourney {
  let scenario: EndToEndScenario
  let user: EndToEndUser
  /// In ns of `MonotonicClock`.
  let deadline: UInt64

  func travel(into record: inout IterationRecord) async {
    let outcome = await user.client.acquire(userID: user.id, waitForReady: true)
    let outlook = user.outlook.take().map(scenario.pool.finish)
    let acquisition: Acquisition
    switch outcome {
    case .assigned(let assigned): acquisition = assigned
    case .miss(let exchange):
      record.wrote(at: exchange.firstByteWrittenAt)
      return record.fail(.acquire, "miss", "the pool had no warm task")
    case .failed(let error, let writtenAt):
      if let writtenAt { record.wrote(at: writtenAt) }
      return error.isCancellation ? record.censor() : record.fail(.acquire, error.kind, error.message)
    }
    record.wrote(at: acquisition.exchange.firstByteWrittenAt)
    guard let task = acquisition.answer.task else { return }
    if scenario.session.held.assign(task) { record.count(EndToEndMetrics.duplicates) } else { user.assigned.put(task) }
    let begin = acquisition.exchange.firstByteWrittenAt
    var phases: Phases = [(EndToEndMetrics.acquire, acquisition.exchange.serviceTime)]
    switch scenario.route {
    case .agents: phases += await agentPhases(of: task, begin: begin, into: &record)
    case .status, .session: phases += await statusReady(task, begin: begin, into: &record)
    }
    guard record.ending == .success else { return }
    switch await scenario.pool.classify(task, source: acquisition.answer.source, outlook, user.client) {
    case .warm: for (metric, nanoseconds) in phases { record.sample(metric, nanoseconds) }
    case .cold: record.count(EndToEndMetrics.coldStarts)
    case .unclassified: record.count(EndToEndMetrics.unclassified)
    }
  }

  private typealias Phases = [(metric: Metric, nanoseconds: UInt64)]

  private func agentPhases(of task: String, begin: UInt64, into record: inout IterationRecord) async -> Phases {
    guard let stamps = await scenario.agents.stamps(of: task, until: deadline) else {
      if Task.isCancelled {
        record.censor()
      } else {
        record.fail(.ready, "timeout", "task \(task.prefix(40)) did not confirm in time")
      }
      return []
    }
    if let failure = stamps.failure {
      record.fail(.initUser, "init_failed", failure)
      return []
    }
    guard let received = stamps.initReceived, let ready = stamps.readySent else {
      record.fail(.ready, "closed", "the task ended before it confirmed")
      return []
    }
    // Stamps of an earlier assignment: the gateway has handed out a task that somebody had.
    guard received >= begin, ready >= received else {
      record.fail(.ready, "not_ours", "task \(task.prefix(40)) was somebody's already when it was asked for")
      return []
    }
    var phases = [(EndToEndMetrics.ready, ready - begin), (EndToEndMetrics.initUser, ready - received)]
    if let workspace = stamps.workspaceReady, workspace >= received {
      phases.append((EndToEndMetrics.workspace, workspace - received))
    }
    if let start = stamps.processStarted, let line = stamps.firstLine, line >= start {
      phases.append((EndToEndMetrics.processStart, line - start))
    }
    return phases
  }

  /// Looks until the status shows the task with its user.
  private func statusReady(_ task: String, begin: UInt64, into record: inout IterationRecord) async -> Phases {
    while MonotonicClock.now() < deadline {
      guard !Task.isCancelled else {
        record.censor()
        return []
      }
      if case .success(let (status, exchange)) = await user.client.status(),
        status.tasks?.contains(where: { $0.taskId == task && $0.userId != nil }) ?? false
      {
        return [(EndToEndMetrics.ready, exchange.lastByteReadAt - begin)]
      }
      try? await Task.sleep(for: .milliseconds(1))
    }
    record.fail(.ready, "timeout", "the status did not show task \(task.prefix(40)) with its user in time")
    return []
  }
}
