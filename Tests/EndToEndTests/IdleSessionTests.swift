import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Silent sessions beside a load: they live, or their death is seen.
@Suite(.serialized, .timeLimit(.minutes(3))) struct IdleSessionTests {
  private static let load = ["--rate", "5/s", "--duration", "6s"] + BenchRun.smallPool

  @Test func sessionsLiveThroughTheirSilences() async throws {
    let result = try await BenchRun.run(
      "bench-e2e", Self.load + ["--idle-sessions", "2", "--idle-gap", "1500ms", "--allow-saturated"])
    let document = try result.document()
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    #expect(document.counters["idle_sessions_opened"] == 2 && document.counters["idle_sessions_lost"] == 0)
    let messages = try #require(document.counters["idle_messages"])
    #expect(messages >= 2 && messages <= 10)
    #expect(document.parameters["idleGap"] == "1500ms" && document.parameters["idleSessions"] == 2)
    #expect(document.thresholds.contains { $0.expression == "idle_sessions_lost == 0" && $0.pass })
    // They are no iterations.
    #expect(document.counters["iterations"] == document.counters["dropped"].map { 30 - $0 })
  }

  /// haproxy cuts tunnels that are idle for a second, as balancers do after 60.
  @Test(.enabled(if: ForeignProxy.haproxy != nil, "needs haproxy: scripts/setup.sh peers"))
  func sessionsThatHaproxyCutsAreCountedWithTheirTime() async throws {
    let gateway = try await MockGateway.start(["--pool-size", "4"], warm: 4)
    let address = gateway.url.replacing("http://", with: "")
    let proxy = try await ForeignProxy.haproxy("timeout tunnel 1s\nserver one \(address)")
    let result = try await BenchRun.run(
      "bench-e2e",
      [
        "--gateway-url", "http://127.0.0.1:\(proxy.port)", "--rate", "5/s", "--duration", "6s", "--idle-sessions", "2",
        "--idle-gap", "3s", "--allow-saturated",
      ])
    proxy.stop()
    await gateway.stop()
    let document = try result.document()
    #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
    let lost = try #require(document.counters["idle_sessions_lost"])
    #expect(lost >= 2 && document.counters["idle_messages"] == 0)
    #expect(document.counters["idle_sessions_opened"] ?? 0 >= lost)
    #expect(document.counters["errors"] == 0, "\(document.errors)")
    guard case .array(let losses)? = document.findings?["idle_sessions_lost"], case .object(let first)? = losses.first
    else {
      Issue.record("no finding: \(String(describing: document.findings))")
      return
    }
    #expect(losses.count == Int(lost))
    #expect((first["silentSeconds"]?.number ?? 0) >= 0.9 && (first["silentSeconds"]?.number ?? 9) < 3)
    #expect(first["kind"]?.description.contains("hold: closed") == true, "\(first)")
    #expect(result.talk.contains("was lost after 1."), "\(result.talk)")
  }

}
