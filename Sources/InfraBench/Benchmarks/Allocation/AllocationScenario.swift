import Gateway
import Latency
import LoadEngine
import Transport

/// One iteration: an acquire on a kept connection, of a pool that has a warm task.
struct AllocationScenario: Scenario {
  private typealias Benchmark = AllocationBenchmark
  private static let allocation = Benchmark.catalogue.operation("allocation")
  private static let confirmation = Benchmark.catalogue.operation("confirmation")
  private static let gatewayLatency = Benchmark.catalogue.metric("gateway_latency")
  private static let firstByte = Benchmark.catalogue.metric("first_byte")
  private static let connect = ConnectMetrics(Benchmark.catalogue)
  private static let misses = Benchmark.catalogue.counter("misses")
  private static let coldStarts = Benchmark.catalogue.counter("cold_starts")
  private static let unclassified = Benchmark.catalogue.counter("unclassified")
  private static let duplicates = Benchmark.catalogue.counter("duplicate_assignments")

  let session: GatewaySession
  let load: LoadSettings
  let waitFor: AllocationBenchmark.WaitFor
  let holds: Bool
  let pool: WarmPool

  init(session: GatewaySession, load: LoadSettings, waitFor: AllocationBenchmark.WaitFor, holds: Bool) {
    self.session = session
    self.load = load
    self.waitFor = waitFor
    self.holds = holds
    pool = WarmPool(load, givesSessions: session.givesSessions, note: session.bench.note)
  }

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> AcquiringUser {
    AcquiringUser(
      number: number, id: load.userID(number),
      client: session.client(on: executor, user: number, watchesTask: false, isVisitor: true))
  }

  func open(_ user: AcquiringUser, into record: inout IterationRecord) async {
    if let error = await user.connection.open() { record.fail(error) }
  }

  func failed(_ iteration: Iteration, _ record: IterationRecord) {
    session.showFailure(iteration, of: load, record)
  }

  func prepare(_ user: AcquiringUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    user.client.beginVisit()
    guard await connect(user, into: &record) else { return }
    guard !load.isOpenLoop else {
      user.outlook.put(pool.beginAtOnce())
      return
    }
    let outlook = await pool.waitUntilWarm(iteration, user.client)
    if let reason = pool.reasonNotToAsk {
      pool.finish(outlook)
      await pool.rest()
      return record.fail(WarmPool.notAsked, reason)
    }
    // A gateway that closed the connection meanwhile is not to make the start of the acquire late.
    guard await connect(user, into: &record) else {
      pool.finish(outlook)
      return
    }
    user.outlook.put(outlook)
  }

  /// Makes sure of the connection; false when there is none.
  private func connect(_ user: AcquiringUser, into record: inout IterationRecord) async -> Bool {
    guard let error = await user.connection.connect(Self.connect, into: &record) else { return true }
    record.fail(error)
    return false
  }

  func perform(_ user: AcquiringUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    let outcome = await user.client.acquire(userID: user.id, waitForReady: waitFor == .ready)
    let outlook = user.outlook.take().map(pool.finish)
    switch outcome {
    case .assigned(let acquisition):
      record.wrote(at: acquisition.exchange.firstByteWrittenAt)
      await assigned(acquisition, user, outlook, iteration, into: &record)
    case .miss(let exchange):
      record.wrote(at: exchange.firstByteWrittenAt)
      record.count(Self.misses)
      session.showLine(iteration, of: load, "miss")
    case .failed(let error, let writtenAt):
      session.held.acquireFailed(error, writtenAt: writtenAt)
      if error.kind == "timeout" { pool.timedOut() }
      if let writtenAt { record.wrote(at: writtenAt) }
      record.fail(error)
      session.showFailure(iteration, of: load, record)
    }
  }

  func conclude(_ user: AcquiringUser, _ iteration: Iteration) async {
    guard let task = user.assigned.take(), !holds, !Task.isCancelled else { return }
    await session.held.release(task, through: user.client, byItsUser: true, bench: session.bench)
  }

  func cancel(_ user: AcquiringUser) { user.client.cancel() }

  func retire(_ user: AcquiringUser) async {
    user.client.close()
  }

  private func assigned(
    _ acquisition: Acquisition, _ user: AcquiringUser, _ outlook: WarmPool.FinishedOutlook?, _ iteration: Iteration,
    into record: inout IterationRecord
  ) async {
    let answer = acquisition.answer
    guard let task = answer.task else { return }
    let place = session.place(of: user.client)
    if session.held.assign(task, cookies: user.client.cookies, user: user.number, place: place) {
      record.count(Self.duplicates)
    } else {
      user.assigned.put(task)
    }
    let exchange = acquisition.exchange
    let origin = await pool.classify(task, source: answer.source, outlook, user.client)
    switch origin {
    case .warm:
      record.sample(
        waitFor == .ready ? Self.confirmation : Self.allocation, from: exchange.firstByteWrittenAt,
        to: exchange.lastByteReadAt)
      record.sample(Self.firstByte, exchange.timeToFirstByte)
      if let own = answer.latency, own >= 0, own < 3.6e6 { record.sample(Self.gatewayLatency, UInt64(own * 1e6)) }
    case .cold: record.count(Self.coldStarts)
    case .unclassified: record.count(Self.unclassified)
    }
    let remark = origin == .warm ? "" : " (\(origin.rawValue), not counted)"
    session.showLine(iteration, of: load, "allocation_time=\(LatencyText.format(exchange.serviceTime))\(remark)")
  }
}
