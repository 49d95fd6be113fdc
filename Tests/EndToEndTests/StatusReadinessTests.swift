import GatewayProtocol
import ProcessControl
import Synchronization
import Testing

@testable import InfraBench

/// Readiness as a gateway's status shows it, where nothing else does.
@Suite(.timeLimit(.minutes(2))) struct StatusReadinessTests {
  private static let second: UInt64 = 1_000_000_000

  private func status(_ task: String, _ state: String, user: String? = nil) -> StatusAnswer {
    StatusAnswer(warmCount: 0, assignedCount: 1, tasks: [TaskEntry(taskId: task, state: state, userId: user)])
  }

  @Test func whereUsersAreShownATaskIsReadyWithItsUser() {
    let readiness = StatusReadiness(patience: Self.second)
    var sight = StatusReadiness.Sight()
    var looks: [UInt64?] = []
    looks.append(readiness.look(status("t", "warm"), for: "t", at: 1, &sight))
    looks.append(readiness.look(status("t", "assigned"), for: "t", at: 2, &sight))
    looks.append(readiness.look(status("t", "assigned", user: "u"), for: "t", at: Self.second - 1, &sight))
    // From then on nothing less is enough.
    var other = StatusReadiness.Sight()
    looks.append(readiness.look(status("v", "assigned"), for: "v", at: Self.second, &other))
    looks.append(readiness.look(status("v", "assigned"), for: "v", at: 9 * Self.second, &other))
    #expect(looks == [nil, nil, Self.second - 1, nil, nil] && !readiness.hidesUsers)
  }

  @Test func whereUsersAreHiddenATaskIsReadyWhenItIsAssigned() {
    let readiness = StatusReadiness(patience: Self.second)
    var sight = StatusReadiness.Sight()
    var looks: [UInt64?] = []
    looks.append(readiness.look(status("other", "assigned"), for: "t", at: 1, &sight))
    looks.append(readiness.look(status("t", "warm"), for: "t", at: 2, &sight))
    looks.append(readiness.look(status("t", "assigned"), for: "t", at: 3, &sight))
    looks.append(readiness.look(status("t", "assigned"), for: "t", at: 2 + Self.second, &sight))
    looks.append(readiness.look(status("t", "assigned"), for: "t", at: 3 + Self.second, &sight))
    // It is known by now.
    var other = StatusReadiness.Sight()
    looks.append(readiness.look(status("v", "assigned"), for: "v", at: 5 * Self.second, &other))
    #expect(looks == [nil, nil, nil, nil, 3, 5 * Self.second] && readiness.hidesUsers)
  }

  /// A gateway that shows a task as assigned at once, and its user so many seconds later, or never.
  private func run(userAfter seconds: Double?) async throws -> ResultDocument {
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
      "bench-e2e", ["--gateway-url", gateway.url, "--count", "3", "--timeout", "20s"] + BenchRun.anySpeed)
    await gateway.stop()
    #expect(result.status == .exited(0), "\(result.talk)")
    return try result.document()
  }

  @Test func aGatewayThatHidesUsersIsMeasuredByTheAssignment() async throws {
    let document = try await run(userAfter: nil)
    #expect(document.metrics["ready"]?.count == 3 && document.counters["errors"] == 0, "\(document.errors)")
    #expect(document.notes.contains { $0.contains("status shows no users") }, "\(document.notes)")
  }

  @Test func aUserThatIsShownLaterIsWaitedFor() async throws {
    let document = try await run(userAfter: 0.3)
    #expect(document.metrics["ready"]?.count == 3 && document.metrics["ready"]?.min ?? 0 >= 299, "\(document.errors)")
    #expect(!document.notes.contains { $0.contains("status shows no users") }, "\(document.notes)")
  }
}
