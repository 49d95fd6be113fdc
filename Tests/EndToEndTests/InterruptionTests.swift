import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Ctrl-C, SIGTERM and SIGKILL in the middle of a run.
@Suite(.serialized, .timeLimit(.minutes(3))) struct InterruptionTests {
  static let signals: [(signal: Int32, code: Int32)] = [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)]

  /// A run of an embedded gateway that lasts for ten seconds at least, unless it is interrupted.
  private static func endless(_ tool: String) -> [String] {
    BenchRun.smallPool
      + (tool == "bench-concurrent"
        ? ["--bursts", "50", "--concurrency", "2", "--task-start-delay", "300ms"]
        : ["--count", "100", "--think-time", "100ms"])
  }

  private func expectGone(_ processes: Set<ProcessEntry>, _ location: SourceLocation = #_sourceLocation) async throws {
    try await eventually("left: \(processes.filter(\.isAlive).map(\.program))", location) {
      !processes.contains(where: \.isAlive)
    }
  }

  /// The processes below a run's, looked at until each of `programs` has been among them; some of them may be gone.
  private func children(of run: BenchRun, including programs: [String]) async throws -> Set<ProcessEntry> {
    var seen: Set<ProcessEntry> = []
    try await eventually("not all of \(programs) were seen") {
      seen.formUnion(ProcessEntry.descendants(of: run.running.child.pid))
      return programs.allSatisfy { name in seen.contains { $0.name == name && $0.isAlive } }
    }
    return seen
  }

  private func expectInterrupted(
    _ result: BenchResult, code: Int32, metric: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(result.status == .exited(code), "\(result.talk)", sourceLocation: location)
    let document = try result.document()
    #expect(document.verdict == .interrupted, sourceLocation: location)
    #expect((document.metrics[metric]?.count ?? 0) >= 2, sourceLocation: location)
    #expect(document.counters["errors"] == 0, "\(document.errors)", sourceLocation: location)
    #expect(try result.file("md").contains(": interrupted\n"), sourceLocation: location)
    #expect(result.output.contains("verdict: interrupted"), sourceLocation: location)
  }

  /// The measured part ends when the process should have ended: it stands still meanwhile, as on a machine that sleeps.
  @Test(.wholeSuiteOnly) func aRunThatIsOverdueSaysItsResultAllTheSame() async throws {
    let acquires = Counting()
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 5)
      // The answer to the second one is waited for after the signal, for more than a second.
      case "POST /api/acquire":
        acquires.next() > 1 ? .silence : .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
      default: .json(#"{"success": true}"#)
      }
    }
    let run = try await BenchRun.start("bench-allocation", ["--gateway-url", gateway.url, "--print", "json"])
    try await eventually("no second acquire") { acquires.last == 2 }
    run.running.child.signal(SIGINT)
    try await Task.sleep(for: .milliseconds(200))
    run.running.child.signal(SIGSTOP)
    try await Task.sleep(for: .seconds(8))
    run.running.child.signal(SIGCONT)
    let result = await run.end()
    await gateway.stop()
    #expect(result.status == .exited(130), "\(result.talk)")
    let said = try ResultCoding.decode(result.output, tools: .suite)
    #expect(said.verdict == .interrupted && said.metrics["allocation"]?.count == 1)
    #expect(try result.document().metrics["allocation"]?.count == 1)
  }

  @Test(
    arguments: [("bench-allocation", "allocation"), ("bench-concurrent", "all"), ("bench-e2e", "end_to_end")], signals)
  func whatWasMeasuredIsWrittenAndNoChildIsLeft(
    tool: (name: String, metric: String), signal: (signal: Int32, code: Int32)
  ) async throws {
    let run = try await BenchRun.start(tool.name, Self.endless(tool.name))
    try await run.waitForOutput("Run 3: ")
    let children = try await children(of: run, including: ["mock-gateway", "warm-task"])
    // As a terminal does it: to the whole group.
    run.running.child.signalGroup(signal.signal)
    let result = await run.end()
    try expectInterrupted(result, code: signal.code, metric: tool.metric)
    try await expectGone(children)
    // Neither workspaces of the gateway nor anything else stays in the temporary directory.
    #expect(result.scratch.names(in: "") == ["results"])
  }

  @Test(arguments: signals) func heldTasksAreGivenBackToARemoteGateway(signal: Int32, code: Int32) async throws {
    let gateway = try await MockGateway.start()
    // Three are held, and the pool has no fourth before a while.
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "100", "--hold"])
    try await run.waitForOutput("Run 3: ")
    #expect(try await gateway.status().assignedCount >= 2)
    run.running.child.signal(signal)
    let result = await run.end()
    try expectInterrupted(result, code: code, metric: "allocation")
    #expect(try await gateway.status().assignedCount == 0)
    await gateway.stop()
  }

  @Test func heldTasksAreGivenBackAtAnOrderlyEndToo() async throws {
    let gateway = try await MockGateway.start()
    let hold = ["--gateway-url", gateway.url, "--hold", "--no-default-thresholds"]
    _ = try await BenchRun.run("bench-allocation", hold + ["--count", "3"]).passedDocument()
    #expect(try await gateway.status().assignedCount == 0)
    _ = try await BenchRun.run("bench-concurrent", hold + ["--concurrency", "3"]).passedDocument()
    #expect(try await gateway.status().assignedCount == 0)
    await gateway.stop()
  }

  @Test func sessionUnderWayAtTheSignalIsEndedAndIsNoError() async throws {
    let gateway = try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "2", "--command", "/bin/sh -c 'echo ready; exec sleep 600'"], warm: 2)
    let run = try await BenchRun.start("bench-e2e", ["--gateway-url", gateway.url, "--count", "1"])
    try await eventually("nobody is served") { try await gateway.status().assignedCount == 1 }
    run.running.child.signal(SIGINT)
    let result = await run.end()
    #expect(result.status == .exited(130))
    let document = try result.document()
    #expect(document.verdict == .interrupted && document.counters["censored"] == 1)
    #expect(document.counters["errors"] == 0 && document.counters["iterations"] == 0, "\(document.errors)")
    try await eventually("the task is still assigned") { try await gateway.status().assignedCount == 0 }
    await gateway.stop()
  }

  @Test func answerThatComesAfterTheSignalIsReleasedToo() async throws {
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--acquire-delay", "500ms"])
    let run = try await BenchRun.start(
      "bench-concurrent", ["--gateway-url", gateway.url, "--concurrency", "3", "--bursts", "20"])
    try await eventually("nobody is served") { try await gateway.status().assignedCount == 3 }
    run.running.child.signal(SIGINT)
    let result = await run.end()
    #expect(result.status == .exited(130))
    #expect(try result.document().verdict == .interrupted)
    #expect(try await gateway.status().assignedCount == 0)
    await gateway.stop()
  }

  @Test func signalWhileTheGatewayStartsEndsTheRunAndTheGateway() async throws {
    let run = try await BenchRun.start("bench-allocation", ["--count", "100"] + BenchRun.smallPool)
    try await eventually("no gateway") {
      ProcessEntry.descendants(of: run.running.child.pid).contains { $0.name == "mock-gateway" }
    }
    let children = ProcessEntry.descendants(of: run.running.child.pid)
    run.running.child.signal(SIGTERM)
    let result = await run.end()
    #expect(result.status == .exited(143), "\(result.talk)")
    // The gateway may have served by then.
    if !result.files().isEmpty { #expect(try result.document().verdict == .interrupted) }
    try await expectGone(children)
  }

  @Test(.wholeSuiteOnly) func laterSignalEndsAtOnce() async throws {
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 3)
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
      default: .silence
      }
    }
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--hold", "--think-time", "1h", "--count", "2"])
    // After one signal the answers to releases are waited for a while.
    try await eventually("no request") { gateway.requests.contains { $0.line == "POST /api/acquire" } }
    run.running.child.signal(SIGINT)
    try await Task.sleep(for: .milliseconds(1200))
    run.running.child.signal(SIGTERM)
    let result = await run.end()
    #expect(result.status == .exited(143), "\(result.talk)")
    #expect(result.talk.contains("ended at once by a second signal"), "\(result.talk)")
    await gateway.stop()
  }

  @Test func signalWhileAgentsGetWarmEndsTheRunInOrder() async throws {
    let looks = Counting()
    let gateway = try await ScriptedGateway { request in
      guard request.line == "GET /api/status" else { return .json("{}", status: 404) }
      // The signal comes while an answer is waited for.
      return looks.next() == 1 ? ScriptedGateway.status(warm: 0) : .silence
    }
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--agents", "2", "--timeout", "50s"])
    try await eventually("nobody waits") { gateway.requests.count { $0.line == "GET /api/status" } == 2 }
    run.running.child.signal(SIGINT)
    let result = await run.end()
    await gateway.stop()
    #expect(result.status == .exited(130))
    #expect(try result.document().verdict == .interrupted)
    #expect(!result.talk.contains("error:"), "\(result.talk)")
    #expect(result.scratch.names(in: "") == ["results"])
  }

  @Test func agentsGoWithTheirTool() async throws {
    let gateway = try await MockGateway.start(["--pool-size", "0", "--dialect", "lab"], warm: 0)
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--agents", "2", "--count", "100", "--think-time", "100ms"])
    try await run.waitForOutput("Run 3: ")
    let children = ProcessEntry.descendants(of: run.running.child.pid)
    run.running.child.signalGroup(SIGINT)
    let result = await run.end()
    try expectInterrupted(result, code: 130, metric: "allocation")
    try await expectGone(children)
    #expect(result.scratch.names(in: "") == ["results"])
    try await eventually("an agent is left") {
      let status = try await gateway.status()
      return status.warmCount == 0 && status.assignedCount == 0
    }
    await gateway.stop()
  }

  @Test(.wholeSuiteOnly) func releasesToAMuteGatewayShareTheirTimeWithAgentsToo() async throws {
    // One after another they would take longer in every run; a busy machine may be slow in some.
    var durations: [Duration] = []
    for _ in 1...3 {
      let duration = try await durationOfReleasesToAMuteGateway()
      if duration < .seconds(6) { return }
      durations.append(duration)
    }
    Issue.record("too long in every run: \(durations)")
  }

  /// From the signal to the end.
  private func durationOfReleasesToAMuteGateway() async throws -> Duration {
    let gateway = try await MockGateway.start(["--pool-size", "0", "--dialect", "lab"], warm: 0)
    let run = try await BenchRun.start(
      "bench-allocation",
      ["--gateway-url", gateway.url, "--agents", "3", "--count", "100", "--hold", "--timeout", "20s"])
    // The fourth waits for a warm task.
    try await run.waitForOutput("Run 3: ")
    gateway.child.signal(SIGSTOP)
    let begin = ContinuousClock.now
    run.running.child.signal(SIGINT)
    let result = await run.end()
    let duration = begin.duration(to: .now)
    gateway.child.signal(SIGCONT)
    await gateway.stop()
    #expect(result.status == .exited(130), "\(result.talk)")
    #expect(try result.document().notes.contains { $0.contains("could not be released") })
    return duration
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-e2e"]) func nothingOutlivesAKilledTool(_ tool: String)
    async throws
  {
    // A session lasts long enough to be seen.
    let command = try "'\(Tool(name: "session-stand-in").path)' --startup-delay 1s"
    let hasSessions = tool == "bench-e2e"
    let run = try await BenchRun.start(tool, Self.endless(tool) + (hasSessions ? ["--command", command] : []))
    try await run.waitForOutput("Run 2: ")
    let programs = ["mock-gateway", "warm-task"] + (hasSessions ? ["session-stand-in"] : [])
    let children = try await children(of: run, including: programs)
    run.running.child.signal(SIGKILL)
    #expect(await run.end().status == .signaled(SIGKILL))
    try await expectGone(children)
  }
}
