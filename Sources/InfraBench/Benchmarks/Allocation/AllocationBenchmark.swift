import FoundationEssentials
import Gateway
package import Latency
package import LoadEngine
import Transport
package import Results

/// Measures how long a warm pool takes to hand out a task (test 1.2 of the test plan).
package struct AllocationBenchmark: GatewayBenchmark {
  /// The event that ends an acquire.
  package enum WaitFor: String, Sendable, CaseIterable {
    /// The gateway has assigned a task: the time of the gateway alone.
    case assigned
    /// The task has confirmed, as the test plan defines readiness.
    case ready

    /// The metric of an acquire that ends so.
    var headline: String { self == .assigned ? "allocation" : "confirmation" }
  }

  package static let description = ToolDescription(
    "bench-allocation", headlines: ["allocation", "confirmation"],
    metrics: [
      .init("allocation"), .init("allocation_service"), .init("confirmation"), .init("confirmation_service"),
      .init("gateway_latency"), .init("first_byte"), .init("connect", .setUp), .init("tls", .setUp),
    ],
    counters: [
      .init("misses", .bad), .init("cold_starts", .bad), .init("unclassified"), .init("duplicate_assignments", .bad),
      .unreleased,
    ],
    parameters: .load + .gateway + ["waitFor", "hold"],
    references: .acquire,
    defaultThresholds: ["allocation.mean < 100ms", "allocation.p99 < 200ms"])
  package static let catalogue = description.catalogue

  package var target: TargetSettings
  package var load: LoadSettings
  package var waitFor: WaitFor
  package var holds: Bool

  package var parameters: [String: JSONValue] {
    load.parameters.merging(target.parameters) { $1 }
      .merging(["waitFor": .string(waitFor.rawValue), "hold": .bool(holds)]) { $1 }
  }

  package var timeouts: [String: Nanoseconds] { ["timeout": load.timeout] }

  package var maxInFlight: Int? { load.maxInFlight }

  package var openFiles: Int { load.ownUsers + target.openFiles }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.load.seed = seed
    return benchmark
  }

  package func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    return try await GatewaySession.with(target, timeout: load.timeout, threads: load.arrivals.threads, bench: bench) {
      session async throws(BenchmarkFailure) in
      try await SuppliedAgents.with(target, session: session) { () async throws(BenchmarkFailure) in
        try await measure(session, startedAt: startedAt)
      }
    }
  }

  private func measure(
    _ session: GatewaySession, startedAt: Date
  ) async throws(BenchmarkFailure) -> Measurement {
    let profile = await ProfileFinder.find(session)
    let scenario = AllocationScenario(session: session, load: load, waitFor: waitFor, holds: holds)
    if session.givesSessions {
      session.bench.note(
        "the gateway starts a task with a session's first message: 'allocation' is how long it takes to make a session")
    }
    if load.isOpenLoop { await RefillWait.beforeLoad(on: target, session) }
    let monitor = GeneratorMonitor(session.loops)
    let progress = ProgressCounter()
    let begin = load.begin(session.bench)
    let run = await ProgressReport.showing(progress, of: load, console: session.bench.console) {
      await scenario.pool.watching(ifNeeded: load.isOpenLoop, through: session) {
        await begin.accompany(progress) {
          await LoadRun.perform(
            scenario, plan: load.plan, catalogue: Self.catalogue, on: session.loops, monitor: monitor,
            progress: progress, headline: Self.catalogue.metric(waitFor.headline), timeline: load.arrivals.timeline,
            sharedBegin: begin?.wait)
        }
      }
    }
    try begin.checkBegun()
    let generator = await monitor.finish(run)
    if session.held.isOverLimit {
      session.bench.note("more tasks were held than are tracked: duplicates may be missed")
    }
    if run.recording[Self.catalogue.counter("unclassified")] > 0 {
      session.bench.note("some tasks could not be told warm from cold: they are in no latency")
    }
    var measurement = Measurement(
      recording: run.recording, generator: generator, target: session.document(profile), startedAt: startedAt,
      duration: run.endedAt - run.startedAt,
      timeline: ResultTimeline(run.timeline, of: waitFor.headline))
    measurement.take(silence: run.silence, failedSetUps: run.failedSetUps)
    measurement.shard = begin?.measurement(run.recording, measuredAt: run.startedAt)
    measurement.reasonWithoutSample = scenario.pool.reasonWithoutWarmTask
    session.bench.beforeGivingBack(measurement)
    return measurement
  }
}

