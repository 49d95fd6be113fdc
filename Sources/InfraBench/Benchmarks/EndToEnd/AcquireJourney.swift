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
    let acquisition: Acquisition
    switch await user.client.acquire(userID: user.id, waitForReady: true) {
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
    record.sample(EndToEndMetrics.acquire, acquisition.exchange.serviceTime)
    let begin = acquisition.exchange.firstByteWrittenAt
    switch scenario.route {
    case .agents: await agentPhases(of: task, begin: begin, into: &record)
    case .status, .session: await statusReady(task, begin: begin, into: &record)
    }
  }

  private func agentPhases(of task: String, begin: UInt64, into record: inout IterationRecord) async {
    guard let stamps = await scenario.agents.stamps(of: task, until: deadline) else {
      if Task.isCancelled { return record.censor() }
      return record.fail(.ready, "timeout", "task \(task.prefix(40)) did not confirm in time")
    }
    if let failure = stamps.failure { return record.fail(.initUser, "init_failed", failure) }
    guard let received = stamps.initReceived, let ready = stamps.readySent else {
      return record.fail(.ready, "closed", "the task ended before it confirmed")
    }
    record.sample(EndToEndMetrics.ready, ready - begin)
    record.sample(EndToEndMetrics.initUser, ready - received)
    if let workspace = stamps.workspaceReady { record.sample(EndToEndMetrics.workspace, workspace - received) }
    if let start = stamps.processStarted, let line = stamps.firstLine {
      record.sample(EndToEndMetrics.processStart, line - start)
    }
  }

  /// Looks until the status shows the task with its user.
  private func statusReady(_ task: String, begin: UInt64, into record: inout IterationRecord) async {
    while MonotonicClock.now() < deadline {
      guard !Task.isCancelled else { return record.censor() }
      if case .success(let (status, exchange)) = await user.client.status(),
        status.tasks?.contains(where: { $0.taskId == task && $0.userId != nil }) ?? false
      {
        return record.sample(EndToEndMetrics.ready, exchange.lastByteReadAt - begin)
      }
      try? await Task.sleep(for: .milliseconds(1))
    }
    record.fail(.ready, "timeout", "the status did not show task \(task.prefix(40)) with its user in time")
  }
}
