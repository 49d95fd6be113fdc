import Foundation
import Latency
import NIOCore
import TestSupport
import Testing
@testable import Gateway

@testable import InfraBench
@testable import Transport
@testable import Results

/// The code for the suite's own form of each call beside the same role read as data: one answer, one outcome.
@Suite(.timeLimit(.minutes(1))) struct SideBySideTests {
  private static let embedded = BuiltInProfiles.embedded

  /// An answer as a gateway, or a proxy before it, sends it.
  struct Answer: Sendable, CustomTestStringConvertible {
    var status = 200
    var body: String
    var testDescription: String { "\(status) \(body.prefix(100))" }
  }

  static func exchange(_ answer: Answer) throws -> HTTPExchange {
    let length = answer.status == 204 ? "" : "Content-Length: \(answer.body.utf8.count)\r\n"
    var reader = HTTPResponseReader()
    let bytes = "HTTP/1.1 \(answer.status) Status\r\n\(length)\r\n" + (answer.status == 204 ? "" : answer.body)
    guard case .complete(let response) = reader.read(ByteBuffer(string: bytes)) else {
      throw GatewayError(.refused, "no answer: \(answer)")
    }
    return HTTPExchange(
      response: response, ExchangeStamps(firstByteWrittenAt: 1, firstByteReadAt: 2, lastByteReadAt: 3))
  }

  /// Bodies that say something, or pretend to.
  static let bodies = [
    // Both dialects.
    #"{"taskArn": "arn:aws:ecs:eu-west-1:1:task/cluster/abc", "latency": 45}"#, #"{"taskArn": "a/b/"}"#,
    #"{"taskArn": "/"}"#,
    #"{"success": true, "taskId": "t-1", "userId": "u", "sessionId": "s", "latency": 1.5}"#,
    #"{"success": true, "taskId": "t", "source": "warm", "latency": 0.125}"#,
    #"{"success": true, "taskId": "t", "source": "cold"}"#,
    #"{"taskId": "t", "taskArn": "x/y", "source": "warm", "unknown": {"deep": [1]}}"#,
    #"{"taskId": "", "taskArn": "x/y"}"#,
    #"{"taskId": "\u0000\"\\é🙂"}"#, #"{"success": true}"#, #"{"success": true, "taskId": null, "taskArn": null}"#,
    #"{"success": null, "taskId": "t"}"#, #"{"success": true, "taskId": 17}"#,
    #"{"taskId": 9007199254740993, "taskArn": "x/y"}"#,
    #"{"taskId": 1.5, "taskArn": "x/y"}"#, #"{"taskId": true, "taskArn": "x/y"}"#, #"{"taskId": {}}"#,
    #"{"taskId": ["t"]}"#,
    #"{"taskId": "t", "latency": "45"}"#, #"{"taskId": "t", "latency": null}"#, #"{"taskId": "t", "latency": 1e400}"#,
    #"{"taskId": "t", "latency": -3}"#, #"{"taskId": "t", "source": 1}"#, #"{"taskId": "t", "source": "lukewarm"}"#,
    // Misses.
    #"{"success": false, "error": "No warm tasks available", "warmCount": 0}"#, #"{"success": false, "warmCount": 0}"#,
    #"{"success": false, "error": "no warm task"}"#, #"{"success": false, "code": "NO_WARM_TASK"}"#,
    #"{"success": false, "code": "NO_WARM_TASK", "warmCount": 3}"#,
    #"{"success": false, "code": null, "warmCount": 0}"#,
    #"{"success": false, "warmCount": 0.0}"#, #"{"success": false, "warmCount": "0"}"#,
    #"{"success": false, "warmCount": null}"#,
    // Refusals.
    #"{"success": false}"#, #"{"success": false, "error": "userId is required"}"#,
    #"{"success": false, "warmCount": 3}"#,
    #"{"success": false, "code": "TASK_START_FAILED", "warmCount": 0}"#,
    #"{"success": false, "code": "", "warmCount": 0}"#,
    #"{"success": false, "code": "TASK_START_FAILED", "error": "No warm task could be started"}"#,
    #"{"success": false, "code": 503, "warmCount": 0}"#, #"{"success": false, "code": {}, "warmCount": 0}"#,
    #"{"success": false, "error": 17, "warmCount": 1}"#, #"{"success": false, "taskId": "t"}"#,
    #"{"success": false, "error": {"message": "no warm task"}}"#,
    // Releases.
    #"{"success": true, "taskId": "t"}"#, #"{"success": false, "error": "unknown task"}"#, #"{"taskId": "t"}"#,
    #"{"error": "Not Found"}"#, #"{"detail": "Not Found"}"#,
    // What is no answer of a gateway's.
    "", " ", "null", "true", "7", #""text""#, "[]", "[1]", "{}", "{", #"{"success": true,}"#, "OK",
    "<html><title>502</title></html>",
    "\u{feff}{\"taskId\": \"t\"}", #"{"success": true, "success": false, "taskId": "t"}"#,
    #"{"taskId": "a", "taskId": "b"}"#,
    #"{"SUCCESS": true, "TaskId": "t"}"#, #"{"data": {"success": true, "taskId": "t"}}"#,
    #"[{"success": true, "taskId": "t"}]"#, String(repeating: "[", count: 600), "{\"taskId\": \"a\u{0}\"}",
  ]

  static let statuses = [200, 201, 202, 204, 302, 400, 401, 403, 404, 405, 408, 409, 410, 429, 500, 502, 503, 504]

  static let answers = statuses.flatMap { status in bodies.map { Answer(status: status, body: $0) } }

  /// A `success` that is neither true nor false makes the code say `invalid_json`, and data `refused`: a failure to both.
  private static let vagueAnswers = [
    #"{"success": 1, "taskId": "t"}"#, #"{"success": "true", "taskId": "t"}"#, #"{"success": {}}"#, #"{"success": []}"#,
  ]

  // MARK: Acquires

  private func words(_ outcome: AcquireOutcome) -> String {
    switch outcome {
    case .assigned(let acquisition):
      let source: String = ["warm", "cold"].first { $0 == acquisition.source } ?? "unknown"
      let latency = acquisition.latency.map { (milliseconds: Double) in "\(milliseconds) ms" } ?? "-"
      return "assigned \(acquisition.task.name.debugDescription), \(source), \(latency)"
    case .miss: return "miss"
    case .failed(let error, let writtenAt): return "failed \(error.kind) \(writtenAt ?? 0)"
    }
  }

  private func acquired(_ answer: Answer) throws -> (native: String, byData: String) {
    let exchange = try Self.exchange(answer)
    let role = try #require(Self.embedded.acquire)
    return (words(AcquireOutcome(exchange)), words(role.outcome(of: exchange)))
  }

  @Test func everyAnswerToAnAcquireMeansTheSame() throws {
    var kinds: Set<Substring> = []
    for answer in Self.answers {
      let (native, byData) = try acquired(answer)
      #expect(native == byData, "\(answer.testDescription)")
      kinds.formUnion(native.split(separator: " ").prefix(1))
    }
    #expect(kinds == ["assigned", "miss", "failed"])
  }

  @Test(arguments: vagueAnswers) func anAcquireThatSaysNeitherYesNorNoIsAFailure(_ body: String) throws {
    let (native, byData) = try acquired(Answer(body: body))
    #expect(native.hasPrefix("failed") && byData.hasPrefix("failed"))
  }

  /// What JSON is made of, in places where a gateway's programmer never had it.
  @Test(arguments: 0..<4) func mutatedAnswersMeanTheSame(_ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let likely = Array(#"{}[]:,"\ .-+eE0123456789tfnulrasé"#.utf8)
    var (same, assigned) = (0, 0)
    for _ in 0..<1500 {
      var bytes = Array((Self.bodies.randomElement(using: &random) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = likely.randomElement(using: &random) ?? 0
        case 1: bytes.insert(likely.randomElement(using: &random) ?? 0, at: index)
        case 2: bytes.remove(at: index)
        default: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
        }
      }
      let answer = Answer(body: String(decoding: bytes, as: UTF8.self))
      let (native, byData) = try acquired(answer)
      // A `success` of another type: see above.
      if native == "failed invalid_json 1", byData == "failed refused 1" { continue }
      #expect(native == byData, "\(answer.body.debugDescription)")
      same += 1
      if native.hasPrefix("assigned") { assigned += 1 }
    }
    #expect(same > 1000 && assigned > 20, "\(same), \(assigned)")
  }

  // MARK: Releases

  @Test func everyAnswerToAReleaseMeansTheSame() throws {
    let role = try #require(Self.embedded.release)
    func words(_ outcome: Result<Instant, GatewayError>) -> String {
      switch outcome {
      case .success(let instant): "released at \(instant.nanoseconds)"
      case .failure(let error): "failed \(error.kind)"
      }
    }
    var kinds: Set<String> = []
    for answer in Self.answers + Self.vagueAnswers.map({ Answer(body: $0) }) {
      let exchange = try Self.exchange(answer)
      let native = words(ReleaseOutcome.read(exchange))
      #expect(native == words(role.outcome(of: exchange)), "\(answer.testDescription)")
      kinds.insert(native)
    }
    #expect(
      kinds.isSuperset(of: [
        "released at 3", "failed release_refused", "failed release_unsupported", "failed invalid_json",
      ]))
  }

  // MARK: Status

  private static let entries = [
    #"{"taskId": "t", "state": "warm", "connectedAt": "2026-01-01T00:00:00.000Z"}"#,
    #"{"taskId": "t", "state": "ready"}"#,
    #"{"taskId": "t", "state": "warming"}"#, #"{"taskId": "t", "state": "assigned", "userId": "u"}"#,
    #"{"taskId": "t", "state": "assigned", "userId": 17}"#, #"{"taskId": "t", "state": "assigned", "userId": {}}"#,
    #"{"taskId": "t", "state": "assigned", "userId": null}"#, #"{"taskId": "t", "state": "assigned", "userId": ""}"#,
    #"{"taskId": "t", "state": "draining", "more": [1]}"#, #"{"taskId": "t"}"#, #"{"state": "warm"}"#,
    #"{"taskId": 17, "state": "warm"}"#,
    #"{"taskId": null, "state": "warm"}"#, #"{"taskId": "", "state": "warm"}"#, #"{"taskId": "t", "state": 1}"#,
    #"{"taskId": "t", "state": null}"#,
    #"{"taskId": "t", "state": "warm", "connectedAt": 17}"#, "1", "null", "[]", "{}",
  ]

  static let statusBodies =
    entries.map { #"{"warmCount": 1, "assignedCount": 1, "tasks": [\#($0)]}"# }
    + entries.map { #"{"warmCount": 1, "tasks": [{"taskId": "first", "state": "assigned", "userId": "u"}, \#($0)]}"# }
    + [
      #"{"warmCount": 3, "assignedCount": 2}"#, #"{"warmCount": 3, "assignedCount": 2, "tasks": []}"#,
      #"{"warmCount": 3, "assignedCount": 2, "tasks": null}"#, #"{"warmCount": 3, "assignedCount": 2, "tasks": {}}"#,
      #"{"warmCount": 3, "assignedCount": 2, "tasks": "none"}"#, #"{"warmCount": 3, "tasks": []}"#,
      #"{"warmCount": 3}"#,
      #"{"warmCount": 3, "assignedCount": "2"}"#, #"{"warmCount": 3, "assignedCount": null, "tasks": []}"#,
      #"{"warmCount": 3.0, "assignedCount": 2.0}"#, #"{"warmCount": 3.5, "assignedCount": 2}"#,
      #"{"warmCount": -1, "assignedCount": 0}"#, #"{"warmCount": "3", "assignedCount": 2}"#, #"{"warmCount": null}"#,
      #"{"warmCount": 1e400, "assignedCount": 2}"#, #"{"warmCount": 1e30, "assignedCount": 2}"#,
      #"{"warmCount": 3, "assignedCount": 2, "efsMounted": "yes", "other": 1e400}"#, "{}", "[]", "", "null", "7",
      "<html></html>",
      #"{"status": "ok"}"#,
    ]

  @Test func everyStatusMeansTheSame() throws {
    let role = try #require(Self.embedded.status)
    func words(_ answer: Result<StatusAnswer, GatewayError>) -> String {
      switch answer {
      case .success(let status):
        let tasks = status.tasks.map { tasks in
          tasks.map { "\($0.taskId) \($0.state == "ready" ? "warm" : $0.state) \($0.userId ?? "-") \(date($0) ?? "-")" }
        }
        return "\(status.warmCount) \(status.assignedCount) \(tasks ?? ["none"])"
      case .failure(let error): return "failed \(error.kind)"
      }
    }
    /// What is no date is none to whoever reads it.
    func date(_ task: TaskEntry) -> String? { task.connectedAt.flatMap { $0.hasPrefix("2") ? $0 : nil } }
    var failed = 0
    for body in Self.statusBodies {
      let response = try Self.exchange(Answer(body: body)).response
      let native = words(Result { () throws(GatewayError) in try StatusAnswer.decode(response) })
      let byData = words(Result { () throws(GatewayError) in try role.answer(in: response) })
      #expect(native == byData, "\(body)")
      if native.hasPrefix("failed") { failed += 1 }
    }
    #expect(failed > 10 && failed < Self.statusBodies.count - 10)
  }

  // MARK: Requests

  /// What a gateway is sent by data is what the code sends: the same call, header fields and JSON.
  @Test func theRequestsAreTheSame() async throws {
    let server = try await ScriptedServer { _ in
      [ScriptedServer.answer(#"{"success": true, "taskId": "t", "warmCount": 1, "assignedCount": 0}"#)]
    }
    let endpoint = Endpoint(host: "127.0.0.1", port: server.port, basePath: "/base")
    let byData = GatewayCallForms(Self.embedded, native: GatewayProfile(name: "none"))
    for callForms in [GatewayCallForms(), byData] {
      let client = GatewayClient(
        to: endpoint,
        requests: GatewayRequests(
          to: endpoint, headers: [("X-Team", "a"), ("Cookie", "own=1")], callForms: callForms, token: nil),
        tls: nil, on: Self.loops.executor(forUser: 0), timeout: .seconds(20))
      _ = await client.acquire(userID: "user.1")
      _ = await client.acquire(userID: "user.1", waitForReady: true)
      _ = await client.release(TaskID(#"a "b" \ é"#))
      _ = await client.status()
      client.close()
    }
    func essence(_ request: ScriptedServer.Request) -> (fields: [String], body: JSONNode?) {
      let fields = request.head.split(separator: "\r\n").filter { !$0.hasPrefix("Content-Length") }.map { String($0) }
      return (fields.prefix(1) + fields.dropFirst().sorted(), JSONNode.parse(request.body.utf8))
    }
    let sent = server.requests.map(essence)
    await server.stop()
    try #require(sent.count == 8)
    for number in 0..<4 {
      #expect(sent[number].fields == sent[number + 4].fields && sent[number].body == sent[number + 4].body)
    }
  }

  private static let loops = LoopGroup()
}