/// One iteration: an acquire on a kept connection, from a pool that has a warm task.
///
/// A class, because each virtual user's suspended functions would hold copies of a structure.
final class AllocationScenario: Scenario {
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

  func makeUser(_ number: Int, on executor: LoopExecutor) async -> PoolUser {
    PoolUser(
      number: number, id: load.userID(number),
      client: session.client(on: executor, user: number, watchesTask: false, isVisitor: true))
  }

  func open(_ user: PoolUser, into record: inout IterationRecord) async {
    if let error = await user.connection.open() { record.fail(error) }
  }

  func failed(_ iteration: Iteration, _ record: IterationRecord) {
    session.showFailure(iteration, of: load, record)
  }

  func prepare(_ user: PoolUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    user.client.beginVisit()
    guard await connect(user, into: &record) else { return }
    guard !load.isOpenLoop else {
      user.evidence.put(pool.beginAtOnce())
      return
    }
    let evidence = await pool.waitUntilWarm(iteration, user.client)
    if let reason = pool.reasonNotToAsk {
      pool.finish(evidence)
      await pool.rest()
      return record.fail(WarmPool.notAsked, reason)
    }
    // Connects now, so that a connection closed by the gateway does not make the acquire start late.
    guard await connect(user, into: &record) else {
      pool.finish(evidence)
      return
    }
    user.evidence.put(evidence)
  }

  /// Connects unless the connection is open; false when that failed.
  private func connect(_ user: PoolUser, into record: inout IterationRecord) async -> Bool {
    guard let error = await user.connection.connect(Self.connect, into: &record) else { return true }
    record.fail(error)
    return false
  }

  func perform(_ user: PoolUser, _ iteration: Iteration, into record: inout IterationRecord) async {
    let outcome = await user.client.acquire(userID: user.id, waitForReady: waitFor == .ready)
    let evidence = user.evidence.take().map(pool.finish)
    if case .assigned(let acquisition) = outcome {
      record.wrote(at: acquisition.stamps.firstByteWrittenAt)
      await assigned(acquisition, user, evidence, iteration, into: &record)
    } else {
      notAssigned(outcome, iteration, into: &record)
    }
  }

  @inline(never)
  private func notAssigned(
    _ outcome: AcquireOutcome, _ iteration: Iteration, into record: inout IterationRecord
  ) {
    switch outcome {
    case .assigned: break
    case .miss(let stamps):
      record.wrote(at: stamps.firstByteWrittenAt)
      record.count(Self.misses)
      session.showLine(iteration, of: load, "miss")
    case .failed(let error, let writtenAt):
      session.held.acquireFailed(error, writtenAt: writtenAt)
      if error.kind == .transport(.timeout) { pool.timedOut() }
      if let writtenAt { record.wrote(at: writtenAt) }
      record.fail(error)
      session.showFailure(iteration, of: load, record)
    }
  }

  func conclude(_ user: PoolUser, _ iteration: Iteration) async {
    guard let task = user.assigned.take(), !holds, !Task.isCancelled else { return }
    await session.held.release(task, through: user.client, byItsUser: true, bench: session.bench)
  }

  func cancel(_ user: PoolUser) { user.client.cancel() }

  func retire(_ user: PoolUser) async {
    user.client.close()
  }

  private func assigned(
    _ acquisition: AssignedTask, _ user: PoolUser, _ evidence: WarmPool.FinalEvidence?, _ iteration: Iteration,
    into record: inout IterationRecord
  ) async {
    let task = acquisition.task
    let place = session.place(of: user.client)
    if session.held.assign(task, cookies: user.client.cookies, user: user.number, place: place) {
      record.count(Self.duplicates)
    } else {
      user.assigned.put(task)
    }
    let stamps = acquisition.stamps
    let origin = await pool.classify(task, source: acquisition.source, evidence, user.client)
    switch origin {
    case .warm:
      record.sample(
        waitFor == .ready ? Self.confirmation : Self.allocation, from: stamps.firstByteWrittenAt,
        to: stamps.lastByteReadAt)
      record.sample(Self.firstByte, stamps.timeToFirstByte)
      if let own = acquisition.latency, own >= 0, own < 3.6e6 { record.sample(Self.gatewayLatency, .milliseconds(own)) }
    case .cold: record.count(Self.coldStarts)
    case .unclassified: record.count(Self.unclassified)
    }
    let remark = origin == .warm ? "" : " (\(origin.rawValue), not counted)"
    session.showLine(iteration, of: load, "allocation_time=\(stamps.serviceTime)\(remark)")
  }
}
