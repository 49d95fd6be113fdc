import EmbeddedGateway
import FoundationEssentials
import Gateway
import Latency
import Testing

/// The REST side (spec/gateway-protocol.md, "REST").
@Suite(.serialized, .timeLimit(.minutes(2))) struct RESTTests {
  @Test func acquireAnswersInBothDialectsAtOnce() async throws {
    try await withGateway { gateway in
      try await gateway.warm(2)
      let answer = try await gateway.ask("POST", "/api/acquire", #"{"userId":"alice","sessionId":"s-1"}"#)
      #expect(answer.status == 200)
      #expect(answer.headers["content-type"] == "application/json")
      #expect(answer.headers["date"]?.hasSuffix("GMT") == true)
      let acquired = try answer.json(AcquireAnswer.self)
      let task = try #require(acquired.taskId)
      #expect(acquired.success == true && acquired.userId == "alice" && acquired.sessionId == "s-1")
      #expect(acquired.taskArn?.hasPrefix("arn:aws:ecs:") == true && acquired.taskArn?.hasSuffix("/" + task) == true)
      #expect(try #require(acquired.latency) >= 0)
      #expect(acquired.source == "warm" && acquired.breakdown == nil)
      let assigned = try await gateway.status().tasks?.first { $0.taskId == task }
      #expect(
        assigned?.state == "assigned" && assigned?.userId == "alice" && assigned?.assignedAt?.hasSuffix("Z") == true)
    }
  }

  @Test func waitingForReadyAddsTheBreakdown() async throws {
    try await withGateway { gateway in
      let acquired = try await gateway.acquire("alice", waitFor: "ready")
      let breakdown = try #require(acquired.breakdown)
      #expect(breakdown.workspaceMs == 1.5 && breakdown.processStartMs == 2.25)
      #expect(try #require(breakdown.initUserMs) != 999, "from init_user to the confirmation is the gateway's to say")
    }
  }

  @Test(arguments: [(GatewayConfiguration.Dialect.plan, "init_user"), (.lab, "init_user_session")])
  func tasksAreSpokenToInTheChosenDialect(dialect: GatewayConfiguration.Dialect, type: String) async throws {
    try await withGateway(configure: { $0.dialect = dialect }) { gateway in
      let acquired = try await gateway.acquire("alice", waitFor: "ready")
      #expect(acquired.success == true)
      let message = try #require(gateway.tasks.received.first)
      #expect(message.contains(#""type":"\#(type)""#) && message.contains(#""userId":"alice""#))
      #expect(message.contains(#""workspaceDir":"/nonexistent-workspace/dev/alice""#) == (dialect == .plan))
      #expect(message.contains(#""env":"dev""#) == (dialect == .lab))
    }
  }

  @Test func releasedTaskIsClosedAndReplaced() async throws {
    try await withGateway(PoolRules(targetSize: 1)) { gateway in
      try await gateway.warm(1)
      let task = try #require(try await gateway.acquire("alice").taskId)
      let released = try await gateway.ask("POST", "/api/release", #"{"taskId":"\#(task)"}"#)
      #expect(released.status == 200)
      #expect(try released.json(ReleaseAnswer.self) == ReleaseAnswer(success: true, taskId: task))
      try await gateway.warm(1)
      #expect(try await gateway.status().tasks?.contains { $0.taskId == task } == false)
      let again = try await gateway.ask("POST", "/api/release", #"{"taskId":"\#(task)"}"#)
      #expect(again.status == 404)
    }
  }

  @Test func emptyPoolWithoutColdStartsIsAMissWithStatus200() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let answer = try await gateway.ask("POST", "/api/acquire", #"{"userId":"alice"}"#)
      #expect(answer.status == 200)
      #expect(
        try answer.json(AcquireAnswer.self)
          == AcquireAnswer(success: false, error: "No warm tasks available", warmCount: 0))
    }
  }

  @Test func emptyPoolWaitsForAColdStart() async throws {
    try await withGateway(.onlyColdStarts, configure: { $0.taskStartDelay = .milliseconds(100) }) { gateway in
      let acquired = try await gateway.acquire("alice")
      #expect(acquired.success == true && acquired.source == "cold")
      #expect(try #require(acquired.latency) >= 100)
    }
  }

  @Test(arguments: [TaskScript.refusing, .dyingOnInit, .failing])
  func failureIsToldToWhoeverWaits(script: TaskScript) async throws {
    try await withGateway(PoolRules(targetSize: 1, maxSize: 1), tasks: ScriptedTasks(script)) { gateway in
      let answer = try await gateway.ask("POST", "/api/acquire", #"{"userId":"alice","waitFor":"ready"}"#)
      #expect(answer.status == 503)
      let failed = try answer.json(AcquireAnswer.self)
      #expect(failed.success == false && failed.code == "TASK_START_FAILED" && failed.error != nil)
    }
  }

  @Test(arguments: [TaskScript.silent, .absent])
  func nobodyWaitsBeyondTheDeadline(script: TaskScript) async throws {
    try await withGateway(
      .onlyColdStarts, tasks: ScriptedTasks(script), configure: { $0.coldStartTimeout = .milliseconds(300) }
    ) { gateway in
      let failed = try await gateway.acquire("alice", waitFor: "ready")
      #expect(failed.success == false && failed.code == "TASK_START_FAILED")
    }
  }

  /// Looking again for every status would block the gateway's only loop.
  @Test func workspaceIsLookedForOnceAtTheStart() async throws {
    let root = "/tmp/embedded-gateway-tests-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    try await withGateway(PoolRules(targetSize: 0), configure: { $0.workspaceRoot = root }) { gateway in
      #expect(try await gateway.status().efsMounted == true)
      try FileManager.default.createDirectory(atPath: "\(root)/dev/alice", withIntermediateDirectories: true)
      #expect(try await gateway.ask("GET", "/api/users").json(UsersAnswer.self).users == ["alice"])
      try FileManager.default.removeItem(atPath: root)
      #expect(try await gateway.status().efsMounted == true)
      #expect(try await gateway.ask("GET", "/api/users").json(UsersAnswer.self).users == [])
    }
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let status = try await gateway.status()
      #expect(status.efsMounted == false)
    }
  }

  @Test func clientThatLeavesWhileItWaitsConsumesNoTask() async throws {
    try await withGateway(.onlyColdStarts, configure: { $0.taskStartDelay = .seconds(5) }) { gateway in
      let impatient = try await gateway.connection()
      try await impatient.request("POST", "/api/acquire", #"{"userId":"gone"}"#)
      try await gateway.eventually("never started") { $0.tasks?.count == 1 }
      impatient.close()
      // Nobody else wants it.
      try await gateway.eventually("the task is kept") { $0.tasks?.isEmpty == true && $0.assignedCount == 0 }
    }
  }

  @Test(arguments: [
    ("{}", 400), ("", 400), ("[]", 400), (#"{"userId":""}"#, 400), (#"{"userId":"../../etc"}"#, 400),
    (#"{"userId":".hidden"}"#, 400), (#"{"userId":"a b"}"#, 400), (#"{"userId":7}"#, 400),
    (#"{"userId":"alice","waitFor":"never"}"#, 400), (#"{"userId":"alice","unknown":{"x":1}}"#, 200),
  ])
  func wrongAcquiresAreRefusedUnknownFieldsAreNot(body: String, status: Int) async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let answer = try await gateway.ask("POST", "/api/acquire", body)
      #expect(answer.status == status)
      if status == 400 { #expect(try answer.json(ReleaseAnswer.self).success == false) }
    }
  }

  @Test(arguments: [
    ("GET", "/", 405), ("POST", "/", 404), ("GET", "/api/acquire", 405), ("POST", "/health", 405),
    ("GET", "/api/nothing", 404), ("GET", "/session/alice", 426), ("GET", "/session/..%2f..%2fetc", 400),
    ("GET", "/session/", 400), ("GET", "/internal/warm/.x", 400), ("GET", "/health?verbose=1", 200),
    ("GET", "/api/users", 200), ("PROPFIND", "/api/status", 405),
  ])
  func pathsAndMethods(method: String, path: String, status: Int) async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let answer = try await gateway.ask(method, path, method == "POST" ? "{}" : nil)
      #expect(answer.status == status)
    }
  }

  @Test func connectionIsKeptAndPipelinedRequestsAreAnsweredInOrder() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let connection = try await gateway.connection()
      let requests = (0..<20).map {
        "GET \($0.isMultiple(of: 2) ? "/health" : "/api/users") HTTP/1.1\r\nhost: t\r\n\r\n"
      }
      try await connection.send(requests.joined().utf8)
      for index in 0..<20 {
        let answer = try await connection.answer()
        #expect(answer.status == 200 && answer.body.contains(index.isMultiple(of: 2) ? "ok" : "users"))
      }
      try await connection.request("GET", "/health", headers: "connection: close\r\n")
      #expect(try await connection.answer().headers["connection"] == "close")
      #expect(await connection.end() == "")
    }
  }

  @Test func neverMoreUsersThanTasksAndNoTaskTwice() async throws {
    try await withGateway(PoolRules(targetSize: 5, maxSize: 10, maxTasks: 40)) { gateway in
      let tasks = try await withThrowingTaskGroup(of: String?.self) { group in
        for user in 0..<30 { group.addTask { try await gateway.acquire("user-\(user)", waitFor: "ready").task } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(tasks.count == 30 && Set(tasks.compactMap { $0 }).count == 30)
      #expect(try await gateway.status().assignedCount == 30)
    }
  }
}
