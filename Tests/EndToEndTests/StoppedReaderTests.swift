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

  /// Starts bench-allocation with its output, or its talk, into `pipe`.
  private func start(
    _ arguments: [String], in scratch: Scratch, output: ProcessRequest.Stream, errors: ProcessRequest.Stream
  ) async throws -> ChildProcess {
    try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: try Tool(name: "bench-allocation").path, arguments: arguments + BenchRun.anySpeed,
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
    let day = try #require(scratch.names(in: "results")?.first)
    let file = try #require(scratch.names(in: "results/\(day)")?.first { $0.hasSuffix(".json") })
    let data = try #require(FileManager.default.contents(atPath: scratch("results/\(day)/\(file)")))
    #expect(try ResultCoding.decode(String(decoding: data, as: UTF8.self), tools: .suite).verdict == .interrupted)
  }
}
