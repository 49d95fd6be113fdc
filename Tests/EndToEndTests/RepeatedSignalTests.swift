import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Signals as `timeout`, CI runners and closed terminals send them: doubled, to whole groups, to everything at once.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RepeatedSignalTests {
  /// A run that holds tasks of a remote gateway.
  private func holding(_ gateway: MockGateway) async throws -> BenchRun {
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "100", "--hold"])
    try await run.waitForOutput("Run 3: ")
    return run
  }

  private func expectOrderly(_ result: BenchResult, code: Int32, _ location: SourceLocation = #_sourceLocation) throws {
    #expect(result.status == .exited(code), "\(result.talk)", sourceLocation: location)
    let document = try result.document()
    #expect(document.verdict == .interrupted, sourceLocation: location)
    #expect(document.counters["unreleased"] == 0, "\(document.notes)", sourceLocation: location)
    #expect(document.counters["errors"] == 0, "\(document.errors)", sourceLocation: location)
  }

  private static let pairs: [(first: Int32, second: Int32, code: Int32)] = [
    (SIGINT, SIGTERM, 130), (SIGTERM, SIGTERM, 143), (SIGHUP, SIGTERM, 129),
  ]
  private static let ends: [(signal: Int32, code: Int32)] = [
    (SIGHUP, 129), (SIGINT, 130), (SIGQUIT, 131), (SIGTERM, 143),
  ]

  @Test(arguments: pairs) func aSignalRepeatedWithinASecondIsTheSameOne(first: Int32, second: Int32, code: Int32)
    async throws
  {
    let gateway = try await MockGateway.start()
    let run = try await holding(gateway)
    run.running.child.signal(first)
    run.running.child.signalGroup(second)
    let result = await run.end()
    // Of two that come at one time either may be seen first.
    try expectOrderly(result, code: result.status == .exited(128 + second) ? 128 + second : code)
    #expect(try await gateway.status().assignedCount == 0)
    await gateway.stop()
  }

  @Test(.wholeSuiteOnly) func theDocumentIsWrittenBeforeAnythingIsGivenBack() async throws {
    let results = Mutex<String?>(nil)
    let wasWritten = Mutex<Bool?>(nil)
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": return ScriptedGateway.status(warm: 3)
      case "POST /api/acquire": return .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
      case "POST /api/release":
        let path = results.withLock { $0 } ?? ""
        let day = (try? FileManager.default.contentsOfDirectory(atPath: path))?.first ?? ""
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(day)")) ?? []
        wasWritten.withLock { $0 = $0 ?? files.contains { $0.hasSuffix(".json") } }
        // Nothing that comes later can be waited for.
        return .silence
      default: return .json("{}", status: 404)
      }
    }
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "2", "--hold", "--think-time", "1h"])
    results.withLock { $0 = run.scratch("results") }
    try await run.waitForOutput("Run 1: ")
    run.running.child.signal(SIGINT)
    let result = await run.end()
    await gateway.stop()
    #expect(wasWritten.withLock { $0 } == true)
    #expect(result.status == .exited(130), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .interrupted && document.counters["unreleased"] == 1, "\(document.counters)")
    #expect(document.notes.contains { $0.contains("could not be released") }, "\(document.notes)")
  }

  @Test(.wholeSuiteOnly, arguments: ["bench-allocation", "bench-e2e"])
  func aSignalToEveryProcessOfTheRunLetsTheReleasesBeDone(_ tool: String) async throws {
    let run = try await BenchRun.start(
      tool, ["--count", "100", "--think-time", "50ms"] + (tool == "bench-e2e" ? [] : ["--hold"]))
    try await run.waitForOutput("Run 3: ")
    for process in ProcessEntry.descendants(of: run.running.child.pid) { kill(process.pid, SIGTERM) }
    run.running.child.signal(SIGTERM)
    try expectOrderly(await run.end(), code: 143)
  }

  /// SIGHUP under `nohup`, SIGINT and SIGQUIT in a script's background job.
  @Test(.wholeSuiteOnly, arguments: [SIGHUP, SIGINT, SIGQUIT])
  func aSignalThatWasIgnoredAtTheStartStaysIgnored(signal: Int32) async throws {
    let scratch = try Scratch()
    let gateway = try await MockGateway.start()
    let running = try await Tool(name: "bench-allocation").start(
      ["--gateway-url", gateway.url, "--count", "8", "--think-time", "100ms"] + BenchRun.anySpeed,
      environment: ["GATEWAY_URL": ""], in: scratch.path,
      through: ["/bin/sh", "-c", "trap '' HUP INT QUIT; exec \"$@\"", "sh"])
    try await eventually("no run") { running.standardOutputSoFar.contains("Run 2: ") }
    running.child.signal(signal)
    let outcome = await running.end()
    await gateway.stop()
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("Run 8: "))
  }

  @Test(.wholeSuiteOnly) func aSecondQuitEndsAtOnceAndNothingIsDumped() async throws {
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 3)
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
      default: .silence
      }
    }
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "2", "--hold", "--think-time", "1h"])
    try await run.waitForOutput("Run 1: ")
    run.running.child.signal(SIGQUIT)
    try await eventually("no release") { gateway.requests.contains { $0.line == "POST /api/release" } }
    // Within a second it would be the same one.
    try await Task.sleep(for: .milliseconds(1100))
    let begin = ContinuousClock.now
    run.running.child.signal(SIGQUIT)
    let result = await run.end()
    await gateway.stop()
    #expect(result.status == .exited(131), "\(result.talk)")
    #expect(begin.duration(to: .now) < .seconds(2))
    #expect(!result.talk.contains("Backtrace") && result.talk.utf8.count < 1500, "\(result.talk)")
    #expect(try result.document().verdict == .interrupted)
  }

  @Test(arguments: ends) func theServersEndBySignalsToo(signal: Int32, code: Int32) async throws {
    for name in ["mock-gateway", "known-delay-server"] {
      let scratch = try Scratch()
      let running = try await Tool(name: name).start(
        ["--port", "0"], environment: ["TMPDIR": scratch.path], in: scratch.path)
      try await eventually("\(name) does not serve") { running.standardOutputSoFar.contains("\n") }
      running.child.signal(signal)
      running.child.signal(signal)
      let outcome = await running.end()
      #expect(outcome.status == .exited(code), "\(name): \(outcome.standardError)")
      #expect(!outcome.standardError.contains("Backtrace"))
      // Its workspaces are gone.
      #expect(scratch.names(in: "") == [])
    }
    let gateway = try await MockGateway.start(["--pool-size", "0", "--dialect", "lab"], warm: 0)
    let scratch = try Scratch()
    let task = try await Tool(name: "warm-task").start(["--gateway-url", gateway.url, "--inline"], in: scratch.path)
    try await eventually("never warm") { try await gateway.status().warmCount == 1 }
    task.child.signal(signal)
    #expect(await task.end().status == .exited(code))
    await gateway.stop()
  }
}
