import Glibc
import NIOCore
import ProcessControl
import Transport
import WarmTask

/// How a run came to its end.
enum Ending: Sendable {
  case lives([TaskOutcome])
  case signal(Int32)
  case parentGone

  /// 128 + the signal's number, as shells have it; 1 if a single life failed.
  var exitCode: Int32 {
    switch self {
    case .signal(let number): 128 + number
    case .parentGone: 0
    case .lives(let outcomes): outcomes.contains(where: \.isFailure) ? 1 : 0
    }
  }
}

/// The tasks, until they have lived, a signal comes, or the parent is gone. Users' programs are ended in every case.
struct WarmTaskRun {
  let plan: WarmTaskPlan
  let loop: any EventLoop

  func untilTheEnd() async -> Ending {
    let (failures, talk) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(100))
    // Before anything is begun: until then a signal ends the process as it would any other.
    let signals = await EndSignals.trap().first(
      farewell: "warm-task: ended at once by a second signal: users' programs may be left as they are\n")
    return await withTaskGroup(of: Ending?.self) { group in
      group.addTask { await first(of: signals) }
      if plan.hasLifeline { group.addTask { await parentsEnd() } }
      group.addTask {
        for await line in failures { report(line) }
        return nil
      }
      group.addTask { await tasks(talk) }
      var ending: Ending?
      while ending == nil, let next = await group.next() { ending = next }
      group.cancelAll()
      await group.waitForAll()
      return ending ?? .parentGone
    }
  }

  private func tasks(_ talk: AsyncStream<String>.Continuation) async -> Ending? {
    let taskId = plan.taskId
    let isSingleLife = plan.isSingleLife
    let secrets = HeaderSecrets(plan.configuration.headers)
    let pool = AgentPool(
      configuration: plan.configuration, count: plan.count, loops: [loop],
      observer: { event in
        guard !isSingleLife, case .ended(let outcome) = event.kind, let failure = outcome.failure(without: secrets)
        else { return }
        talk.yield("warm-task: \(event.taskId): \(failure)\n")
      },
      makeTaskId: { taskId ?? AgentPool.randomTaskId() })
    guard isSingleLife else {
      await pool.run()
      return nil
    }
    let outcomes = await pool.runOnce()
    // Said here and not by the listener to failures, who may be cancelled before it has spoken.
    for outcome in outcomes {
      if let failure = outcome.failure(without: secrets) { report("warm-task: \(failure)\n") }
    }
    return .lives(outcomes)
  }

  private func first(of signals: AsyncStream<Int32>) async -> Ending? {
    for await signal in signals {
      // Who holds the lifeline may have got the signal too, and ends this task when it is time.
      if plan.hasLifeline { try? await Task.sleep(for: Lifeline.patience) }
      return .signal(signal)
    }
    return nil
  }

  private func parentsEnd() async -> Ending? {
    let end = AsyncStream<Void> { continuation in Lifeline.watch { continuation.yield() } }
    for await _ in end { return .parentGone }
    return nil
  }

  private func report(_ line: String) { _ = write(STDERR_FILENO, line, line.utf8.count) }
}

extension TaskOutcome {
  /// Whether the life did not go as it should.
  fileprivate var isFailure: Bool {
    switch self {
    case .notConnected, .connectionLost, .initFailed: true
    case .retired, .released, .processEnded, .stopped: false
    }
  }
}
