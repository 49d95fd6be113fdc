import FoundationEssentials
import Glibc
import ProcessControl
import Synchronization
import Testing

@testable import InfraBench

/// `--cold-by run-task` against an ECS that says exactly what a test tells it to.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RefusedTaskTests {
  private static let environment = [
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_SESSION_TOKEN": "",
    "AWS_PROFILE": "", "AWS_REGION": "eu-west-1",
  ]
  private static let arn = "arn:aws:ecs:eu-west-1:123456789012:task/stage/t1"

  /// What ECS was asked, in order.
  private final class Calls: Sendable {
    private let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
    var all: [String] { names.withLock { $0 } }
    func count(_ name: String) -> Int { all.count { $0 == name } }
  }

  /// A gateway without tasks of its own and an ECS on the same port, whose calls `answer` answers by their names.
  private static func server(
    calls: Calls, _ answer: @escaping @Sendable (String, ScriptedGateway.Request) -> ScriptedGateway.Answer
  ) async throws -> ScriptedGateway {
    try await ScriptedGateway { request in
      guard request.line == "POST /" else {
        return request.line == "GET /api/status"
          ? .json(#"{"warmCount": 0, "assignedCount": 0, "tasks": []}"#) : .json("{}", status: 404)
      }
      let name = operation(of: request)
      calls.add(name)
      return answer(name, request)
    }
  }

  private static func options(_ server: ScriptedGateway) -> [String] {
    [
      "--gateway-url", server.url, "--ecs-endpoint-url", server.url, "--cluster", "stage", "--cold-by", "run-task",
      "--task-definition", "shell", "--poll-interval", "20ms", "--force-poll-interval",
    ]
  }

  private func run(
    _ tool: String = "bench-e2e", _ arguments: [String] = [], calls: Calls = Calls(),
    _ answer: @escaping @Sendable (String, ScriptedGateway.Request) -> ScriptedGateway.Answer
  ) async throws -> BenchResult {
    let server = try await Self.server(calls: calls, answer)
    let result = try await BenchRun.run(tool, Self.options(server) + arguments, environment: Self.environment)
    await server.stop()
    #expect(!(result.talk + result.output).contains("not-a-secret"))
    return result
  }

  private static func operation(of request: ScriptedGateway.Request) -> String {
    let line = request.head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("x-amz-target:") }
    return line?.split(separator: ".").last.map(String.init) ?? "none"
  }

  private static func error(_ code: String, _ message: String) -> ScriptedGateway.Answer {
    .json(#"{"__type": "com.amazonaws#\#(code)", "message": "\#(message)"}"#, status: 400)
  }

  private static func tasks(_ status: String, _ more: String = "") -> ScriptedGateway.Answer {
    .json(#"{"tasks": [{"taskArn": "\#(arn)", "lastStatus": "\#(status)"\#(more)}], "failures": []}"#)
  }

  private static let stopped = ScriptedGateway.Answer.json(
    #"{"task": {"taskArn": "\#(arn)", "lastStatus": "RUNNING", "desiredStatus": "STOPPED"}}"#)
  private static let none = ScriptedGateway.Answer.json(#"{"taskArns": []}"#)

  @Test(arguments: [
    ("AccessDeniedException", "not authorized to perform: ecs:RunTask", "allow the action ecs:RunTask"),
    (
      "AccessDeniedException", "not authorized to perform: iam:PassRole on resource: r", "allow the action iam:PassRole"
    ),
    ("ClientException", "Unable to describe task definition.", "check --task-definition"),
    ("ClusterNotFoundException", "Cluster not found.", "check --cluster; a cluster belongs to one --region"),
    ("InvalidParameterException", "Network Configuration must be provided when networkMode", "check --subnets"),
    ("UnrecognizedClientException", "The security token is invalid", "key or secret is wrong"),
  ]) func aRefusalEndsTheRunAndSaysWhatIsMissing(code: String, message: String, remedy: String) async throws {
    let calls = Calls()
    let result = try await run(calls: calls) { name, _ in name == "RunTask" ? Self.error(code, message) : Self.none }
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(
      result.talk.contains("error: tasks cannot be started: \(code)") && result.talk.contains(remedy), "\(result.talk)")
    #expect(calls.count("RunTask") == 1 && calls.count("StopTask") == 0)
  }

  @Test func whatMayNotBeListedIsNotBegun() async throws {
    let calls = Calls()
    let result = try await run(calls: calls) { _, _ in Self.error("AccessDeniedException", "no") }
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("allow the action ecs:ListTasks"), "\(result.talk)")
    #expect(calls.all == ["ListTasks"])
  }

  @Test(arguments: ["bench-e2e", "bench-concurrent"])
  func anAnswerWithFailuresIsAFailedStepByTheirReason(tool: String) async throws {
    let own = tool == "bench-e2e" ? ["--count", "2"] : ["--concurrency", "2"]
    let result = try await run(tool, own) { name, _ in
      name == "RunTask"
        ? .json(#"{"tasks": [], "failures": [{"arn": "a", "reason": "RESOURCE:CPU", "detail": "no room"}]}"#)
        : Self.none
    }
    #expect(result.status == .exited(1), "nothing was measured: \(result.talk)")
    let document = try result.document()
    #expect(document.errors.map(\.kind) == ["run_task: RESOURCE:CPU"] && document.errors.first?.count == 2)
    #expect(document.errors.first?.example.contains("no room") == true)
  }

  @Test func aTaskThatStopsIsShownWithItsReasonAndNotStoppedAgain() async throws {
    let calls = Calls()
    let result = try await run("bench-e2e", ["--count", "1"], calls: calls) { name, _ in
      switch name {
      case "RunTask": Self.tasks("PROVISIONING")
      case "DescribeTasks":
        Self.tasks("STOPPED", #", "desiredStatus": "STOPPED", "stoppedReason": "CannotPullContainerError: denied""#)
      case "StopTask": Self.stopped
      default: Self.none
      }
    }
    let document = try result.document()
    #expect(document.errors.map(\.kind) == ["pending_to_running: stopped"])
    #expect(document.errors.first?.example.contains("CannotPullContainerError: denied") == true)
    #expect(calls.count("StopTask") == 0)
  }

  @Test(arguments: [("PENDING", "pending_to_running"), ("RUNNING", "wait_connection")])
  func aTaskThatNeverComesIsATimeoutOfItsStep(status: String, step: String) async throws {
    let calls = Calls()
    let result = try await run("bench-e2e", ["--count", "1", "--start-timeout", "300ms"], calls: calls) { name, _ in
      switch name {
      case "RunTask": Self.tasks("PROVISIONING")
      case "DescribeTasks": Self.tasks(status)
      case "StopTask": Self.stopped
      default: Self.none
      }
    }
    let document = try result.document()
    #expect(document.errors.map(\.kind) == ["\(step): timeout"] && document.counters["timeouts"] == 1)
    #expect(document.counters["failed_\(step)"] == 1)
    #expect(calls.count("StopTask") == 1 && document.counters["tasks_stopped"] == 1)
  }

  @Test func aTaskWhoseRunTaskGotNoAnswerIsFoundByItsMarkAndStopped() async throws {
    let calls = Calls()
    let mark = Mutex("")
    let result = try await run("bench-e2e", ["--count", "1"], calls: calls) { name, request in
      switch name {
      case "RunTask":
        let body = try? JSONDecoder().decode([String: AnyText].self, from: Data(request.body.utf8))
        mark.withLock { $0 = body?["startedBy"]?.text ?? "" }
        return .reset
      case "ListTasks":
        let started = mark.withLock { $0 }
        return !started.isEmpty && request.body.contains("\"startedBy\":\"\(started)\"")
          ? .json(#"{"taskArns": ["\#(Self.arn)"]}"#) : Self.none
      case "StopTask": return Self.stopped
      default: return Self.none
      }
    }
    let document = try result.document()
    #expect(mark.withLock { $0 }.hasPrefix("infrabench-"))
    #expect(document.counters["tasks_started"] == 1 && document.counters["tasks_stopped"] == 1, "\(result.talk)")
    #expect(calls.count("StopTask") == 1)
    #expect(document.errors.first?.kind.hasPrefix("run_task: ecs_") == true, "\(document.errors)")
  }

  @Test func aGatewayThatShowsNoStatusIsGivenNoTasks() async throws {
    let nobody = try await ScriptedGateway.urlOfNobody()
    let calls = Calls()
    let server = try await Self.server(calls: calls) { _, _ in Self.none }
    let result = try await BenchRun.run(
      "bench-concurrent", Self.options(server) + ["--gateway-url", nobody], environment: Self.environment)
    await server.stop()
    #expect(result.status == .exited(1) && result.files().isEmpty)
    #expect(result.talk.contains("error: no task is started: the gateway's status"), "\(result.talk)")
    #expect(calls.all.isEmpty)
  }

  @Test(arguments: [("alice", 0), ("test-user-0007", 1)])
  func aTaskThatServesSomebodyElseIsLeftToTheGateway(user: String, stops: Int) async throws {
    let calls = Calls()
    let server = try await ScriptedGateway { request in
      switch (request.line, Self.operation(of: request)) {
      case ("GET /api/status", _):
        return .json(
          #"{"warmCount": 0, "assignedCount": 1, "tasks": [{"taskId": "t1", "state": "assigned", "userId": "\#(user)"}]}"#
        )
      case ("POST /api/acquire", _): return .json(#"{"success": false, "error": "No warm tasks", "warmCount": 0}"#)
      case ("POST /", let name):
        calls.add(name)
        return name == "RunTask" ? Self.tasks("PROVISIONING") : name == "StopTask" ? Self.stopped : Self.none
      default: return .json("{}", status: 404)
      }
    }
    let result = try await BenchRun.run(
      "bench-concurrent", Self.options(server) + ["--concurrency", "1"], environment: Self.environment)
    await server.stop()
    let document = try result.document()
    #expect(document.counters["misses"] == 1 && document.counters["tasks_started"] == 1, "\(result.talk)")
    #expect(calls.count("StopTask") == stops && document.counters["tasks_stopped"] == UInt64(stops))
    #expect(
      document.notes.contains { $0.contains("1 task of this run went to users of somebody else") } == (stops == 0))
  }

  /// ECS has begun to start the task, and nothing is heard of it when the signal comes.
  @Test func aRunTaskThatTheSignalCutsOffIsLookedForToo() async throws {
    let calls = Calls()
    let server = try await Self.server(calls: calls) { name, _ in
      switch name {
      case "RunTask": .silence
      // As ECS does: not at once.
      case "ListTasks": calls.count("ListTasks") < 3 ? Self.none : .json(#"{"taskArns": ["\#(Self.arn)"]}"#)
      default: Self.stopped
      }
    }
    let run = try await BenchRun.start("bench-e2e", Self.options(server), environment: Self.environment)
    try await eventually("no RunTask") { calls.count("RunTask") == 1 }
    let begin = ContinuousClock.now
    run.running.child.signal(SIGINT)
    let result = await run.end()
    await server.stop()
    #expect(begin.duration(to: .now) < .seconds(7))
    #expect(result.status == .exited(130), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .interrupted && document.counters["errors"] == 0 && document.counters["censored"] == 1)
    #expect(calls.count("StopTask") == 1 && document.counters["tasks_stopped"] == 1, "\(calls.all)")
  }

  /// Neither a stop between iterations nor the ones at the end outlast a signal for long.
  @Test func stopsThatHangAreCutOffAndSaid() async throws {
    let calls = Calls()
    let server = try await Self.server(calls: calls) { name, _ in
      switch name {
      case "RunTask": Self.tasks("PROVISIONING")
      case "DescribeTasks": Self.tasks("PENDING")
      case "StopTask": .silence
      default: Self.none
      }
    }
    // The first task's start fails at once, and its stop never ends.
    let run = try await BenchRun.start(
      "bench-e2e", Self.options(server) + ["--start-timeout", "1ms"], environment: Self.environment)
    try await eventually("no StopTask") { calls.count("StopTask") >= 1 }
    let begin = ContinuousClock.now
    run.running.child.signal(SIGTERM)
    let result = await run.end()
    await server.stop()
    #expect(begin.duration(to: .now) < .seconds(7))
    #expect(result.status == .exited(143), "\(result.talk)")
    #expect(
      try result.document().notes.contains {
        $0.contains("could not be stopped: no answer in time. Find them with: aws ecs")
      })
  }

  @Test func whatCannotBeStoppedIsSaidWithTheCommandThatFindsIt() async throws {
    let result = try await run("bench-e2e", ["--count", "1", "--start-timeout", "200ms"]) { name, _ in
      switch name {
      case "RunTask": Self.tasks("PROVISIONING")
      case "DescribeTasks": Self.tasks("PENDING")
      case "StopTask": Self.error("AccessDeniedException", "not authorized to perform: ecs:StopTask")
      default: Self.none
      }
    }
    #expect(result.talk.contains("allow the action ecs:StopTask"), "\(result.talk)")
    #expect(
      try result.document().notes.contains {
        $0.contains("aws ecs list-tasks --cluster stage --region eu-west-1 --started-by infrabench-")
      })
  }
}

/// A JSON value of which only a text is of interest.
private struct AnyText: Decodable {
  var text: String?

  init(from decoder: any Decoder) throws {
    text = try? decoder.singleValueContainer().decode(String.self)
  }
}
