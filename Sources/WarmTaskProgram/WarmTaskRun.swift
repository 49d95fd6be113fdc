import Gateway
import Glibc
import NIOCore
import ProcessControl
import TextFormatting
import Transport
import WarmTask

/// The reason for a run's end.
enum Ending: Sendable {
  case lives([TaskOutcome])
  case signal(Int32)
  case parentGone

  /// 128 + the signal's number, as in shells; 1 if a single task failed.
  var exitCode: Int32 {
    switch self {
    case .signal(let number): 128 + number
    case .parentGone: 0
    case .lives(let outcomes): outcomes.contains(where: \.isFailure) ? 1 : 0
    }
  }
}

/// Runs the tasks until they have ended, a signal comes, or the parent is gone. Users' programs are ended in every
/// case.
struct WarmTaskRun {
  let plan: WarmTaskPlan
  let loop: any EventLoop

  func untilTheEnd() async -> Ending {
    let (failures, talk) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(100))
    // The trap comes before anything is started; until then a signal simply ends the process.
    let signals = await TerminationSignals.trap().first(
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
    let secrets = SecretRedactor(headers: plan.configuration.headers)
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
    // The failures are reported here, because the task that reports them may be cancelled before it has written them.
    for outcome in outcomes {
      if let failure = outcome.failure(without: secrets) { report("warm-task: \(failure)\n") }
    }
    return .lives(outcomes)
  }

  private func first(of signals: AsyncStream<Int32>) async -> Ending? {
    for await signal in signals {
      // The holder of the lifeline may have got the signal too, and ends this task at the right time.
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
  /// Whether the task's life ended in a failure.
  fileprivate var isFailure: Bool {
    switch self {
    case .notConnected, .connectionLost, .initFailed: true
    case .retired, .released, .processEnded, .stopped: false
    }
  }
}

extension SecretRedactor {
  /// Takes the values of `--header` out of the gateway's messages, which may repeat them one by one or as a line.
  fileprivate init(headers: [(String, String)]) {
    // In `Bearer abc` the token without `Bearer` is a secret too.
    let values = headers.flatMap { [$0.1] + $0.1.split(separator: " ").suffix(1).map(String.init) }
    self.init(values + values.map { PlainText.withoutMarkup($0) })
  }
}

extension TaskOutcome {
  /// The failure in words; nil for a successful life.
  func failure(without secrets: SecretRedactor) -> String? {
    switch self {
    case .notConnected(let error), .connectionLost(let error): error.words(without: secrets)
    case .initFailed(let why): why
    case .retired, .released, .processEnded, .stopped: nil
    }
  }
}

extension WebSocketError {
  /// The description. Secrets are removed only from the gateway's words, because the removal of a short secret could
  /// spoil the words around them.
  fileprivate func words(without secrets: SecretRedactor) -> String {
    switch self {
    case .upgradeRefused(var refusal):
      let status = "status \(refusal.response.status)"
      refusal.words = status + secrets.removed(from: String(refusal.words.dropFirst(status.count)))
      return WebSocketError.upgradeRefused(refusal).description
    case .closed(let code, let reason):
      let said = secrets.removed(from: PlainText.withoutMarkup(reason))
      return WebSocketError.closed(code: code, reason: "").description + (said.isEmpty ? "" : " (\(said))")
    default: return description
    }
  }
}
