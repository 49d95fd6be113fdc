import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Runs whose pauses are as long as a server keeps idle connections, and longer.
@Suite(.serialized, .timeLimit(.minutes(2))) struct IdleRunTests {
  /// The gateway closes the connection when the second acquire has come over it.
  @Test func aRequestThatMeetsTheEndOfItsConnectionIsCountedAsThatAndNeverSentTwice() async throws {
    let acquires = Counting()
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": return ScriptedGateway.status(warm: 5)
      case "POST /api/acquire":
        let number = acquires.next()
        return number == 2 ? .last("") : .json(#"{"success": true, "taskId": "t\#(number)", "source": "warm"}"#)
      default: return .json(#"{"success": true}"#)
      }
    }
    let result = try await BenchRun.run(
      "bench-allocation",
      [
        "--gateway-url", gateway.url, "--count", "4", "--rate", "3/s", "--max-in-flight", "1", "--allow-saturated",
      ])
    await gateway.stop()
    #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
    let document = try result.document()
    let error = try #require(document.errors.first)
    #expect(document.errors.count == 1 && error.kind == "closed_idle" && error.count == 1, "\(document.errors)")
    #expect(error.example.contains("raise the keep-alive time-out"))
    #expect(gateway.requests.count { $0.line == "POST /api/acquire" } == 4)
    #expect(document.metrics["allocation"]?.count == 3)
  }

  @Test(
    .wholeSuiteOnly,
    .enabled(if: ForeignProxy.nginx != nil, "needs nginx: scripts/setup.sh peers"), arguments: ["1s", "1300ms"])
  func connectionsThatNginxHasClosedAreReplacedAndEveryRequestIsCountedOnce(_ pause: String) async throws {
    let gateway = try await MockGateway.start()
    let proxy = try await ForeignProxy.nginx(
      "keepalive_timeout 1s; location / { proxy_pass \(gateway.url); proxy_http_version 1.1; }")
    let result = try await BenchRun.run(
      "bench-allocation",
      ["--gateway-url", "http://127.0.0.1:\(proxy.port)", "--count", "4", "--think-time", pause] + BenchRun.anySpeed)
    let log = proxy.log
    proxy.stop()
    await gateway.stop()
    let document = try result.document()
    let lost = document.errors.reduce(0) { $0 + ($1.kind == "closed_idle" ? $1.count : 0) }
    #expect(document.errors.allSatisfy { $0.kind == "closed_idle" }, "\(document.errors)")
    #expect(log.count { $0.contains("POST /api/acquire") } == 4 - Int(lost))
    // After more than its second nginx has closed each of them, and nothing was lost.
    if pause == "1300ms" {
      #expect(lost == 0 && document.metrics["connect"]?.count == 4, "\(result.output)\(result.talk)")
    }
  }
}
