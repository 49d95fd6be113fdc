import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `bench-exhaustion` as its users run it, against the embedded gateway.
@Suite(.timeLimit(.minutes(2))) struct ExhaustionTests {
  let tool = Tool(name: "bench-exhaustion")
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  /// Without what a developer's environment says of gateways and AWS.
  private static let clean = Dictionary(
    uniqueKeysWithValues: ["GATEWAY_URL", "CLUSTER", "SERVICE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS"].map {
      ($0, "")
    })
  private static let keys = [
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "eu-west-1",
  ]

  private func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Tool.Outcome {
    try await tool.run(
      ["--print", "json", "--format", "json", "--allow-saturated"] + arguments,
      environment: Self.clean.merging(environment) { $1 },
      in: scratch.path)
  }

  @Test func theRefillIsTimedByAllViewsInTheirOrder() async throws {
    let outcome = try await run("--pool-size", "3", "--task-start-delay", "4s", "--poll-interval", "20ms")
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.verdict == .pass)
    // Absent when the list was full again before the last release was answered.
    let listed = document.metrics["refill_full_listed"]?.max ?? 0
    #expect(listed > 0 || document.findings?["refill_full_listed"] == "before t0")
    let running = try #require(document.metrics["refill_full_running"]?.max)
    let warm = try #require(document.metrics["refill_full_warm"]?.max)
    // A task is listed at once and runs after four seconds: whoever took the one for the other would see no difference.
    #expect(listed < running)
    #expect(document.metrics["refill_full"]?.max == warm)
    let first = try #require(document.metrics["refill_first"]?.max)
    #expect(first <= warm)
    #expect(document.metrics["drain"]?.count == 3)
    #expect(document.metrics["cold_fallback"]?.count == 1)
    #expect(document.counters["cold_starts"] == 1)
    #expect(document.counters["duplicate_assignments"] == 0)
    #expect(document.metrics["ecs_list_tasks"]?.count == document.counters["polls"])
    #expect(document.findings?["drained"] == 3)
    #expect(document.metrics["ecs_pending_to_running"]?.count == 3)
    #expect(document.metrics["ecs_image_pull"]?.count == 3)
    #expect(document.target.kind == "embedded")
    #expect(document.target.ecsEndpointUrl != nil)
    // From the full pool over the empty one to the full one again.
    let warmCounts = (document.timeline?.rows ?? []).map { $0["warm"] }
    #expect(warmCounts.contains(0))
    #expect(warmCounts.last == 3)
    #expect(warmCounts.prefix { $0 != 3 }.count < warmCounts.count - 1)
  }

  @Test func partOfThePoolIsDrainedAndRefilledWhileTasksAreHeld() async throws {
    let outcome = try await run(
      "--pool-size", "3", "--task-start-delay", "50ms", "--poll-interval", "20ms", "--drain-count", "2", "--release",
      "at-end")
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.findings?["drained"] == 2)
    #expect(document.metrics["drain"]?.count == 2)
    #expect(document.metrics["cold_fallback"] == nil, "the pool was not empty")
    #expect(document.metrics["refill_full"]?.count == 1)
  }

  @Test(.wholeSuiteOnly) func tasksOfTheEmbeddedPoolAreStoppedAndSeenByThreeViews() async throws {
    let outcome = try await run(
      "--drain-by", "stop-tasks", "--pool-size", "3", "--task-start-delay", "2s", "--poll-interval", "50ms",
      "--cycles", "2")
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.metrics["refill_full"]?.count == 2)
    #expect(document.metrics["refill_full_warm"]?.count == 2)
    #expect(document.metrics["refill_task"]?.count == 6)
    #expect(document.metrics["drain"]?.count == 6)
    #expect(document.metrics["cold_fallback"] == nil)
    #expect(document.parameters["release"] == nil && document.parameters["drainBy"] == "stop-tasks")
    #expect(document.timeline?.rows.contains { $0[.warm] == 0 } == true)
  }

  @Test(.wholeSuiteOnly, arguments: ["after-drain", "at-end"]) func everyCycleFindsThePoolFull(release: String)
    async throws
  {
    let outcome = try await run(
      "--pool-size", "2", "--task-start-delay", "200ms", "--poll-interval", "20ms", "--cycles", "3", "--release",
      release)
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.metrics["refill_full"]?.count == 3)
    #expect(document.metrics["drain"]?.count == 6)
    #expect(document.counters["errors"] == 0)
    guard case .object(let last)? = document.findings?["cycle_3"] else {
      Issue.record("no findings of the third cycle: \(String(describing: document.findings))")
      return
    }
    #expect(last["drained"] == 2)
  }

  @Test func aCycleThatIsNotRefilledIsTheLast() async throws {
    let outcome = try await run(
      "--pool-size", "2", "--max-tasks", "2", "--task-start-delay", "50ms", "--poll-interval", "50ms", "--release",
      "at-end", "--no-cold-fallback", "--refill-timeout", "600ms", "--cycles", "3")
    #expect(outcome.status == .exited(99), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.errors.map(\.kind) == ["refill_timeout"])
    #expect(document.notes.contains { $0.contains("cycle 1 of 3 was not refilled") })
  }

  @Test func aPoolThatCannotRefillIsAnErrorAndItsTimelineIsKept() async throws {
    let outcome = try await run(
      "--pool-size", "2", "--max-tasks", "2", "--task-start-delay", "50ms", "--poll-interval", "50ms", "--release",
      "at-end", "--no-cold-fallback", "--refill-timeout", "600ms")
    #expect(outcome.status == .exited(99), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.errors.map(\.kind) == ["refill_timeout"])
    #expect(document.metrics["refill_full"] == nil)
    #expect(document.timeline?.rows.last?[.warm] == 0)
  }

  @Test(.wholeSuiteOnly) func aColdFallbackThatTakesTooLongIsATimeout() async throws {
    let outcome = try await run(
      "--pool-size", "2", "--max-tasks", "2", "--poll-interval", "50ms", "--release", "at-end", "--timeout", "6s",
      "--refill-timeout", "9s")
    #expect(outcome.status == .exited(99), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.errors.map(\.kind).sorted() == ["refill_timeout", "timeout"])
    #expect(document.counters["timeouts"] == 1)
    #expect(document.metrics["cold_fallback"] == nil)
  }

  @Test func aGatewayOffLoopbackIsNotTouchedWithoutConfirmation() async throws {
    // An address for documentation (RFC 5737): a connection to it would hang, and the run with it.
    let outcome = try await run("--gateway-url", "http://192.0.2.1:5174", "--timeout", "20s")
    #expect(outcome.status == .exited(64))
    #expect(outcome.standardError.contains("--confirm-drain 192.0.2.1"))
    #expect(outcome.standardOutput.isEmpty)
    #expect(scratch.names(in: "results") == nil)
  }

  @Test(.wholeSuiteOnly) func anECSEndpointThatCannotBeReachedEndsTheRunBeforeTheDrain() async throws {
    let gateway = try await MockGateway.start(["--pool-size", "2"], warm: 2)
    let outcome = try await run(
      "--gateway-url", gateway.url, "--ecs-endpoint-url", "http://127.0.0.1:1", "--service", "pool",
      environment: Self.keys)
    #expect(outcome.status == .exited(1))
    #expect(outcome.standardError.contains("ecs:DescribeServices at http://127.0.0.1:1"), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("--ecs-endpoint-url"))
    #expect(!outcome.standardError.contains("not-a-secret"))
    await gateway.stop()
  }

  @Test(.wholeSuiteOnly) func aKeyThatIsNotAcceptedEndsTheRunBeforeTheDrain() async throws {
    let gateway = try await MockGateway.start(["--pool-size", "2", "--task-start-delay", "1s"], warm: 2)
    let outcome = try await run(
      "--gateway-url", gateway.url, "--ecs-endpoint-url", gateway.url, "--service", "pool", environment: Self.keys)
    #expect(outcome.status == .exited(1), "\(outcome.standardError)")
    #expect(outcome.standardError.contains("key or secret is wrong"), "\(outcome.standardError)")
    // Nothing was taken: another run finds the pool as it was.
    let drained = try await run("--gateway-url", gateway.url, "--poll-interval", "20ms").document
    #expect(drained.findings?["drained"] == 2)
    #expect(drained.metrics["ecs_list_tasks"] == nil)
    #expect(drained.metrics["refill_full"] != nil)
    #expect(drained.metrics["refill_full_running"] == nil)
    #expect(drained.notes.contains { $0.contains("seen by the gateway alone") })
    await gateway.stop()
  }

  @Test func anInterruptedRunIsWrittenAndGivesItsTasksBack() async throws {
    // Without room for replacements the refill never comes, and the run would last five minutes.
    let gateway = try await MockGateway.start(["--pool-size", "2", "--max-tasks", "2"], warm: 2)
    let running = try await tool.start(
      ["--print", "json", "--gateway-url", gateway.url, "--poll-interval", "20ms", "--release", "at-end"]
        + ["--no-cold-fallback"], environment: Self.clean, in: scratch.path)
    try await eventually("assignedCount is never 2") { try await gateway.status().assignedCount == 2 }
    running.child.signal(SIGINT)
    let outcome = await running.end(within: .seconds(10))
    #expect(outcome.status == .exited(130), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.verdict == .interrupted)
    #expect(document.metrics["drain"]?.count == 2)
    #expect(document.timeline?.rows.isEmpty == false)
    try await eventually("assignedCount is never 0") { try await gateway.status().assignedCount == 0 }
    await gateway.stop()
  }
}
