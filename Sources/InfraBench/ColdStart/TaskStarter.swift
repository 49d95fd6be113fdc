import AWS
import Gateway
import Latency
import Synchronization
import Transport

/// Starts a task for each cold user by RunTask, and follows it until the gateway shows it. Shared by all users of a
/// run.
///
/// All starts are polled together, so that the rate of polls does not grow with the number of users.
final class TaskStarter: Sendable {
  /// A task that this run has started and that the gateway has shown as connected.
  struct Started: Sendable {
    var id: String
    var arn: String
    var phases: TaskStartPhases
    /// The gateway's status that showed it.
    var look: PoolStatus
  }

  /// What ECS has refused in a way that no later call changes.
  enum Refusal: Sendable {
    case toStart(AWSError)
    case toStop(AWSError)
  }

  typealias Waiter = CheckedContinuation<Result<(TaskStartPhases, PoolStatus?), TaskStartFailure>, Never>

  struct State {
    var tracker = TaskStartTracker()
    var waiters: [String: Waiter] = [:]
    /// The number of RunTask calls whose tasks, if any were started, are not followed yet.
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

  /// How long an interrupted run waits for RunTask's answer: a started task can be stopped only by its ARN, which the
  /// answer has.
  private static let graceOnCancel: Nanoseconds = .seconds(1)

  init(_ settings: RunTaskSettings, _ ecs: ECSConnection, taskDefinition: String, session: GatewaySession) {
    self.settings = settings
    self.ecs = ecs
    self.taskDefinition = taskDefinition
    self.session = session
    tasks = StartedTasks(ecs, log: log, bench: session.bench, users: session.userIDs) { bound in
      await Self.look(session, for: bound)
    }
  }

  /// Reads the gateway's status.
  ///
  /// - Parameter bound: the longest time that it may take.
  private static func look(_ session: GatewaySession, for bound: Nanoseconds) async -> GatewayTaskView {
    let client = session.client(on: session.loops.executor(forUser: 0), timeout: bound)
    defer { client.close() }
    guard case .success(let (status, _)) = await client.status() else { return .unknown }
    return .known(status)
  }

  /// What ECS refused for good; nil if nothing. After a refusal no further task is started, and the run ends.
  var refusal: Refusal? { state.withLock { $0.refusal } }

  /// Starts a task for a user and returns when the gateway shows it connected. The user counts as on its way to a task
  /// from now until ``userWasGiven(_:insteadOf:)`` or ``userLeft(_:startedFor:)``.
  func start() async -> Result<Started, TaskStartFailure> {
    tasks.update { $0.startBegan() }
    let result = await startAndConnect()
    tasks.update { ledger in
      switch result {
      case .success(let started): ledger.startEnded(started.id)
      case .failure(let failure):
        ledger.startEnded(nil)
        if let arn = failure.task { ledger.left(nil, startedFor: TaskLedger.id(of: arn)) }
      }
    }
    return result
  }

  /// The user for whom `started` was started was given `task`, which need not be a task of this run.
  func userWasGiven(_ task: String, insteadOf started: Started) {
    tasks.update { $0.given(task, insteadOf: started.id) }
  }

  /// The user for whom `arn` was started has left, together with the task that it was given. Tasks that no user of the
  /// run has or waits for are stopped; a stop that fails is tried again at the end.
  func userLeft(_ task: String?, startedFor arn: String) async {
    tasks.update { $0.left(task, startedFor: TaskLedger.id(of: arn)) }
    guard !Task.isCancelled else { return }
    await tasks.stopWhatIsOver()
    if let error = tasks.refusal { refuse(.toStop(error)) }
  }

  private func startAndConnect() async -> Result<Started, TaskStartFailure> {
    switch refusal {
    case .toStart(let error)?: return .failure(TaskStartFailure(.runTask, error))
    // Nothing failed in this iteration: the tasks that cannot be stopped are counted as errors at the end.
    case .toStop?: return .failure(.cancelled(.runTask))
    case nil: break
    }
    // The embedded gateway's tasks end with this process.
    if settings.ecs != nil { tasks.announce() }
    let needsLook = state.withLock { state in
      state.callsUnderWay += 1
      state.tracker.callBegan()
      return state.tracker.needsLook
    }
    if needsLook { await lookBeforeStart() }
    let answer = await runTask()
    if case .success(let answer)? = answer, let task = answer.value.first, let call = answer.calls.last {
      return await connection(of: task, call)
    }
    state.withLock { state in
      state.callsUnderWay -= 1
      state.tracker.callFailed()
    }
    switch answer {
    case nil: return .failure(.cancelled(.runTask))
    case .failure(let error)?:
      if error.isFinal { refuse(.toStart(RunTaskRemedy.explained(error))) }
      return .failure(TaskStartFailure(.runTask, error))
    case .success(let answer)?: return .failure(TaskStartFailure(unplaced: answer.failures))
    }
  }

  /// Stops all tasks of this run; a stop that fails is tried again at the end.
  func stopRemaining() async {
    await tasks.stopRemaining()
    if let error = tasks.refusal { refuse(.toStop(error)) }
  }

  /// Runs `work`, and cancels it when ECS refuses for good a call that every later start needs.
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

