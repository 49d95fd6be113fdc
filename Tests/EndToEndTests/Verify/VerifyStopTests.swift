import FoundationEssentials
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// `--end stop-task` beside a gateway that is not this tool's: only tasks of the confirmed service are stopped.
@Suite(.serialized, .timeLimit(.minutes(3))) struct VerifyStopTests {
  private static let key = ["AKIAEXAMPLEOFTESTS", "secret-of-tests"]

  private struct Ready: Decodable {
    var cluster: String
    var service: String
    var region: String
  }

  /// Runs the check against a gateway whose own ECS endpoint is named as a remote one.
  private func run(service: (Ready) -> String) async throws -> BenchResult {
    let program = try "\(Tool(name: "session-stand-in").path) --verbs"
    let gateway = try await MockGateway.start(
      ["--pool-size", "3", "--command", program],
      environment: ["INFRABENCH_ECS_ACCESS_KEY_ID": Self.key[0], "INFRABENCH_ECS_SECRET_ACCESS_KEY": Self.key[1]])
    let ready = try JSONDecoder().decode(Ready.self, from: Data(gateway.readyLine.utf8))
    let name = service(ready)
    let result = try await BenchRun.run(
      "bench-verify",
      [
        "--gateway-url", gateway.url, "--check", "resume", "--end", "stop-task", "--ecs-endpoint-url", gateway.url,
        "--cluster", ready.cluster, "--service", name, "--confirm-stop", name, "--region", ready.region, "--format",
        "json", "--timeout", "10s",
      ],
      environment: ["AWS_ACCESS_KEY_ID": Self.key[0], "AWS_SECRET_ACCESS_KEY": Self.key[1]])
    await gateway.stop()
    return result
  }

  @Test func tasksOfTheConfirmedServiceAreStopped() async throws {
    let result = try await run { $0.service }
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let resume = try #require(try VerifyRunTests.checks(result)["resume"])
    #expect(resume.events.count { $0.what == "the task is stopped by ECS" } == 2)
  }

  @Test func aTaskOfAnotherServiceIsLeftAlone() async throws {
    let result = try await run { _ in "another-service" }
    #expect(result.status == .exited(1), "\(result.output)\(result.talk)")
    let resume = try #require(try VerifyRunTests.checks(result)["resume"])
    #expect(resume.verdict == .notTested)
    #expect(resume.reason?.contains("is not one of the service another-service, so it was not stopped") == true)
    #expect(!resume.events.contains { $0.what == "the task is stopped by ECS" })
  }
}
