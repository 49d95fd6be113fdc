import EmbeddedGateway
import Gateway
import Latency
import Testing

/// Faults that are asked for, and the gateway's own composure.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FaultTests {
  private func plan(_ fault: AcquireFault, first: Int? = nil) -> FaultPlan {
    var plan = FaultPlan()
    plan.acquireFault = fault
    plan.firstAcquires = first
    return plan
  }

  @Test func planIsAPureFunctionOfSeedAndIndex() {
    var plan = plan(.mute)
    plan.probability = 0.3
    plan.seed = 7
    let hits = (0..<1000).filter { plan.fault(ofAcquire: $0) != nil }
    #expect((250...350).contains(hits.count))
    #expect(hits == (0..<1000).filter { plan.fault(ofAcquire: $0) != nil })
    plan.seed = 8
    #expect(hits != (0..<1000).filter { plan.fault(ofAcquire: $0) != nil })
    plan.probability = 1
    plan.firstAcquires = 2
    #expect((0..<5).map { plan.fault(ofAcquire: $0) } == [.mute, .mute, nil, nil, nil])
  }

  @Test func unavailableIsA503() async throws {
    try await withGateway(configure: { $0.faults = plan(.unavailable, first: 1) }) { gateway in
      let refused = try await gateway.ask("POST", "/api/acquire", #"{"userId":"a"}"#)
      #expect(refused.status == 503)
      let acquired = try await gateway.acquire("a")
      #expect(acquired.success == true)
    }
  }

  @Test func resetAndTruncateEndTheConnectionEarly() async throws {
    for fault in [AcquireFault.reset, .truncate] {
      try await withGateway(configure: { $0.faults = plan(fault) }) { gateway in
        let connection = try await gateway.connection()
        try await connection.request("POST", "/api/acquire", #"{"userId":"a"}"#)
        await #expect(throws: RawConnection.Closed.self) { _ = try await connection.answer() }
        #expect(await connection.end().contains("content-length: 200") == (fault == .truncate))
      }
    }
  }

  @Test func muteNeverAnswers() async throws {
    try await withGateway(configure: { $0.faults = plan(.mute) }) { gateway in
      let connection = try await gateway.connection()
      try await connection.request("POST", "/api/acquire", #"{"userId":"a"}"#)
      try await Task.sleep(for: .milliseconds(100))
      connection.close()
      #expect(await connection.end() == "")
      #expect(try await gateway.status().assignedCount == 0)
    }
  }

  @Test func rubbishIsNoJSONAndMissIsAMiss() async throws {
    try await withGateway(configure: { $0.faults = plan(.rubbish) }) { gateway in
      let answer = try await gateway.ask("POST", "/api/acquire", #"{"userId":"a"}"#)
      #expect(answer.status == 200)
      #expect(throws: (any Error).self) { try answer.json(AcquireAnswer.self) }
    }
    try await withGateway(configure: { $0.faults = plan(.miss) }) { gateway in
      try await gateway.warm(2)
      #expect(try await gateway.acquire("a").success == false)
    }
  }

  @Test func duplicateHandsOneTaskToTwoUsers() async throws {
    try await withGateway(configure: { $0.faults = plan(.duplicate) }) { gateway in
      let first = try await gateway.acquire("a")
      let second = try await gateway.acquire("b")
      #expect(first.task != nil && first.task == second.task && second.userId == "b")
    }
  }

  @Test func failingStartsAreRetriedUntilThePoolIsFull() async throws {
    var faults = FaultPlan()
    faults.failingStarts = 3
    var rules = PoolRules(targetSize: 2)
    rules.firstBackoff = .milliseconds(10)
    try await withGateway(rules, configure: { $0.faults = faults }) { gateway in
      try await gateway.warm(2)
      #expect(gateway.tasks.started.count == 2)
    }
  }

  @Test func delayedAnswerIsNeverEarly() async throws {
    var faults = FaultPlan()
    faults.acquireDelay = .milliseconds(5)
    try await withGateway(configure: { $0.faults = faults }) { gateway in
      try await gateway.warm(2)
      for _ in 0..<2 {
        let start = ContinuousClock.now
        let acquired = try await gateway.acquire("a")
        #expect(ContinuousClock.now - start >= .milliseconds(5))
        #expect(try #require(acquired.latency) >= 5)
      }
    }
  }
}
