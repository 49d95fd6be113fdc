import AWS
import Latency
import LoadEngine

/// Ends the pool's tasks by ECS's StopTask. It needs no gateway; whoever had a session on such a task has none any more.
struct StopDrain: Sendable {
  let ecs: ECSConnection
  let bench: RunContext
  let watch: SharedRefillTracker
  /// Ids or ARNs.
  let tasks: [String]
  /// How many there are in all.
  let runningCount: Int
  /// Why no more may be stopped, asked again and again; nil where they may.
  let objection: @Sendable () async -> StopObjection?

  private static let latency = ExhaustionBenchmark.catalogue.metric("drain")
  private static let pauses = ExhaustionBenchmark.catalogue.metric("drain_pauses")
  private static let throttledStops = ExhaustionBenchmark.catalogue.counter("throttled_stops")
  /// Quick enough not to be overtaken by the refill.
  static let atOnce = 10
  /// The service is asked again before each task of such a number: about once a second, and within the first burst too. Its
  /// owner may change it meanwhile.
  private static let askEvery = 20
  /// Within ECS's quota for calls that change tasks, of which the account's other callers want some too: so many at once,
  /// then so many a second.
  private static let burst = 50
  private static let perSecond = 20
  /// A call that is under way on an interruption is waited for so long: what it stopped is to be known.
  private static let graceOnCancel: Nanoseconds = .seconds(1)

  private struct Stop: Sendable {
    var record = IterationRecord()
    let dueAt = MonotonicClock.now()
    var answeredAt: Instant?
  }

  /// Drains, and returns what was recorded, and why it was ended before all tasks were stopped. The tracker learns what was
  /// drained; t₀ is the answer to the last StopTask.
  func perform() async -> (Recording, objection: StopObjection?) {
    defer { watch.coldFallbackEnded() }
    var recording = Recording(ExhaustionBenchmark.catalogue)
    // Said with --quiet too, and before anything is stopped: nobody who reads it can say that it came too late.
    bench.console.talk(announcement + "\n")
    guard await bench.console.flush() else { return (recording, nil) }
    watch.update { $0.drainBegins(at: MonotonicClock.now()) }
    var ended: StopObjection?
    var answers: [Instant] = []
    let begin = MonotonicClock.now()
    await withTaskGroup(of: Stop.self) { group in
      for (index, task) in tasks.enumerated() {
        if index >= Self.atOnce, let stopped = await group.next() { take(stopped) }
        await pause(before: index, since: begin)
        if index > 0, index.isMultiple(of: Self.askEvery), let objection = await objection(), !Task.isCancelled {
          ended = objection.leading(to: "no more tasks were stopped than \(index) of \(tasks.count)")
          break
        }
        guard !Task.isCancelled else { break }
        group.addTask { await stop(task) }
      }
      for await stopped in group { take(stopped) }
      func take(_ stopped: Stop) {
        recording.add(stopped.record, dueAt: stopped.dueAt)
        if let answeredAt = stopped.answeredAt { answers.append(answeredAt) }
      }
    }
    let lastAnswer = answers.max() ?? MonotonicClock.now()
    watch.update { tracker in
      tracker.drained(answers.count, at: lastAnswer)
      tracker.startClock(at: lastAnswer)
    }
    let throttled = recording[Self.throttledStops]
    if throttled > 0 {
      bench.note(
        "\(throttled) StopTask \(throttled == 1 ? "call was" : "calls were") throttled and tried again: drain is the "
          + "answered try's time, and what went before it is drain_pauses; the drain took longer for that")
    }
    return (recording, ended)
  }

  /// Where this is about to happen, and to how many.
  private var announcement: String {
    let filter = ecs.filter
    let pool =
      filter.serviceName.map { "service \($0)" } ?? filter.family.map { "family \($0)" }
      ?? filter.startedBy.map { "startedBy \($0)" } ?? "no service"
    return "stopping \(tasks.count) of \(runningCount) running tasks: \(pool), cluster \(filter.cluster ?? "default"), "
      + "region \(ecs.region)"
  }

  /// Waits until the quota has room for the call of this number.
  private func pause(before index: Int, since begin: Instant) async {
    let dueAt = begin + max(0, index - Self.burst) * (.seconds(1) / Self.perSecond)
    let now = MonotonicClock.now()
    if now < dueAt { try? await Task.sleep(for: dueAt - now) }
  }

  private func request(_ task: String) async -> Result<ECSAnswer<ECSTask>, AWSError> {
    let call = Task {
      await Result { () async throws(AWSError) in
        try await ecs.client.stopTask(
          task, cluster: ecs.filter.cluster, reason: "\(ExhaustionBenchmark.tool): drain")
      }
    }
    return await withTaskCancellationHandler {
      await call.value
    } onCancel: {
      Task {
        try? await Task.sleep(for: Self.graceOnCancel)
        call.cancel()
      }
    }
  }

  private func stop(_ task: String) async -> Stop {
    var stop = Stop()
    do throws(AWSError) {
      let answer = try await request(task).get()
      if let call = answer.calls.last {
        stop.answeredAt = call.timings.answeredAt
        stop.record.sample(Self.latency, call.timings.answeredAt - call.timings.sentAt)
        if call.pauses > .zero { stop.record.sample(Self.pauses, call.pauses) }
        for _ in 0..<call.throttles { stop.record.count(Self.throttledStops) }
      }
    } catch {
      if error.transfer?.kind == .cancelled {
        bench.note("the run was interrupted while tasks were being stopped: more may have been than are counted")
        stop.record.censor()
      } else if error.kind == .wrongParameter, error.message.contains("not found") {
        bench.note("a task had ended by itself before it could be stopped: it does not count as drained")
      } else {
        for _ in 0..<error.throttles { stop.record.count(Self.throttledStops) }
        stop.record.fail(error.resultKind, error.description)
        if !error.isFinal {
          bench.note(
            "some StopTask calls failed: if they were carried out all the same, the refill was longer than it seems")
        }
      }
    }
    return stop
  }
}

/// Why no more of a service's tasks may be stopped.
enum StopObjection: Sendable, Equatable {
  /// The service is not what it was before the run.
  case changed(String)
  /// Nobody knows what it is: ECS could not be asked.
  case unreadable(String)

  /// In words.
  var reason: String {
    switch self {
    case .changed(let reason), .unreadable(let reason): reason
    }
  }

  /// What results count an ended drain by.
  var errorKind: String {
    switch self {
    case .changed: "service_changed"
    case .unreadable: "service_unreadable"
    }
  }

  /// The same with what it has led to, which is said first: reasons of AWS are long.
  func leading(to consequence: String) -> StopObjection {
    switch self {
    case .changed(let reason): .changed("\(consequence): \(reason)")
    case .unreadable(let reason): .unreadable("\(consequence): \(reason)")
    }
  }
}
