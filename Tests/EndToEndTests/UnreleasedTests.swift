import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Tasks that a run took and could not give back are counted, and no run with them passes.
@Suite(.serialized, .timeLimit(.minutes(2))) struct UnreleasedTests {
  /// A gateway that gives everybody a new task, and answers releases with `release`.
  private func gateway(
    _ release: @escaping @Sendable (ScriptedGateway.Request) -> ScriptedGateway.Answer
  ) async throws -> ScriptedGateway {
    let tasks = Counting()
    return try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status":
        .json(
          #"{"warmCount": 5, "assignedCount": 1, "tasks": [\#(Self.waiting), {"taskId": "t\#(tasks.last)", "state": "assigned", "userId": "u"}]}"#
        )
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t\#(tasks.next())", "source": "warm"}"#)
      case "POST /api/release": release(request)
      default: .json("{}", status: 404)
      }
    }
  }

  private static let waiting = (1...5).map { #"{"taskId": "w\#($0)", "state": "warm"}"# }.joined(separator: ", ")
  private static let refusal = ScriptedGateway.Answer.json(#"{"success": false, "error": "unknown task"}"#, status: 404)

  private static let tools = [
    ("bench-allocation", ["--count", "3"]), ("bench-allocation", ["--count", "3", "--hold"]),
    ("bench-concurrent", ["--concurrency", "3"]), ("bench-e2e", ["--count", "3"]),
    ("bench-exhaustion", ["--drain-count", "3", "--refill-timeout", "1s", "--settle", "0s"]),
  ]

  @Test(arguments: tools) func refusedReleasesAreCountedAndNoPass(tool: String, options: [String]) async throws {
    let gateway = try await gateway { _ in Self.refusal }
    let result = try await BenchRun.run(tool, ["--gateway-url", gateway.url, "--allow-saturated"] + options)
    await gateway.stop()
    let document = try result.document()
    #expect(document.counters["unreleased"] == 3, "\(result.talk)")
    let judged = document.thresholds.first { $0.expression == "unreleased == 0" }
    #expect(judged?.pass == false && document.verdict != .pass)
    if tool != "bench-exhaustion" {
      #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
      #expect(document.counters["errors"] == 0, "\(document.errors)")
    }
  }

  @Test(arguments: [404, 405]) func aGatewayWithoutARelaseCallIsHoldAndCountsNone(status: Int) async throws {
    let gateway = try await gateway { _ in .json("<html>no such page</html>", status: status) }
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "3", "--allow-saturated"])
    await gateway.stop()
    let document = try result.document()
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    #expect(document.counters["unreleased"] == 0)
    #expect(document.notes.contains { $0.contains("has no /api/release") })
  }

  @Test func aMissingPageAfterReleasesThatWorkedIsARefusal() async throws {
    let calls = Counting()
    let gateway = try await gateway { _ in
      calls.next() == 1 ? .json(#"{"success": true}"#) : .json("<html>another node</html>", status: 404)
    }
    let document = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "3", "--allow-saturated"]
    ).document()
    await gateway.stop()
    #expect(document.counters["unreleased"] == 2)
  }

  @Test func aMomentOfMissingPagesIsNoGatewayWithoutReleases() async throws {
    let calls = Counting()
    let gateway = try await gateway { _ in
      calls.next() == 1 ? .json("<html>being replaced</html>", status: 404) : .json(#"{"success": true}"#)
    }
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "5", "--allow-saturated"])
    await gateway.stop()
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let document = try result.document()
    #expect(document.counters["unreleased"] == 0)
    #expect(!document.notes.contains { $0.contains("has no /api/release") }, "\(document.notes)")
    #expect(gateway.requests.count { $0.line == "POST /api/release" } == 6)
  }

  /// The node that has the task was slow; the one that is asked then does not know it.
  @Test(.wholeSuiteOnly) func aReleaseWithoutAnAnswerThatIsRefusedThenIsCounted() async throws {
    let calls = Counting()
    let gateway = try await gateway { _ in calls.next() <= 2 ? .silence : Self.refusal }
    let result = try await BenchRun.run(
      "bench-allocation",
      ["--gateway-url", gateway.url, "--count", "2", "--allow-saturated", "--timeout", "1s"])
    await gateway.stop()
    let document = try result.document()
    #expect(document.counters["unreleased"] == 2, "\(result.talk)")
    #expect(result.status == .exited(99) && document.counters["errors"] == 0, "\(result.talk)")
  }

  @Test func whatIsReleasedAtTheSecondTryIsNotCounted() async throws {
    let calls = Counting()
    let gateway = try await gateway { _ in calls.next() <= 2 ? Self.refusal : .json(#"{"success": true}"#) }
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "2", "--allow-saturated"])
    await gateway.stop()
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    #expect(try result.document().counters["unreleased"] == 0)
    #expect(gateway.requests.count { $0.line == "POST /api/release" } == 4)
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"])
  func aReleaseThatIsRefusedAfterTheSignalIsCounted(tool: String) async throws {
    let gateway = try await gateway { _ in
      .late(#"{"success": false, "error": "unknown task"}"#, status: 404, seconds: 0.4)
    }
    let run = try await BenchRun.start(tool, ["--gateway-url", gateway.url, "--timeout", "10s"])
    try await eventually("no release") { gateway.requests.contains { $0.line == "POST /api/release" } }
    run.running.child.signal(SIGINT)
    let result = await run.end()
    let acquires = UInt64(gateway.requests.count { $0.line == "POST /api/acquire" })
    await gateway.stop()
    #expect(result.status == .exited(130), "\(result.talk)")
    #expect(try result.document().counters["unreleased"] == acquires, "\(result.talk)")
  }

  private static let acquiring = [
    ("bench-allocation", ["--count", "3"]), ("bench-concurrent", ["--concurrency", "1"]),
    ("bench-e2e", ["--count", "3"]), ("bench-exhaustion", ["--drain-count", "1", "--settle", "0s"]),
  ]

  @Test(.wholeSuiteOnly, arguments: acquiring) func anAcquireThatGotNoAnswerIsSaid(tool: String, options: [String])
    async throws
  {
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": .json(#"{"warmCount": 5, "assignedCount": 0, "tasks": [\#(Self.waiting)]}"#)
      case "POST /api/acquire": .silence
      default: .json("{}", status: 404)
      }
    }
    let run = try await BenchRun.start(tool, ["--gateway-url", gateway.url] + options)
    try await eventually("no acquire") { gateway.requests.contains { $0.line == "POST /api/acquire" } }
    run.running.child.signal(SIGINT)
    let result = await run.end()
    await gateway.stop()
    #expect(result.status == .exited(130), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["unreleased"] == 0 && document.verdict == .interrupted)
    #expect(document.notes.contains { $0.hasPrefix("1 acquire got no answer: ") }, "\(document.notes)")
  }
}
