import AWS
import AWSTestSupport
import FoundationEssentials
import Latency
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// A refill whose instants somebody else tells: moto is the ECS, with every signature verified, and a Python program the
/// pool's keeper.
@Suite(
  .enabled(if: MotoPool.isAvailable, "needs moto[server] and boto3; INFRABENCH_PYTHON names a Python"),
  .timeLimit(.minutes(3)))
struct MotoExhaustionTests {
  private static let interval = 0.5

  private static func arguments(_ pool: MotoPool) -> [String] {
    [
      "--drain-by", "stop-tasks", "--ecs-endpoint-url", pool.url, "--cluster", pool.cluster, "--service", pool.service,
      "--confirm-stop", pool.service, "--poll-interval", "500ms", "--allow-saturated",
    ]
  }

  @Test(.wholeSuiteOnly) func theRefillLiesWhereItsKeeperSaysItWas() async throws {
    try await MotoPool.run(count: 12, checksSignatures: true) { pool in
      let run = try await BenchRun.start("bench-exhaustion", Self.arguments(pool), environment: pool.environment)
      try await eventually("the pool is never empty") { try await Self.runningCount(pool) == 0 }
      let events = try await pool.refill(after: 1.7, every: 0.1)
      let result = await run.end()
      #expect(result.status == .exited(0), "\(result.talk)")
      let document = try result.document()
      #expect(document.findings?["drained"] == 12)
      #expect(document.metrics["drain"]?.count == 12)
      let started = events.filter { $0.event == "started" }.map(\.t)
      #expect(started.count == 12)
      let clockStart = try Self.seconds(document.findings?["t0_utc"]?.description)
      try Self.check(document, "refill_full", after: clockStart, between: started[10], and: started[11])
      try Self.check(document, "refill_first", after: clockStart, between: clockStart, and: started[0])
      #expect(document.findings?["desired_count"] == "12, before the run and after it")
      // moto has no instants and no three states: what cannot be had is absent.
      #expect(document.metrics["ecs_pending_to_running"] == nil)
    }
  }

  @Test(.wholeSuiteOnly) func aDrainBySomebodyElseIsTimedWithinOnePoll() async throws {
    try await MotoPool.run(count: 5) { pool in
      let bench = RunContext(console: Console(print: .text, isQuiet: true))
      let settings = ECSSettings(
        flags: .init(region: pool.region, ecsEndpointURL: pool.url),
        filter: .init(cluster: pool.cluster, serviceName: pool.service))
      let connection = try ECSConnection.open(settings, environment: pool.environment, bench: bench)
      let poller = PoolPoller(
        gateway: nil, ecs: ECSPoolView(connection), interval: .seconds(Self.interval), bench: bench)
      let watch = SharedRefillTracker(RefillTracker(views: poller.views))
      async let shortestPause = Self.poll(poller, watch)
      try await eventually("the pool is never seen") { watch.tracker.known.count == 5 }
      watch.update { $0.drainBegins(at: MonotonicClock.now()) }
      let events = try await pool.cycle(5, after: 1.3)
      let drainedAt = try #require(events.last { $0.event == "stopped" }?.t)
      let refilledAt = try #require(events.last { $0.event == "started" }?.t)
      watch.update { tracker in
        tracker.drained(5, at: Self.instant(ofWall: drainedAt))
        tracker.startClock(at: Self.instant(ofWall: drainedAt))
      }
      let pause = await shortestPause
      for view in [RefillTracker.View.listed, .running] {
        let time = try #require(watch.tracker.fullRefill(view))
        // The keeper speaks after it has listed the tasks once more, so that the refill was a little before its word.
        #expect(time.earliest.seconds <= refilledAt - drainedAt)
        #expect(time.latest.seconds >= 1.3)
        // From the last look without the tasks to the answer with them.
        #expect(time.resolution >= pause && pause > .zero)
      }
    }
  }

  private static func client(_ pool: MotoPool) throws -> ECSClient {
    let settings = ECSSettings(flags: .init(region: pool.region, ecsEndpointURL: pool.url), filter: .init())
    let bench = RunContext(console: Console(print: .text, isQuiet: true))
    return try ECSConnection.open(settings, environment: pool.environment, bench: bench).client
  }

