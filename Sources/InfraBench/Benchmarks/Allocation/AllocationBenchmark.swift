import FoundationEssentials
import Latency
package import LoadEngine

/// Test 1.2: how long a warm pool takes to hand out a task.
package struct AllocationBenchmark: GatewayBenchmark {
  /// Until when an acquire is waited for.
  package enum WaitFor: String, Sendable, CaseIterable {
    /// The gateway has assigned a task: the gateway's part alone.
    case assigned
    /// The task has confirmed: the test plan's definition.
    case ready

    /// The metric of it.
    var headline: String { self == .assigned ? "allocation" : "confirmation" }
  }

  package static let tool = "bench-allocation"
  package static let catalogue = Catalogue(
    metrics: [
      "allocation", "allocation_service", "confirmation", "confirmation_service", "gateway_latency", "first_byte",
      "connect", "tls",
    ],
    counters: ["misses", "cold_starts", "unclassified", "duplicate_assignments", HeldTasks.counter])
  package static let defaultThresholds = ["allocation.mean < 100ms", "allocation.p99 < 200ms"]

  package var target: TargetSettings
  package var load: LoadSettings
  package var waitFor: WaitFor
  package var holds: Bool

  package var parameters: [String: JSONValue] {
    load.parameters.merging(target.parameters) { $1 }
      .merging(["waitFor": .string(waitFor.rawValue), "hold": .bool(holds)]) { $1 }
  }

  package var openFiles: Int { load.users + target.openFiles }

  package func seeded(_ seed: UInt64) -> Self {
    var benchmark = self
    benchmark.load.seed = seed
    return benchmark
  }

  package func measure(_ bench: Bench) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    return try await GatewaySession.with(target, timeout: load.timeout, threads: load.arrivals.threads, bench: bench) {
      session async throws(BenchmarkFailure) in
      try await AgentSupply.with(target, session: session) { () async throws(BenchmarkFailure) in
        await measure(session, startedAt: startedAt)
      }
    }
  }

  private func measure(_ session: GatewaySession, startedAt: Date) async -> Measurement {
    let profile = await ProfileFinder.find(session)
    let scenario = AllocationScenario(session: session, load: load, waitFor: waitFor, holds: holds)
    if session.givesSessions {
      session.bench.note(
        "the gateway starts a task with a session's first message: 'allocation' is how long it takes to make a session")
    }
    if load.isOpenLoop { await PoolFill.beforeLoad(on: target, session) }
    let monitor = GeneratorMonitor(session.loops)
    let progress = ProgressCounter()
    let run = await ProgressReport.showing(progress, of: load, console: session.bench.console) {
      await scenario.pool.watching(ifNeeded: load.isOpenLoop, through: session) {
        await LoadRun.perform(
          scenario, plan: load.plan, catalogue: Self.catalogue, on: session.loops, monitor: monitor,
          progress: progress,
          headline: Self.catalogue.metric(waitFor.headline), timeline: load.arrivals.timeline)
      }
    }
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
      timeline: TimelineRows.of(run.timeline, headline: waitFor.headline))
    measurement.take(silence: run.silence, failedSetUps: run.failedSetUps)
    measurement.reasonWithoutSample = scenario.pool.reasonWithoutWarmTask
    session.bench.beforeGivingBack(measurement)
    return measurement
  }
}
