import Gateway
import Glibc
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// A process that may have too few files open is no fault of what it measures.
@Suite(.serialized, .timeLimit(.minutes(2))) struct DescriptorLimitTests {
  /// With a limit that the tool cannot raise.
  private func run(_ tool: String, _ arguments: [String], limit: Int) async throws -> BenchResult {
    let scratch = try Scratch()
    let outcome = try await Tool(name: tool).run(
      arguments, environment: ["GATEWAY_URL": "", "GATEWAY_TOKEN": ""], in: scratch.path,
      through: ["/bin/sh", "-c", "ulimit -n \(limit); exec \"$@\"", "sh"], timeout: .seconds(60))
    return BenchResult(outcome: outcome, scratch: scratch)
  }

  @Test(
    arguments: [
      ("bench-allocation", ["--rate", "10/s", "--max-in-flight", "500", "--duration", "1s"], "564", 256),
      ("bench-concurrent", ["--concurrency", "200", "--beyond", "200"], "464", 256),
      ("bench-e2e", ["--concurrency", "200", "--count", "400"], "464", 256),
      ("bench-dirinit", ["--writers", "100", "--count", "100"], "864", 256),
      ("bench-exhaustion", ["--pool-size", "300"], "368", 256),
      ("bench-exhaustion", ["--pool-size", "300", "--drain-count", "250"], "318", 256),
      (
        "bench-exhaustion",
        ["--drain-by", "stop-tasks", "--region", "eu-west-1", "--service", "warm", "--confirm-stop", "warm"], "77", 76
      ),
      ("bench-api", ["--iterations", "1"], "66", 65),
    ])
  func aPlanThatNeedsMoreIsRefusedBeforeItBegins(
    tool: String, plan: [String], needed: String, limit: Int
  ) async throws {
    let result = try await run(tool, plan, limit: limit)
    #expect(result.status == .exited(1), "\(result.output)\(result.talk)")
    #expect(
      result.talk.contains(
        "error: this run needs about \(needed) open files and sockets, but this process may have \(limit)")
        && result.talk.contains("'ulimit -n \(needed)'"), "\(result.talk)")
    #expect(result.output.isEmpty && result.files().isEmpty)
  }

  /// How many users it takes is known when the pool is at rest.
  @Test func aRemotePoolThatIsTooLargeIsNotDrained() async throws {
    let gateway = try await ScriptedGateway { request in
      request.line == "GET /api/status" ? ScriptedGateway.status(warm: 300) : .json("{}", status: 500)
    }
    let result = try await run(
      "bench-exhaustion", ["--gateway-url", gateway.url, "--poll-interval", "100ms", "--force-poll-interval"],
      limit: 256)
    await gateway.stop()
    #expect(result.status == .exited(1), "\(result.output)\(result.talk)")
    #expect(result.talk.contains("this run needs about 368 open files and sockets"), "\(result.talk)")
    #expect(!gateway.requests.contains { $0.line == "POST /api/acquire" } && result.files().isEmpty)
  }

  /// What the tool has open is estimated; here it has more than any estimate before the limit is reached.
  @Test func runningOutInTheMiddleEndsTheRunAndIsNoErrorOfTheTarget() async throws {
    let gateway = try await MockGateway.start(
      ["--pool-size", "200", "--max-tasks", "400", "--virtual-tasks"], warm: 200)
    let scratch = try Scratch()
    // The launcher's own open files are inherited: 150 of a limit of 256.
    let outcome = try await Tool(name: "bench-concurrent").run(
      ["--gateway-url", gateway.url, "--concurrency", "180", "--bursts", "1", "--print", "json"],
      environment: ["GATEWAY_TOKEN": ""], in: scratch.path,
      through: [
        "/bin/bash", "-c", "for n in $(seq 10 160); do eval \"exec $n</dev/null\"; done; ulimit -n 256; exec \"$@\"",
        "sh",
      ], timeout: .seconds(60))
    await gateway.stop()
    let result = BenchResult(outcome: outcome, scratch: scratch)
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(
      result.talk.contains("error: the run was ended: this process may have only 256 files and sockets open")
        && result.talk.contains("'ulimit -n 512'"), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["errors"] == 0 && document.errors.isEmpty, "\(document.errors)")
    #expect(document.verdict == .error)
  }
}
