import EmbeddedGateway
import FoundationEssentials
import Gateway
import Latency
import Testing
import Transport

/// How long a client of the product's profile may stay, and how it comes back.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ProductConnectionTests {
  @Test func expiredTokenIsToldOnTheWebSocketAndANewOneKeepsTheSession() async throws {
    try await withProduct(profile: {
      $0.tokens.known = ["old": true, "new": false]
    }) { gateway in
      let (client, greeting) = try await ProductClient.open(gateway, token: "old")
      #expect(greeting.error?.code == "TOKEN_EXPIRED")
      #expect(await client.closeCode() == 4001)
      let (second, ready) = try await ProductClient.open(gateway, token: "new")
      #expect(ready.type == "session_ready")
      for (token, type) in [("old", "error"), ("other", "error"), ("new", "token_updated")] {
        try await second.send("update_token", #","token":"\#(token)""#)
        #expect(try await second.next().type == type, "\(token)")
      }
    }
  }

  @Test func tokenThatExpiresEndsTheSocketUnlessItIsRenewed() async throws {
    try await withProduct(profile: { $0.tokens.lifetime = .milliseconds(300) }) { gateway in
      let (idle, greeting) = try await ProductClient.open(gateway, token: "first")
      let (renewed, _) = try await ProductClient.open(gateway, token: "second")
      try await Task.sleep(for: .milliseconds(400))
      try await renewed.send("update_token", #","token":"third""#)
      #expect(try await renewed.next().type == "token_updated")
      try await renewed.say("hi")
      _ = try await renewed.until("finish")
      try await idle.say("hi")
      #expect(try await idle.next().error?.code == "TOKEN_EXPIRED")
      #expect(await idle.closeCode() == 4001)
      let (_, back) = try await ProductClient.open(gateway, token: "fourth", session: greeting.sessionId)
      #expect(back.type == "session_recovered")
    }
  }

  @Test func silentClientIsCutAndOneThatPingsIsNot() async throws {
    try await withProduct(profile: { $0.pingTimeout = .milliseconds(600) }) { gateway in
      let (silent, _) = try await ProductClient.open(gateway)
      let (pinging, _) = try await ProductClient.open(gateway)
      let pings = Task {
        for _ in 0..<10 {
          try await Task.sleep(for: .milliseconds(100))
          try await pinging.send("ping")
          guard try await pinging.next().type == "pong" else { return false }
        }
        return true
      }
      #expect(await silent.closeCode() == 4008)
      #expect(try await pings.value)
    }
  }

  @Test func idleConnectionIsCutWithoutAWord() async throws {
    try await withProduct(profile: { $0.idleTimeout = .milliseconds(300) }) { gateway in
      let connection = try await gateway.connection()
      try await connection.send(ProductHostileTests.upgrade("/?token=t"))
      let told = await connection.end()
      // The greeting is the last there is: no close frame (first byte 0x88) behind it.
      #expect(told.hasSuffix("}"))
      // Requests are none of the balancer's idle WebSockets.
      #expect(try await gateway.ask("GET", "/health").status == 200)
    }
  }

  @Test func clientComesBackToTheRestOfItsAnswer() async throws {
    try await withProduct { gateway in
      let (client, greeting) = try await ProductClient.open(gateway)
      try await client.say("please ask", conversation: "c")
      _ = try await client.until("ask_question")
      client.socket.abort()
      let (second, back) = try await ProductClient.open(gateway, session: greeting.sessionId)
      #expect(back.type == "session_recovered" && back.state == "asking" && back.sessionId == greeting.sessionId)
      #expect(try await second.next().question == "sure?")
      try await second.send("answer_question", #","answer":"yes""#)
      #expect(try await second.until("finish").compactMap(\.text) == ["answer_question"])
    }
  }

  @Test func taskOutlivesADeadSocketForItsTimeOnly() async throws {
    try await withProduct(profile: { $0.keepSessions = .milliseconds(500) }) { gateway in
      let (client, greeting) = try await ProductClient.open(gateway)
      try await client.say("hi")
      _ = try await client.until("finish")
      client.socket.abort()
      #expect(try await gateway.status().assignedCount == 1)
      try await gateway.eventually("never released") { $0.assignedCount == 0 }
      await #expect(throws: WebSocketError.self) {
        _ = try await ProductClient.open(gateway, session: greeting.sessionId)
      }
    }
  }

  @Test func secondSocketTakesTheSessionOver() async throws {
    try await withProduct { gateway in
      let (client, greeting) = try await ProductClient.open(gateway)
      let (second, back) = try await ProductClient.open(gateway, session: greeting.sessionId)
      #expect(back.type == "session_recovered")
      #expect(await client.closeCode() == 4009)
      try await second.say("hi")
      _ = try await second.until("finish")
    }
  }
}
