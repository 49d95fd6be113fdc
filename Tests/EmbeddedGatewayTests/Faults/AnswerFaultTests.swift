import FoundationEssentials
import Gateway
import TestSupport
import Testing
import Transport

/// Faults of answers, as a client meets them.
@Suite(.wholeSuiteOnly, .serialized, .timeLimit(.minutes(3))) struct AnswerFaultTests {
  private let user = #"{"userId":"a"}"#

  /// All that comes until the gateway closes, or within a second.
  private func received(_ connection: RawConnection) async throws -> (text: String, isClosed: Bool) {
    try await withThrowingTaskGroup(of: (String, Bool).self) { group in
      group.addTask { (await connection.end(), true) }
      group.addTask {
        try await Task.sleep(for: .seconds(1))
        connection.close()
        return ("", false)
      }
      let first = try await group.next() ?? ("", false)
      group.cancelAll()
      return (text: first.0, isClosed: first.1)
    }
  }

  /// A fault without work takes no task, and one with work does: its user never hears of it.
  @Test(arguments: ["answer-5xx", "answer-reset", "answer-half-close", "answer-truncated", "answer-invalid-json"])
  func spoiledAcquireTakesATaskOnlyWhereItsWorkIsDone(fault: String) async throws {
    try await FaultyGateway.with { gateway in
      for work in ["skipped", "done"] {
        try await gateway.warm(2)
        try await gateway.set("\(fault):on=acquire,count=1,work=\(work)")
        let connection = try await RawConnection.open(gateway.port)
        try await connection.request("POST", "/api/acquire", user)
        switch fault {
        case "answer-5xx":
          let answer = try await connection.answer()
          #expect(answer.status == 503 && answer.body.contains("injected fault"))
        case "answer-invalid-json":
          let answer = try await connection.answer()
          #expect(answer.status == 200)
          #expect(throws: (any Error).self) { try answer.json(AcquireAnswer.self) }
        case "answer-truncated":
          let (text, isClosed) = try await received(connection)
          #expect(isClosed)
          let parts = text.split(separator: "\r\n\r\n")
          #expect(parts.count == 2 && text.hasPrefix("HTTP/1.1 200"))
          let announced = parts[0].split(separator: "content-length: ").last?.prefix { $0.isNumber }.description
          #expect((announced.flatMap { Int($0) } ?? 0) > parts[1].utf8.count)
        default:
          let (text, isClosed) = try await received(connection)
          #expect(text.isEmpty && isClosed)
        }
        connection.close()
        // The next one on a new connection is served.
        #expect(try await gateway.acquire("b").success == true)
        let expected = work == "done" ? 3 : 1
        #expect(try await gateway.status().assignedCount == expected, "\(work)")
        #expect(try await gateway.report().injected(fault) == 1)
      }
    }
  }

  /// A half-closed connection is one whose other half the gateway still reads.
  @Test func halfClosedConnectionIsNotReset() async throws {
    let script = """
      import socket, sys, time
      s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
      s.sendall(b"GET /health HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n")
      assert s.recv(100) == b"", "an answer"
      for _ in range(3):
          s.sendall(b"GET /health HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n")
          time.sleep(0.05)
      s.settimeout(0.2)
      assert s.recv(100) == b"" and s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
      s.close()
      s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
      s.sendall(b"GET /api/status HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n")
      try:
          s.recv(100)
      except ConnectionResetError:
          print("reset")
      """
    try await FaultyGateway.with { gateway in
      try await gateway.set("answer-half-close:on=health; answer-reset:on=status")
      let result = try await Python.run(["-c", script, "\(gateway.port)"])
      #expect(result.status == 0 && result.output == "reset\n", "\(result.output)")
    }
  }

  @Test func slowAndStalledAnswersAreNeverEarly() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.warm(2)
      try await gateway.set("answer-slow:on=acquire,delay=300ms")
      var start = ContinuousClock.now
      #expect(try await gateway.acquire("a").success == true)
      #expect(ContinuousClock.now - start >= .milliseconds(300))
      // Other places answer at once: that they are not held shows in the counts.
      #expect(try await gateway.ask("GET", "/health").status == 200)
      #expect(try await gateway.report().injected == 1)

      start = ContinuousClock.now
      try await gateway.set("answer-stall:for=800ms")
      for path in ["/health", "/api/status", "/api/users"] { #expect(try await gateway.ask("GET", path).status == 200) }
      #expect(ContinuousClock.now - start >= .milliseconds(800))
      #expect(try await gateway.report().injected >= 1)
    }
  }

  @Test func oversizedAnswerIsValidAndAsLongAsItWasAskedFor() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.warm(2)
      try await gateway.set("answer-oversized:on=acquire,size=100KiB")
      let answer = try await gateway.ask("POST", "/api/acquire", user)
      #expect(answer.body.utf8.count == 100 << 10)
      #expect(try answer.json(AcquireAnswer.self).success == true)
    }
  }

  // MARK: The user's WebSocket

  @Test func handshakeIsRefusedResetOrHalfClosed() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.warm(2)
      for fault in ["answer-5xx:on=session,status=502", "answer-reset:on=session", "answer-half-close:on=session"] {
        try await gateway.set(fault)
        let error = await #expect(throws: WebSocketError.self) { try await gateway.socket("a") }
        if fault.hasPrefix("answer-5xx"), case .upgradeRefused(let refusal)? = error {
          #expect(refusal.response.status == 502)
        }
        #expect(try await gateway.report().injected == 1, "\(fault)")
        #expect(try await gateway.status().assignedCount == 0, "\(fault)")
      }
      _ = try await gateway.remove()
      let (socket, first) = try await gateway.session("a")
      #expect(first.type == "session_ready")
      await socket.close()
    }
  }

  @Test func firstMessageIsInvalidTruncatedOrTooLong() async throws {
    try await FaultyGateway.with { gateway in
      for fault in ["answer-invalid-json", "answer-truncated", "answer-oversized:size=2MiB"] {
        try await gateway.warm(2)
        let kind = fault.split(separator: ":")[0]
        let rest = fault.split(separator: ":").dropFirst().map { ",\($0)" }.joined()
        try await gateway.set("\(kind):on=session\(rest)")
        let socket = try await gateway.socket("a")
        if kind == "answer-invalid-json" {
          let text = try #require(try await socket.receive()).text
          #expect(throws: (any Error).self) { try JSONDecoder().decode(SessionMessage.self, from: Data(text.utf8)) }
        } else {
          await #expect(throws: WebSocketError.self) { _ = try await socket.receive() }
        }
        await socket.close()
        try await gateway.eventually("the task is not released") { try await gateway.status().assignedCount == 0 }
      }
    }
  }

  /// Lines of a stalled session come later, in their order, and none is lost.
  @Test func stalledSessionGetsItsLinesInOrder() async throws {
    try await FaultyGateway.with { gateway in
      try await gateway.warm(2)
      let (socket, _) = try await gateway.session("a")
      let start = ContinuousClock.now
      try await gateway.set("answer-stall:on=session,for=500ms")
      for number in 0..<20 { try await socket.send(text: "line \(number)") }
      for number in 0..<20 {
        let text = try #require(try await socket.receive()).text
        #expect(text.contains("line \(number)"), "\(text)")
      }
      #expect(ContinuousClock.now - start >= .milliseconds(500))
      await socket.close()
      try await gateway.set("answer-slow:on=session,delay=300ms")
      let begin = ContinuousClock.now
      let (slow, first) = try await gateway.session("b")
      #expect(first.type == "session_ready" && ContinuousClock.now - begin >= .milliseconds(300))
      await slow.close()
    }
  }

  @Test func productsAnswersSufferToo() async throws {
    try await FaultyGateway.with(FaultyGateway.twoVirtualTasks + ["--profile", "product"]) { gateway in
      try await gateway.set("answer-5xx:on=acquire,count=1,status=504")
      let request = #"{"userId":"a"}"#
      #expect(try await gateway.ask("POST", "/api/sessions", request).status == 504)
      try await gateway.set("answer-5xx:on=session,count=1")
      await #expect(throws: WebSocketError.self) { try await GatewayFixture.socket(gateway.port, "/?token=t") }
      let socket = try await GatewayFixture.socket(gateway.port, "/?token=t")
      await socket.close()
      #expect(try await gateway.report().injected == 1)
    }
  }
}
