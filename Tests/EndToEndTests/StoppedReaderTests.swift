import FoundationEssentials
import Glibc
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// Whoever reads a tool's output has stopped reading: the load goes on, and nothing is lost.
@Suite(.serialized, .timeLimit(.minutes(3))) struct StoppedReaderTests {
  private func gateway() async throws -> ScriptedGateway {
    try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: 5)
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
      default: .json(#"{"success": true}"#)
      }
    }
  }

  /// Starts `tool` with its output, or its talk, into `pipe`.
  private func start(
    _ arguments: [String], of tool: String = "bench-allocation", in scratch: Scratch, output: ProcessRequest.Stream,
    errors: ProcessRequest.Stream
  ) async throws -> ChildProcess {
    try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: try Tool(name: tool).path, arguments: arguments + BenchRun.anySpeed,
        environment: ProcessInfo.processInfo.environment.merging(["GATEWAY_URL": ""]) { $1 },
        workingDirectory: scratch.path, standardInput: .null, standardOutput: output, standardError: errors,
        diesWithParent: true))
  }

  @Test func theLoadGoesOnAndEveryLineComesInItsOrderWhenTheReaderReadsAgain() async throws {
    let gateway = try await gateway()
    let scratch = try Scratch()
    let pipe = try FullPipe()
    let child = try await start(
      ["--gateway-url", gateway.url, "--count", "20"], in: scratch, output: .descriptor(pipe.write), errors: .null)
    try await eventually("the load stands still") {
      gateway.requests.count { $0.line == "POST /api/release" } == 20
    }
    let text = await Task.detached { pipe.rest() }.value
    #expect(await child.waitForExit() == .exited(0))
    await gateway.stop()
    let runs = text.split(separator: "\n").filter { $0.hasPrefix("Run ") }.map { $0.prefix { $0 != ":" } }
    #expect(runs == (1...20).map { "Run \($0)" }, "\(text)")
    #expect(text.contains("verdict: pass"), "\(text)")
  }

  /// No start waits for a reader: the load comes to its end while the pipe is full all the time.
  @Test(arguments: ["bench-allocation", "bench-concurrent"]) func startsOnScheduleGoOnBehindAFullPipe(
    _ tool: String
  ) async throws {
    let gateway = try await gateway()
    let scratch = try Scratch()
    let pipe = try FullPipe()
    let child = try await start(
      ["--gateway-url", gateway.url, "--rate", "100/s", "--max-in-flight", "20", "--count", "100"], of: tool,
      in: scratch,
      output: .descriptor(pipe.write), errors: .null)
    try await eventually("the load stands still") {
      gateway.requests.count { $0.line == "POST /api/release" } == 100
    }
    #expect(child.exitStatus == nil)
    let begin = ContinuousClock.now
    try await Task.sleep(for: .seconds(1))
    let held = ContinuousClock.now - begin
    let text = await Task.detached { pipe.rest() }.value
    #expect(await child.waitForExit() == .exited(0))
    await gateway.stop()
    #expect(text.contains("verdict: pass"), "\(text)")
    let document = try document(in: scratch)
    #expect(document.counters["iterations"] == 100 && document.counters["errors"] == 0)
    // What was held up for a second is nothing that a start waited for.
    let latest = try #require(document.generator.scheduleLatenessP99Ms)
    #expect(.milliseconds(latest) < held, "\(latest) ms")
  }

  @Test(arguments: [true, false]) func aSignalledRunWritesItsDocumentAndEndsAllTheSame(isOutput: Bool) async throws {
    let gateway = try await gateway()
    let scratch = try Scratch()
    let pipe = try FullPipe()
    let full = ProcessRequest.Stream.descriptor(pipe.write)
    let child = try await start(
      ["--gateway-url", gateway.url, "--count", "10000", "--think-time", "20ms"], in: scratch,
      output: isOutput ? full : .null, errors: isOutput ? .null : full)
    try await eventually("the load stands still") {
      gateway.requests.count { $0.line == "POST /api/release" } >= 10
    }
    child.signal(SIGTERM)
    let killer = Task {
      guard (try? await Task.sleep(for: .seconds(40))) != nil else { return }
      child.signal(SIGKILL)
    }
    #expect(await child.waitForExit() == .exited(143))
    killer.cancel()
    await gateway.stop()
    #expect(try document(in: scratch).verdict == .interrupted)
  }

  private func document(in scratch: Scratch) throws -> ResultDocument {
    let day = try #require(scratch.names(in: "results")?.first)
    let file = try #require(scratch.names(in: "results/\(day)")?.first { $0.hasSuffix(".json") })
    let data = try #require(FileManager.default.contents(atPath: scratch("results/\(day)/\(file)")))
    return try ResultCoding.decode(String(decoding: data, as: UTF8.self), tools: .suite)
  }
}
