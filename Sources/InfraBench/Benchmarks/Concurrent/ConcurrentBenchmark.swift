import FoundationEssentials
import Latency
package import LoadEngine
import Transport

/// Test 3.1: simultaneous users, those within the pool's capacity and those beyond it.
package struct ConcurrentBenchmark: Benchmark {
  /// How the users come.
  package enum Shape: Sendable, Equatable {
    /// `users` at one instant, then `beyond` more while those hold their tasks; all of it so many times.
    case bursts(Int, beyond: Int)
    /// No barrier: a closed loop, for a gateway with enough tasks.
    case closedLoop
  }

  package static let tool = "bench-concurrent"
  package static let catalogue = Catalogue(
    metrics: ["warm", "cold", "all"],
    counters: ["warm", "cold", "unclassified", "misses", "duplicate_assignments"])
  package static let defaultThresholds = ["warm.max < 2s", "cold.max < 25s", "duplicate_assignments == 0"]

  package var target: TargetSettings
  package var load: LoadSettings
  package var shape: Shape
  package var waitFor: AllocationBenchmark.WaitFor
  package var holds: Bool

  package var parameters: [String: JSONValue] {
    var own: [String: JSONValue] = ["waitFor": .string(waitFor.rawValue), "hold": .bool(holds)]
    if case .bursts(let number, let beyond) = shape {
      own["bursts"] = .int(Int64(number))
      own["beyond"] = .int(Int64(beyond))
    }
    return load.parameters.merging(target.parameters) { $1 }.merging(own) { $1 }
  }

  package func measure(_ bench: Bench) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    return try await GatewaySession.with(target, timeout: load.timeout, bench: bench) {
      session async throws(BenchmarkFailure) in
      try await AgentSupply.with(target, session: session) { () async throws(BenchmarkFailure) in
        await measure(session, startedAt: startedAt)
      }
    }
  }

  private func measure(_ session: GatewaySession, startedAt: Date) async -> Measurement {
    let monitor = GeneratorMonitor(session.loops)
    let progress = ProgressCounter()
    let begin = MonotonicClock.now()
    let recording = await ProgressReport.showing(progress, of: load, console: session.bench.console) {
      switch shape {
      case .bursts(let number, let beyond): await bursts(number, beyond: beyond, session, progress)
      case .closedLoop: await closedLoop(session, progress)
      }
    }
    if recording[Self.catalogue.counter("unclassified")] > 0 {
      session.bench.note("some tasks could not be told warm from cold: they are in 'all' alone")
    }
    return Measurement(
      recording: recording, generator: monitor.finish(recording), target: session.document, startedAt: startedAt,
      duration: MonotonicClock.now() - begin)
  }

  private func closedLoop(_ session: GatewaySession, _ progress: ProgressCounter) async -> Recording {
    let scenario = ConcurrentScenario(
      session: session, load: load, waitFor: waitFor, releasesAtOnce: !holds, warmCountBefore: nil)
    return await LoadRun.perform(
      scenario, plan: load.closedLoop, catalogue: Self.catalogue, on: session.loops, progress: progress
    ).recording
  }

  private func bursts(
    _ number: Int, beyond: Int, _ session: GatewaySession, _ progress: ProgressCounter
  ) async -> Recording {
    var recording = Recording(Self.catalogue)
    let observer = PoolObserver(session)
    defer { observer.close() }
    for burst in 0..<number where !Task.isCancelled {
      await observer.waitUntilFilled(for: load.concurrency, timeout: load.timeout)
      let first = burst * (load.concurrency + beyond)
      recording.merge(await self.burst(load.concurrency, from: first, session, observer, progress))
      if beyond > 0, !Task.isCancelled {
        recording.merge(await self.burst(beyond, from: first + load.concurrency, session, observer, progress))
      }
      if !holds, !Task.isCancelled { await session.releaseHeld() }
    }
    return recording
  }

  /// One burst, its tasks kept, and each told warm or cold.
  private func burst(
    _ users: Int, from first: Int, _ session: GatewaySession, _ observer: PoolObserver, _ progress: ProgressCounter
  ) async -> Recording {
    let before = await observer.look()
    let scenario = ConcurrentScenario(
      session: session, load: load, waitFor: waitFor, releasesAtOnce: false, firstUser: first,
      // With fewer warm tasks than users the status alone does not tell who got them.
      warmCountBefore: before.map { $0.warmCount >= users || $0.warmCount == 0 ? $0.warmCount : nil } ?? nil)
    var recording = await LoadRun.perform(
      scenario, plan: .burst(users: users), catalogue: Self.catalogue, on: session.loops, progress: progress
    ).recording
    let pending = scenario.undecided.take()
    guard !pending.isEmpty else { return recording }
    let after = await observer.look()
    for assignment in pending {
      let origin = ConnectionTime.classify(assignment.task, before: before, after: after)
      ConcurrentScenario.record(origin, assignment.latency, into: &recording)
      scenario.showLine(assignment.iteration, assignment.latency, origin)
    }
    return recording
  }
}
