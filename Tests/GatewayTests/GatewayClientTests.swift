import Foundation
import Gateway
import Latency
import TestSupport
import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct GatewayClientTests {
  static let loops = LoopGroup()

  static func client(
    _ port: Int, headers: [(name: String, value: String)] = [], basePath: String = "",
    timeout: Nanoseconds = .seconds(20), watchesTask: Bool = true
  ) -> GatewayClient {
    let endpoint = Endpoint(host: "127.0.0.1", port: port, basePath: basePath)
    return GatewayClient(
      to: endpoint, requests: GatewayRequests(to: endpoint, headers: headers), tls: nil, on: loops.executor(forUser: 0),
      timeout: timeout, watchesTask: watchesTask)
  }

  /// What comes of one acquire that is answered with `body`.
  private func outcome(_ body: String, status: Int = 200) async throws -> AcquireOutcome {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(body, status: status)] }
    let outcome = await Self.client(server.port).acquire(userID: "user")
    await server.stop()
    return outcome
  }

  private func failure(_ outcome: AcquireOutcome) -> GatewayError? {
    if case .failed(let error, _) = outcome { return error }
    return nil
  }

  @Test func cookiesOfTheVisitsWebSocketGoWithItsCalls() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(#"{"success": true}"#)] }
    let client = Self.client(server.port, basePath: "/base")
    client.keep(setCookies: ["node=b; Path=/", "own=1", "elsewhere=1; Path=/other"], from: "/session/u")
    _ = try await client.release("t").get()
    client.beginVisit()
    _ = try await client.release("t").get()
    client.close()
    let cookies = server.requests.map { request in
      request.head.split(separator: "\r\n").filter { $0.hasPrefix("Cookie: ") }
    }
    #expect(cookies == [["Cookie: node=b"], []])
    await server.stop()
  }

  @Test(arguments: [
    (#"{"taskArn": "arn:aws:ecs:eu-west-1:1:task/cluster/abc", "latency": 45}"#, "abc"),
    (#"{"taskArn": "abc"}"#, "abc"), (#"{"taskArn": "a/b/"}"#, "b"),
    (#"{"success": true, "taskId": "t-1", "userId": "u", "sessionId": null, "latency": 1.5}"#, "t-1"),
    (#"{"taskId": "t", "taskArn": "x/y", "source": "warm", "unknown": {"deep": [1]}}"#, "t"),
    (#"{"taskId": "", "taskArn": "x/y"}"#, "y"), (#"{"taskId": "\u0000\"\\"}"#, "\u{0}\"\\"),
  ])
  func bothDialectsNameTheTask(_ body: String, _ task: String) async throws {
    guard case .assigned(let assigned) = try await outcome(body) else {
      Issue.record("not assigned")
      return
    }
    #expect(assigned.task.name == task)
  }

  @Test(arguments: [
    #"{"success": false, "error": "No warm tasks available", "warmCount": 0}"#, #"{"success": false, "warmCount": 0}"#,
    #"{"success": false, "error": "no warm task"}"#,
  ])
  func theLabsMissIsNoFailure(_ body: String) async throws {
    guard case .miss = try await outcome(body) else {
      Issue.record("no miss")
      return
    }
  }

  @Test(arguments: [
    (200, #"{"success": false, "error": "user is banned", "warmCount": 3}"#, "refused"),
    (200, #"{"success": false, "code": "TASK_START_FAILED"}"#, "refused"), (200, #"{"success": false}"#, "refused"),
    (503, #"{"success": false, "error": "No warm tasks available", "warmCount": 0}"#, "http_503"),
    (400, #"{"success": false, "error": "userId"}"#, "http_400"), (500, "", "http_500"), (302, "", "http_302"),
    (200, "", "invalid_json"), (200, "{", "invalid_json"), (200, "[]", "invalid_json"), (200, "null", "invalid_json"),
    (200, "<html>", "invalid_json"), (200, "{}", "invalid_json"), (200, #"{"success": true}"#, "invalid_json"),
    (200, #"{"taskArn": ""}"#, "invalid_json"), (200, #"{"taskArn": "///"}"#, "invalid_json"),
    (200, #"{"taskId": 7.5}"#, "invalid_json"), (200, #"{"success": false, "warmCount": 1e99}"#, "refused"),
    (200, "\u{fffd}\u{0}", "invalid_json"),
    (200, String(repeating: "[", count: 100_000), "invalid_json"),
  ])
  func everythingElseIsAFailureOfItsKind(_ status: Int, _ body: String, _ kind: String) async throws {
    let error = try #require(failure(try await outcome(body, status: status)))
    #expect(error.kind.rawValue == kind)
  }

  @Test(arguments: [
    (200, "{\"success\": false, \"error\": \"\\u001b[31mred\\nline\\u0000\\u009b\"}"), (500, "\u{1b}[2J\r\nX\u{7f}"),
    (200, "\u{1b}]0;title\u{7}"),
    (200, "{\"success\": false, \"code\": \"\(String(repeating: "é", count: 100_000))\"}"),
  ])
  func whatAGatewaySaysIsShownAsOneShortPrintableLine(_ status: Int, _ body: String) async throws {
    let message = try #require(failure(try await outcome(body, status: status))).message
    #expect(message.unicodeScalars.allSatisfy { (0x20..<0x7f).contains($0.value) }, "\(message.debugDescription)")
    #expect(message.utf8.count < 400)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"taskId\"", "closed"), ("", "closed"),
    ("SSH-2.0\r\n\r\n", "invalid_response"), ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "too_large"),
  ])
  func brokenAnswersAreTransportFailures(_ bytes: String, _ kind: String) async throws {
    let server = try await ScriptedServer { _ in [.send(bytes), .close] }
    let client = Self.client(server.port)
    // On the loop, as users are: no pause between connecting and asking.
    let failed = await onLoop { self.failure(await client.acquire(userID: "user"))?.kind.rawValue ?? "no failure" }
      .value
    #expect(failed == kind)
    await server.stop()
  }

  @Test func aMuteGatewayIsATimeoutAndTheNextCallConnectsAnew() async throws {
    let server = try await ScriptedServer { request in
      request.connection == 1 ? [] : [ScriptedServer.answer(#"{"taskId": "t"}"#)]
    }
    let client = Self.client(server.port, timeout: .seconds(3))
    // On the loop, as users are: a caller that is resumed late has less of its time left.
    let kinds = await onLoop {
      var kinds: [String] = []
      for _ in 1...2 {
        switch await client.acquire(userID: "u") {
        case .assigned: kinds.append("assigned")
        case .failed(let error, _): kinds.append(error.kind.rawValue)
        default: kinds.append("other")
        }
      }
      return kinds.joined(separator: ", ")
    }.value
    #expect(kinds == "timeout, assigned")
    #expect(server.connectionCount == 2)
    await server.stop()
  }

  @Test func theConnectionIsKeptAndOpenedAgainWhenTheServerHasClosedIt() async throws {
    let server = try await ScriptedServer { request in
      let head = "HTTP/1.1 200 OK\r\n\(request.number == 3 ? "Connection: close\r\n" : "")Content-Length: 15\r\n\r\n"
      return [.send(head + #"{"taskId": "t"}"#)] + (request.number == 3 ? [.close] : [])
    }
    let client = Self.client(server.port)
    #expect(try await client.connect().get() != nil)
    #expect(try await client.connect().get() == nil)
    for _ in 0..<7 {
      guard case .assigned = await client.acquire(userID: "u") else {
        Issue.record("not assigned")
        break
      }
    }
    #expect(server.connectionCount == 3)
    client.close()
    await server.stop()
  }

  @Test func requestsAreWhatTheProtocolSays() async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(#"{"taskId": "t"}"#)] }
    let client = Self.client(
      server.port, headers: [("Authorization", "Bearer x"), ("X-Trace", "1")], basePath: "/base")
    _ = await client.acquire(userID: "user-0001")
    _ = await client.acquire(userID: "user-0002", waitForReady: true)
    _ = await client.status()
    #expect(
      server.requests.map(\.line) == ["POST /base/api/acquire", "POST /base/api/acquire", "GET /base/api/status"])
    for request in server.requests {
      let lines = request.head.split(separator: "\r\n")
      #expect(lines.contains("Host: 127.0.0.1:\(server.port)"))
      #expect(lines.contains("Authorization: Bearer x") && lines.contains("X-Trace: 1"))
    }
    let bodies = try server.requests.prefix(2).map {
      try JSONDecoder().decode(AcquireRequest.self, from: Data($0.body.utf8))
    }
    #expect(bodies == [AcquireRequest(userId: "user-0001"), AcquireRequest(userId: "user-0002", waitFor: "ready")])
    #expect(server.requests.last?.body == "")
    await server.stop()
  }

  @Test(arguments: [
    "t-1", "", "quote \" backslash \\ slash /", "line\nfeed\r\ttab\u{0}\u{1}\u{1f}", "\"}, {\"taskId\": \"other\"",
    "é 漢 🙂",
    "\u{2028}\u{7f}\u{fffe}", "../../etc/passwd", String(repeating: "x", count: 10_000),
  ])
  func aReleaseNamesExactlyTheTaskItIsFor(_ task: String) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(#"{"success": true}"#)] }
    let client = Self.client(server.port)
    _ = try await client.release(TaskID(task)).get()
    let request = try #require(server.requests.first)
    #expect(request.line == "POST /api/release")
    #expect(try JSONDecoder().decode(ReleaseRequest.self, from: Data(request.body.utf8)).taskId == task)
    await server.stop()
  }

  @Test(
    arguments: [
      (200, #"{"success": true, "taskId": "t"}"#, nil),
      (200, #"{"success": false, "error": "unknown"}"#, "release_refused"),
      (404, #"{"success": false, "error": "unknown task"}"#, "release_refused"),
      (409, #"{"success": false}"#, "release_refused"), (404, "", "release_unsupported"),
      (404, "<html>", "release_unsupported"), (405, "", "release_unsupported"),
      (405, #"{"success": false}"#, "release_refused"),
      (404, #"{"error": "x"}"#, "release_unsupported"),
      (200, "", "invalid_json"), (200, "<html>", "invalid_json"), (500, "oops", "http_500"),
      // The task is still assigned: such an answer must not pass for a refusal, after which nobody tries again.
      (500, #"{"success": false, "error": "internal"}"#, "http_500"), (503, #"{"success": false}"#, "http_503"),
      (429, #"{"success": false}"#, "http_429"), (401, #"{"success": false}"#, "http_401"),
    ] as [(Int, String, String?)])
  func aReleaseEndsAsItsAnswerSays(_ status: Int, _ body: String, _ kind: String?) async throws {
    let server = try await ScriptedServer { _ in [ScriptedServer.answer(body, status: status)] }
    let result = await Self.client(server.port).release("t")
    if case .failure(let error) = result { #expect(error.kind.rawValue == kind) } else { #expect(kind == nil) }
    await server.stop()
  }

  @Test func theStatusIsRead() async throws {
    let body = #"{"warmCount": 3, "assignedCount": 1, "tasks": [{"taskId": "t", "state": "ready", "new": 1}], "x": 0}"#
    let server = try await ScriptedServer { request in
      switch request.number {
      case 1: [ScriptedServer.answer(body)]
      case 2: [ScriptedServer.answer(#"{"warmCount": "3"}"#)]
      default: [ScriptedServer.answer("", status: 503)]
      }
    }
    let client = Self.client(server.port)
    let (status, exchange) = try await client.status().get()
    #expect(status.warmCount == 3 && status.assignedCount == 1 && status.tasks?.first?.state == "ready")
    #expect(exchange.serviceTime > 0)
    for kind in ["invalid_json", "http_503"] {
      guard case .failure(let error) = await client.status() else {
        Issue.record("no failure")
        continue
      }
      #expect(error.kind.rawValue == kind)
    }
    await server.stop()
  }

  @Test func aCancelledAcquireStillTakesAnAnswerThatComesSoon() async throws {
    let server = try await ScriptedServer { _ in [.wait(.milliseconds(50)), ScriptedServer.answer(#"{"taskId": "t"}"#)]
    }
    let client = Self.client(server.port)
    let task = Task { await client.acquire(userID: "u") }
    await server.waitForRequests(1)
    task.cancel()
    guard case .assigned(let assigned) = await task.value else {
      Issue.record("the task's id is lost")
      return
    }
    #expect(assigned.task == "t")
    await server.stop()
  }

  @Test func aCancelledStatusIsACancellation() async throws {
    let server = try await ScriptedServer { _ in [] }
    let client = Self.client(server.port)
    let task = Task { await client.status().map { _ in } }
    await server.waitForRequests(1)
    task.cancel()
    guard case .failure(let error) = await task.value else {
      Issue.record("no failure")
      return
    }
    #expect(error.isCancellation)
    await server.stop()
  }

  /// A task on the loop of an unwatched client, as virtual users are.
  private func onLoop(_ work: @escaping @Sendable () async -> String) -> Task<String, Never> {
    Task(executorPreference: Self.loops.executor(forUser: 0)) { await work() }
  }

  @Test func anUnwatchedCallIsEndedByHandAndOnlyIt() async throws {
    let server = try await ScriptedServer { request in
      request.line.hasPrefix("GET") ? [] : [ScriptedServer.answer(#"{"taskId": "t"}"#)]
    }
    let client = Self.client(server.port, watchesTask: false)
    let task = onLoop {
      guard case .success = await client.connect() else { return "no connection" }
      guard case .assigned = await client.acquire(userID: "u") else { return "not assigned" }
      guard case .failure(let error) = await client.status() else { return "answered" }
      return error.kind.rawValue
    }
    await server.waitForRequests(2)
    client.cancel()
    #expect(await task.value == "cancelled")
    // The connection is gone with it; the next call makes a new one.
    guard case .assigned = await client.acquire(userID: "u") else {
      Issue.record("not assigned")
      return
    }
    #expect(server.connectionCount == 2)
    await server.stop()
  }

  @Test func anUnwatchedAcquireThatIsCancelledStillTakesAnAnswerThatComesSoon() async throws {
    let server = try await ScriptedServer { _ in [.wait(.milliseconds(50)), ScriptedServer.answer(#"{"taskId": "t"}"#)]
    }
    let client = Self.client(server.port, watchesTask: false)
    let task = onLoop {
      guard case .success = await client.connect() else { return "no connection" }
      guard case .assigned(let assigned) = await client.acquire(userID: "u") else { return "not assigned" }
      return assigned.task.name
    }
    await server.waitForRequests(1)
    client.cancel()
    #expect(await task.value == "t")
    await server.stop()
  }

  @Test func whenCancellingByHandRacesWithCallsEachOfThemEnds() async throws {
    let server = try await ScriptedServer { request in
      request.number < 4 ? [ScriptedServer.answer(#"{"success": true}"#)] : []
    }
    var random = SeededRandom(seed: 5)
    for _ in 0..<200 {
      let client = Self.client(server.port, watchesTask: false)
      let task = onLoop {
        // As a virtual user: cancelled by its task, and its client by whoever cancels that.
        while !Task.isCancelled { _ = await client.release("t") }
        return "ended"
      }
      for _ in 0..<Int.random(in: 0..<60, using: &random) { await Task.yield() }
      task.cancel()
      client.cancel()
      #expect(await task.value == "ended")
      client.close()
    }
    await server.stop()
  }
}