  /// nil where the run was interrupted and no answer came in time. The call goes on.
  private func runTask() async -> Result<ECSAnswer<[ECSTask]>, AWSError>? {
    await tasks.calls.make(graceOnCancel: Self.graceOnCancel) {
      await Result { () async throws(AWSError) in
        try await self.ecs.client.runTask(
          self.taskDefinition, cluster: self.ecs.filter.cluster, count: 1, startedBy: self.tasks.mark,
          launchType: self.settings.launchType, capacityProvider: self.settings.capacityProvider,
          network: self.settings.network)
      }
    } settle: { answer in
      switch answer {
      case .success(let answer):
        self.log.noteTries(answer.calls)
        for task in answer.value { self.tasks.started(task.taskArn) }
      case .failure(let error):
        self.log.noteTries(error)
        if error.mayHaveBeenDone { self.tasks.lostAnswer() }
      }
    }
  }

  private func connection(of task: ECSTask, _ call: CallRecord) async -> Result<Started, TaskStartFailure> {
    let id = task.taskID
    // The user has waited since the first try was sent.
    let sentAt = call.timings.sentAt - call.pauses
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: Waiter) in
        state.withLock { state in
          // Under one lock, so that no poll comes in between.
          state.callsUnderWay -= 1
          state.tracker.began(
            task, sentAt: sentAt, triedAt: call.timings.sentAt, answeredAt: call.timings.answeredAt,
            deadline: sentAt + settings.startTimeout)
          state.waiters[id] = waiter
        }
        // The cancellation handler may have run before the waiter was stored.
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

  func finish(_ ended: [TaskStartTracker.Ended], look: PoolStatus? = nil) {
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
  /// Whether the service may have done what was asked for although the call failed, as its answer is missing.
  fileprivate var mayHaveBeenDone: Bool {
    switch (kind, transfer?.kind) {
    // The last try sent nothing; an earlier one may have.
    case (.transfer, .connect), (.transfer, .nameLookup), (.transfer, .tls), (.transfer, .invalidURL): attempts > 1
    case (.transfer, _), (.server, _), (.malformedAnswer, _): true
    default: false
    }
  }
}

/// Polls ECS and the gateway for the tasks on their way.
extension TaskStarter {
  /// The longest pause between two status requests to the gateway; a shorter `pollInterval` replaces it.
  private static let longestPause: Nanoseconds = .milliseconds(50)

  /// Polls ECS and the gateway until the task is cancelled, while any start is under way.
  func watch() async {
    async let _ = watchECS()
    await watchGateway()
  }

  private func watchECS() async {
    var schedule = PollSchedule(interval: settings.pollInterval, from: MonotonicClock.now())
    while !Task.isCancelled {
      let now = MonotonicClock.now()
      if now < schedule.nextAt { try? await Task.sleep(for: schedule.nextAt - now) }
      schedule.polls(at: MonotonicClock.now())
      // Deadlines are checked here too, because the gateway's poll may hang.
      finish(state.withLock { $0.tracker.expire(at: MonotonicClock.now()) })
      let asked = state.withLock { $0.tracker.underWay }
      guard !asked.isEmpty, !Task.isCancelled else { continue }
      do throws(AWSError) {
        // Without retries: a retried poll would blur the times, a missed one only leaves a gap.
        let answer = try await ecs.client.describeTasks(asked, cluster: ecs.filter.cluster, retry: .never)
        guard let first = answer.calls.first?.timings, let last = answer.calls.last?.timings else { continue }
        log.note(answer.value)
        finish(
          state.withLock {
            $0.tracker.observe(answer.value, asked: asked, sentAt: first.sentAt, answeredAt: last.answeredAt)
          })
      } catch {
        lost(error)
      }
    }
  }

  private func lost(_ error: AWSError) {
    if error.transfer?.kind == .cancelled { return }
    guard error.isFinal else {
      log.lostPoll()
      // Without the request's id, so that equal failures give one note.
      return session.bench.note("looks at the tasks were lost: \(error.resultKind)")
    }
    let refusal = RunTaskRemedy.explained(error)
    let waiters = state.withLock { state in
      state.tracker.forget(Array(state.waiters.keys))
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume(returning: .failure(TaskStartFailure(.pendingToRunning, refusal))) }
    refuse(.toStart(refusal))
  }

  private func watchGateway() async {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    let pause = min(settings.pollInterval, Self.longestPause)
    while !Task.isCancelled {
      if state.withLock({ $0.callsUnderWay > 0 || !$0.waiters.isEmpty }) { await lookAtGateway(client) }
      finish(state.withLock { $0.tracker.expire(at: MonotonicClock.now()) })
      try? await Task.sleep(for: pause)
    }
  }

  /// The largest number of status requests before a start.
  private static let looksBeforeStart = 3

  /// Reads the gateway's status until it has shown how many tasks the gateway has.
  func lookBeforeStart() async {
    let client = session.client(on: session.loops.executor(forUser: 0))
    defer { client.close() }
    for _ in 0..<Self.looksBeforeStart where !Task.isCancelled && state.withLock({ $0.tracker.needsLook }) {
      await lookAtGateway(client)
    }
  }

  private func lookAtGateway(_ client: GatewayClient) async {
    switch await client.status() {
    case .success(let (status, exchange)):
      tasks.update { $0.seenAtGateway(GatewayTaskView.known(status).connected) }
      if status.tasks == nil {
        session.bench.note(
          "the gateway's status names no tasks: a start counts as connected when the gateway has one task more")
      }
      let ended = state.withLock {
        $0.tracker.observe(status, sentAt: exchange.firstByteWrittenAt, answeredAt: exchange.lastByteReadAt)
      }
      finish(ended, look: PoolStatus(status, exchange))
    case .failure(let error) where error.isCancellation: break
    case .failure(let error): session.bench.note("looks at the gateway were lost: \(error.kind)")
    }
  }
}
