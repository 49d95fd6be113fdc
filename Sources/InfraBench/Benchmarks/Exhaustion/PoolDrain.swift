import Gateway
import Latency
import LoadEngine
import Transport

/// Acquires the pool's tasks, acquires once more from the empty pool (the cold fallback), and releases everything.
///
/// The drain is one burst, since the refill would overtake a slow one. The cold fallback's acquire is sent when the
/// burst is answered. The releases follow at once, without waiting for the cold start: a pool that replaces a task only
/// after its release might never serve the cold fallback, and a pool that replaces a task on assignment would be full
/// again before t₀.
struct PoolDrain: Sendable {
  let session: GatewaySession
  let watch: SharedRefillTracker
  let userIDPrefix: String
  let count: Int
  let release: ExhaustionBenchmark.Release
  let triesColdFallback: Bool

  /// Drains the pool and returns what was recorded. The tracker learns which tasks were drained, and t₀.
  func perform() async -> Recording {
    defer { watch.coldFallbackEnded() }
    let clients = (0...count).map { _ in session.client(on: executor, isVisitor: true) }
    defer { for client in clients { client.close() } }
    let users = Array(clients.dropLast())
    await connect(clients)
    var recording = Recording(ExhaustionBenchmark.catalogue)
    let taken = await takeAll(through: users)
    for outcome in taken { recording.add(outcome.record, dueAt: outcome.dueAt) }
    let drained = taken.count(where: \.isFromPool)
    let lastAnswer = taken.compactMap(\.answeredAt).max() ?? MonotonicClock.now()
    watch.update { $0.drained(drained, at: lastAnswer) }
    guard drained > 0, !Task.isCancelled else { return recording }
    await withTaskGroup(of: DrainAcquire.Outcome?.self) { group in
      if let user = clients.last, await isEmpty(user) {
        group.addTask(executorPreference: executor) { await acquire(.coldFallback, count + 1).perform(through: user) }
      } else {
        watch.coldFallbackEnded()
      }
      // Tasks of one event loop begin in the order of their creation, so that the cold acquire is sent before the first
      // release.
      group.addTask(executorPreference: executor) {
        await startClock(lastAnswer, releasing: taken.compactMap(\.task), through: users)
        return nil
      }
      for await case let outcome? in group {
        recording.add(outcome.record, dueAt: outcome.dueAt)
        watch.coldFallbackEnded()
        guard release == .afterDrain, let task = outcome.task, let user = clients.last, !Task.isCancelled else {
          continue
        }
        await session.held.release(task, through: user, bench: session.bench)
      }
    }
    return recording
  }

  private var executor: LoopExecutor { session.loops.executor(forUser: 0) }

  private func acquire(_ purpose: DrainAcquire.Purpose, _ number: Int) -> DrainAcquire {
    DrainAcquire(
      purpose: purpose, userID: LoadSettings.userID(userIDPrefix, number, of: count + 1), session: session, watch: watch
    )
  }

  private func connect(_ clients: [GatewayClient]) async {
    await withTaskGroup(of: Void.self) { group in
      // A failure to connect is ignored here: the acquire that follows will report it.
      for client in clients { group.addTask(executorPreference: executor) { _ = await client.connect() } }
    }
  }

