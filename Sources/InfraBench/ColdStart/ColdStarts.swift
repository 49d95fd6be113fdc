import AWS
import FoundationEssentials
import Gateway
import Latency
import LoadEngine
import Synchronization
import Transport
import Results

/// The metrics and counters of cold starts that this tool causes (`--cold-by run-task`), shared by the benchmarks that
/// can cause them.
struct ColdStarts: Sendable {
  /// The phases, by their names in the domain without `_ms`, and the pauses before the answered RunTask.
  static let metrics: [ToolDescription.Metric] = phaseNames.map { .init($0, timeouts: ["timeout", "startTimeout"]) }
  static let counters: [ToolDescription.Counter] =
    ["tasks_started", "tasks_stopped", "tasks_left"].map { .init($0, share: .none) } + [.init("other_tasks")]
    + ["connected_before_running", "lost_polls", "ecs_throttles", "ecs_retries"].map { .init($0, share: .none) }
  /// The parts of a cold start's time, in order.
  static let parts: [ToolDescription.Breakdown.Part] =
    [
      pauses, TaskStartStep.runTask.rawValue, TaskStartStep.pendingToRunning.rawValue,
      TaskStartStep.waitConnection.rawValue,
    ]
    .map { .metric($0) }

  private static let phaseNames =
    [TaskStartStep.runTask.rawValue, pauses]
    + [TaskStartStep.pendingToRunning, .waitConnection].map(\.rawValue)
  private static let pauses = "run_task_pauses"

  private let runTask: Metric
  private let runTaskPauses: Metric
  private let pendingToRunning: Metric
  private let waitConnection: Metric
  private let otherTasks: Counter
  private let measured: Counter
  private let catalogue: Catalogue

  /// - Parameter measured: the counter of users whose cold start was measured.
  init(_ catalogue: Catalogue, measured: String) {
    self.catalogue = catalogue
    self.measured = catalogue.counter(measured)
    runTask = catalogue.metric(TaskStartStep.runTask.rawValue)
    runTaskPauses = catalogue.metric(Self.pauses)
    pendingToRunning = catalogue.metric(TaskStartStep.pendingToRunning.rawValue)
    waitConnection = catalogue.metric(TaskStartStep.waitConnection.rawValue)
    otherTasks = catalogue.counter("other_tasks")
  }

  /// Adds the phases of a task's start.
  func add(_ phases: TaskStartPhases, to record: inout IterationRecord) {
    record.sample(runTask, phases.runTask)
    if let pauses = phases.runTaskPauses { record.sample(runTaskPauses, pauses) }
    record.sample(pendingToRunning, phases.pendingToRunning)
    if let waited = phases.waitConnection { record.sample(waitConnection, waited) }
  }

  /// The phases with their metrics' names, in order.
  var phases: [(String, Metric)] {
    zip(Self.phaseNames, [runTask, runTaskPauses, pendingToRunning, waitConnection]).map { ($0, $1) }
  }

  /// Counts a user who was given a task that this run has not started for its users.
  func countOther(in record: inout IterationRecord) { record.count(otherTasks) }

  /// Notes how many users were given other tasks than those that were started for them, if any were.
  func noteOthers(_ recording: Recording, _ bench: RunContext) {
    let number = recording[otherTasks]
    guard number > 0 else { return }
    bench.note(
      "\(number == 1 ? "1 user was" : "\(number) users were") given another task than those that this run had started: "
        + "the gateway had warm tasks of its own, or gave one before its RunTask was answered")
  }

  /// The measurement with what is known before the tasks are stopped; `starter` is nil where none are started.
  func soFar(_ measurement: Measurement, by starter: TaskStarter?) -> Measurement {
    guard let starter else { return measurement }
    var measurement = counted(measurement, by: starter)
    // The embedded gateway's tasks end with this process.
    if starter.settings.ecs != nil { measurement.pending = { starter.tasks.unstoppedSoFar } }
    return measurement
  }

  /// Completes the measurement with what is known after the tasks were stopped.
  func complete(_ measurement: Measurement, by starter: TaskStarter) -> Measurement {
    var measurement = counted(measurement, by: starter)
    if starter.log.retries > 0 {
      starter.session.bench.note(
        "\(starter.log.retries) tries of RunTask and StopTask were made again, after \(starter.log.throttles) that ECS "
          + "throttled: run_task is the answered try's time, and what went before it is run_task_pauses")
    }
    if let left = starter.tasks.unstopped {
      for _ in 0..<left.count { measurement.recording.fail(left.kind, left.example) }
    }
    if measurement.recording[measured] == 0 { measurement.worthless = worthless(measurement.recording, starter) }
    return measurement
  }

  private func counted(_ measurement: Measurement, by starter: TaskStarter) -> Measurement {
    var measurement = measurement
    let counts = [
      ("tasks_started", starter.tasks.startedCount), ("tasks_stopped", starter.tasks.stoppedCount),
      ("tasks_left", starter.tasks.leftCount), ("ecs_throttles", starter.log.throttles),
      ("ecs_retries", starter.log.retries),
      ("connected_before_running", starter.log.connectedFirst), ("lost_polls", starter.log.lostPolls),
    ]
    for (name, number) in counts { measurement.recording.count(catalogue.counter(name), by: number) }
    measurement.findings = (measurement.findings ?? [:]).merging(starter.log.findings(mark: starter.tasks.mark)) { $1 }
    measurement.resolutions.merge(starter.log.resolutions) { max($0, $1) }
    measurement.target.ecsEndpointUrl = measurement.target.ecsEndpointUrl ?? starter.ecs.endpointURL
    return measurement
  }

