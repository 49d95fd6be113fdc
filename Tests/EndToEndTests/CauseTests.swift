import AWSTestSupport
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// A run that fails by one cause names it on standard error, whatever goes to standard output.
@Suite(.timeLimit(.minutes(2))) struct CauseTests {
  @Test(arguments: ["text", "json"]) func aDeniedStopTaskIsNamed(print: String) async throws {
    let ecs = ScriptedECS(.init(denied: ["StopTask"]))
    let result = try await ecs.serve { url in
      try await BenchRun.run(
        "bench-exhaustion",
        [
          "--drain-by", "stop-tasks", "--ecs-endpoint-url", url, "--cluster", "pool", "--service", "warm",
          "--confirm-stop", "warm", "--poll-interval", "200ms", "--refill-timeout", "2s", "--print", print,
        ], environment: ScriptedECS.environment)
    }
    #expect(result.status == .exited(1) || result.status == .exited(99))
    #expect(
      result.talk.contains("AccessDeniedException") && result.talk.contains("allow the action ecs:StopTask"),
      "\(result.talk)")
  }

  @Test func aStartThatMayNotBeWatchedIsNamed() async throws {
    let task = "arn:aws:ecs:eu-west-1:123456789012:task/stage/t1"
    let server = try await ScriptedGateway { request in
      guard request.line == "POST /" else {
        return request.line == "GET /api/status"
          ? .json(#"{"warmCount": 0, "assignedCount": 0, "tasks": []}"#) : .json("{}", status: 404)
      }
      let started = #"{"taskArn": "\#(task)", "lastStatus": "PROVISIONING"}"#
      return switch request.head {
      case let head where head.contains(".RunTask"): .json(#"{"tasks": [\#(started)], "failures": []}"#)
      case let head where head.contains(".StopTask"): .json(#"{"task": \#(started)}"#)
      case let head where head.contains(".ListTasks"): .json(#"{"taskArns": []}"#)
      default:
        .json(
          #"{"__type": "AccessDeniedException", "message": "not authorized to perform: ecs:DescribeTasks"}"#,
          status: 400)
      }
    }
    let result = try await BenchRun.run(
      "bench-e2e",
      [
        "--gateway-url", server.url, "--ecs-endpoint-url", server.url, "--cluster", "stage", "--cold-by", "run-task",
        "--task-definition", "shell", "--count", "1", "--print", "json",
      ], environment: ScriptedECS.environment)
    await server.stop()
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(
      result.talk.contains("AccessDeniedException") && result.talk.contains("allow the action ecs:DescribeTasks"),
      "\(result.talk)")
  }

  @Test(arguments: ["bench-api", "bench-exhaustion"]) func aProxyThatRefusesIsNamed(tool: String) async throws {
    let environment = ScriptedECS.environment.merging(["AWS_REGION": "eu-west-1"]) { $1 }
    let result = try await HTTPTestServer.run { _ in
      .answer(status: 407)
    } _: { proxy in
      try await BenchRun.run(
        tool, ["--cluster", "pool", "--print", "json"] + (tool == "bench-api" ? [] : drain),
        environment: environment.merging(["HTTPS_PROXY": proxy.url, "https_proxy": proxy.url, "NO_PROXY": ""]) { $1 })
    }
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(
      result.talk.contains("the proxy of HTTPS_PROXY refuses to connect to this host, HTTP 407"), "\(result.talk)")
  }

  private let drain = ["--drain-by", "stop-tasks", "--service", "warm", "--confirm-stop", "warm"]
}
