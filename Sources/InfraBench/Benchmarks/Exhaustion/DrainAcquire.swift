import Gateway
import Latency
import LoadEngine
import Transport

/// One acquire of the drain, or the one that comes to the empty pool.
struct DrainAcquire: Sendable {
  enum Purpose: Sendable {
    case drain, coldFallback
  }

  /// What came of it.
  struct Outcome: Sendable {
    var record = IterationRecord()
    /// When it was begun, in ns of `MonotonicClock`.
    var dueAt: UInt64
    /// When its answer had been read; nil without one.
    var answeredAt: UInt64?
    /// What has to be given back.
    var task: String?
    /// Whether the task had been waiting in the pool.
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
  let watch: RefillWatch

  func perform(through client: GatewayClient) async -> Outcome {
    var outcome = Outcome(dueAt: MonotonicClock.now())
    switch await client.acquire(userID: userID) {
    case .assigned(let acquisition):
      assigned(acquisition, client.cookies, &outcome)
    case .miss(let exchange):
      outcome.record.wrote(at: exchange.firstByteWrittenAt)
      outcome.answeredAt = exchange.lastByteReadAt
      outcome.record.count(Self.misses)
    case .failed(let error, let writtenAt):
      session.held.acquireFailed(error, writtenAt: writtenAt)
      guard !error.isCancellation else {
        outcome.record.censor()
        break
      }
      if let writtenAt { outcome.record.wrote(at: writtenAt) }
      outcome.record.fail(error.kind, error.message)
    }
    return outcome
  }

  private func assigned(_ acquisition: Acquisition, _ cookies: CookieJar, _ outcome: inout Outcome) {
    let exchange = acquisition.exchange
    outcome.record.wrote(at: exchange.firstByteWrittenAt)
    outcome.answeredAt = exchange.lastByteReadAt
    if let task = acquisition.answer.task {
      watch.update { $0.took(task) }
      if session.held.assign(task, cookies: cookies) {
        outcome.record.count(Self.duplicates)
      } else {
        outcome.task = task
      }
    }
    // Where the gateway doesn't say it, the drain found a warm pool and the cold fallback an empty one.
    let isCold = acquisition.answer.source.map { $0 == "cold" } ?? (purpose == .coldFallback)
    if isCold { outcome.record.count(Self.coldStarts) }
    outcome.isFromPool = !isCold && outcome.task != nil
    switch (purpose, isCold) {
    case (.drain, false): outcome.record.sample(Self.drain, exchange.serviceTime)
    case (.coldFallback, true): outcome.record.sample(Self.coldFallback, exchange.serviceTime)
    case (.drain, true):
      session.bench.note("the drain got tasks that were not waiting: they were not counted as drained")
    case (.coldFallback, false): session.bench.note("the pool had a warm task again: no cold fallback was measured")
    }
  }
}
