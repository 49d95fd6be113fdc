import AWSClient
import Latency
import LoadEngine

/// Ends the pool's tasks by ECS's StopTask. It needs no gateway; whoever had a session on such a task has none any more.
struct StopDrain: Sendable {
  let ecs: ECSConnection
  let watch: RefillWatch
  /// Ids or ARNs.
  let tasks: [String]

  private static let latency = ExhaustionBenchmark.catalogue.metric("drain")
  /// Within ECS's quota for calls that change tasks, and quick enough not to be overtaken by the refill.
  private static let atOnce = 10

  private struct Stop: Sendable {
    var record = IterationRecord()
    let dueAt = MonotonicClock.now()
    var answeredAt: UInt64?
  }

  /// Drains, and returns what was recorded. The tracker learns what was drained; t₀ is the answer to the last StopTask.
  func perform() async -> Recording {
    defer { watch.coldFallbackEnded() }
    watch.update { $0.drainBegins(at: MonotonicClock.now()) }
    var recording = Recording(ExhaustionBenchmark.catalogue)
    var answers: [UInt64] = []
    await withTaskGroup(of: Stop.self) { group in
      var waiting = tasks[...]
      for task in waiting.prefix(Self.atOnce) { group.addTask { await stop(task) } }
      waiting = waiting.dropFirst(Self.atOnce)
      for await stopped in group {
        recording.add(stopped.record, dueAt: stopped.dueAt)
        if let answeredAt = stopped.answeredAt { answers.append(answeredAt) }
        if let next = waiting.popFirst(), !Task.isCancelled { group.addTask { await stop(next) } }
      }
    }
    let lastAnswer = answers.max() ?? MonotonicClock.now()
    watch.update { tracker in
      tracker.drained(answers.count, at: lastAnswer)
      tracker.startClock(at: lastAnswer)
    }
    return recording
  }

  private func stop(_ task: String) async -> Stop {
    var stop = Stop()
    do throws(AWSError) {
      let answer = try await ecs.client.stopTask(
        task, cluster: ecs.filter.cluster, reason: "\(ExhaustionBenchmark.tool): drain")
      if let timings = answer.calls.last?.timings {
        stop.answeredAt = timings.answeredAt
        stop.record.sample(Self.latency, timings.answeredAt - timings.sentAt)
      }
    } catch {
      if error.transfer?.code == .cancelled {
        stop.record.censor()
      } else {
        stop.record.fail("ecs_\(error.kind.rawValue)", error.description)
      }
    }
    return stop
  }
}
