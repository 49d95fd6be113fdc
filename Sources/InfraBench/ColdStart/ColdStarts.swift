import AWS
import FoundationEssentials
import Gateway
import Latency
import LoadEngine
import Synchronization
import Transport
import Results

/// The metrics and counters of cold starts that this tool causes (`--cold-by run-task`), for the tools that can.
struct ColdStarts: Sendable {
  /// The phases, as the domain names them without its `_ms`, and what went before a RunTask that was answered.
  static let metrics: [ToolDescription.Metric] = phaseNames.map { .init($0, timeouts: ["timeout", "startTimeout"]) }
  static let counters: [ToolDescription.Counter] =
    ["tasks_started", "tasks_stopped", "tasks_left"].map { .init($0, share: .none) } + [.init("other_tasks")]
    + ["connected_before_running", "lost_polls", "ecs_throttles", "ecs_retries"].map { .init($0, share: .none) }
  /// What a cold start's time is made of, in the order of time.
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

  /// - Parameter measured: the counter of the users whose cold start was measured.
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

  /// The phases by name, in their order.
  var phases: [(String, Metric)] {
    zip(Self.phaseNames, [runTask, runTaskPauses, pendingToRunning, waitConnection]).map { ($0, $1) }
  }

  /// The user was given another task than one that this run has started.
  func countOther(in record: inout IterationRecord) { record.count(otherTasks) }

  /// Says that users were given other tasks than those that were started for them, if they were.
  func noteOthers(_ recording: Recording, _ bench: RunContext) {
    let number = recording[otherTasks]
    guard number > 0 else { return }
    bench.note(
      "\(number == 1 ? "1 user was" : "\(number) users were") given another task than those that this run had started: "
        + "the gateway had warm tasks of its own")
  }

  /// What was measured, with what is known before anything is stopped; `starter` is nil where nothing is started.
  func soFar(_ measurement: Measurement, by starter: TaskStarter?) -> Measurement {
    guard let starter else { return measurement }
    var measurement = counted(measurement, by: starter)
    // The embedded gateway's tasks end with this process.
    if starter.settings.ecs != nil { measurement.pending = { starter.tasks.unstoppedSoFar } }
    return measurement
  }

  /// Completes what was measured with what is known when everything is stopped.
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

  /// Why there is no cold start, which the run was for.
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
  /// What the releases and stops of an interrupted run may take together, and the stops at least: behind a gateway
  /// that doesn't answer the releases take all of theirs, and the tasks are still to be stopped.
  private static let boundWhenInterrupted: Nanoseconds = .seconds(4)
  private static let stopsAtLeast: Nanoseconds = .seconds(3)

  /// Runs `body` with a starter, then gives back and stops what the run still has: also when the task is cancelled, and
  /// when `body` throws.
  ///
  /// - Throws: when ECS cannot be reached or refuses, before anything is started.
  func with(
    _ settings: RunTaskSettings, session: GatewaySession,
    _ body: (TaskStarter) async throws(BenchmarkFailure) -> Measurement
  ) async throws(BenchmarkFailure) -> Measurement {
    let starter = try await Self.open(settings, session: session)
    let watch = Task { await starter.watch() }
    let result = await Result(catching: { () async throws(BenchmarkFailure) in try await body(starter) })
    watch.cancel()
    // Before the stops at the end, which nothing follows.
    let refusal = starter.refusal
    let begin = MonotonicClock.now()
    // First: a task that was stopped cannot be released any more. Unstructured, so that a cancelled run does it too.
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

  /// What finds this run's tasks again is known to work before there are any.
  private static func checkListing(_ starter: TaskStarter) async throws(BenchmarkFailure) {
    let listed: [String]
    do throws(AWSError) {
      listed = try await starter.tasks.listMarked()
    } catch {
      // An interrupted run goes on to its end, which is near.
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

  /// A gateway that tells nothing would leave every start without an end.
  ///
  /// - Returns: what it tells; nil where the run was interrupted.
  private static func checkStatus(_ session: GatewaySession) async throws(BenchmarkFailure) -> StatusAnswer? {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    switch await client.status() {
    case .success(let (status, _)): return status
    case .failure(let error):
      // An interrupted run goes on to its end, which is near.
      if Task.isCancelled { return nil }
      throw BenchmarkFailure(
        "no task is started: the gateway's status is to show when it is connected, and could not be had: \(error)")
    }
  }
}
