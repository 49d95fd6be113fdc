import EmbeddedGateway
import FoundationEssentials
import Gateway
import Latency
import Synchronization
import Testing
import Transport

/// The users' side, `/session/{userId}`.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SessionTests {
  private func next(_ socket: WebSocketConnection) async throws -> String {
    try #require(try await socket.receive()).text
  }

  private func message(_ socket: WebSocketConnection) async throws -> SessionMessage {
    try JSONDecoder().decode(SessionMessage.self, from: Data(try await next(socket).utf8))
  }

  @Test func sessionBecomesReadyAndBridgesLinesBothWays() async throws {
    try await withGateway { gateway in
      try await gateway.warm(2)
      let user = try await gateway.socket("/session/alice")
      let ready = try await message(user)
      #expect(ready.type == "session_ready" && ready.source == "warm" && ready.taskId != nil)
      let breakdown = try #require(ready.breakdown)
      #expect(breakdown.acquireMs != nil && breakdown.initUserMs != nil && breakdown.workspaceMs == 1.5)
      for line in ["hello", "a \u{00e4} \"quoted\" \\ line", ""] {
        try await user.send(text: line)
        #expect(try await next(user) == line + "!")
      }
      await user.close()
    }
  }

  @Test func linesSentBeforeReadyArriveInOrder() async throws {
    try await withGateway(.onlyColdStarts, configure: { $0.taskStartDelay = .milliseconds(200) }) { gateway in
      let user = try await gateway.socket("/session/alice")
      for number in 0..<5 { try await user.send(text: "line \(number)") }
      #expect(try await message(user).source == "cold")
      for number in 0..<5 { #expect(try await next(user) == "line \(number)!") }
    }
  }

  /// The longest line an agent passes on, each byte of which JSON writes as six.
  @Test func longestLineOfATasksProgramReachesTheUser() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let agent = try await gateway.socket("/internal/warm/agent-1")
      try await gateway.warm(1)
      let user = try await gateway.socket("/session/alice")
      _ = try await next(agent)
      try await agent.send(text: #"{"type":"ready"}"#)
      #expect(try await message(user).type == "session_ready")
      let line = String(repeating: "\u{1}", count: 65_536)
      let output = try JSONEncoder().encode(TaskToGateway(type: "user_output", line: line))
      #expect(output.count > 6 * 65_536)
      try await agent.send(text: String(decoding: output, as: UTF8.self))
      #expect(try await next(user) == line)
      agent.abort()
    }
  }

  @Test func piecesOfALineAreOneMessageAndAnErrorMayComeBehindAnUnfinishedOne() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let agent = try await gateway.socket("/internal/warm/agent-1")
      try await gateway.warm(1)
      let user = try await gateway.socket("/session/alice")
      _ = try await next(agent)
      try await agent.send(text: #"{"type":"ready"}"#)
      #expect(try await message(user).type == "session_ready")
      for text in ["a", "b"] { try await agent.send(text: #"{"type":"user_output","line":"\#(text)","goesOn":true}"#) }
      try await agent.send(text: #"{"type":"user_output","line":"c"}"#)
      #expect(try await next(user) == "abc")
      try await agent.send(text: #"{"type":"user_output","line":"d","goesOn":true}"#)
      try await user.send(text: "two\nlines")
      #expect(try await next(user) == "d")
      #expect(try await message(user).error?.code == "INVALID_LINE")
      agent.abort()
    }
  }

  @Test func messageOfAUserBeyondTheLimitClosesTheSocket() async throws {
    try await withGateway(PoolRules(targetSize: 1)) { gateway in
      let user = try await gateway.socket("/session/alice")
      #expect(try await message(user).type == "session_ready")
      try await user.send(text: String(repeating: "x", count: 65_537))
      await #expect(throws: WebSocketError.closed(code: 1009, reason: "")) { _ = try await user.receive() }
    }
  }

  @Test(arguments: ["a\nb", "a\r", "\r\n", "\n"])
  func lineEndInAMessageIsRefused(text: String) async throws {
    try await withGateway(PoolRules(targetSize: 1)) { gateway in
      let user = try await gateway.socket("/session/alice")
      #expect(try await message(user).type == "session_ready")
      try await user.send(text: text)
      #expect(try await message(user).error?.code == "INVALID_LINE")
    }
  }

  @Test func userWhoLeavesReleasesTheTask() async throws {
    try await withGateway(PoolRules(targetSize: 1)) { gateway in
      let user = try await gateway.socket("/session/alice")
      let task = try #require(try await message(user).taskId)
      await user.close()
      try await gateway.eventually("not released") { status in
        status.assignedCount == 0 && status.warmCount >= 1 && status.tasks?.contains { $0.taskId == task } == false
      }
    }
  }

  @Test func userWhoLeavesWhileWaitingConsumesNoTask() async throws {
    try await withGateway(.onlyColdStarts, configure: { $0.taskStartDelay = .milliseconds(500) }) { gateway in
      let user = try await gateway.socket("/session/alice")
      try await gateway.eventually("never started") { $0.tasks?.count == 1 }
      user.abort()
      // Nobody else wants it.
      try await gateway.eventually("the task is kept") { $0.tasks?.isEmpty == true && $0.assignedCount == 0 }
    }
  }

  @Test(arguments: [
    (TaskScript.refusing, "TASK_START_FAILED"), (.dyingOnInit, "TASK_START_FAILED"), (.failing, "TASK_START_FAILED"),
    (.silent, "TASK_START_FAILED"),
  ])
  func failureIsToldAndTheSocketClosed(script: TaskScript, code: String) async throws {
    try await withGateway(
      .onlyColdStarts, tasks: ScriptedTasks(script),
      configure: { $0.coldStartTimeout = .seconds(2) }
    ) { gateway in
      let user = try await gateway.socket("/session/alice")
      let failure = try await message(user)
      #expect(failure.type == "error" && failure.error?.code == code && failure.error?.message.isEmpty == false)
      await #expect(throws: WebSocketError.closed(code: 1000, reason: "")) { _ = try await user.receive() }
    }
  }

  @Test func missIsToldWhenColdStartsAreOff() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let user = try await gateway.socket("/session/alice")
      #expect(try await message(user).error?.code == "NO_WARM_TASK")
    }
  }

  @Test func deathOfTheTaskEndsTheSessionWithAReason() async throws {
    try await withGateway(PoolRules(targetSize: 1)) { gateway in
      let user = try await gateway.socket("/session/alice")
      let task = try #require(try await message(user).taskId)
      gateway.tasks.kill(task)
      #expect(try await message(user).error?.code == "TASK_DIED")
    }
  }

  @Test func userWhoFloodsBeforeReadyIsCutOff() async throws {
    try await withGateway(tasks: ScriptedTasks(.absent)) { gateway in
      let user = try await gateway.socket("/session/alice")
      for _ in 0..<20 { user.post(text: String(repeating: "x", count: 10_000)) }
      #expect(try await message(user).error?.code == "INPUT_TOO_EARLY")
    }
  }

  @Test func lifecycleIsLoggedAsOneObjectALine() async throws {
    let lines = Mutex<[String]>([])
    try await withGateway(
      PoolRules(targetSize: 1), configure: { $0.lifecycleSink = { line in lines.withLock { $0.append(line) } } }
    ) { gateway in
      let user = try await gateway.socket("/session/alice")
      _ = try await message(user)
      try await user.send(text: "x")
      _ = try await next(user)
      await user.close()
      try await gateway.eventually("not released") { $0.assignedCount == 0 }
    }
    struct Line: Decodable {
      let event, phase: String
      let duration_ms: Double?
      let userId, taskArn, processingState, reason: String?
      let success: Bool?
      let breakdown: InitBreakdown?
    }
    let events = try lines.withLock { $0 }.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(events.allSatisfy { $0.event == "task_lifecycle" })
    let phases = Set(events.map(\.phase))
    #expect(
      phases == [
        "session_create", "task_start", "task_pending", "task_connect", "task_ready", "task_restart", "ws_disconnect",
        "message_roundtrip",
      ])
    for event in events {
      #expect((event.duration_ms == nil) == (event.phase == "ws_disconnect"), "\(event.phase)")
    }
    #expect(events.first { $0.phase == "task_ready" }?.breakdown?.workspaceMs == 1.5)
    #expect(events.first { $0.phase == "task_restart" }?.success == true)
    #expect(events.first { $0.phase == "ws_disconnect" }?.processingState == "idle")
  }
}
