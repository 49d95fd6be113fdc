import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

/// The program itself, with real tasks.
@Suite(.serialized, .timeLimit(.minutes(3))) struct MockGatewayProgramTests {
  private struct Ready: Decodable {
    let event, gatewayUrl, ecsEndpointUrl, workspaceRoot: String
    var port: Int { gatewayUrl.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
  }

  private static let directory: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }()

  private func start(_ arguments: [String]) async throws -> (process: ChildProcess, ready: Ready) {
    let process = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: "\(Self.directory)/mock-gateway",
        arguments: ["--port", "0", "--task-start-delay", "10ms", "--lifeline"] + arguments,
        standardInput: .pipe, standardOutput: .pipe, diesWithParent: true))
    let line = try await firstLine(of: process)
    return (process, try JSONDecoder().decode(Ready.self, from: Data(line.utf8)))
  }

  private func firstLine(of process: ChildProcess) async throws -> String {
    let descriptor = try #require(process.standardOutput).descriptor
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    var bytes: [UInt8] = []
    for _ in 0..<3000 {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 { bytes += buffer.prefix(count) }
      if bytes.last == UInt8(ascii: "\n") || count == 0 { break }
      try await Task.sleep(for: .milliseconds(10))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func status(_ port: Int) async throws -> StatusAnswer {
    let connection = try await RawConnection.open(port)
    defer { connection.close() }
    try await connection.request("GET", "/api/status")
    return try await connection.answer().json(StatusAnswer.self)
  }

  /// Process ids of the warm tasks that serve `gateway`, by task.
  private func tasks(of gateway: ChildProcess) -> [String: Int32] {
    var found: [String: Int32] = [:]
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let pid = Int32(entry), let data = FileManager.default.contents(atPath: "/proc/\(entry)/cmdline"),
        let stat = FileManager.default.contents(atPath: "/proc/\(entry)/stat")
      else { continue }
      let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      let parent = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ").dropFirst()
        .first
      guard words.first?.hasSuffix("/warm-task") == true, parent == "\(gateway.pid)",
        let index = words.firstIndex(of: "--task-id"), index + 1 < words.count
      else { continue }
      found[words[index + 1]] = pid
    }
    return found
  }

  private func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<3000 {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record(what)
  }

  @Test func killedTaskIsReplacedAndNothingOutlivesAnOrderlyStop() async throws {
    let (gateway, ready) = try await start(["--pool-size", "2"])
    #expect(ready.event == "ready" && ready.ecsEndpointUrl == ready.gatewayUrl)
    try await eventually("never warm") { try await status(ready.port).warmCount == 2 }
    let before = tasks(of: gateway)
    #expect(before.count == 2)
    let (victim, pid) = try #require(before.first)
    kill(pid, SIGKILL)
    try await eventually("not replaced") {
      let now = try await status(ready.port)
      return now.warmCount == 2 && now.tasks?.contains { $0.taskId == victim } == false
    }
    // A user's whole way: directory, program, confirmation.
    let connection = try await RawConnection.open(ready.port)
    try await connection.request("POST", "/api/acquire", #"{"userId":"alice","waitFor":"ready"}"#)
    let acquired = try await connection.answer().json(AcquireAnswer.self)
    #expect(acquired.success == true && acquired.breakdown?.processStartMs != nil)
    #expect(FileManager.default.fileExists(atPath: "\(ready.workspaceRoot)/dev/alice/.optima/token.json"))
    let all = tasks(of: gateway)
    gateway.signal(SIGTERM)
    #expect(await gateway.waitForExit() == .exited(143))
    for pid in all.values { #expect(kill(pid, 0) == -1) }
    #expect(!FileManager.default.fileExists(atPath: ready.workspaceRoot))
  }

  @Test(.wholeSuiteOnly) func noTaskOutlivesAKilledGateway() async throws {
    let (gateway, ready) = try await start(["--pool-size", "3"])
    defer { try? FileManager.default.removeItem(atPath: ready.workspaceRoot) }
    try await eventually("never warm") { try await status(ready.port).warmCount == 3 }
    let pids = tasks(of: gateway).values
    #expect(pids.count == 3)
    gateway.signal(SIGKILL)
    _ = await gateway.waitForExit()
    try await eventually("a task lives on") { pids.allSatisfy { kill($0, 0) == -1 } }
  }

  @Test func virtualTasksServeUsersAndTheLifelineEndsTheGateway() async throws {
    let (gateway, ready) = try await start(["--pool-size", "20", "--max-size", "20", "--virtual-tasks"])
    try await eventually("never warm") { try await status(ready.port).warmCount == 20 }
    let connection = try await RawConnection.open(ready.port)
    try await connection.request("POST", "/api/acquire", #"{"userId":"bob","waitFor":"ready"}"#)
    #expect(try await connection.answer().json(AcquireAnswer.self).source == "warm")
    #expect(tasks(of: gateway).isEmpty)
    gateway.standardInput?.close()
    #expect(await gateway.waitForExit() == .exited(0))
    #expect(!FileManager.default.fileExists(atPath: ready.workspaceRoot))
  }

  @Test(.wholeSuiteOnly) func takenPortIsExplained() async throws {
    let (first, ready) = try await start(["--pool-size", "0"])
    let second = try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: "\(Self.directory)/mock-gateway", arguments: ["--port", "\(ready.port)", "--pool-size", "0"],
        standardInput: .null, standardOutput: .null, standardError: .pipe, diesWithParent: true))
    #expect(await second.waitForExit() == .exited(1))
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(try #require(second.standardError).descriptor, &buffer, buffer.count)
    #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).contains("is taken by another program"))
    first.signal(SIGINT)
    #expect(await first.waitForExit() == .exited(130))
  }
}
