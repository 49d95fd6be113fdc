import EmbeddedGateway
import FoundationEssentials
import Gateway
import Latency
import Testing
import Transport

/// The WebSocket of the product's profile, over tasks that are scripted.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ProductSocketTests {
  @Test func messageGetsATaskAndAStreamedAnswer() async throws {
    try await withProduct { gateway in
      try await gateway.warm(1)
      let (client, greeting) = try await ProductClient.open(gateway)
      #expect(greeting.type == "session_ready" && greeting.sessionId?.utf8.count == 32)
      #expect(try await gateway.status().assignedCount == 0, "a task before the first message")
      try await client.say("one two", conversation: "c1")
      let first = try await client.until("finish")
      #expect(first.map(\.type) == ["progress", "thinking", "text_delta", "text_delta", "finish"])
      #expect(first[0].stage == "task_ready" && first[0].source == "warm" && first[0].sessionId == greeting.sessionId)
      let entry = try await gateway.status().tasks?.first { $0.state == "assigned" }
      #expect(entry?.taskId == first[0].taskId)
      #expect(first.compactMap(\.text) == ["one", "two"])
      #expect(first.dropFirst().allSatisfy { $0.conversation_id == "c1" })
      #expect(first.last?.reason == "end_turn" && first.last?.usage == .init(input_tokens: 1, output_tokens: 2))
      try await client.say("again")
      #expect(try await client.until("finish").map(\.type) == ["thinking", "text_delta", "finish"])
      await client.socket.close()
      try await gateway.eventually("not released") { $0.assignedCount == 0 }
    }
  }

  @Test func messagesWaitForAColdStartAndAreAnsweredInOrder() async throws {
    try await withProduct(.onlyColdStarts, configure: { $0.taskStartDelay = .milliseconds(200) }) { gateway in
      let (client, _) = try await ProductClient.open(gateway)
      for number in 0..<5 { try await client.say("m\(number)", conversation: "c\(number)") }
      let all = try await client.until("finish")
      #expect(all.first?.source == "cold")
      var (texts, conversations) = (
        all.compactMap(\.text), all.compactMap { $0.type == "finish" ? $0.conversation_id : nil }
      )
      for _ in 1..<5 {
        let more = try await client.until("finish")
        texts += more.compactMap(\.text)
        conversations += more.compactMap { $0.type == "finish" ? $0.conversation_id : nil }
      }
      #expect(texts == (0..<5).map { "m\($0)" } && conversations == (0..<5).map { "c\($0)" })
    }
  }

  @Test func answerIsAbortedAndAQuestionAnswered() async throws {
    try await withProduct { gateway in
      let (client, _) = try await ProductClient.open(gateway)
      try await client.say("words hang")
      _ = try await client.until("text_delta")
      try await client.send("abort")
      #expect(try await client.until("finish").last?.reason == "aborted")
      try await client.say("please ask")
      #expect(try await client.until("ask_question").last?.question == "sure?")
      try await client.send("answer_question", #","answer":"yes""#)
      #expect(try await client.until("finish").last?.reason == "end_turn")
    }
  }

  @Test func sessionOfRESTIsJoinedAndEndedByREST() async throws {
    struct Made: Decodable { let id: String }
    try await withProduct { gateway in
      let connection = try await gateway.connection()
      try await connection.request("POST", "/api/sessions", headers: "authorization: Bearer t\r\n")
      let id = try await connection.answer().json(Made.self).id
      let (client, greeting) = try await ProductClient.open(gateway, session: id)
      #expect(greeting.type == "session_ready" && greeting.sessionId == id)
      try await client.say("hi")
      _ = try await client.until("finish")
      await client.socket.close()
      #expect(try await gateway.status().assignedCount == 1, "what REST has made REST ends")
      let (second, _) = try await ProductClient.open(gateway, session: id)
      try await connection.request("DELETE", "/api/sessions/\(id)", headers: "authorization: Bearer t\r\n")
      #expect(try await connection.answer().status == 204)
      #expect(try await second.next().error?.code == "SESSION_DELETED")
      #expect(await second.closeCode() == 1000)
      try await gateway.eventually("never released") { $0.assignedCount == 0 }
    }
  }

  @Test func startThatFailsIsToldForEachMessageAndTheNextOneTriesAgain() async throws {
    let tasks = ScriptedTasks(.failing)
    var rules = PoolRules.onlyColdStarts
    rules.firstBackoff = .milliseconds(1)
    rules.longestBackoff = .milliseconds(2)
    try await withProduct(rules, tasks: tasks, configure: { $0.coldStartTimeout = .seconds(5) }) { gateway in
      let (client, _) = try await ProductClient.open(gateway)
      try await client.say("a", conversation: "c1")
      let failure = try await client.next()
      #expect(failure.error?.code == "TASK_RESTART_FAILED" && failure.conversation_id == "c1")
      tasks.setScript(.answering)
      try await client.say("b")
      #expect(try await client.until("finish").first?.source == "cold")
    }
  }

  @Test func poolThatStartsNothingFailsTheMessage() async throws {
    try await withProduct(PoolRules(targetSize: 0)) { gateway in
      let (client, _) = try await ProductClient.open(gateway)
      try await client.say("a")
      #expect(try await client.next().error?.code == "TASK_RESTART_FAILED")
    }
  }

  @Test func deathOfTheTaskFailsItsAnswerAndTheNextMessageGetsANewOne() async throws {
    try await withProduct { gateway in
      let (client, _) = try await ProductClient.open(gateway)
      try await client.say("words hang")
      let task = try #require(try await client.until("progress").last?.taskId)
      _ = try await client.until("text_delta")
      gateway.tasks.kill(task)
      var said = try await client.next()
      while said.type == "text_delta" { said = try await client.next() }
      #expect(said.error?.code == "TASK_DIED")
      try await client.say("more")
      let next = try await client.until("finish")
      #expect(next.first?.taskId != nil && next.first?.taskId != task)
    }
  }

  @Test func endOfTheGatewayIsTold() async throws {
    let open = try await withStoppedProduct()
    for client in open {
      var code: String?
      while code == nil { code = try await client.next().error?.code }
      #expect(code == "GATEWAY_STOPPING")
    }
  }

  /// A client with a task and one without, after their gateway's end.
  private func withStoppedProduct() async throws -> [ProductClient] {
    var clients: [ProductClient] = []
    try await withProduct { gateway in
      let (busy, _) = try await ProductClient.open(gateway)
      try await busy.say("hang")
      _ = try await busy.until("text_delta")
      clients = [busy, try await ProductClient.open(gateway).client]
    }
    return clients
  }
}
