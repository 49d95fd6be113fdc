import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// Wrong usage is found before anything is started or written, and said all at once.
@Suite(.serialized, .timeLimit(.minutes(2))) struct WrongUsageTests {
  private static let common = [
    "--gateway-url", "ftp://x", "--header", "no colon", "--token-file", "/nonexistent/token", "--ca-file",
    "/nonexistent/ca", "--pool-size", "0", "--max-tasks", "many", "--task-start-delay", "5", "--agents", "-1",
    "--count", "0", "--duration", "10", "--concurrency", "0", "--warmup", "x", "--timeout", "1", "--user-id",
    "../../etc",
    "--seed", "1.5", "--threshold", "nonsense", "--threshold", "nothing.p99 < 1s", "--output-dir", "/dev/null/results",
    "--format", "json,xml", "--label", "two\nlines", "--print", "yaml",
  ]
  private static let own = [
    "bench-allocation": ["--wait-for", "later"],
    "bench-concurrent": ["--wait-for", "later", "--beyond", "x", "--bursts", "0"],
    "bench-e2e": ["--command", "'unclosed", "--message", "two\nlines"],
  ]

  @Test(arguments: ["bench-allocation", "bench-concurrent", "bench-e2e"])
  func everyWrongValueIsNamedAndNothingIsStartedOrWritten(_ tool: String) async throws {
    let arguments = Self.common + (Self.own[tool] ?? [])
    // The parser takes what begins with a dash for an option.
    let joined = stride(from: 0, to: arguments.count, by: 2).map { "\(arguments[$0])=\(arguments[$0 + 1])" }
    let result = try await BenchRun.run(tool, joined)
    #expect(result.status == .exited(64), "\(result.talk)")
    for option in Set(joined.compactMap { $0.split(separator: "=").first }) {
      #expect(result.talk.contains("error: \(option): "), "\(option) in \(result.talk)")
    }
    #expect(result.talk.contains("'nonsense'") && result.talk.contains("'nothing'"))
    #expect(result.output == "")
    #expect(result.scratch.names(in: "") == [])
  }

  @Test(arguments: [
    ("bench-allocation", ["--gateway-url", "http://user:secret@127.0.0.1:1"]),
    ("bench-allocation", ["--gateway-url", "http://127.0.0.1:1", "--pool-size", "3"]),
    ("bench-allocation", ["--gateway-url", "http://127.0.0.1:1", "--insecure"]),
    ("bench-allocation", ["--gateway-url", "https://127.0.0.1:1", "--insecure", "--ca-file", "/etc/passwd"]),
    ("bench-allocation", ["--agents", "2"]),
    ("bench-allocation", ["--pool-size", "5", "--max-tasks", "4"]),
    ("bench-allocation", ["--threshold", "allocation.p99 < 200"]),
    ("bench-allocation", ["--threshold", "allocation < 200ms"]),
    ("bench-allocation", ["--threshold", "warm.max < 200ms"]),
    ("bench-allocation", ["--header", "Authorization: a", "--header", "Host: b"]),
    ("bench-allocation", ["--user-id", ""]),
    ("bench-allocation", ["--user-id", String(repeating: "u", count: 10_000)]),
    ("bench-allocation", ["--no-such-option"]),
    ("bench-allocation", ["extra"]),
    ("bench-allocation", ["--rate", "10"]),
    ("bench-allocation", ["--precise"]),
    ("bench-e2e", ["--rate", "10/s", "--concurrency", "3"]),
    ("bench-concurrent", ["--think-time", "1s"]),
    ("bench-concurrent", ["--rate", "10/s", "--bursts", "3"]),
    ("bench-concurrent", ["--bursts", "2", "--duration", "5s"]),
    ("bench-concurrent", ["--beyond", "2", "--count", "5"]),
    ("bench-concurrent", ["--warmup", "3"]),
    ("bench-e2e", ["--gateway-url", "http://127.0.0.1:1", "--command", "optima headless"]),
    ("bench-e2e", ["--message", ""]),
  ])
  func whatMakesNoSenseIsRefused(tool: String, arguments: [String]) async throws {
    let result = try await BenchRun.run(tool, arguments)
    #expect(result.status == .exited(64), "\(result.talk)")
    #expect(!result.talk.contains("secret"))
    #expect(result.output == "" && result.scratch.names(in: "") == [])
  }

  @Test func wrongValuesOfTheEnvironmentAreBlamedOnIt() async throws {
    let result = try await BenchRun.run(
      "bench-allocation", [], environment: ["GATEWAY_URL": "nonsense", "GATEWAY_TOKEN": "se\u{1}cret"])
    #expect(result.status == .exited(64))
    #expect(result.talk.contains("error: GATEWAY_URL: ") && result.talk.contains("error: GATEWAY_TOKEN: "))
    #expect(!result.talk.contains("cret"))
  }

  private static let gateway = ["--gateway-url", "http://127.0.0.1:1"]

  @Test(arguments: [
    ("bench-api", []), ("bench-exhaustion", gateway),
    ("bench-e2e", gateway + ["--cold-by", "run-task", "--task-definition", "t"]),
    ("bench-concurrent", gateway + ["--cold-by", "run-task", "--task-definition", "t"]),
  ]) func wrongECSOptionsAreSaidAllAtOnce(tool: String, arguments: [String]) async throws {
    let wrong = [
      "--cluster", "a b;c", "--region", "eu west", "--profile", "../x", "--ecs-endpoint-url", "ftp://h", "--print", "x",
    ]
    let result = try await BenchRun.run(tool, arguments + wrong, environment: ScriptedECS.environment)
    #expect(result.status == .exited(64), "\(result.talk)")
    for option in ["--cluster", "--region", "--profile", "--ecs-endpoint-url", "--print"] {
      #expect(result.talk.contains("error: \(option): "), "\(option) in \(result.talk)")
    }
    #expect(result.output == "" && result.scratch.names(in: "") == [])
  }

  @Test func flagWinsOverTheEnvironment() async throws {
    let nobody = try await ScriptedGateway.urlOfNobody()
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", nobody, "--count", "1"], environment: ["GATEWAY_URL": "nonsense"])
    #expect(result.status == .exited(1))
    #expect(try result.document().target.gatewayUrl == nobody)
  }
}
