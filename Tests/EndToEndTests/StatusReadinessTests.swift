import Gateway
import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Readiness as a gateway's status shows it, where nothing else does.
@Suite(.timeLimit(.minutes(2))) struct StatusReadinessTests {
  /// A gateway that shows a task as assigned at once, and its user that long later, or never.
  private func run(userAfter seconds: Double?, timeout: String) async throws -> BenchResult {
    let acquired = Mutex<ContinuousClock.Instant?>(nil)
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status":
        let at = acquired.withLock { $0 }
        let isShown = at.map { at in seconds.map { at.duration(to: .now) > .seconds($0) } ?? false } ?? false
        let user = isShown ? #", "userId": "u""# : ""
        let task = at == nil ? "" : #", {"taskId": "t", "state": "assigned"\#(user)}"#
        return .json(
          #"{"warmCount": 1, "assignedCount": 1, "tasks": [{"taskId": "w", "state": "warm"}\#(task)]}"#)
      case "POST /api/acquire":
        acquired.withLock { $0 = .now }
        return .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
      case "POST /api/release":
        acquired.withLock { $0 = nil }
        return .json(#"{"success": true}"#)
      default: return .json("{}", status: 404)
      }
    }
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", gateway.url, "--count", "2", "--timeout", timeout] + BenchRun.anySpeed)
    await gateway.stop()
    return result
  }

  @Test(.wholeSuiteOnly) func aGatewayThatHidesUsersShowsNoReadiness() async throws {
    let result = try await run(userAfter: nil, timeout: "1s")
    #expect(result.status == .exited(1), "\(result.talk)")
    let document = try result.document()
    #expect(document.metrics["ready"] == nil && document.counters["errors"] == 2)
    #expect(document.errors.first?.example.contains("no user of any task") == true, "\(document.errors)")
  }

  @Test(.wholeSuiteOnly, arguments: [0.3, 1.5]) func aUserThatIsShownLaterIsWaitedFor(_ seconds: Double) async throws {
    let result = try await run(userAfter: seconds, timeout: "20s")
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(document.metrics["ready"]?.count == 2, "\(document.errors)")
    #expect(document.metrics["ready"]?.min ?? 0 >= seconds * 1000 - 1)
  }
}
