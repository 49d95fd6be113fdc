import FoundationEssentials
package import Latency
package import LoadEngine
package import Results

/// Drains the pool, measures the cold fallback, and times the refill (test 3.2 of the test plan).
package struct ExhaustionBenchmark: GatewayBenchmark {
  /// How the pool is emptied.
  package enum DrainBy: String, Sendable, CaseIterable {
    /// Users take its tasks through the gateway.
    case acquire
    /// ECS stops them.
    case stopTasks = "stop-tasks"

    /// The view whose tasks can be drained so.
    var view: RefillTracker.View { self == .acquire ? .warm : .running }
  }

  /// When drained tasks are given back.
  package enum Release: String, Sendable, CaseIterable {
    /// At once: a pool kept by an ECS service replaces a task only when it is released.
    case afterDrain = "after-drain"
    /// When the cycle is over.
    case atEnd = "at-end"
  }

  package static let description = ToolDescription(
    "bench-exhaustion", headlines: ["refill_full"],
    metrics: [
      .refill("refill_full"), .refill("refill_first"), .refill("refill_full_listed"), .refill("refill_full_running"),
      .refill("refill_full_warm"), .refill("refill_task"), .init("placement", failures: .ofItsOwn),
      .init("ecs_image_pull", failures: .ofItsOwn), .init("ecs_pending_to_running", failures: .ofItsOwn),
      .init("drain", failures: .ofItsOwn), .init("drain_pauses", failures: .ofItsOwn),
      .init("cold_fallback", failures: .ofItsOwn), .init("ecs_list_tasks", failures: .ofItsOwn),
    ],
    counters: [
      .init("polls", share: .none), .init("throttled_polls", share: .none), .init("lost_polls", share: .none),
      .init("throttled_stops", share: .none), .init("misses", .bad), .init("cold_starts", .bad),
      .init("duplicate_assignments", .bad), .unreleased,
    ],
    parameters: .gateway + .ecs + [
      "timeout", "drainBy", "drainCount", "cycles", "settle", "pollInterval", "refillTimeout", "restoreDesiredCount",
      .init("userId", shapesLoad: false), "release", "coldFallback",
    ],
    breakdowns: [
      .init(
        of: "refill_task", [.metric("placement"), .enclosing("ecs_pending_to_running", ["ecs_image_pull"])],
        overlaps: true)
    ],
    references: [
      .init("EC2 stopped → in service (→ task running)", "20 s (22 s)"), .init("EC2 hibernated", "17 s"),
      .init("EC2 cold", "81 s"), .listTasks,
    ],
    defaultThresholds: ["refill_full.max < 25s"])
  package static let catalogue = description.catalogue
  /// The longest time of one request to ECS or for the gateway's status, so that a hanging request does not stop the
  /// polls for long.
  static let lookBound: Nanoseconds = .seconds(5)

  package var target: TargetSettings
  /// Whether there is a gateway, embedded or remote; otherwise the pool is drained and polled by ECS alone.
  package var usesGateway = true
  /// The pool's ECS; nil: the embedded gateway's own, or none beside a remote gateway.
  package var ecs: ECSSettings?
  package var userIDPrefix: String
  /// The longest time of one operation.
  package var timeout: Nanoseconds
  package var drainBy: DrainBy
  /// The number of tasks to drain; nil: all that are warm, or that run.
  package var drainCount: Int?
  package var release: Release
  package var triesColdFallback: Bool
  /// Whether a service's desiredCount is put back if somebody lowered it during the run.
  package var restoresDesiredCount = false
  /// The number of cycles of drain and refill.
  package var cycles: Int
  /// How long the pool must be at rest before it is drained.
  package var settle: Nanoseconds
  package var pollInterval: Nanoseconds
  /// The longest time of a refill, from t₀.
  package var refillTimeout: Nanoseconds

  package var timeouts: [String: Nanoseconds] { ["timeout": timeout, "refillTimeout": refillTimeout] }

  package var parameters: [String: JSONValue] {
    var own: [String: JSONValue] = [
      "timeout": .string(DurationText.write(timeout)), "drainBy": .string(drainBy.rawValue),
      "drainCount": drainCount.map { .int(Int64($0)) } ?? "all", "cycles": .int(Int64(cycles)),
      "settle": .string(DurationText.write(settle)), "pollInterval": .string(DurationText.write(pollInterval)),
      "refillTimeout": .string(DurationText.write(refillTimeout)),
    ]
    if restoresDesiredCount { own["restoreDesiredCount"] = true }
    if drainBy == .acquire {
      own["userId"] = .string(userIDPrefix)
      own["release"] = .string(release.rawValue)
      own["coldFallback"] = .bool(triesColdFallback)
    }
    if usesGateway { own.merge(target.parameters) { $1 } }
    return own.merging(ecs?.parameters ?? [:]) { $1 }
  }

  /// ECS is polled where one is named, and the embedded gateway's own.
  package var callsAWS: Bool {
    if case .embedded = target.gateway, usesGateway { return true }
    return ecs != nil
  }

  package var openFiles: Int {
    let pool: Int? = if usesGateway, case .embedded(let embedded) = target.gateway { embedded.poolSize } else { nil }
    return openFiles(draining: drainCount ?? pool ?? 0)
  }

  /// One connection for each user of a drain of `count` tasks and for the user of the cold fallback, or for each
  /// StopTask call at one time; and those of the polls: of the gateway, of ECS's tasks and of its service.
  func openFiles(draining count: Int) -> Int {
    (drainBy == .acquire ? count + 1 : StopDrain.atOnce) + 3 + (usesGateway ? target.openFiles : 0)
  }

  package func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
    let startedAt = Date()
    // Mistakes on the AWS side are found before anything is started.
    let remote = try ecs.map { settings throws(BenchmarkFailure) in try Self.connection(settings, bench: bench) }
    guard usesGateway else {
      return try await ExhaustionRun(settings: self, session: nil, ecs: remote, bench: bench, startedAt: startedAt)
        .perform()
    }
    return try await GatewaySession.with(target, timeout: timeout, bench: bench) {
      session async throws(BenchmarkFailure) in
      let embedded = try session.embeddedECS.map { access throws(BenchmarkFailure) in
        try ECSConnection.open(embedded: access, bench: bench, timeout: Self.lookBound)
      }
      return try await SuppliedAgents.with(target, session: session) { () async throws(BenchmarkFailure) in
        try await ExhaustionRun(
          settings: self, session: session, ecs: remote ?? embedded, bench: bench, startedAt: startedAt
        ).perform()
      }
    }
  }

  private static func connection(_ settings: ECSSettings, bench: RunContext) throws(BenchmarkFailure) -> ECSConnection {
    if settings.isWholeCluster {
      bench.note("no --service, --family or --started-by: every task of the cluster is taken for one of the pool")
    }
    return try ECSConnection.open(
      settings, environment: ProcessInfo.processInfo.environment, bench: bench, timeout: lookBound)
  }
}

extension ToolDescription.Metric {
  /// A metric of the refill, which the refill's time-out bounds; the run itself counts those that were not seen to end.
  fileprivate static func refill(_ name: String) -> Self {
    .init(name, failures: .ofItsOwn, timeouts: ["refillTimeout"])
  }
}
