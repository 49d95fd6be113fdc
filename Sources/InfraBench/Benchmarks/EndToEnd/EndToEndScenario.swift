import Gateway
import Latency
import LoadEngine
import Transport

/// One iteration: a user's whole way, by the route that the gateway offers.
///
/// A class, because each virtual user's suspended functions would hold copies of a structure.
final class EndToEndScenario: Scenario {
  let session: GatewaySession
  let load: LoadSettings
  let profile: GatewayProfile
  /// The user's side of the gateway; nil where it has none.
  let userSide: SharedRole<GatewayProfile.Session>?
  let route: EndToEndBenchmark.Route
  let agents: AgentTimeline
  let message: String
  let expectedAnswer: ExpectedAnswer
  /// The number of messages that a user sends over one session, at least 1.
  let messages: Int
  /// How long a session is then held without a message; nil: it is ended at once.
  let holdSessions: Nanoseconds?
  let reconnect: EndToEndBenchmark.Reconnect?
  let pool: WarmPool
  /// Starts a task for each iteration; nil where this tool causes no cold starts.
  let starter: TaskStarter?

  init(
    session: GatewaySession, profile: GatewayProfile, route: EndToEndBenchmark.Route, agents: AgentTimeline,
    _ benchmark: EndToEndBenchmark, starter: TaskStarter? = nil
  ) {
    self.session = session
    self.profile = profile
    userSide = profile.session.map { SharedRole($0) }
    self.route = route
    self.agents = agents
    self.starter = starter
    load = benchmark.load
    message = benchmark.message
    expectedAnswer = benchmark.expectedAnswer(of: profile)
    messages = benchmark.messages
    holdSessions = benchmark.holdSessions
    reconnect = benchmark.reconnect
    pool = WarmPool(load, note: session.bench.note)
  }

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> EndToEndUser {
    let id = load.userID(number)
    session.userIDs.insert(id)
    return EndToEndUser(
      number: number, id: id, client: session.client(on: executor, user: number, isVisitor: true), executor: executor)
  }

  /// Connects the REST side before the schedule begins. The session route does not: there the REST side is no part of a
  /// user's way.
  func open(_ user: EndToEndUser, into record: inout IterationRecord) async {
    guard route != .session, starter == nil, let error = await user.connection.open() else { return }
    fail(error, in: &record)
  }

  func failed(_ iteration: Iteration, _ record: IterationRecord) {
    session.showFailure(iteration, of: load, record)
  }

  func prepare(_ user: EndToEndUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    user.client.beginVisit()
    // A task is started as a part of the iteration, so that there is nothing to wait for.
    guard starter == nil else { return }
    // The session route needs the REST side only to read the pool's status.
    if route != .session, await !connect(user, into: &record) { return }
    guard !load.isOpenLoop else {
      user.evidence.put(pool.beginAtOnce())
      return
    }
    let evidence = await pool.waitUntilWarm(iteration, user.client)
    if let reason = pool.reasonNotToAsk {
      pool.finish(evidence)
      await pool.rest()
      return record.fail(.acquire, WarmPool.notAsked, reason)
    }
    // Connects now, so that a connection closed by the gateway does not make the acquire start late.
    if route != .session, await !connect(user, into: &record) {
      pool.finish(evidence)
      return
    }
    user.evidence.put(evidence)
  }

  /// Connects the REST side unless it is open; false when that failed.
  private func connect(_ user: EndToEndUser, into record: inout IterationRecord) async -> Bool {
    guard let error = await user.connection.connect(EndToEndMetrics.connect, into: &record) else { return true }
    fail(error, in: &record)
    return false
  }

  private func fail(_ error: GatewayError, in record: inout IterationRecord) {
    error.isCancellation ? record.censor() : record.fail(.connect, error.kind.rawValue, error.message)
  }

  func perform(_ user: EndToEndUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    var started: TaskStarter.Started?
    if let starter {
      started = await startTask(starter, user, into: &record)
      guard started != nil else { return session.showFailure(iteration, of: load, record) }
    }
    let deadline = MonotonicClock.now() + load.timeout
    if route == .session, let userSide {
      await SessionJourney(scenario: self, user: user, session: userSide, started: started, deadline: deadline)
        .travel(into: &record)
    } else {
      await AcquireJourney(scenario: self, user: user, started: started, deadline: deadline).travel(into: &record)
    }
    if case .failure(let kind, _) = record.ending, kind.hasSuffix("timeout") { pool.timedOut() }
    if record.ending == .success { session.showLine(iteration, of: load, EndToEndIterationText.text(record)) }
    session.showFailure(iteration, of: load, record)
  }