  private static func desiredCount(_ pool: MotoPool) async throws -> Int? {
    try await client(pool).describeServices([pool.service], cluster: pool.cluster).value.first?.desiredCount
  }

  @Test(.wholeSuiteOnly) func anOwnerWhoScalesDownDuringTheRunIsNotOverruled() async throws {
    try await MotoPool.run(count: 3) { pool in
      let run = try await BenchRun.start(
        "bench-exhaustion", Self.arguments(pool) + ["--refill-timeout", "4s"], environment: pool.environment)
      try await eventually("the pool is never empty") { try await Self.runningCount(pool) == 0 }
      _ = try await Self.client(pool).updateService(pool.service, cluster: pool.cluster, desiredCount: 0)
      let result = await run.end()
      #expect(try await Self.desiredCount(pool) == 0)
      let document = try result.document()
      #expect(document.findings?["desired_count"] == "3 before the run, 0 after it", "\(result.talk)")
      #expect(document.notes.contains { $0.contains("--service ib-warm --desired-count 3") }, "\(document.notes)")
    }
  }

  @Test(.wholeSuiteOnly) func aPoolWithMoreTasksThanItsServiceKeepsIsNotStopped() async throws {
    try await MotoPool.run(count: 4) { pool in
      _ = try await Self.client(pool).updateService(pool.service, cluster: pool.cluster, desiredCount: 2)
      let result = try await BenchRun.run(
        "bench-exhaustion", Self.arguments(pool) + ["--timeout", "1s"], environment: pool.environment)
      #expect(result.status == .exited(1) && result.talk.contains("its service keeps 2"), "\(result.talk)")
      #expect(try await Self.runningCount(pool) == 4)
    }
  }

  @Test(.wholeSuiteOnly) func aWrongSecretEndsTheRunAndSaysWhereItCameFrom() async throws {
    try await MotoPool.run(count: 2, checksSignatures: true) { pool in
      let environment = pool.environment.merging(["AWS_SECRET_ACCESS_KEY": "wrong-and-not-shown"]) { $1 }
      let result = try await BenchRun.run("bench-exhaustion", Self.arguments(pool), environment: environment)
      #expect(result.status == .exited(1))
      #expect(result.talk.contains("the environment"), "\(result.talk)")
      #expect(!result.talk.contains("wrong-and-not-shown"))
      #expect(try await Self.runningCount(pool) == 2)
    }
  }

  /// Polls until the refill is seen by all views; the shortest time from one look to the next.
  private static func poll(_ initial: PoolPoller, _ watch: SharedRefillTracker) async -> Nanoseconds {
    var poller = initial
    var looks: [Instant] = []
    while let poll = await poller.poll(), watch.tracker.views.contains(where: { watch.tracker.fullRefill($0) == nil }) {
      watch.observe(poll)
      if let look = poll.snapshots[.running] { looks.append(look.sentAt) }
    }
    return zip(looks.dropFirst(), looks).map { $0 - $1 }.min() ?? .zero
  }

  /// The interval that the tool reports must hold an instant which is known to lie between two words of the keeper.
  private static func check(
    _ document: ResultDocument, _ metric: String, after clockStart: Double, between begin: Double, and end: Double,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try #require(document.metrics[metric], sourceLocation: location)
    let latest = clockStart + found.max / 1e3
    let earliest = latest - (found.resolution ?? 0) / 1e3
    #expect(earliest <= end && latest >= begin, "\(earliest)–\(latest), \(begin)–\(end)", sourceLocation: location)
  }

  private static func runningCount(_ pool: MotoPool) async throws -> Int? {
    try await pool.status().last { $0.event == "status" }?.running
  }

  /// The instant of `MonotonicClock` at a moment of the wall clock, in seconds since 1970.
  private static func instant(ofWall seconds: Double) -> Instant {
    let ahead = seconds - Date().timeIntervalSince1970
    return MonotonicClock.now() + .seconds(ahead) - .seconds(-ahead)
  }

  private static func seconds(_ timestamp: String?) throws -> Double {
    try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(try #require(timestamp)).timeIntervalSince1970
  }
}
