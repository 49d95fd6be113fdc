import EmbeddedGateway
import FoundationEssentials
import Gateway
import Latency
import TestSupport
import Testing
import Transport

/// Whatever a client of the product's profile sends, the gateway goes on serving others.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ProductHostileTests {
  @Test func everyMistakeIsAnsweredAndTheSessionGoesOn() async throws {
    try await withProduct { gateway in
      let (client, _) = try await ProductClient.open(gateway)
      let deep = String(repeating: "[", count: 30_000)
      for (text, code) in [
        ("{", "INVALID_JSON"), (deep, "INVALID_JSON"), ("", "INVALID_JSON"), ("[]", "INVALID_MESSAGE"),
        (#"{"type":"message"}"#, "INVALID_MESSAGE"), (#"{"type":"no"}"#, "UNKNOWN_MESSAGE_TYPE"),
        (#"{"type":"answer_question","answer":"a"}"#, "NO_QUESTION"),
      ] {
        try await client.socket.send(text: text)
        #expect(try await client.next().error?.code == code)
      }
      try await client.send("ping")
      #expect(try await client.next().type == "pong")
      #expect(try await gateway.status().assignedCount == 0)
    }
  }

  /// Bytes of a whole frame of a client, masked with zeros.
  private func frame(_ opcode: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0x80 | opcode, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
  }

  /// The bytes of an upgrade.
  static func upgrade(_ target: String, _ headers: String = "") -> [UInt8] {
    Array(
      ("GET \(target) HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n").utf8)
  }

  @Test func binaryFrameAndFrameBeyondTheLimitCloseTheSocket() async throws {
    try await withProduct { gateway in
      let connection = try await gateway.connection()
      try await connection.send(Self.upgrade("/?token=t") + frame(2, [1, 2, 3]))
      let told = await connection.end()
      #expect(told.hasPrefix("HTTP/1.1 101") && told.contains("session_ready"))
      let (client, _) = try await ProductClient.open(gateway)
      client.socket.post(text: #"{"type":"message","message":"\#(String(repeating: "x", count: 65_536))"}"#)
      #expect(await client.closeCode() == 1009)
      #expect(try await gateway.ask("GET", "/health").status == 200)
    }
  }

  @Test(arguments: 1...4)
  func randomFramesNeverStopTheGateway(seed: Int) async throws {
    try await withProduct(profile: { $0.keepSessions = 0 }) { gateway in
      var random = SplitMix(state: UInt64(seed))
      let openings = [
        #"{"type":"message","message":"hi"}"#, #"{"type":"abort"}"#, #"{"type":"ping"}"#, "{", "[1]",
        #"{"type":"answer_question","answer":"a"}"#, #"{"type":"update_token","token":"n"}"#,
      ]
      for _ in 0..<40 {
        let connection = try await gateway.connection()
        var bytes = Self.upgrade("/?token=t")
        for _ in 0..<random.below(12) {
          var payload = Array(openings[random.below(openings.count)].utf8)
          if random.below(3) == 0 { payload[random.below(payload.count)] = UInt8(truncatingIfNeeded: random.next()) }
          bytes += frame([1, 1, 1, 2, 8, 9, 10, 0][random.below(8)], payload)
        }
        try? await connection.send(bytes)
        connection.close()
        _ = await connection.end()
      }
      #expect(try await gateway.ask("GET", "/health").status == 200)
      try await gateway.eventually("tasks are kept") { $0.assignedCount == 0 && $0.warmCount >= 1 }
    }
  }

  @Test(.wholeSuiteOnly) func clientThatReadsNothingIsNotAnsweredWithoutBound() async throws {
    try await withProduct { gateway in
      let (client, _) = try await ProductClient.open(gateway)
      let count = 20_000
      for _ in 0..<count { client.socket.post(text: #"{"type":"nothing that is known here"}"#) }
      for _ in 0..<count { #expect(try await client.next().error?.code == "UNKNOWN_MESSAGE_TYPE") }
    }
  }

  @Test(arguments: [
    ("/", 401, "UNAUTHORIZED"), ("/?token=", 401, "UNAUTHORIZED"), ("/?token=other", 401, "INVALID_TOKEN"),
    ("/?token=a%20b", 401, "INVALID_TOKEN"), ("/?token=%zz", 401, "UNAUTHORIZED"),
    ("/?token=good&session=unknown", 404, "SESSION_NOT_FOUND"),
  ])
  func upgradeIsRefused(target: String, status: Int, code: String) async throws {
    try await withProduct(profile: { $0.tokens.known = ["good": false] }) { gateway in
      let connection = try await gateway.connection()
      try await connection.send(Self.upgrade(target))
      let answer = try await connection.answer()
      #expect(answer.status == status && answer.body.contains(#""code":"\#(code)""#))
      #expect(await connection.end() == "")
    }
  }

  @Test func webPageAndPlainRequestAreRefused() async throws {
    try await withProduct { gateway in
      let page = try await gateway.connection()
      try await page.send(Self.upgrade("/?token=t", "origin: http://evil.example\r\n"))
      #expect(try await page.answer().status == 403)
      let plain = try await gateway.ask("GET", "/?token=t")
      #expect(plain.status == 426 && plain.headers["upgrade"] == "websocket")
    }
  }
}