  /// Starts a task for the user; nil if that failed.
  @inline(never)
  private func startTask(
    _ starter: TaskStarter, _ user: EndToEndUser, into record: inout IterationRecord
  ) async -> TaskStarter.Started? {
    // The work before RunTask is sent, such as its signature, belongs to RunTask and is no lateness.
    record.wrote(at: MonotonicClock.now())
    switch await starter.start() {
    case .success(let started):
      user.startedTask.put(started.arn)
      EndToEndMetrics.taskStarts.add(started.phases, to: &record)
      return started
    case .failure(let failure):
      if let task = failure.task { user.startedTask.put(task) }
      if failure.isCancellation {
        record.censor()
      } else {
        record.fail(EndToEndStep(failure.step), failure.kind, failure.message)
      }
      return nil
    }
  }

  /// Notes that the user was given `task`, where tasks are started for users.
  func wasGiven(_ task: String, _ user: EndToEndUser, _ started: TaskStarter.Started?) {
    guard let started else { return }
    starter?.userWasGiven(task, insteadOf: started)
    user.givenTask.put(task)
  }

  /// Whether the user was given a task that this run has started; another task is counted, and classified by its own
  /// origin.
  func isStarted(_ task: String?, into record: inout IterationRecord) -> Bool {
    guard let starter else { return false }
    if let task, starter.tasks.contains(task) { return true }
    EndToEndMetrics.taskStarts.countOther(in: &record)
    return false
  }

  /// Tells a warm start from a cold one; `started` is the task that was started for the user, when another one was
  /// given.
  func classify(
    _ task: String, source: String?, _ evidence: WarmPool.FinalEvidence?, _ started: TaskStarter.Started?,
    _ client: GatewayClient
  ) async -> TaskOrigin {
    guard let started else { return await pool.classify(TaskID(task), source: source, evidence, client) }
    return WarmClassifier.classify(source: source, isCovered: false)
      ?? WarmClassifier.classify(task, before: started.look, after: nil)
  }

  func conclude(_ user: EndToEndUser, _ iteration: Iteration) async {
    if let unfinished = user.evidence.take() { pool.finish(unfinished) }
    // The gateway takes the task back when the session ends.
    if let connection = user.session.take() { await connection.close() }
    if let task = user.sessionTask.take() { session.held.wentBack(TaskID(task)) }
    if let task = user.assigned.take(), !Task.isCancelled {
      await session.held.release(task, through: user.client, byItsUser: true, bench: session.bench)
    }
    if let arn = user.startedTask.take() { await starter?.userLeft(user.givenTask.take(), startedFor: arn) }
  }

  func retire(_ user: EndToEndUser) async {
    user.client.close()
  }
}

/// A virtual user of bench-e2e.
final class EndToEndUser: Sendable {
  let number: Int
  let id: String
  let connection: RESTConnection
  let executor: LoopExecutor
  /// The task that was acquired by REST, which must be released.
  let assigned = SharedOptional<TaskID>()
  let session = SharedOptional<SessionConnection>()
  /// The session's task, which goes back when the session ends.
  let sessionTask = SharedOptional<String>()
  /// The task that the user was given, in a run that starts tasks itself.
  let givenTask = SharedOptional<String>()
  /// The ARN of the task that this tool has started for the user.
  let startedTask = SharedOptional<String>()
  let evidence = SharedOptional<WarmPool.Evidence>()

  var client: GatewayClient { connection.client }

  init(number: Int, id: String, client: GatewayClient, executor: LoopExecutor) {
    self.number = number
    self.id = id
    connection = RESTConnection(client)
    self.executor = executor
  }
}

/// The text of an iteration's line on standard output.
enum EndToEndIterationText {
  static func text(_ record: IterationRecord) -> String {
    let parts: [(String, Metric)] =
      [
        ("end_to_end", EndToEndMetrics.endToEnd.response), ("end_to_end_cold", EndToEndMetrics.cold.response),
        ("ready", EndToEndMetrics.ready.response), ("process_start", EndToEndMetrics.processStart),
        ("first_response", EndToEndMetrics.firstResponse), ("complete", EndToEndMetrics.complete),
        ("recovery", EndToEndMetrics.recovery),
      ] + EndToEndMetrics.taskStarts.phases
    let figures = parts.compactMap { name, metric in
      record.value(of: metric).map { "\(name)=\($0)" }
    }
    return figures.isEmpty ? "not a warm start, not counted" : figures.joined(separator: " ")
  }
}
