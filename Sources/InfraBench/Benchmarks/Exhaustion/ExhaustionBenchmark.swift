import FoundationEssentials
import Latency
package import LoadEngine

/// Test 3.2: drains the pool, measures the cold fallback, and times the refill.
package struct ExhaustionBenchmark: Benchmark {
  /// When drained tasks are given back.
  package enum Release: String, Sendable, CaseIterable {
    /// At once: a pool kept by an ECS service replaces a task only when it is released.
    case afterDrain = "after-drain"
    /// When the run is over.
    case atEnd = "at-end"
  }

  package static let tool = "bench-exhaustion"
  package static let catalogue = Catalogue(
    metrics: [
      "refill_full", "refill_first", "refill_full_listed", "refill_full_running", "refill_full_warm", "drain",
      "cold_fallback", "ecs_list_tasks",
    ],
    counters: ["polls", "throttled_polls", "lost_polls", "misses", "cold_starts", "duplicate_assignments"])
  package static let defaultThresholds = ["refill_full.max < 25s"]

  package var target: TargetSettings
  /// The pool's ECS; nil: the embedded gateway's own, or none beside a remote gateway.
  package var ecs: ECSSettings?
  package var userIDPrefix: String
  /// In ns, of one operation.
  package var timeout: UInt64
  /// nil: all tasks that are warm.
  package var drainCount: Int?
  package var release: Release
  package var triesColdFallback: Bool
  /// In ns.
  package var pollInterval: UInt64
  /// In ns, from t₀.
  package var refillTimeout: UInt64

  package var parameters: [String: JSONValue] {
    target.parameters.merging(ecs?.parameters ?? [:]) { $1 }.merging([
      "userId": .string(userIDPrefix), "timeout": .string(DurationText.write(timeout)),
      "drainBy": "acquire", "drainCount": drainCount.map { .int(Int64($0)) } ?? "all",
      "release": .string(release.rawValue), "coldFallback": .bool(triesColdFallback),
      "pollInterval": .string(DurationText.write(pollInterval)),
      "refillTimeout": .string(DurationText.write(refillTimeout)),
    ]) { $1 }
  }

  package func measure(_ bench: Bench) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    // What is wrong with the AWS side is found before anything is started.
    let remote = try ecs.map { settings throws(BenchmarkFailure) in try Self.view(settings, bench: bench) }
    return try await GatewaySession.with(target, timeout: timeout, bench: bench) {
      session async throws(BenchmarkFailure) in
      let view: ECSPoolView?
      if let remote { view = remote } else { view = try Self.embeddedView(of: session) }
      return try await AgentSupply.with(target, session: session) { () async throws(BenchmarkFailure) in
        try await ExhaustionRun(settings: self, session: session, ecs: view, startedAt: startedAt).perform()
      }
    }
  }

  private static func view(_ settings: ECSSettings, bench: Bench) throws(BenchmarkFailure) -> ECSPoolView {
    if settings.isWholeCluster {
      bench.note("no --service, --family or --started-by: every task of the cluster is taken for one of the pool")
    }
    return ECSPoolView(
      try ECSConnection.open(settings, environment: ProcessInfo.processInfo.environment, bench: bench))
  }

  private static func embeddedView(of session: GatewaySession) throws(BenchmarkFailure) -> ECSPoolView? {
    guard let access = session.embeddedECS else { return nil }
    return ECSPoolView(try ECSConnection.open(embedded: access, bench: session.bench))
  }
}
