import AWS
import FoundationEssentials
import Gateway
import Testing
import Transport

@testable import EmbeddedGateway

/// The pool as ECS sees it.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FleetTests {
  private func ledger(keeping kept: Int = 10) -> ECSTaskHistory {
    ECSTaskHistory(
      service: FleetService(
        clusterName: "c", name: "s", family: "f", deploymentID: "ecs-svc/1", desiredCount: 2, createdAt: 0),
      startDelay: 10, stoppedTasksKept: kept)
  }

  @Test func startDelayIsProvisioningThenPending() throws {
    var ledger = ledger()
    ledger.requested("t", at: 100)
    #expect(ledger.task("t", at: 104)?.lastStatus == .provisioning)
    let pending = try #require(ledger.task("t", at: 106))
    #expect(pending.lastStatus == .pending && pending.createdAt == 105 && pending.startedAt == nil)
    ledger.running("t", at: 111)
    let running = try #require(ledger.task("t", at: 112))
    #expect(running.lastStatus == .running && running.createdAt == 105 && running.startedAt == 111)
    #expect(running.group == "service:s" && running.startedBy == "ecs-svc/1")
    #expect(ledger.service(desiredCount: 2, at: 112).runningCount == 1)
  }

  @Test func stoppedTasksAreRememberedForAWhile() {
    var ledger = ledger(keeping: 2)
    for id in ["a", "b", "c", "d"] {
      ledger.requested(id, at: 1)
      ledger.running(id, at: 2)
    }
    ledger.stopping("a", reason: "drain", at: 3)
    #expect(ledger.task("a", at: 3)?.lastStatus == .stopping && ledger.task("a", at: 3)?.desiredStatus == .stopped)
    for id in ["a", "b", "c"] { ledger.ended(id, reason: "gone", at: 4) }
    #expect(ledger.tasks(at: 5).map(\.taskID) == ["b", "c", "d"])
    #expect(ledger.task("b", at: 5)?.stoppedReason == "gone")
    ledger.running("b", at: 6)
    #expect(ledger.task("b", at: 7)?.lastStatus == .stopped)
  }

  /// A request signed as the suite signs it.
  private func call(
    _ operation: String, _ body: String, on gateway: GatewayFixture, with credentials: AWSCredentials
  ) async throws -> RawConnection.Answer {
    let host = "127.0.0.1:\(gateway.port)"
    var request = SignableRequest(
      method: "POST",
      headers: [
        ("Content-Type", "application/x-amz-json-1.1"), ("Host", host),
        ("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.\(operation)"),
      ], body: Array(body.utf8))
    let signer = RequestSigner(credentials: credentials, region: "us-east-1", service: "ecs")
    request.headers += signer.sign(request, at: SigningDate(epochSeconds: Int64(WallClock.now()))).addedHeaders
    let connection = try await gateway.connection()
    defer { connection.close() }
    let lines = request.headers.map { "\($0.name): \($0.value)\r\n" }.joined()
    try await connection.send("POST / HTTP/1.1\r\n\(lines)content-length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    return try await connection.answer()
  }

  private struct TaskList: Decodable { let taskArns: [String] }

  @Test func poolIsListedAndDrainedOverTheWire() async throws {
    let key = AWSCredentials.generated()
    try await withGateway(configure: { $0.ecsCredentials = key }) { gateway in
      try await gateway.warm(2)
      let query = #"{"cluster":"embedded","serviceName":"warm-pool","desiredStatus":"RUNNING"}"#
      let answer = try await call("ListTasks", query, on: gateway, with: key)
      #expect(answer.status == 200 && answer.headers["content-type"] == "application/x-amz-json-1.1")
      let before = try answer.json(TaskList.self).taskArns
      #expect(Set(before.compactMap { $0.split(separator: "/").last.map(String.init) }) == Set(gateway.tasks.started))
      let victim = try #require(before.first)
      let stopped = try await call("StopTask", #"{"cluster":"embedded","task":"\#(victim)"}"#, on: gateway, with: key)
      #expect(stopped.status == 200)
      try await gateway.eventually("not replaced") { _ in gateway.tasks.started.count == 3 }
      try await gateway.warm(2)
      let after = try await call("ListTasks", query, on: gateway, with: key).json(TaskList.self).taskArns
      #expect(after.count == 2 && !after.contains(victim))
    }
  }

  @Test func targetBeyondThePoolsSizeIsRefusedAndNothingChanges() async throws {
    let key = AWSCredentials.generated()
    try await withGateway(
      PoolRules(targetSize: 2, maxSize: 4, maxTasks: 8), configure: { $0.ecsCredentials = key }
    ) { gateway in
      try await gateway.warm(2)
      func update(_ count: Int) async throws -> RawConnection.Answer {
        try await call(
          "UpdateService", #"{"cluster":"embedded","service":"warm-pool","desiredCount":\#(count)}"#, on: gateway,
          with: key)
      }
      let refused = try await update(5)
      #expect(refused.status == 400 && refused.body.contains("InvalidParameterException"))
      #expect(try await gateway.status().warmCount == 2 && gateway.tasks.started.count == 2)
      #expect(try await update(4).status == 200)
      try await gateway.warm(4)
    }
  }

  @Test func taskThatIsNotTheFleetsCannotBeStopped() async throws {
    let key = AWSCredentials.generated()
    try await withGateway(PoolRules(targetSize: 0), configure: { $0.ecsCredentials = key }) { gateway in
      let agent = try await gateway.socket("/internal/warm/agent-1")
      try await gateway.warm(1)
      let answer = try await call("StopTask", #"{"cluster":"embedded","task":"agent-1"}"#, on: gateway, with: key)
      #expect(answer.status == 400 && answer.body.contains("InvalidParameterException"))
      #expect(try await gateway.status().warmCount == 1)
      agent.abort()
    }
  }

  @Test func wrongKeyIsRefused() async throws {
    try await withGateway { gateway in
      let answer = try await call("ListTasks", "{}", on: gateway, with: .generated())
      #expect(answer.status == 400 && answer.body.contains("Exception"))
    }
  }
}
