import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import Testing
import Transport

/// The built `warm-task`, as the gateway starts it and as people do.
@Suite(.timeLimit(.minutes(1))) struct WarmTaskProgramTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func start(
    _ arguments: [String], environment: [String: String] = [:], input: ProcessRequest.Stream = .null
  ) async throws -> ChildProcess {
    try await ProcessKeeper.shared.spawn(
      ProcessRequest(
        executable: try builtProgram("warm-task"), arguments: arguments,
        environment: ProcessInfo.processInfo.environment.merging(environment) { $1 }, standardInput: input,
        standardOutput: .pipe, standardError: .pipe, diesWithParent: true))
  }

  private func text(of stream: OwnedDescriptor?) throws -> String {
    let descriptor = try #require(stream).descriptor
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A task with a user, and the process id of the user's program.
  private func serveAUser(_ gateway: FakeGateway) async throws -> (TaskSocket, Int32) {
    let task = try await gateway.nextTask()
    try task.send(GatewayToTask(type: "init_user", userId: "u1"))
    #expect(try await task.next()?.type == "ready")
    return (task, try #require(Int32(try await task.next()?.line ?? "")))
  }
  private let talkative = "sh -c 'echo up; echo $$; exec sleep 600'"

  @Test func allWrongValuesAreReportedTogetherAndNothingStarts() async throws {
    let child = try await start([
      "--gateway-url", "ftp://x", "--count", "0", "--task-id", "../x", "--workspace-root", "relative", "--command",
      "a 'b",
      "--header", "novalue",
    ])
    let talk = try text(of: child.standardError)
    #expect(await child.waitForExit() == .exited(64))
    for part in [
      "ftp", "--count '0'", "--task-id '../x'", "--workspace-root 'relative'", "--command: a quote", "--header",
    ] {
      #expect(talk.contains(part), "\(part) is missing in: \(talk)")
    }
    #expect(try text(of: child.standardOutput).isEmpty)
  }

  @Test func secretsInHeadersAreNotRepeated() async throws {
    let child = try await start([
      "--gateway-url", "ws://127.0.0.1:1", "--once", "--header", "Authorization: s3cret\u{1}", "--header",
      "Host: s3cret", "--header", "b@d: s3cret",
    ])
    let talk = try text(of: child.standardError)
    #expect(await child.waitForExit() == .exited(64))
    #expect(talk.contains("'Authorization'") && talk.contains("'Host'") && talk.contains("'b@d'"), "\(talk)")
    #expect(!talk.contains("s3cret"))
  }

  @Test func singleLifeOfANamedTaskEndsWithItsRelease() async throws {
    let gateway = try await FakeGateway()
    let child = try await start(
      ["--task-id", "named"],
      environment: [
        "GATEWAY_WS_URL": gateway.endpoint.webSocketURL, "EFS_MOUNT_PATH": scratch.path, "WARM_POOL_MODE": "true",
      ])
    let task = try await gateway.nextTask()
    #expect(task.taskId == "named")
    try task.send(GatewayToTask(type: "init_user_session", userId: "u1", env: "stage"))
    #expect(try await task.next()?.type == "user_session_ready")
    try task.send(GatewayToTask(type: "user_input", line: "hi"))
    #expect(try await task.next()?.line == "1 hi")
    task.release()
    #expect(await child.waitForExit() == .exited(0))
    #expect(FileManager.default.fileExists(atPath: "\(scratch.path)/stage/u1/.optima"))
    await gateway.stop()
  }

  @Test(arguments: [(SIGTERM, 143), (SIGINT, 130)] as [(Int32, Int32)])
  func signalEndsTheUsersProgramToo(number: Int32, code: Int32) async throws {
    let gateway = try await FakeGateway()
    let child = try await start(["--gateway-url", gateway.endpoint.httpURL, "--command", talkative])
    let (_, pid) = try await serveAUser(gateway)
    #expect(child.signal(number))
    #expect(await child.waitForExit() == .exited(code))
    #expect(kill(pid, 0) == -1)
    await gateway.stop()
  }

  @Test func killedAgentTakesTheUsersProgramAlong() async throws {
    let gateway = try await FakeGateway()
    let child = try await start(["--gateway-url", gateway.endpoint.httpURL, "--command", talkative])
    let (_, pid) = try await serveAUser(gateway)
    #expect(child.signal(SIGKILL))
    #expect(await child.waitForExit() == .signaled(SIGKILL))
    var stat: String? = ""
    for _ in 0..<500 where stat != nil && stat?.contains(") Z") == false {
      stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(stat == nil || stat?.contains(") Z") == true)
    await gateway.stop()
  }

  @Test func cutLifelineEndsEverything() async throws {
    let gateway = try await FakeGateway()
    let child = try await start(
      ["--gateway-url", gateway.endpoint.httpURL, "--command", talkative, "--lifeline"], input: .pipe)
    let (_, pid) = try await serveAUser(gateway)
    child.standardInput?.close()
    #expect(await child.waitForExit() == .exited(0))
    #expect(kill(pid, 0) == -1)
    await gateway.stop()
  }
}
