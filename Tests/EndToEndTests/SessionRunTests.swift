import NIOCore
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// bench-e2e through `/session/{userId}` of gateways whose programs are their own.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SessionRunTests {
  private func run(_ server: SessionServer, _ options: String...) async throws -> BenchResult {
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", server.url, "--no-default-thresholds", "--timeout", "5s"] + options)
    await server.stop()
    return result
  }

  @Test func whatAProgramSaysAtItsStartIsNoAnswer() async throws {
    let server = try await SessionServer(delay: .milliseconds(200)) { number in
      [SessionServer.ready("t\(number)"), "welcome", "version 1.0"]
    }
    let document = try await run(server, "--count", "2").passedDocument()
    #expect(document.metrics["first_response"]?.count == 2 && document.counters["failed_steps"] == 0)
    // The minimum is a bucket's lower end, up to 0.1 % below.
    #expect((document.metrics["first_response"]?.min ?? 0) >= 199)
  }

  @Test func anErrorAmongWhatIsSaidAtTheStartIsAFailedStep() async throws {
    let died = #"{"type": "error", "error": {"message": "gone", "code": "TASK_DIED"}}"#
    let server = try await SessionServer { [SessionServer.ready("t\($0)"), "welcome", died] }
    let document = try await run(server, "--count", "1").document()
    #expect(document.counters["failed_first_response"] == 1)
    #expect(document.errors.map(\.kind) == ["first_response: TASK_DIED"])
  }

  @Test func aRemoteProgramNeedNotEchoAndIsUnknown() async throws {
    let gateway = try await MockGateway.start(
      MockGateway.threeVirtualTasks + ["--command", "/bin/sh -c 'echo ready; while read line; do echo fine; done'"])
    let document = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", gateway.url, "--count", "2", "--no-default-thresholds"]
    ).passedDocument()
    #expect(document.metrics["end_to_end"]?.count == 2)
    #expect(document.parameters["command"] == .some(.null))
    await gateway.stop()
  }

  @Test func aTaskGoesBackWithItsSessionAndWithoutACall() async throws {
    let server = try await SessionServer { _ in [SessionServer.ready("the-only-one")] }
    let document = try await run(server, "--count", "3").passedDocument()
    #expect(document.counters["duplicate_assignments"] == 0 && document.metrics["end_to_end"]?.count == 3)
    #expect(!server.requests.contains("POST /api/release"), "\(server.requests)")
  }

  @Test func aTaskInTwoSessionsAtOnceIsADuplicate() async throws {
    let server = try await SessionServer(delay: .milliseconds(500)) { _ in [SessionServer.ready("the-only-one")] }
    let document = try await run(server, "--count", "2", "--concurrency", "2").document()
    #expect(document.counters["duplicate_assignments"] == 1)
    #expect(!server.requests.contains("POST /api/release"), "\(server.requests)")
  }

  @Test func coldStartsAreInNoWarmPhase() async throws {
    let server = try await SessionServer { [SessionServer.ready("t\($0)", source: $0 == 2 ? "cold" : "warm")] }
    let document = try await run(server, "--count", "3").passedDocument()
    #expect(document.counters["cold_starts"] == 1 && document.metrics["end_to_end_cold"]?.count == 1)
    for metric in ["end_to_end", "ready", "process_start", "first_response"] {
      #expect(document.metrics[metric]?.count == 2, "\(metric)")
    }
  }

  @Test func withoutTheGatewaysWordThePoolTells() async throws {
    let server = try await SessionServer { [SessionServer.ready("t\($0)", source: nil)] }
    let document = try await run(server, "--count", "3").passedDocument()
    #expect(document.metrics["end_to_end"]?.count == 3 && document.counters["unclassified"] == 0)
    #expect(server.requests.count { $0 == "GET /api/status" } == 3, "a look before every request")
  }

  @Test func coldAcquiresAreInNoWarmPhaseEither() async throws {
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status":
        .json(
          #"{"warmCount": 1, "assignedCount": 1, "tasks": [{"taskId": "t", "state": "assigned", "userId": "u"}]}"#)
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t", "source": "cold"}"#)
      case "POST /api/release": .json(#"{"success": true}"#)
      default: .json("{}", status: 404)
      }
    }
    let result = try await BenchRun.run("bench-e2e", ["--gateway-url", gateway.url, "--count", "2"])
    await gateway.stop()
    let document = try result.document()
    #expect(document.counters["cold_starts"] == 2 && document.counters["errors"] == 0, "\(document.errors)")
    #expect(document.metrics["ready"] == nil && document.metrics["acquire"] == nil)
  }
}
