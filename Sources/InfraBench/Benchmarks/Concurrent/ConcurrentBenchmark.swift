import FoundationEssentials
import GatewayProtocol
package import LoadEngine
import SessionGateway
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

  /// What was recorded, and in how many ns: without the waits for the pool and the releases.
  private typealias Measured = (recording: Recording, duration: UInt64)

  private func measure(_ session: GatewaySession, startedAt: Date) async -> Measurement {
    let monitor = GeneratorMonitor(session.loops)
    let progress = ProgressCounter()
    let (recording, duration) = await ProgressReport.showing(progress, of: load, console: session.bench.console) {
      () async -> Measured in
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
      duration: duration)
  }

  private func closedLoop(_ session: GatewaySession, _ progress: ProgressCounter) async -> Measured {
    let scenario = ConcurrentScenario(
      session: session, load: load, waitFor: waitFor, releasesAtOnce: !holds, isBurst: false, isCovered: false)
    let run = await LoadRun.perform(
      scenario, plan: load.closedLoop, catalogue: Self.catalogue, on: session.loops, progress: progress)
    return (run.recording, run.endedAt - run.startedAt)
  }

  private func bursts(
    _ number: Int, beyond: Int, _ session: GatewaySession, _ progress: ProgressCounter
  ) async -> Measured {
    var sum: Measured = (Recording(Self.catalogue), 0)
    func add(_ measured: Measured) {
      sum.recording.merge(measured.recording)
      sum.duration += measured.duration
    }
    let observer = session.client(on: session.loops.executor(forUser: 0))
    defer { observer.close() }
    var pool = PoolFill(observer, timeout: load.timeout)
    for burst in 0..<number where !Task.isCancelled {
      await pool.wait(for: load.concurrency)
      let first = burst * (load.concurrency + beyond)
      add(await self.burst(load.concurrency, from: first, session, observer, progress))
      if beyond > 0, !Task.isCancelled {
        add(await self.burst(beyond, from: first + load.concurrency, session, observer, progress))
      }
      if !holds, !Task.isCancelled { await session.releaseHeld() }
    }
    return sum
  }

  /// One burst, its tasks kept, and each told warm or cold.
  private func burst(
    _ users: Int, from first: Int, _ session: GatewaySession, _ observer: GatewayClient, _ progress: ProgressCounter
  ) async -> Measured {
    let before = await PoolLook.take(through: observer)
    let scenario = ConcurrentScenario(
      session: session, load: load, waitFor: waitFor, releasesAtOnce: false, isBurst: true, firstUser: first,
      // With fewer warm tasks than users the status alone does not tell who got them.
      isCovered: before.map { $0.status.warmCount >= users } ?? false)
    var run = await LoadRun.perform(
      scenario, plan: .burst(users: users), catalogue: Self.catalogue, on: session.loops, progress: progress)
    let duration = run.endedAt - run.startedAt
    let pending = scenario.undecided.take()
    guard !pending.isEmpty else { return (run.recording, duration) }
    let after = await PoolLook.take(through: observer)
    for assignment in pending {
      let origin = WarmClassifier.classify(assignment.task, before: before, after: after)
      ConcurrentScenario.record(origin, assignment.latency, into: &run.recording)
      scenario.showLine(assignment.iteration, assignment.latency, origin)
    }
    return (run.recording, duration)
  }
}
