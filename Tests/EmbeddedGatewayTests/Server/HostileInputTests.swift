import EmbeddedGateway
import Gateway
import Latency
import NIOCore
import TestSupport
import Testing
import Transport

/// Whatever a client sends, the gateway goes on serving others.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HostileInputTests {
  @Test func bodyBeyondTheLimitIsRefused() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let connection = try await gateway.connection()
      try await connection.request("POST", "/api/acquire", String(repeating: "x", count: 70_000))
      #expect(try await connection.answer().status == 413)
      #expect(await connection.end() == "")
      #expect(try await gateway.ask("GET", "/health").status == 200)
    }
  }

  @Test(arguments: ["POST /api/acquire", "GET /api/status", "GET /session/alice", "GET /internal/warm/agent-1"])
  func webPagesAreRefused(request: String) async throws {
    try await withGateway(PoolRules(targetSize: 1)) { gateway in
      try await gateway.warm(1)
      let upgrade =
        request.hasPrefix("GET /api")
        ? ""
        : "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
          + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      let body = #"{"userId":"alice"}"#
      let rest = request.hasPrefix("POST") ? "content-length: \(body.utf8.count)\r\n\r\n\(body)" : upgrade + "\r\n"
      let connection = try await gateway.connection()
      try await connection.send("\(request) HTTP/1.1\r\nhost: t\r\norigin: http://evil.example\r\n\(rest)".utf8)
      #expect(try await connection.answer().status == 403)
      let status = try await gateway.status()
      #expect(status.assignedCount == 0 && status.tasks?.count == 1)
    }
  }

  @Test func giantHeaderIsRefused() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let connection = try await gateway.connection()
      let header = "x-large: \(String(repeating: "x", count: 100_000))\r\n"
      try? await connection.request("GET", "/health", headers: header)
      #expect(await connection.end().hasPrefix("HTTP/1.1 400"))
      #expect(try await gateway.ask("GET", "/health").status == 200)
    }
  }

  @Test func manyHeadersAreRefused() async throws {
    try await withGateway(PoolRules(targetSize: 0)) { gateway in
      let connection = try await gateway.connection()
      let headers = (0..<500).map { "x-\($0): y\r\n" }.joined()
      try? await connection.request("GET", "/health", headers: headers)
      #expect(await connection.end().hasPrefix("HTTP/1.1 400"))
    }
  }

  @Test func connectionsBeyondTheLimitAreClosed() async throws {
    try await withGateway(PoolRules(targetSize: 0), configure: { $0.limits.connections = 2 }) { gateway in
      var connections: [RawConnection] = []
      for _ in 0..<2 {
        let connection = try await gateway.connection()
        try await connection.request("GET", "/health")
        #expect(try await connection.answer().status == 200)
        connections.append(connection)
      }
      let third = try await gateway.connection()
      #expect(await third.end() == "")
      connections[0].close()
      _ = await connections[0].end()
      try await gateway.eventually("never room again") { _ in true }
      try await connections[1].request("GET", "/health")
      #expect(try await connections[1].answer().status == 200)
    }
  }

  @Test(.wholeSuiteOnly) func silentConnectionIsClosedButNotOneThatWaits() async throws {
    try await withGateway(
      PoolRules(targetSize: 1), tasks: ScriptedTasks(.absent),
      configure: {
        $0.limits.idleTime = .milliseconds(2500)
        $0.coldStartTimeout = .milliseconds(7500)
      }
    ) { gateway in
      let silent = try await gateway.connection()
      let half = try await gateway.connection()
      try await half.send("POST /api/acq".utf8)
      let waiting = try await gateway.connection()
      try await waiting.request("POST", "/api/acquire", #"{"userId":"a"}"#)
      #expect(await silent.end() == "")
      #expect(await half.end() == "")
      #expect(try await waiting.answer().status == 503, "waits for its cold start's deadline, far beyond the idle time")
    }
  }

  @Test func halfClosedAndTruncatedRequestsLeaveNothingBehind() async throws {
    try await withGateway(PoolRules(targetSize: 1)) { gateway in
      try await gateway.warm(1)
      for text in ["POST /api/acquire HTTP/1.1\r\ncontent-length: 50\r\n\r\n{\"userId\"", "GET /hea", "\r\n"] {
        let connection = try await gateway.connection()
        try await connection.send(text.utf8)
        try await connection.channel.close(mode: .output).get()
        _ = await connection.end()
      }
      #expect(try await gateway.status().assignedCount == 0)
    }
  }

  @Test(arguments: 1...4)
  func randomBytesNeverStopTheGateway(seed: Int) async throws {
    try await withGateway { gateway in
      var random = SplitMix(state: UInt64(seed))
      let openings = [
        "", "GET /health HTTP/1.1\r\n", "POST /api/acquire HTTP/1.1\r\ncontent-length: 20\r\n\r\n",
        "GET /session/fuzz HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
          + "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET /internal/warm/fuzz HTTP/1.1\r\nhost: t\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
          + "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "POST / HTTP/1.1\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.ListTasks\r\ncontent-length: 8\r\n\r\n",
      ]
      for _ in 0..<60 {
        let connection = try await gateway.connection()
        let noise = (0..<random.below(600)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try? await connection.send(Array(openings[random.below(openings.count)].utf8) + noise)
        connection.close()
        _ = await connection.end()
      }
      let health = try await gateway.ask("GET", "/health")
      #expect(health.status == 200)
      try await gateway.eventually("the pool never came back") { $0.warmCount >= 2 && $0.assignedCount == 0 }
    }
  }
}