  /// Why no cold start was measured, although the run was made to measure them.
  private func worthless(_ recording: Recording, _ starter: TaskStarter) -> String {
    let reason =
      switch starter.refusal {
      case _ where recording[otherTasks] > 0:
        "the gateway has warm tasks of its own and gave users those, not the ones that were started for them"
      case .toStart(let error)?, .toStop(let error)?: "\(error)"
      case nil: "no user's way from the start of a task came to its end"
      }
    return "no cold start was measured: \(reason)"
  }
}

extension ColdStarts {
  /// The longest time of an interrupted run's releases and stops together, and the time that the stops get at least.
  /// Problem: behind a gateway that does not answer, the releases use up all their time, and the tasks must still be
  /// stopped.
  private static let boundWhenInterrupted: Nanoseconds = .seconds(4)
  private static let stopsAtLeast: Nanoseconds = .seconds(3)

  /// Runs `body` with a starter, then releases and stops the run's tasks, also when the task is cancelled and when
  /// `body` throws.
  ///
  /// - Throws: a ``BenchmarkFailure`` before anything is started, when ECS cannot be reached or refuses or the gateway
  ///   gives no status; when ECS refused every start; and the errors of `body`.
  func with(
    _ settings: RunTaskSettings, session: GatewaySession,
    _ body: (TaskStarter) async throws(BenchmarkFailure) -> Measurement
  ) async throws(BenchmarkFailure) -> Measurement {
    let starter = try await Self.open(settings, session: session)
    let watch = Task { await starter.watch() }
    let result = await Result(catching: { () async throws(BenchmarkFailure) in try await body(starter) })
    watch.cancel()
    // Read before the stops at the end: a refusal of those ends nothing early.
    let refusal = starter.refusal
    let begin = MonotonicClock.now()
    // Releases come first, because a stopped task cannot be released. Unstructured, so that a cancelled run does it
    // too.
    await Task { await session.releaseAtEnd() }.value
    let spent = min(MonotonicClock.now() - begin, Self.boundWhenInterrupted)
    await starter.tasks.stopAtEnd(onceInterrupted: max(Self.stopsAtLeast, Self.boundWhenInterrupted - spent))
    let measurement = try result.get()
    switch refusal {
    case .toStart(let error)? where measurement.recording[runTask] == nil:
      throw BenchmarkFailure("tasks cannot be started: \(error)")
    case .toStart(let error)?: session.bench.note("the run was ended early: \(error)")
    case .toStop(let error)?: session.bench.note("no further task was started, as none can be stopped: \(error)")
    case nil: break
    }
    return complete(measurement, by: starter)
  }

  private static func open(
    _ settings: RunTaskSettings, session: GatewaySession
  ) async throws(BenchmarkFailure) -> TaskStarter {
    let ecs: ECSConnection
    var taskDefinition = settings.taskDefinition
    if let own = settings.ecs {
      ecs = try ECSConnection.open(own, environment: ProcessInfo.processInfo.environment, bench: session.bench)
    } else if let access = session.embeddedECS {
      ecs = try ECSConnection.open(embedded: access, bench: session.bench)
      taskDefinition = taskDefinition ?? access.taskDefinition
    } else {
      throw BenchmarkFailure("tasks cannot be started: no ECS was named")
    }
    guard let taskDefinition else { throw BenchmarkFailure("tasks cannot be started: no task definition was named") }
    let status = try await checkStatus(session)
    let starter = TaskStarter(settings, ecs, taskDefinition: taskDefinition, session: session)
    if let status { starter.state.withLock { $0.tracker.learn(namesTasks: status.tasks != nil) } }
    try await checkListing(starter)
    return starter
  }

  /// Checks, before any task is started, that this run's tasks can be found again by their mark.
  private static func checkListing(_ starter: TaskStarter) async throws(BenchmarkFailure) {
    let listed: [String]
    do throws(AWSError) {
      listed = try await starter.tasks.listMarked()
    } catch {
      // An interrupted run ends soon anyway.
      if Task.isCancelled { return }
      throw BenchmarkFailure("tasks cannot be started: \(error)")
    }
    guard listed.isEmpty else {
      throw BenchmarkFailure(
        "no task is started: asked for tasks with a startedBy that is new, \(starter.ecs.endpointURL) lists "
          + "\(listed.count). It ignores startedBy, so tasks of this run that are left over could not be told from others"
      )
    }
  }

  /// Checks that the gateway gives its status: without it no start would be seen to end.
  ///
  /// - Returns: the status; nil where the run was interrupted.
  private static func checkStatus(_ session: GatewaySession) async throws(BenchmarkFailure) -> StatusAnswer? {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    switch await client.status() {
    case .success(let (status, _)): return status
    case .failure(let error):
      // An interrupted run ends soon anyway.
      if Task.isCancelled { return nil }
      throw BenchmarkFailure(
        "no task is started: the gateway's status is to show when it is connected, and could not be had: \(error)")
    }
  }
}
