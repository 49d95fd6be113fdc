import Foundation
import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

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

  @Test(.wholeSuiteOnly) func tooFewWarmTasksAreToldByWhenTheTasksConnected() async throws {
    let document = try await run(gateway(warm: 1, late: 5), users: 3)
    #expect(document.counters["warm"] == 1 && document.counters["cold"] == 2, "\(document.counters)")
    #expect(document.counters["unclassified"] == 0)
  }

  @Test(.wholeSuiteOnly) func benchAllocationTellsThemByWhenTheTasksConnectedToo() async throws {
    let gateway = try await gateway(warm: 1, late: 5)
    let result = try await BenchRun.run(
      "bench-allocation",
      ["--gateway-url", gateway.url, "--count", "3", "--hold", "--no-default-thresholds", "--timeout", "2s"])
    await gateway.stop()
    let document = try result.passedDocument()
    #expect(document.metrics["allocation"]?.count == 1 && document.counters["cold_starts"] == 2)
    #expect(document.counters["unclassified"] == 0, "\(result.output)")
  }

  @Test func waitingForAWarmTaskEndsWithTheRun() async throws {
    let gateway = try await ScriptedGateway { _ in ScriptedGateway.status(warm: 0) }
    let begin = ContinuousClock.now
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--duration", "300ms", "--timeout", "40s"])
    await gateway.stop()
    #expect(try result.document().counters["iterations"] == 0)
    #expect(begin.duration(to: .now) < .seconds(20))
  }

  @Test func aLoopThatHoldsItsTasksCountsThoseNobodyCanTell() async throws {
    let gateway = try await gateway(warm: 9, late: 0)
    let result = try await BenchRun.run(
      "bench-concurrent",
      ["--gateway-url", gateway.url, "--count", "4", "--concurrency", "1", "--hold", "--no-default-thresholds"])
    await gateway.stop()
    #expect(try result.passedDocument().counters["unclassified"] == 4)
  }

  @Test(.wholeSuiteOnly) func waitingForThePoolIsNotInTheDurationOfBursts() async throws {
    let warmAt = ContinuousClock.now + .seconds(5)
    let assigned = Counting()
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status": ScriptedGateway.status(warm: ContinuousClock.now < warmAt ? 0 : 2)
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t\#(assigned.next())", "source": "warm"}"#)
      default: .json(#"{"success": true}"#)
      }
    }
    let result = try await BenchRun.run(
      "bench-concurrent", ["--gateway-url", gateway.url, "--concurrency", "2", "--no-default-thresholds"])
    await gateway.stop()
    #expect(ContinuousClock.now >= warmAt)
    #expect(try result.passedDocument().durationSeconds < 3)
  }

  @Test func theGatewaysClosingOfConnectionsIsSetUpAndNoLateness() async throws {
    let body = #"{"warmCount": 2, "assignedCount": 0}"#
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status":
        .last("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t"}"#)
      default: .json(#"{"success": true}"#)
      }
    }
    let result = try await BenchRun.run(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "3", "--no-default-thresholds"])
    await gateway.stop()
    // One at first, and another after each status.
    #expect(try result.passedDocument().metrics["connect"]?.count == 4)
  }

  @Test(.wholeSuiteOnly) func withinTheSecondOfTheRequestNobodyCanTell() async throws {
    let document = try await run(gateway(warm: 1, late: 0), users: 2)
    // The second may turn between the request and the look after it: then the task is cold.
    #expect(document.counters["warm"] == 1)
    let undecided = document.counters["unclassified"] ?? 0
    #expect(undecided + (document.counters["cold"] ?? 0) == 1)
    #expect(document.notes.contains { $0.contains("warm from cold") } == (undecided == 1))
  }
}
