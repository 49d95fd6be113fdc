import Gateway
import Latency
import LoadEngine
import Transport

/// One iteration: a user's way by the route that the gateway offers.
struct EndToEndScenario: Scenario {
  let session: GatewaySession
  let load: LoadSettings
  let profile: GatewayProfile
  let route: EndToEndBenchmark.Route
  let agents: AgentTimeline
  let message: String
  let expectedAnswer: ExpectedAnswer
  /// How many messages a user sends over one session, at least one.
  let messages: Int
  /// How long a session is then held without a message; nil: it is ended at once.
  let holdSessions: Nanoseconds?
  let reconnect: EndToEndBenchmark.Reconnect?
  let pool: WarmPool
  /// Starts a task for each iteration, where cold starts are this tool's doing.
  let starter: TaskStarter?

  init(
    session: GatewaySession, profile: GatewayProfile, route: EndToEndBenchmark.Route, agents: AgentTimeline,
    _ benchmark: EndToEndBenchmark, starter: TaskStarter? = nil
  ) {
    self.session = session
    self.profile = profile
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

  /// The REST side is not the way of the session route: what it is used for is not in a user's way.
  func open(_ user: EndToEndUser, into record: inout IterationRecord) async {
    guard route != .session, starter == nil, let error = await user.connection.open() else { return }
    fail(error, in: &record)
  }

  func failed(_ iteration: Iteration, _ record: IterationRecord) {
    session.showFailure(iteration, of: load, record)
  }

  func prepare(_ user: EndToEndUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    user.client.beginVisit()
    // Whatever is needed is started as a part of the iteration.
    guard starter == nil else { return }
    // By the session route only who looks at the pool needs the REST side.
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
    // A gateway that closed the connection meanwhile is not to make the start of the acquire late.
    if route != .session, await !connect(user, into: &record) {
      pool.finish(evidence)
      return
    }
    user.evidence.put(evidence)
  }

  /// Makes sure of the REST connection; false when there is none.
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
    if route == .session, let role = profile.session {
      await SessionJourney(scenario: self, user: user, role: role, started: started, deadline: deadline)
        .travel(into: &record)
    } else {
      await AcquireJourney(scenario: self, user: user, started: started, deadline: deadline).travel(into: &record)
    }
    if case .failure(let kind, _) = record.ending, kind.hasSuffix("timeout") { pool.timedOut() }
    if record.ending == .success { session.showLine(iteration, of: load, EndToEndIterationText.text(record)) }
    session.showFailure(iteration, of: load, record)
  }

  /// The start of a task that the user is to find at the gateway; nil if it failed.
  private func startTask(
    _ starter: TaskStarter, _ user: EndToEndUser, into record: inout IterationRecord
  ) async -> TaskStarter.Started? {
    // What comes before RunTask's sending, such as its signature, is RunTask's and no lateness.
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

  /// Whether the user has a task that this run has started; one of somebody else's counts as what it is.
  func isStarted(_ task: String?, into record: inout IterationRecord) -> Bool {
    guard let starter else { return false }
    if let task, starter.tasks.contains(task) { return true }
    EndToEndMetrics.taskStarts.countOther(in: &record)
    return false
  }

  /// Tells warm from cold; `started` is the task that was started for the user, when another one was given.
  func classify(
    _ task: String, source: String?, _ evidence: WarmPool.FinalEvidence?, _ started: TaskStarter.Started?,
    _ client: GatewayClient
  ) async -> TaskOrigin {
    guard let started else { return await pool.classify(task, source: source, evidence, client) }
    return WarmClassifier.classify(source: source, isCovered: false)
      ?? WarmClassifier.classify(task, before: started.look, after: nil)
  }

  func conclude(_ user: EndToEndUser, _ iteration: Iteration) async {
    if let unfinished = user.evidence.take() { pool.finish(unfinished) }
    // The gateway takes the task back when the user leaves.
    if let connection = user.session.take() { await connection.close() }
    if let task = user.sessionTask.take() { session.held.wentBack(task) }
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
  /// The task that was acquired by REST, to be released.
  let assigned = SharedOptional<String>()
  let session = SharedOptional<SessionConnection>()
  /// The task of that session, which goes back with it.
  let sessionTask = SharedOptional<String>()
  /// The task that the user was given, of a run that starts tasks itself.
  let givenTask = SharedOptional<String>()
  /// The task that this tool has started for the user.
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

/// An iteration's line on standard output.
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
