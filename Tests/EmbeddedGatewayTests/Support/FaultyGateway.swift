import FoundationEssentials
import Gateway
import Glibc
import NIOPosix
import ProcessControl
import Testing
import Transport

/// The program `mock-gateway` with a control address, and what its clients and its operator can see.
struct FaultyGateway {
  /// The answer of `/faults`.
  struct Report: Decodable {
    struct Rule: Decodable {
      let fault, text, state: String
      let events, injected, withoutTarget: Int
    }
    let seed: UInt64
    let injected: Int
    let faults: [Rule]

    func injected(_ fault: String) -> Int { faults.filter { $0.fault == fault }.reduce(0) { $0 + $1.injected } }
  }

  /// The answer to a refused specification.
  struct Refusal: Decodable {
    struct Details: Decodable {
      let message: String
      let problems: [String]?
    }
    let error: Details
  }

  let program: GatewayProgram
  let controlPort: Int
  var port: Int { program.port }

  static let twoVirtualTasks = ["--pool-size", "2", "--virtual-tasks", "--init-timeout", "2s"]
  static let twoProcesses = ["--pool-size", "2", "--init-timeout", "2s"]

  /// Runs `body` beside the program, and then checks that it ends in order and leaves no process of a task.
  static func with<Value>(
    _ arguments: [String] = twoVirtualTasks, faults: String? = nil, _ body: (FaultyGateway) async throws -> Value
  ) async throws -> Value {
    let program = try await GatewayProgram.start(arguments + (faults.map { ["--faults", $0] } ?? ["--control"]))
    let gateway = FaultyGateway(program: program, controlPort: try Self.port(of: #require(program.ready.controlUrl)))
    do {
      let value = try await body(gateway)
      let tasks = gateway.processes
      #expect(await program.stop() == .exited(0))
      for pid in tasks.values { #expect(kill(pid, 0) == -1, "process \(pid) of a task is left") }
      return value
    } catch {
      _ = await program.stop()
      throw error
    }
  }

  private static func port(of url: String) -> Int { url.split(separator: ":").last.flatMap { Int($0) } ?? 0 }

  // MARK: The operator

  /// One request to the control address.
  func control(
    _ method: String, _ body: String? = nil, path: String = "/faults", authorization: String? = nil,
    headers: String = ""
  ) async throws -> RawConnection.Answer {
    let token = authorization ?? "Bearer \(program.ready.controlToken ?? "")"
    let connection = try await RawConnection.open(controlPort)
    defer { connection.close() }
    try await connection.request(
      method, path, body, headers: (token.isEmpty ? "" : "authorization: \(token)\r\n") + headers)
    return try await connection.answer()
  }

  @discardableResult
  func set(_ faults: String, _ location: SourceLocation = #_sourceLocation) async throws -> Report {
    let answer = try await control("POST", faults)
    #expect(answer.status == 200, "\(answer.body)", sourceLocation: location)
    return try answer.json(Report.self)
  }

  func report() async throws -> Report { try await control("GET").json(Report.self) }

  func remove() async throws -> Report { try await control("DELETE").json(Report.self) }

  // MARK: Clients

  func ask(_ method: String, _ path: String, _ body: String? = nil) async throws -> RawConnection.Answer {
    let connection = try await RawConnection.open(port)
    defer { connection.close() }
    try await connection.request(method, path, body)
    return try await connection.answer()
  }

  func acquire(_ user: String, waitFor: String? = nil) async throws -> AcquireAnswer {
    let wait = waitFor.map { #","waitFor":"\#($0)""# } ?? ""
    return try await ask("POST", "/api/acquire", #"{"userId":"\#(user)"\#(wait)}"#).json(AcquireAnswer.self)
  }

  func status() async throws -> StatusAnswer { try await ask("GET", "/api/status").json(StatusAnswer.self) }

  func socket(_ user: String) async throws -> WebSocketConnection {
    try await GatewayFixture.socket(port, "/session/\(user)")
  }

  /// Opens a session and waits for its first message.
  func session(_ user: String) async throws -> (socket: WebSocketConnection, first: SessionMessage) {
    let socket = try await socket(user)
    let text = try #require(try await socket.receive()).text
    return (socket, try JSONDecoder().decode(SessionMessage.self, from: Data(text.utf8)))
  }

  /// Polls until `condition` holds; fails after 30 s.
  func eventually(
    _ what: Comment, _ location: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
  ) async throws {
    for _ in 0..<1500 {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record(what, sourceLocation: location)
  }

  func warm(_ count: Int, _ location: SourceLocation = #_sourceLocation) async throws {
    try await eventually("never \(count) warm tasks", location) { try await status().warmCount == count }
  }

  // MARK: Processes

  /// Process ids of the tasks, by task.
  var processes: [String: Int32] {
    var found: [String: Int32] = [:]
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = Int32(entry), let data = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline"),
        let stat = FileManager.default.contents(atPath: "/proc/\(entry)/stat")
      else { continue }
      let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      let parent = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ").dropFirst()
      guard words.first?.hasSuffix("/warm-task") == true, parent?.first == "\(program.process.pid)",
        let index = words.firstIndex(of: "--task-id"), index + 1 < words.count
      else { continue }
      found[words[index + 1]] = pid
    }
    return found
  }
}
