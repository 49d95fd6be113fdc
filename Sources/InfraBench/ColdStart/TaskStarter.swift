import AWSClient
import GatewayProtocol
import Latency
import SessionGateway
import Synchronization
import Transport

/// Starts tasks for cold users by RunTask, and sees them to the gateway. Shared by all users of a run.
///
/// All starts are looked at together, so that the rate of polls doesn't grow with the users.
final class TaskStarter: Sendable {
  /// A task that this run has started, seen connected to the gateway.
  struct Started: Sendable {
    var id: String
    var arn: String
    var phases: TaskStartPhases
    /// The look at the gateway that showed it.
    var look: PoolLook
  }

  /// What ECS has refused for good.
  enum Refusal: Sendable {
    case toStart(AWSError)
    case toStop(AWSError)
  }

  typealias Waiter = CheckedContinuation<Result<(TaskStartPhases, PoolLook?), TaskStartFailure>, Never>

  struct State {
    var tracker = TaskStartTracker()
    var waiters: [String: Waiter] = [:]
    /// RunTask calls without an answer.
    var callsUnderWay = 0
    var refusal: Refusal?
    var onRefusal: (@Sendable () -> Void)?
  }

  let ecs: ECSConnection
  let tasks: StartedTasks
  let log = TaskStartLog()
  let settings: RunTaskSettings
  private let taskDefinition: String
  let session: GatewaySession
  let state = Mutex(State())

  /// An interrupted RunTask is waited for so long, in ns: a task that was started can only be stopped by its ARN.
  private static let graceOnCancel: UInt64 = 1_000_000_000
  /// Of the look at the gateway before tasks are stopped, in ns.
  private static let lookBound: UInt64 = 500_000_000

  init(_ settings: RunTaskSettings, _ ecs: ECSConnection, taskDefinition: String, session: GatewaySession) {
    self.settings = settings
    self.ecs = ecs
    self.taskDefinition = taskDefinition
    self.session = session
    tasks = StartedTasks(ecs, log: log, bench: session.bench) { await Self.tasksOfOthers(session) }
  }

  /// Nothing where the gateway doesn't tell: then this run's tasks are stopped all the same.
  private static func tasksOfOthers(_ session: GatewaySession) async -> Set<String> {
    let client = session.client(
      on: session.loops.executor(forUser: 0), timeout: min(session.timeout, lookBound))
    defer { client.close() }
    guard case .success(let (status, _)) = await client.status() else { return [] }
    return session.userIDs.tasksOfOthers(in: status)
  }

  /// What ECS refused for good, if it did: no further task is started, and the run ends.
  var refusal: Refusal? { state.withLock { $0.refusal } }

  /// Starts a task and returns when the gateway shows it connected.
  func start() async -> Result<Started, TaskStartFailure> {
    switch refusal {
    case .toStart(let error)?: return .failure(TaskStartFailure(.runTask, error))
    // Nothing failed here: what is wrong is counted with the tasks that stay.
    case .toStop?: return .failure(.cancelled(.runTask))
    case nil: break
    }
    // The embedded gateway's tasks end with this process.
    if settings.ecs != nil { tasks.announce() }
    let begin = MonotonicClock.now()
    state.withLock { $0.callsUnderWay += 1 }
    let answer = await runTask()
    state.withLock { $0.callsUnderWay -= 1 }
    switch answer {
    case .failure(let error):
      if !error.wasAnswered { tasks.lostAnswer() }
      if error.isFinal { refuse(.toStart(RunTaskRemedy.explained(error))) }
      return .failure(TaskStartFailure(.runTask, error))
    case .success(let answer):
      guard let task = answer.value.first, let call = answer.calls.last else {
        return .failure(TaskStartFailure(unplaced: answer.failures))
      }
      tasks.started(task.taskArn)
      // Of a call that was tried again only the last try is stamped; whoever waited, waited from the first one on.
      let sentAt = call.attempts == 1 ? call.timings.sentAt : begin
      return await connection(of: task, sentAt: sentAt, answeredAt: call.timings.answeredAt)
    }
  }

  /// Stops one task that is no longer needed; what fails is tried again at the end.
  func stop(_ arn: String) async {
    await tasks.stop(arn)
    if let error = tasks.refusal { refuse(.toStop(error)) }
  }

  /// Stops all tasks of this run; what fails is tried again at the end.
  func stopRemaining() async {
    await tasks.stopRemaining()
    if let error = tasks.refusal { refuse(.toStop(error)) }
  }

  /// Runs `work`, ending it early when ECS refuses for good to do what every later start needs.
  func endingOnRefusal<T: Sendable>(_ work: @escaping @Sendable () async -> T) async -> T {
    let task = Task { await work() }
    let isRefused = state.withLock { state in
      state.onRefusal = { task.cancel() }
      return state.refusal != nil
    }
    if isRefused { task.cancel() }
    return await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
  }

  private func runTask() async -> Result<ECSAnswer<[ECSTask]>, AWSError> {
    let call = Task {
      await Result { () async throws(AWSError) in
        try await ecs.client.runTask(
          taskDefinition, cluster: ecs.filter.cluster, count: 1, startedBy: tasks.mark,
          launchType: settings.launchType, capacityProvider: settings.capacityProvider, network: settings.network)
      }
    }
    return await withTaskCancellationHandler {
      await call.value
    } onCancel: {
      Task {
        try? await Task.sleep(nanoseconds: Self.graceOnCancel)
        call.cancel()
      }
    }
  }

  private func connection(
    of task: ECSTask, sentAt: UInt64, answeredAt: UInt64
  ) async -> Result<Started, TaskStartFailure> {
    let id = task.taskID
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: Waiter) in
        state.withLock { state in
          state.tracker.began(
            task, sentAt: sentAt, answeredAt: answeredAt, deadline: sentAt + settings.startTimeout)
          state.waiters[id] = waiter
        }
        // The handler below may have run before there was a waiter.
        if Task.isCancelled { abandon(task) }
      }
    } onCancel: {
      abandon(task)
    }
    switch outcome {
    case .failure(let failure): return .failure(failure)
    case .success(let (phases, look)):
      guard let look else { return .failure(.cancelled(.waitConnection, task: task.taskArn)) }
      log.add(phases)
      return .success(Started(id: id, arn: task.taskArn, phases: phases, look: look))
    }
  }

  private func abandon(_ task: ECSTask) {
    let waiter = state.withLock { state in
      state.tracker.forget([task.taskID])
      return state.waiters.removeValue(forKey: task.taskID)
    }
    waiter?.resume(returning: .failure(.cancelled(.waitConnection, task: task.taskArn)))
  }

  func finish(_ ended: [TaskStartTracker.Ended], look: PoolLook? = nil) {
    for (task, outcome) in ended {
      if case .failure(let failure) = outcome, failure.kind == "stopped", let arn = failure.task { tasks.ended(arn) }
      state.withLock { $0.waiters.removeValue(forKey: task) }?.resume(returning: outcome.map { ($0, look) })
    }
  }

  func refuse(_ refusal: Refusal) {
    let end = state.withLock { state in
      defer { state.onRefusal = nil }
      state.refusal = state.refusal ?? refusal
      return state.onRefusal
    }
    end?()
  }
}

extension AWSError {
  /// Whether the service has said what it did: without that, what was asked for may have been done.
  fileprivate var wasAnswered: Bool {
    switch kind {
    case .transfer, .server, .malformedAnswer: false
    default: true
    }
  }
}
