import EmbeddedGateway
import Gateway
import Latency
import Testing
import Transport

/// The tasks' side, `/internal/warm/{taskId}`.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TaskSocketTests {
  @Test func bareGatewayServesFromTasksThatConnectByThemselves() async throws {
    try await withGateway(PoolRules(targetSize: 0), configure: { $0.dialect = .lab }) { gateway in
      let agent = try await gateway.socket("/internal/warm/agent-1")
      try await gateway.warm(1)
      async let message = agent.receive()
      let acquired = try await gateway.acquire("alice")
      #expect(acquired.taskId == "agent-1" && acquired.source == "warm")
      #expect(try await message?.text.contains("init_user_session") == true)
      _ = try await gateway.ask("POST", "/api/release", #"{"taskId":"agent-1"}"#)
      await #expect(throws: WebSocketError.closed(code: 1000, reason: "")) { _ = try await agent.receive() }
      try await gateway.eventually("the released agent stays") { $0.tasks?.isEmpty == true }
    }
  }

  @Test func deadWarmTaskIsReplaced() async throws {
    try await withGateway { gateway in
      try await gateway.warm(2)
      let victim = try #require(gateway.tasks.started.first)
      gateway.tasks.kill(victim)
      try await gateway.eventually("not replaced") { status in
        status.warmCount == 2 && status.tasks?.contains { $0.taskId == victim } == false
      }
    }
  }

  @Test func taskPastItsTimeToLiveIsReplaced() async throws {
    var rules = PoolRules(targetSize: 1)
    rules.timeToLive = .milliseconds(200)
    try await withGateway(rules) { gateway in
      try await gateway.eventually("not replaced") { _ in gateway.tasks.started.count >= 3 }
      #expect(gateway.tasks.runningCount <= 2)
    }
  }

  @Test func secondSocketOfATaskIsRefusedAndTheFirstLivesOn() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let first = try await gateway.socket("/internal/warm/agent-1")
      try await gateway.warm(1)
      await #expect { _ = try await gateway.socket("/internal/warm/agent-1") } throws: { error in
        (error as? WebSocketError)?.refusedStatus == 409
      }
      #expect(try await gateway.status().warmCount == 1)
      await first.close()
    }
  }

  @Test func idsInPathsAreChecked() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      for path in [
        "/internal/warm/..%2f", "/internal/warm/.a", "/session/..", "/session/" + String(repeating: "a", count: 10_000),
      ] {
        await #expect { _ = try await gateway.socket(path) } throws: { error in
          (error as? WebSocketError)?.refusedStatus == 400
        }
      }
      let status = try await gateway.status()
      #expect(status.tasks?.isEmpty == true)
    }
  }

  @Test func taskThatTalksNonsenseIsClosed() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let agent = try await gateway.socket("/internal/warm/agent-1")
      try await agent.send(text: "not json")
      await #expect(throws: WebSocketError.closed(code: 1008, reason: "")) { _ = try await agent.receive() }
      try await gateway.eventually("still there") { $0.tasks?.isEmpty == true }
    }
  }

  @Test func messageBeyondTheLimitClosesTheSocket() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let agent = try await gateway.socket("/internal/warm/agent-1")
      _ = try? await agent.send(text: String(repeating: "x", count: 400_000))
      try await gateway.eventually("still there") { $0.tasks?.isEmpty == true }
    }
  }
}

extension WebSocketError {
  /// The status of an answer that is no 101.
  fileprivate var refusedStatus: Int? {
    if case .upgradeRefused(let refusal) = self { refusal.response.status } else { nil }
  }
}