  private func takeAll(through clients: [GatewayClient]) async -> [DrainAcquire.Outcome] {
    watch.update { $0.drainBegins(at: MonotonicClock.now()) }
    return await withTaskGroup(of: DrainAcquire.Outcome.self) { group in
      for (index, client) in clients.enumerated() {
        group.addTask(executorPreference: executor) { await acquire(.drain, index + 1).perform(through: client) }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  /// Whether the gateway's status shows no warm task.
  private func isEmpty(_ client: GatewayClient) async -> Bool {
    guard triesColdFallback else { return false }
    guard case .success(let (status, _)) = await client.status() else { return false }
    if status.warmCount > 0 {
      session.bench.note("the pool had warm tasks right after the drain: no cold fallback was measured")
    }
    return status.warmCount == 0
  }

  /// Sets t₀ to the answer to the last drain call, or to the last release that was answered.
  private func startClock(_ lastAnswer: Instant, releasing tasks: [TaskID], through clients: [GatewayClient]) async {
    guard release == .afterDrain else { return watch.update { $0.startClock(at: lastAnswer) } }
    let lastRelease = await withTaskGroup(of: Instant?.self) { group in
      for (task, client) in zip(tasks, clients) {
        group.addTask(executorPreference: executor) {
          await session.held.release(task, through: client, bench: session.bench)
        }
      }
      // A release that hangs until its time-out gives no answer and does not move t₀: the refill began without it.
      return await group.reduce(nil as Instant?) { latest, answer in [latest, answer].compactMap(\.self).max() }
    }
    watch.update { $0.startClock(at: lastRelease ?? lastAnswer) }
  }
}

/// One acquire of the drain, or the cold fallback's.
struct DrainAcquire: Sendable {
  enum Purpose: Sendable {
    case drain, coldFallback
  }

  /// The outcome of the acquire.
  struct Outcome: Sendable {
    var record = IterationRecord()
    /// When the acquire was begun.
    var dueAt: Instant
    /// When its answer was read; nil without an answer.
    var answeredAt: Instant?
    /// The task to release; nil if none was assigned.
    var task: TaskID?
    /// Whether the task was a warm one of the pool.
    var isFromPool = false
  }

  private typealias Benchmark = ExhaustionBenchmark
  private static let drain = Benchmark.catalogue.metric("drain")
  private static let coldFallback = Benchmark.catalogue.metric("cold_fallback")
  private static let misses = Benchmark.catalogue.counter("misses")
  private static let coldStarts = Benchmark.catalogue.counter("cold_starts")
  private static let duplicates = Benchmark.catalogue.counter("duplicate_assignments")

  let purpose: Purpose
  let userID: String
  let session: GatewaySession
  let watch: SharedRefillTracker

  func perform(through client: GatewayClient) async -> Outcome {
    var outcome = Outcome(dueAt: MonotonicClock.now())
    switch await client.acquire(userID: userID) {
    case .assigned(let acquisition):
      assigned(acquisition, client.cookies, &outcome)
    case .miss(let stamps):
      outcome.record.wrote(at: stamps.firstByteWrittenAt)
      outcome.answeredAt = stamps.lastByteReadAt
      outcome.record.count(Self.misses)
    case .failed(let error, let writtenAt):
      session.held.acquireFailed(error, writtenAt: writtenAt)
      guard !error.isCancellation else {
        outcome.record.censor()
        break
      }
      if let writtenAt { outcome.record.wrote(at: writtenAt) }
      outcome.record.fail(error.kind.rawValue, error.message)
    }
    return outcome
  }

  private func assigned(_ acquisition: AssignedTask, _ cookies: CookieJar, _ outcome: inout Outcome) {
    let stamps = acquisition.stamps
    outcome.record.wrote(at: stamps.firstByteWrittenAt)
    outcome.answeredAt = stamps.lastByteReadAt
    let task = acquisition.task
    watch.update { $0.took(task.name) }
    if session.held.assign(task, cookies: cookies) {
      outcome.record.count(Self.duplicates)
    } else {
      outcome.task = task
    }
    // A gateway that names no `source` is taken to give warm tasks in the drain and a cold one to the cold fallback.
    let isCold = acquisition.source.map { $0 == "cold" } ?? (purpose == .coldFallback)
    if isCold { outcome.record.count(Self.coldStarts) }
    outcome.isFromPool = !isCold && outcome.task != nil
    switch (purpose, isCold) {
    case (.drain, false): outcome.record.sample(Self.drain, stamps.serviceTime)
    case (.coldFallback, true): outcome.record.sample(Self.coldFallback, stamps.serviceTime)
    case (.drain, true):
      session.bench.note("the drain got tasks that were not waiting: they were not counted as drained")
    case (.coldFallback, false): session.bench.note("the pool had a warm task again: no cold fallback was measured")
    }
  }
}
