import Latency
import LoadEngine
import SessionGateway
import Transport

/// One iteration: a user's way by the route that the gateway offers.
struct EndToEndScenario: Scenario {
  let session: GatewaySession
  let load: LoadSettings
  let route: EndToEndBenchmark.Route
  let agents: AgentTimeline
  let message: String
  /// The stand-in's answer holds the message; another program's answer is its own.
  let expectsEcho: Bool
  let pool: WarmPool

  init(
    session: GatewaySession, load: LoadSettings, route: EndToEndBenchmark.Route, agents: AgentTimeline, message: String,
    expectsEcho: Bool
  ) {
    self.session = session
    self.load = load
    self.route = route
    self.agents = agents
    self.message = message
    self.expectsEcho = expectsEcho
    pool = WarmPool(load)
  }

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> EndToEndUser {
    EndToEndUser(
      id: load.userID(number), client: session.client(on: executor), executor: executor)
  }

  /// The REST side is not the way of the session route: what it is used for is not in a user's way.
  func open(_ user: EndToEndUser) async {
    if route != .session { await user.connection.open() }
  }

  func prepare(_ user: EndToEndUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    // By the session route only who looks at the pool needs the REST side.
    if route != .session, await !connect(user, iteration, into: &record) { return }
    guard !load.isOpenLoop else { return user.outlook.put(pool.beginAtOnce()) }
    let outlook = await pool.waitUntilWarm(iteration, user.client)
    // A gateway that closed the connection meanwhile is not to make the start of the acquire late.
    if route != .session, await !connect(user, iteration, into: &record) {
      pool.finish(outlook)
      return
    }
    user.outlook.put(outlook)
  }

  /// Makes sure of the REST connection; false when there is none.
  private func connect(_ user: EndToEndUser, _ iteration: Iteration, into record: inout IterationRecord) async -> Bool {
    guard let error = await user.connection.connect(EndToEndMetrics.connect, into: &record) else { return true }
    if error.isCancellation {
      record.censor()
    } else {
      record.fail(.connect, error.kind, error.message)
      session.showFailure(iteration, of: load, record)
    }
    return false
  }

  func perform(_ user: EndToEndUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    let deadline = MonotonicClock.now() + load.timeout
    switch route {
    case .session:
      await SessionJourney(scenario: self, user: user, deadline: deadline).travel(into: &record)
    case .agents, .status:
      await AcquireJourney(scenario: self, user: user, deadline: deadline).travel(into: &record)
    }
    if record.ending == .success { session.showLine(iteration, of: load, EndToEndLine.text(record)) }
    session.showFailure(iteration, of: load, record)
  }

  func conclude(_ user: EndToEndUser, _ iteration: Iteration) async {
    if let unfinished = user.outlook.take() { pool.finish(unfinished) }
    // The gateway takes the task back when the user leaves.
    if let connection = user.session.take() { await connection.close() }
    if let task = user.sessionTask.take() { session.held.wentBack(task) }
    guard let task = user.assigned.take(), !Task.isCancelled else { return }
    await session.held.release(task, through: user.client, bench: session.bench)
  }

  func retire(_ user: EndToEndUser) async {
    user.client.close()
  }
}
