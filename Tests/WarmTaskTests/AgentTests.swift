import FoundationEssentials
import Gateway
import Glibc
import Latency
import NIOPosix
import ProcessControl
import Synchronization
import Testing
import Transport
import WarmTask

/// A directory that goes with the test.
final class Scratch: Sendable {
  let path: String
  init() throws {
    path = "/tmp/warm-task-tests-\(getpid())-\(UInt64.random(in: .min ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The built program beside the test bundle.
func builtProgram(_ name: String) throws -> String {
  let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let candidates = [own, CommandLine.arguments.first ?? ""] + CommandLine.arguments
  for candidate in candidates {
    // The test bundle lies in the build directory; the runner itself may lie elsewhere.
    var parts = candidate.split(separator: "/", omittingEmptySubsequences: false)
    while !parts.isEmpty {
      parts.removeLast()
      let path = (parts + [Substring(name)]).joined(separator: "/")
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
  }
  throw CocoaError(.fileNoSuchFile)
}

private let loop = MultiThreadedEventLoopGroup.singleton.next()

private final class Events: Sendable {
  private let list = Mutex<[TaskEvent]>([])
  var observer: TaskObserver { { event in self.list.withLock { $0.append(event) } } }
  var all: [TaskEvent] { list.withLock { $0 } }
  var pid: Int32? {
    for event in all { if case .processStarted(let pid) = event.kind { return pid } }
    return nil
  }
}

@Suite(.timeLimit(.minutes(1))) struct AgentTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func configuration(_ gateway: FakeGateway, _ program: UserProgram) -> WarmTaskConfiguration {
    WarmTaskConfiguration(gateway: gateway.endpoint, program: program, workspaceRoot: scratch.path)
  }

  @Test(arguments: ["init_user", "init_user_session"], [true, false])
  func userIsServedFromInitToRelease(type: String, isInline: Bool) async throws {
    let gateway = try await FakeGateway()
    let program = isInline ? UserProgram.inline() : .standIn(path: try builtProgram("session-stand-in"))
    let events = Events()
    async let outcome = WarmTaskAgent.run(
      taskId: "task-1", configuration: configuration(gateway, program), on: loop, observer: events.observer)
    let task = try await gateway.nextTask()
    #expect(task.path == "/internal/warm/task-1")
    let directory = "\(scratch.path)/stage/u1"
    try task.send(
      GatewayToTask(
        type: type, userId: "u1", workspaceDir: type == "init_user" ? directory : nil, token: "secret", env: "stage"))
    let ready = try await task.next()
    #expect(ready?.type == (type == "init_user" ? "ready" : "user_session_ready"))
    #expect((ready?.breakdown?.initUserMs ?? 0) > 0)
    #expect(try String(contentsOfFile: "\(directory)/.optima/token.json", encoding: .utf8) == "secret")

    for (line, answer) in [("hello", "1 hello"), ("grüße", "2 grüße")] {
      try task.send(GatewayToTask(type: "user_input", userId: nil, line: line))
      #expect(try await task.next() == TaskToGateway(type: "user_output", line: answer))
    }
    task.release()
    #expect(await outcome == .released)
    if let pid = events.pid { #expect(kill(pid, 0) == -1 && errno == ESRCH) }
    let kinds = events.all.map { String(describing: $0.kind).prefix { $0 != "(" } }
    #expect(
      kinds == ["connected", "initReceived", "workspaceReady", "processStarted", "firstLine", "readySent", "ended"])
    #expect(events.all.map(\.at) == events.all.map(\.at).sorted())
    await gateway.stop()
  }

  @Test(arguments: [
    (["/bin/sh", "-c", "exit 3"], "exit code 3"), (["/no/such/program"], "no such program"),
    (["/bin/sh", "-c", "exec sleep 600"], "within 200 ms"),
  ])
  func programThatDoesNotStartIsTold(words: [String], reason: String) async throws {
    let gateway = try await FakeGateway()
    var configuration = configuration(gateway, .command(words))
    if reason.contains("200 ms") { configuration.initTimeout = .milliseconds(200) }
    async let outcome = WarmTaskAgent.run(taskId: "t", configuration: configuration, on: loop)
    let task = try await gateway.nextTask()
    try task.send(GatewayToTask(type: "init_user", userId: "u1"))
    let failure = try await task.next()
    #expect(failure?.type == "init_failed")
    #expect(failure?.error?.contains(reason) == true)
    guard case .initFailed = await outcome else {
      Issue.record("another outcome")
      return
    }
    await gateway.stop()
  }

  @Test func workspaceOutsideTheRootIsRefusedAndNotMade() async throws {
    let gateway = try await FakeGateway()
    async let outcome = WarmTaskAgent.run(taskId: "t", configuration: configuration(gateway, .inline()), on: loop)
    let task = try await gateway.nextTask()
    let outside = "\(scratch.path)-elsewhere/u1"
    try task.send(GatewayToTask(type: "init_user", userId: "u1", workspaceDir: outside))
    #expect(try await task.next()?.type == "init_failed")
    #expect(!FileManager.default.fileExists(atPath: outside))
    _ = await outcome
    await gateway.stop()
  }

  @Test func programRunsInItsWorkspaceAndItsEndIsTold() async throws {
    let gateway = try await FakeGateway()
    let script = "echo up; pwd; echo $USER_ID $HOME; read line; exit 9"
    async let outcome = WarmTaskAgent.run(
      taskId: "t", configuration: configuration(gateway, .command(["sh", "-c", script])), on: loop)
    let task = try await gateway.nextTask()
    try task.send(GatewayToTask(type: "init_user", userId: "u1"))
    #expect(try await task.next()?.type == "ready")
    #expect(try await task.next()?.line == "\(scratch.path)/dev/u1")
    #expect(try await task.next()?.line == "u1 \(scratch.path)/dev/u1")
    try task.send(GatewayToTask(type: "user_input", line: "end"))
    #expect(try await task.next()?.error?.contains("exit code 9") == true)
    #expect(await outcome == .processEnded(.exited(9)))
    await gateway.stop()
  }

  @Test func stubbornProgramIsKilledWithItsGroup() async throws {
    let gateway = try await FakeGateway()
    let events = Events()
    let script = "trap '' TERM; sleep 600 & echo up; echo $!; while :; do sleep 1; done"
    var configuration = configuration(gateway, .command(["sh", "-c", script]))
    configuration.stopGrace = .milliseconds(100)
    async let outcome = WarmTaskAgent.run(
      taskId: "t", configuration: configuration, on: loop, observer: events.observer)
    let task = try await gateway.nextTask()
    try task.send(GatewayToTask(type: "init_user", userId: "u1"))
    #expect(try await task.next()?.type == "ready")
    let grandchild = try #require(Int32(try await task.next()?.line ?? ""))
    task.breakOff()
    guard case .connectionLost = await outcome else {
      Issue.record("another outcome")
      return
    }
    #expect(kill(try #require(events.pid), 0) == -1)
    for _ in 0..<500 where kill(grandchild, 0) == 0 {
      // An orphan's zombie is reaped by init, when it finds the time.
      if (try? String(contentsOfFile: "/proc/\(grandchild)/stat", encoding: .utf8))?.contains(") Z") == true { break }
      try await Task.sleep(for: .milliseconds(10))
    }
    let stat = try? String(contentsOfFile: "/proc/\(grandchild)/stat", encoding: .utf8)
    #expect(stat == nil || stat?.contains(") Z") == true)
    await gateway.stop()
  }

  @Test func heartbeatsGoOnWhileTheTaskIsWarm() async throws {
    let gateway = try await FakeGateway()
    var configuration = configuration(gateway, .inline())
    configuration.heartbeatInterval = .milliseconds(5)
    let life = Task { await WarmTaskAgent.run(taskId: "t", configuration: configuration, on: loop) }
    let task = try await gateway.nextTask()
    for _ in 0..<3 { #expect(try await task.nextOfAnyKind()?.type == "heartbeat") }
    task.sendText("{not json")
    #expect(try await task.next()?.status == "invalid_message")
    life.cancel()
    #expect(await life.value == .stopped)
    await gateway.stop()
  }

  @Test func gatewayThatIsNotThereIsAnOutcome() async throws {
    let gateway = try await FakeGateway()
    await gateway.stop()
    let outcome = await WarmTaskAgent.run(taskId: "t", configuration: configuration(gateway, .inline()), on: loop)
    guard case .notConnected(.refused) = outcome else {
      Issue.record("\(outcome)")
      return
    }
  }

  @Test func muchOutputArrivesWholeAndInOrder() async throws {
    let gateway = try await FakeGateway()
    async let outcome = WarmTaskAgent.run(
      taskId: "t", configuration: configuration(gateway, .command(["sh", "-c", "echo up; seq 1 20000"])), on: loop)
    let task = try await gateway.nextTask()
    try task.send(GatewayToTask(type: "init_user", userId: "u1"))
    #expect(try await task.next()?.type == "ready")
    var expected = 1
    while let message = try await task.next(), let line = message.line {
      guard line == "\(expected)" else {
        Issue.record("\(line) instead of \(expected)")
        break
      }
      expected += 1
    }
    #expect(expected == 20_001)
    #expect(await outcome == .processEnded(.exited(0)))
    await gateway.stop()
  }

  /// 4 MiB for a program that reads nothing before it is told to: far more than may wait for it.
  @Test func inputOfASlowProgramIsHeldBackAndNotLost() async throws {
    let gateway = try await FakeGateway()
    let (lines, length) = (64, 65_535)
    let count = lines * (length + 1)
    let script = "echo up; until [ -e go ]; do sleep 0.05; done; head -c \(count) | wc -c; cat >/dev/null"
    async let outcome = WarmTaskAgent.run(
      taskId: "t", configuration: configuration(gateway, .command(["sh", "-c", script])), on: loop)
    let task = try await gateway.nextTask()
    try task.send(GatewayToTask(type: "init_user", userId: "u1"))
    #expect(try await task.next()?.type == "ready")
    for _ in 0..<lines {
      try task.send(GatewayToTask(type: "user_input", line: String(repeating: "x", count: length)))
    }
    // An agent that takes it all has told by then that it has lost some.
    try await Task.sleep(for: .milliseconds(300))
    _ = FileManager.default.createFile(atPath: "\(scratch.path)/dev/u1/go", contents: nil)
    let answer = try await task.next()
    #expect(answer?.line?.filter { $0 != " " } == "\(count)", "\(answer?.status ?? "")")
    task.release()
    #expect(await outcome == .released)
    await gateway.stop()
  }

  @Test func manyLinesBeforeTheProgramStartsAreNotLost() async throws {
    let gateway = try await FakeGateway()
    async let outcome = WarmTaskAgent.run(taskId: "t", configuration: configuration(gateway, .inline()), on: loop)
    let task = try await gateway.nextTask()
    try task.send(GatewayToTask(type: "init_user", userId: "u1"))
    for number in 1...500 { try task.send(GatewayToTask(type: "user_input", line: "\(number)")) }
    #expect(try await task.next()?.type == "ready")
    for number in 1...500 { #expect(try await task.next()?.line == "\(number) \(number)") }
    task.release()
    #expect(await outcome == .released)
    await gateway.stop()
  }

  @Test func agentThatWaitsForASlowProgramSeesTheEnd() async throws {
    let gateway = try await FakeGateway()
    var configuration = configuration(gateway, .command(["sh", "-c", "echo up; exec sleep 600"]))
    configuration.stopGrace = .milliseconds(100)
    configuration.heartbeatInterval = .milliseconds(50)
    for isCancelled in [true, false] {
      let life = Task { [configuration] in
        await WarmTaskAgent.run(taskId: "t", configuration: configuration, on: loop)
      }
      let task = try await gateway.nextTask()
      try task.send(GatewayToTask(type: "init_user", userId: "u1"))
      #expect(try await task.next()?.type == "ready")
      for _ in 0..<64 {
        try task.send(GatewayToTask(type: "user_input", line: String(repeating: "x", count: 65_535)))
      }
      try await Task.sleep(for: .milliseconds(200))
      if isCancelled { life.cancel() } else { task.breakOff() }
      let outcome = await life.value
      if isCancelled {
        #expect(outcome == .stopped)
      } else if case .connectionLost = outcome {
      } else {
        Issue.record("\(outcome)")
      }
    }
    await gateway.stop()
  }

  @Test func poolReplacesReleasedTasksByNewOnes() async throws {
    let gateway = try await FakeGateway()
    let pool = AgentPool(configuration: configuration(gateway, .inline()), count: 3, loops: [loop])
    let running = Task { await pool.run() }
    var seen: Set<String> = []
    for _ in 0..<12 {
      let task = try await gateway.nextTask()
      seen.insert(task.taskId)
      try task.send(GatewayToTask(type: "init_user", userId: "u\(seen.count)"))
      #expect(try await task.next()?.type == "ready")
      task.release()
    }
    #expect(seen.count == 12)
    running.cancel()
    await running.value
    await gateway.stop()
  }
}
