import AWS
import Latency
import LoadEngine

/// Ends the pool's tasks by ECS's StopTask. It needs no gateway. The sessions of stopped tasks end with them.
struct StopDrain: Sendable {
  let ecs: ECSConnection
  let bench: RunContext
  let watch: SharedRefillTracker
  /// The ids or ARNs of the tasks to stop.
  let tasks: [String]
  /// The number of running tasks, including those that are not stopped.
  let runningCount: Int
  /// Checks again and again why no more tasks may be stopped; nil where they may.
  let objection: @Sendable () async -> StopObjection?

  private static let latency = ExhaustionBenchmark.catalogue.metric("drain")
  private static let pauses = ExhaustionBenchmark.catalogue.metric("drain_pauses")
  private static let throttledStops = ExhaustionBenchmark.catalogue.counter("throttled_stops")
  /// The number of calls at one time: enough that the refill does not overtake the drain.
  static let atOnce = 10
  /// The service is checked before every 20th task, which is about once a second, and within the first burst too: its
  /// owner may change it meanwhile.
  private static let askEvery = 20
  /// At first 50 calls without a pause, then 20 a second: below ECS's quota for calls that change tasks, which the
  /// account's other callers share.
  private static let burst = 50
  private static let perSecond = 20
  /// How long an interrupted run waits for the calls under way, to know which tasks they stopped.
  private static let graceOnCancel: Nanoseconds = .seconds(1)

  private struct Stop: Sendable {
    var record = IterationRecord()
    let dueAt = MonotonicClock.now()
    var answeredAt: Instant?
  }

  /// Drains the pool; returns what was recorded, and why it ended before all tasks were stopped. The tracker learns how
  /// many tasks were drained; t₀ is the answer to the last StopTask.
  func perform() async -> (Recording, objection: StopObjection?) {
    defer { watch.coldFallbackEnded() }
    var recording = Recording(ExhaustionBenchmark.catalogue)
    // Printed before anything is stopped, with --quiet too, so that the user is warned in time.
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

  /// The warning: which pool, and how many of its tasks are stopped.
  private var announcement: String {
    let filter = ecs.filter
    let pool =
      filter.serviceName.map { "service \($0)" } ?? filter.family.map { "family \($0)" }
      ?? filter.startedBy.map { "startedBy \($0)" } ?? "no service"
    return "stopping \(tasks.count) of \(runningCount) running tasks: \(pool), cluster \(filter.cluster ?? "default"), "
      + "region \(ecs.region)"
  }

  /// Waits until the rate allows the call with this index, from 0.
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
  /// The service has changed since the run began.
  case changed(String)
  /// ECS could not be asked about the service.
  case unreadable(String)

  /// The reason in words.
  var reason: String {
    switch self {
    case .changed(let reason), .unreadable(let reason): reason
    }
  }

  /// The kind that results count an ended drain by.
  var errorKind: String {
    switch self {
    case .changed: "service_changed"
    case .unreadable: "service_unreadable"
    }
  }

  /// The objection with its consequence in front, as AWS's reasons are long.
  func leading(to consequence: String) -> StopObjection {
    switch self {
    case .changed(let reason): .changed("\(consequence): \(reason)")
    case .unreadable(let reason): .unreadable("\(consequence): \(reason)")
    }
  }
}
