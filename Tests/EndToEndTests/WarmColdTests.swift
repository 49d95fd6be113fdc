import Foundation
import ProcessControl
import Synchronization
import Testing

@testable import InfraBench

/// Gateways that don't say `source`: warm and cold are told apart by what the status shows.
@Suite(.serialized, .timeLimit(.minutes(2))) struct WarmColdTests {
  /// A gateway with `warm` warm tasks; what is acquired beyond them connected `late` seconds after the request.
  private func gateway(warm: Int, late: TimeInterval) async throws -> ScriptedGateway {
    let started = Date()
    let assigned = Counting()
    let acquired = Mutex(0)
    return try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status":
        let count = acquired.withLock { $0 }
        let tasks = (1...max(warm, count, 1)).prefix(max(warm, count)).map { number in
          let at = number <= warm ? started.addingTimeInterval(-60) : Date().addingTimeInterval(late)
          return #"{"taskId": "t\#(number)", "state": "ready", "connectedAt": "\#(GatewayDate.iso(at))"}"#
        }
        let counts = #""warmCount": \#(max(0, warm - count)), "assignedCount": \#(count)"#
        return .json("{\(counts), \"tasks\": [\(tasks.joined(separator: ","))]}")
      case "POST /api/acquire":
        let number = assigned.next()
        acquired.withLock { $0 = number }
        return .json(#"{"success": true, "taskId": "t\#(number)", "latency": 1}"#)
      default: return .json(#"{"success": true, "taskId": "x"}"#)
      }
    }
  }

  private func run(_ gateway: ScriptedGateway, users: Int, beyond: Int = 0) async throws -> ResultDocument {
    let result = try await BenchRun.run(
      "bench-concurrent",
      [
        "--gateway-url", gateway.url, "--concurrency", "\(users)", "--beyond", "\(beyond)", "--no-default-thresholds",
        "--timeout", "3s",
      ])
    await gateway.stop()
    let document = try result.passedDocument()
    let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("Run ") }
    #expect(lines.count == users + beyond)
    for origin in ["warm", "cold", "unclassified"] {
      #expect(document.counters[origin] == UInt64(lines.count { $0.hasSuffix("(\(origin))") }), "\(result.output)")
    }
    return document
  }

  @Test func enoughWarmTasksMakeAllOfABurstWarmAndNoneMakesItCold() async throws {
    let document = try await run(gateway(warm: 2, late: 5), users: 2, beyond: 2)
    #expect(document.counters["warm"] == 2 && document.counters["cold"] == 2)
    #expect(document.metrics["warm"]?.count == 2 && document.metrics["cold"]?.count == 2)
  }

  @Test func tooFewWarmTasksAreToldByWhenTheTasksConnected() async throws {
    let document = try await run(gateway(warm: 1, late: 5), users: 3)
    #expect(document.counters["warm"] == 1 && document.counters["cold"] == 2, "\(document.counters)")
    #expect(document.counters["unclassified"] == 0)
  }

  @Test func withinTheSecondOfTheRequestNobodyCanTell() async throws {
    let document = try await run(gateway(warm: 1, late: 0), users: 2)
    // The second may turn between the request and the look after it: then the task is cold.
    #expect(document.counters["warm"] == 1)
    let undecided = document.counters["unclassified"] ?? 0
    #expect(undecided + (document.counters["cold"] ?? 0) == 1)
    #expect(document.notes.contains { $0.contains("warm from cold") } == (undecided == 1))
  }
}
