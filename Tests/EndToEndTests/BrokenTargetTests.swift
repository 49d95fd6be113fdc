import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// What can be wrong with a gateway is counted by kind, and never ends in a latency or in waiting for ever.
@Suite(.serialized, .timeLimit(.minutes(3))) struct BrokenTargetTests {
  static let tools = ["bench-allocation", "bench-concurrent", "bench-e2e"]
  /// Where no answer comes; where one comes at once, however busy the machine, nobody waits for `ample`.
  private static let short = "300ms"
  private static let ample = "5s"

  /// Two iterations.
  private static func two(_ tool: String) -> [String] {
    tool == "bench-concurrent" ? ["--concurrency", "2"] : ["--count", "2"]
  }

  private func run(_ tool: String, _ url: String, timeout: String = ample) async throws -> BenchResult {
    try await BenchRun.run(tool, ["--gateway-url", url] + Self.two(tool) + ["--timeout", timeout])
  }

  /// A run in which nothing succeeded.
  private func expectWorthless(
    _ result: BenchResult, kinds: Set<String>, _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(result.status == .exited(1), "\(result.output)\(result.talk)", sourceLocation: location)
    let document = try result.document()
    #expect(document.verdict == .error, sourceLocation: location)
    #expect(document.counters["iterations"] == 2 && document.counters["errors"] == 2, sourceLocation: location)
    #expect(Set(document.errors.map(\.kind)).isSubset(of: kinds), "\(document.errors)", sourceLocation: location)
    #expect(document.errors.reduce(0) { $0 + $1.count } == 2, sourceLocation: location)
    #expect(document.errors.allSatisfy { !$0.example.isEmpty }, sourceLocation: location)
    #expect(document.metrics.isEmpty, sourceLocation: location)
    #expect(result.talk.contains("error: nothing was measured"), "\(result.talk)", sourceLocation: location)
    let commonest = try #require(document.errors.first { $0.count == document.errors.map(\.count).max() })
    #expect(
      result.talk.contains("; the commonest error (")
        && result.talk.contains("\(commonest.kind): \(commonest.example)"),
      "\(result.talk)", sourceLocation: location)
    let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("Run ") && $0.contains(": failed (") }
    #expect(lines.count == 2, "\(result.output)", sourceLocation: location)
    let timeouts = document.errors.filter { $0.kind.hasSuffix("timeout") }.reduce(0) { $0 + $1.count }
    #expect(document.counters["timeouts"] == timeouts, sourceLocation: location)
  }

  @Test(arguments: tools) func nobodyListens(_ tool: String) async throws {
    let result = try await run(tool, ScriptedGateway.urlOfNobody())
    try expectWorthless(result, kinds: ["connect_refused", "connect: connect_refused"])
  }

  @Test(.wholeSuiteOnly, arguments: tools) func muteGatewayEndsWithinTheTimeout(_ tool: String) async throws {
    let gateway = try await ScriptedGateway { request in
      request.line == "GET /api/status" ? ScriptedGateway.status(warm: 3) : .silence
    }
    let result = try await run(tool, gateway.url, timeout: Self.short)
    await gateway.stop()
    try expectWorthless(result, kinds: ["timeout", "connect: timeout"])
    #expect(try result.document().counters["timeouts"] == 2)
  }

  @Test(.wholeSuiteOnly, arguments: tools) func whollyMuteGatewayEndsToo(_ tool: String) async throws {
    let gateway = try await ScriptedGateway { _ in .silence }
    let result = try await run(tool, gateway.url, timeout: Self.short)
    await gateway.stop()
    try expectWorthless(result, kinds: ["timeout", "connect: timeout"])
  }

  /// The faults of mock-gateway's REST side, and how bench-allocation and bench-concurrent count them.
  static let faults = [
    ("mute", "timeout"), ("reset", "reset"), ("503", "http_503"), ("rubbish", "invalid_json"), ("truncate", "closed"),
  ]

  @Test(arguments: faults, ["bench-allocation", "bench-concurrent"])
  func brokenAnswersAreCountedByKind(fault: (name: String, kind: String), tool: String) async throws {
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--fault", fault.name])
    let result = try await run(tool, gateway.url, timeout: fault.name == "mute" ? Self.short : Self.ample)
    await gateway.stop()
    try expectWorthless(result, kinds: [fault.kind])
  }

  /// A gateway that ends the probe's connection has no user's side: the way is by REST then.
  @Test(arguments: [
    (ScriptedGateway.Answer.reset, ["acquire: reset"]),
    (.json("{}", status: 503), ["acquire: http_503"]),
    (.last("rubbish\r\n\r\n"), ["connect: invalid_response"]),
    (.last("HTTP/1.1 101 Switching"), ["acquire: closed"]),
  ])
  func brokenSessionsAreCountedByStep(answer: ScriptedGateway.Answer, kinds: [String]) async throws {
    let gateway = try await ScriptedGateway { request in
      request.line == "GET /api/status" ? ScriptedGateway.status(warm: 3) : answer
    }
    let result = try await run("bench-e2e", gateway.url)
    await gateway.stop()
    try expectWorthless(result, kinds: Set(kinds))
    let document = try result.document()
    #expect(document.counters["failed_steps"] == 2)
    #expect(document.thresholds.first { $0.expression == "failed_steps == 0" }?.pass == false)
  }

  @Test func sessionWhoseTaskNeverStartsIsAFailedStep() async throws {
    let gateway = try await MockGateway.start(
      ["--pool-size", "1", "--virtual-tasks", "--command", "/bin/false"], warm: 1)
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", gateway.url, "--count", "2", "--timeout", "5s"])
    await gateway.stop()
    #expect(result.status == .exited(1))
    let document = try result.document()
    #expect(document.counters["failed_steps"] == 2)
    #expect(document.counters["failed_init_user"] == 2, "\(document.errors)")
  }

  @Test(.wholeSuiteOnly) func programThatNeverSaysAWordIsATimeoutOfItsStep() async throws {
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--command", "/bin/cat"])
    // The steps before it are to be over by then.
    let result = try await run("bench-e2e", gateway.url, timeout: "3s")
    await gateway.stop()
    try expectWorthless(result, kinds: ["ready: timeout"])
    #expect(try result.document().counters["failed_ready"] == 2)
  }

  @Test(.wholeSuiteOnly) func userWhoGetsNoAnswerIsATimeoutOfItsStep() async throws {
    let mute = "/bin/sh -c 'echo ready; exec sleep 600'"
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--command", mute])
    let result = try await run("bench-e2e", gateway.url, timeout: "3s")
    await gateway.stop()
    try expectWorthless(result, kinds: ["first_response: timeout"])
    #expect(try result.document().counters["failed_first_response"] == 2)
  }

  @Test(arguments: ["bench-allocation", "bench-concurrent"])
  func missIsNoSuccessNoErrorAndNoSample(_ tool: String) async throws {
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--fault", "miss"])
    let result = try await run(tool, gateway.url)
    await gateway.stop()
    #expect(result.status == .exited(1))
    let document = try result.document()
    #expect(document.verdict == .error)
    #expect(document.counters["misses"] == 2 && document.counters["iterations"] == 2)
    #expect(document.counters["errors"] == 0)
    #expect(Set(document.metrics.keys).isSubset(of: ["connect"]), "\(document.metrics.keys)")
    #expect(result.output.contains("Run 1: miss\n") && result.output.contains("Run 2: miss\n"))
  }

  /// A pool of size 0, whose iterations would each wait for the whole of --timeout.
  @Test(.wholeSuiteOnly, arguments: tools) func anEmptyPoolIsWaitedForOnce(_ tool: String) async throws {
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 0)
      case "POST /api/acquire": .json(#"{"success": false, "error": "no warm task available"}"#)
      default: .json("no", status: 404)
      }
    }
    let load = tool == "bench-concurrent" ? ["--concurrency", "2", "--bursts", "4"] : ["--count", "6"]
    let result = try await BenchRun.run(tool, ["--gateway-url", gateway.url, "--timeout", "1s"] + load)
    await gateway.stop()
    #expect(result.status == .exited(1), "\(result.talk)")
    let reason = "the pool had no warm task for the whole of --timeout (1s)"
    #expect(result.talk.contains("error: nothing was measured: \(reason)"), "\(result.talk)")
    #expect(result.talk.ranges(of: "note: \(reason): from then on").count == 1, "\(result.talk)")
    #expect(try result.document().notes.filter { $0.hasPrefix(reason) }.count == 1)
    // One look, or two, before each acquire but the first.
    let lines = gateway.requests.map(\.line)
    let first = try #require(lines.firstIndex(of: "POST /api/acquire"))
    let looks = lines[first...].count { $0 == "GET /api/status" }
    #expect(looks <= 12, "\(looks) looks")
  }

  /// However many cycles: the first one's wait is the only one.
  @Test func anEmptyPoolIsNotDrained() async throws {
    let gateway = try await ScriptedGateway { _ in ScriptedGateway.status(warm: 0) }
    let result = try await BenchRun.run(
      "bench-exhaustion", ["--gateway-url", gateway.url, "--timeout", "1s", "--settle", "100ms", "--cycles", "50"])
    await gateway.stop()
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(result.talk.contains("error: the pool has 0 warm tasks and 1 are needed: nothing was drained"))
    #expect(!gateway.requests.contains { $0.line == "POST /api/acquire" })
  }

  @Test(.wholeSuiteOnly) func aPoolOfSizeZeroEndsAsWorthless() async throws {
    let gateway = try await MockGateway.start(["--virtual-tasks", "--pool-size", "0", "--max-size", "0"], warm: 0)
    let begin = ContinuousClock.now
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "40", "--timeout", "2s"])
    await gateway.stop()
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(result.talk.contains("error: nothing was measured: the pool had no warm task"), "\(result.talk)")
    #expect(try result.document().counters["iterations"] == 40)
    // Waiting each time would take 80 s.
    #expect(ContinuousClock.now - begin < .seconds(50))
  }

  @Test func someMissesLeaveTheOtherIterationsTheirSamples() async throws {
    let gateway = try await MockGateway.start(
      MockGateway.threeVirtualTasks + ["--fault", "miss", "--fault-first", "2"])
    let result = try await BenchRun.run(
      "bench-allocation",
      [
        "--gateway-url", gateway.url, "--count", "5", "--no-default-thresholds", "--threshold", "misses.rate < 40%",
      ])
    await gateway.stop()
    #expect(result.status == .exited(99))
    let document = try result.document()
    #expect(document.metrics["allocation"]?.count == 3 && document.counters["misses"] == 2)
    #expect(document.thresholds.first?.observed == 40)
  }

  @Test func refusalThatNamesNoReasonIsNoMiss() async throws {
    let gateway = try await ScriptedGateway { request in
      request.line == "GET /api/status"
        ? ScriptedGateway.status(warm: 3) : .json(#"{"success": false, "error": "quota exceeded"}"#)
    }
    let result = try await run("bench-allocation", gateway.url)
    await gateway.stop()
    try expectWorthless(result, kinds: ["refused"])
  }

  @Test func taskGivenOutTwiceIsAViolation() async throws {
    let gateway = try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "3", "--fault", "duplicate"])
    let result = try await BenchRun.run("bench-concurrent", ["--gateway-url", gateway.url, "--concurrency", "3"])
    await gateway.stop()
    #expect(result.status == .exited(99))
    let document = try result.document()
    #expect(document.counters["duplicate_assignments"] == 2)
    let judged = document.thresholds.first { $0.expression == "duplicate_assignments == 0" }
    #expect(judged?.pass == false && judged?.observed == 2)
  }

  @Test func taskGivenOutTwiceUnderHoldIsCountedByBenchAllocation() async throws {
    let gateway = try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "3", "--fault", "duplicate"])
    let result = try await BenchRun.run(
      "bench-allocation",
      [
        "--gateway-url", gateway.url, "--count", "3", "--hold", "--no-default-thresholds", "--threshold",
        "duplicate_assignments == 0",
      ])
    await gateway.stop()
    #expect(result.status == .exited(99))
    #expect(try result.document().counters["duplicate_assignments"] == 2)
  }

  @Test(.wholeSuiteOnly, arguments: tools) func gatewayThatDiesMidRunLeavesItsSamplesAndCountedErrors(_ tool: String)
    async throws
  {
    // Slow enough that most iterations are still to come when it dies.
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--acquire-delay", "100ms"])
    let load = tool == "bench-concurrent" ? ["--count", "60", "--concurrency", "1"] : ["--count", "60"]
    let run = try await BenchRun.start(tool, ["--gateway-url", gateway.url] + load + ["--timeout", "1s"])
    try await run.waitForOutput("Run 2: ")
    gateway.child.signal(SIGKILL)
    let result = await run.end()
    #expect(result.status == .exited(99), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .fail)
    #expect(document.thresholds.first { $0.expression == "errors == 0" }?.pass == false)
    let errors = document.counters["errors"] ?? 0
    let successes = document.metrics[
      tool == "bench-e2e" ? "end_to_end" : tool == "bench-concurrent" ? "all" : "allocation"]
    #expect((successes?.count ?? 0) >= 2)
    #expect(document.counters["iterations"] == 60 && errors + (successes?.count ?? 0) == 60)
    #expect(document.errors.contains { $0.kind.hasSuffix("connect_refused") }, "\(document.errors)")
  }

  @Test(arguments: [404, 405]) func gatewayWithoutReleaseIsHeldAndNotedOnce(_ status: Int) async throws {
    let next = Counting()
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 9)
      case "POST /api/acquire": .json(#"{"taskArn": "arn:aws:ecs:::task/pool/t\#(next.next())", "latency": 0.5}"#)
      default: .json("<html>no</html>", status: status)
      }
    }
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "4", "--no-default-thresholds"])
    await gateway.stop()
    let document = try result.passedDocument()
    #expect(document.metrics["allocation"]?.count == 4 && document.counters["errors"] == 0)
    #expect(document.counters["duplicate_assignments"] == 0)
    #expect(document.notes.filter { $0.contains("/api/release") }.count == 1, "\(document.notes)")
    #expect(document.notes.contains { $0.contains("--hold") })
    // One page may be a balancer's: several of them, some time apart, conclude that there is no such call.
    #expect((3...10).contains(gateway.requests.filter { $0.line == "POST /api/release" }.count))
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-e2e"])
  func aPoolThatGivesNothingCostsOneWaitAndOneRequest(_ tool: String) async throws {
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 0)
      case "POST /api/acquire": .silence
      default: .json("{}", status: 404)
      }
    }
    let result = try await BenchRun.run(tool, ["--gateway-url", gateway.url, "--count", "20", "--timeout", "1s"])
    await gateway.stop()
    #expect(result.status == .exited(1), "\(result.output)\(result.talk)")
    let errors = try result.document().errors
    let notAsked = errors.first { $0.kind.hasSuffix("no_warm_task") }
    #expect(notAsked?.count == 19 && notAsked?.example.contains("--timeout (1s)") == true, "\(errors)")
    #expect(errors.filter { $0.kind.hasSuffix("timeout") }.map(\.count) == [1], "\(errors)")
    #expect(gateway.requests.count { $0.line == "POST /api/acquire" } == 1)
  }

  @Test func delayOfTheGatewayIsInEveryLatency() async throws {
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--acquire-delay", "5ms"])
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "5", "--no-default-thresholds"])
    await gateway.stop()
    let metrics = try result.passedDocument().metrics
    for name in ["allocation", "gateway_latency"] {
      // The minimum is a bucket's lower end, up to 0.1 % below.
      #expect((metrics[name]?.min ?? 0) >= 4.995 && (metrics[name]?.p50 ?? 0) >= 5, "\(name)")
    }
  }
}
