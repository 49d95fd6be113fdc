import FoundationEssentials
import Glibc
import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `--cold-by run-task` against an ECS that says exactly what a test tells it to.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RefusedTaskTests {
  private static let environment = [
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_SESSION_TOKEN": "",
    "AWS_PROFILE": "", "AWS_REGION": "eu-west-1",
  ]
  private static let arn = "arn:aws:ecs:eu-west-1:123456789012:task/stage/t1"
  private static let otherARN = "arn:aws:ecs:eu-west-1:123456789012:task/stage/other"

  /// What ECS was asked, in order.
  private final class Calls: Sendable {
    private let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
    var all: [String] { names.withLock { $0 } }
    func count(_ name: String) -> Int { all.count { $0 == name } }
  }

  /// A gateway and an ECS on the same port. `answer` answers ECS's calls by their names, and `gateway` the others; nil: it
  /// has no tasks of its own, and no such path.
  private static func server(
    calls: Calls, gateway: @escaping @Sendable (ScriptedGateway.Request) -> ScriptedGateway.Answer? = { _ in nil },
    _ answer: @escaping @Sendable (String, ScriptedGateway.Request) -> ScriptedGateway.Answer
  ) async throws -> ScriptedGateway {
    try await ScriptedGateway { request in
      guard request.line == "POST /" else {
        let none = request.line == "GET /api/status" ? status() : .json("{}", status: 404)
        return gateway(request) ?? none
      }
      let name = operation(of: request)
      calls.add(name)
      return answer(name, request)
    }
  }

  /// A status with these tasks, of which as many are assigned.
  private static func status(_ tasks: String = "", assigned: Int = 0) -> ScriptedGateway.Answer {
    .json(#"{"warmCount": 0, "assignedCount": \#(assigned), "tasks": [\#(tasks)]}"#)
  }

  /// The task that RunTask starts here, with a user.
  private static func task(of user: String) -> String {
    #"{"taskId": "t1", "state": "assigned", "userId": "\#(user)"}"#
  }

  private static let given = ScriptedGateway.Answer.json(#"{"success": true, "taskId": "t1", "latency": 1}"#)

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

  private static func text(_ key: String, in request: ScriptedGateway.Request) -> String {
    let body = try? JSONDecoder().decode([String: AnyText].self, from: Data(request.body.utf8))
    return body?[key]?.text ?? ""
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

  @Test(
    .wholeSuiteOnly,
    arguments: [
      ("AccessDeniedException", "not authorized to perform: ecs:RunTask", "allow the action ecs:RunTask"),
      (
        "AccessDeniedException", "not authorized to perform: iam:PassRole on resource: r",
        "allow the action iam:PassRole"
      ),
      ("ClientException", "Unable to describe task definition.", "check --task-definition"),
      ("ClusterNotFoundException", "Cluster not found.", "check --cluster; a cluster belongs to one --region"),
      ("InvalidParameterException", "Network Configuration must be provided when networkMode", "check --subnets"),
      ("UnrecognizedClientException", "The security token is invalid", "key or secret is wrong"),
    ]) func aRefusalEndsTheRunAndSaysWhatIsMissing(code: String, message: String, remedy: String) async throws
  {
    let calls = Calls()
    let result = try await run(calls: calls) { name, _ in name == "RunTask" ? Self.error(code, message) : Self.none }
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(
      result.talk.contains("error: tasks cannot be started: ecs:RunTask: \(code)") && result.talk.contains(remedy),
      "\(result.talk)")
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

  @Test(.wholeSuiteOnly, arguments: [("PENDING", "pending_to_running"), ("RUNNING", "wait_connection")])
  func aTaskThatNeverComesIsATimeoutOfItsStep(status: String, step: String) async throws {
    let calls = Calls()
    // A task that runs must have been seen to run before its time is over.
    let timeout = status == "RUNNING" ? "4s" : "300ms"
    let result = try await run("bench-e2e", ["--count", "1", "--start-timeout", timeout], calls: calls) { name, _ in
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

  /// The listing has others' tasks too by then: each is looked at before it is stopped.
  @Test func aTaskWhoseRunTaskGotNoAnswerIsFoundByItsMarkAndStopped() async throws {
    let calls = Calls()
    let mark = Mutex("")
    let stopped = Mutex<[String]>([])
    let result = try await run("bench-e2e", ["--count", "1"], calls: calls) { name, request in
      let started = mark.withLock { $0 }
      switch name {
      case "RunTask":
        mark.withLock { $0 = Self.text("startedBy", in: request) }
        return .reset
      case "ListTasks":
        return !started.isEmpty && request.body.contains("\"startedBy\":\"\(started)\"")
          ? .json(#"{"taskArns": ["\#(Self.arn)", "\#(Self.otherARN)"]}"#) : Self.none
      case "DescribeTasks":
        return .json(
          #"{"tasks": [{"taskArn": "\#(Self.arn)", "lastStatus": "PENDING", "startedBy": "\#(started)"}, "#
            + #"{"taskArn": "\#(Self.otherARN)", "lastStatus": "RUNNING", "startedBy": "ecs-svc/1"}]}"#)
      case "StopTask":
        stopped.withLock { $0.append(Self.text("task", in: request)) }
        return Self.stopped
      default: return Self.none
      }
    }
    let document = try result.document()
    #expect(mark.withLock { $0 }.hasPrefix("infrabench-"))
    #expect(document.counters["tasks_started"] == 1 && document.counters["tasks_stopped"] == 1, "\(result.talk)")
    #expect(stopped.withLock { $0 } == [Self.arn])
    #expect(document.errors.first?.kind.hasPrefix("run_task: ecs_") == true, "\(document.errors)")
  }

  @Test func whatCouldNotBeToldFromOthersIsNotBegun() async throws {
    let calls = Calls()
    let result = try await run(calls: calls) { _, _ in .json(#"{"taskArns": ["\#(Self.otherARN)"]}"#) }
    #expect(result.status == .exited(1) && result.files().isEmpty)
    #expect(result.talk.contains("lists 1. It ignores startedBy"), "\(result.talk)")
    #expect(calls.all == ["ListTasks"])
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

  /// The last one's id is that of this run's only user, who was given nothing: a colleague has come with it too.
  @Test(.wholeSuiteOnly, arguments: ["alice", "test-user-0007", "test-user-0001"])
  func aTaskThatServesSomebodyElseIsLeftToTheGateway(user: String) async throws {
    let calls = Calls()
    let miss = ScriptedGateway.Answer.json(#"{"success": false, "error": "No warm tasks", "warmCount": 0}"#)
    let server = try await Self.server(
      calls: calls,
      gateway: { request in
        switch request.line {
        case "GET /api/status": Self.status(Self.task(of: user), assigned: 1)
        case "POST /api/acquire": miss
        default: nil
        }
      }
    ) { name, _ in
      name == "RunTask" ? Self.tasks("PROVISIONING") : name == "StopTask" ? Self.stopped : Self.none
    }
    let result = try await BenchRun.run(
      "bench-concurrent", Self.options(server) + ["--concurrency", "1", "--user-id", "test-user"],
      environment: Self.environment)
    await server.stop()
    let document = try result.document()
    #expect(document.counters["misses"] == 1 && document.counters["tasks_started"] == 1, "\(result.talk)")
    #expect(calls.count("StopTask") == 0 && document.counters["tasks_stopped"] == 0)
    #expect(document.counters["tasks_left"] == 1)
    #expect(document.notes.contains { $0.contains("1 task of this run was left, as a user of somebody else") })
  }

  /// ECS has begun to start the task, and nothing is heard of it when the signal comes.
  @Test(.wholeSuiteOnly) func aRunTaskThatTheSignalCutsOffIsLookedForToo() async throws {
    let calls = Calls()
    let mark = Mutex("")
    let server = try await Self.server(calls: calls) { name, request in
      switch name {
      case "RunTask":
        mark.withLock { $0 = Self.text("startedBy", in: request) }
        return .silence
      // As ECS does: not at once.
      case "ListTasks":
        return calls.count("ListTasks") < 3 ? Self.none : .json(#"{"taskArns": ["\#(Self.arn)"]}"#)
      case "DescribeTasks": return Self.tasks("PENDING", #", "startedBy": "\#(mark.withLock { $0 })""#)
      default: return Self.stopped
      }
    }
    let run = try await BenchRun.start("bench-e2e", Self.options(server), environment: Self.environment)
    try await eventually("no RunTask") { calls.count("RunTask") == 1 }
    let begin = ContinuousClock.now
    run.running.child.signal(SIGINT)
    let result = await run.end()
    await server.stop()
    #expect(begin.duration(to: .now) < .seconds(15))
    #expect(result.status == .exited(130), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .interrupted && document.counters["errors"] == 0 && document.counters["censored"] == 1)
    #expect(calls.count("StopTask") == 1 && document.counters["tasks_stopped"] == 1, "\(calls.all)")
  }

  /// The gateway is mute from the acquire on: the releases take all of their time, and no look shows the task. Its user is
  /// this run's own.
  @Test(.wholeSuiteOnly) func aTaskOfThisRunsUserIsStoppedBehindAGatewayThatHasBecomeMute() async throws {
    let calls = Calls()
    let server = try await ScriptedGateway { request in
      let name = request.line == "POST /" ? Self.operation(of: request) : request.line
      let isMute = calls.count("POST /api/acquire") > 0
      calls.add(isMute ? "\(name), mute" : name)
      switch name {
      case "GET /api/status":
        if isMute { return .silence }
        return Self.status(calls.count("RunTask") > 0 ? #"{"taskId": "t1", "state": "warm"}"# : "")
      case "POST /api/acquire": return Self.given
      case "RunTask": return Self.tasks("PROVISIONING")
      case "DescribeTasks": return Self.tasks("RUNNING")
      case "StopTask": return Self.stopped
      case "ListTasks": return Self.none
      case "POST /api/release": return .silence
      default: return .json("{}", status: 404)
      }
    }
    let run = try await BenchRun.start(
      "bench-e2e", Self.options(server) + ["--count", "1"], environment: Self.environment)
    // The user has its task, and asks whether it is ready.
    try await eventually("no look after the acquire") { calls.count("GET /api/status, mute") >= 1 }
    let begin = ContinuousClock.now
    run.running.child.signal(SIGINT)
    let result = await run.end()
    await server.stop()
    #expect(begin.duration(to: .now) < .seconds(15))
    #expect(result.status == .exited(130), "\(result.talk)")
    let document = try result.document()
    #expect(calls.count("StopTask, mute") == 1, "\(calls.all)")
    #expect(document.counters["tasks_stopped"] == 1 && document.counters["tasks_left"] == 0, "\(result.talk)")
  }

  /// Neither a stop between iterations nor the ones at the end outlast a signal for long.
  @Test(.wholeSuiteOnly) func stopsThatHangAreCutOffAndSaid() async throws {
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
    #expect(begin.duration(to: .now) < .seconds(15))
    #expect(result.status == .exited(143), "\(result.talk)")
    #expect(
      try result.document().notes.contains {
        $0.contains("could not be stopped: no answer in time. Find them with: aws ecs")
      })
  }

  private static func refusingStops(_ name: String) -> ScriptedGateway.Answer {
    switch name {
    case "RunTask": tasks("PROVISIONING")
    case "DescribeTasks": tasks("PENDING")
    case "StopTask": error("AccessDeniedException", "not authorized to perform: ecs:StopTask")
    default: none
    }
  }

  @Test func whatCannotBeStoppedIsSaidWithTheCommandThatFindsIt() async throws {
    let scratch = try Scratch()
    try "[default]\n[profile of two]\n".write(toFile: scratch("config"), atomically: true, encoding: .utf8)
    try "[of two]\naws_access_key_id = A\naws_secret_access_key = not-a-secret\n".write(
      toFile: scratch("credentials"), atomically: true, encoding: .utf8)
    let server = try await Self.server(calls: Calls()) { name, _ in Self.refusingStops(name) }
    let files = ["AWS_CONFIG_FILE": scratch("config"), "AWS_SHARED_CREDENTIALS_FILE": scratch("credentials")]
    let result = try await BenchRun.run(
      "bench-e2e", Self.options(server) + ["--count", "1", "--start-timeout", "200ms", "--profile", "of two"],
      environment: Self.environment.merging(files) { $1 })
    await server.stop()
    #expect(result.talk.contains("allow the action ecs:StopTask"), "\(result.talk)")
    let options = "--cluster stage --region eu-west-1 --profile 'of two' --endpoint-url \(server.url)"
    let command = "aws ecs list-tasks \(options) --started-by infrabench-"
    #expect(try result.document().notes.contains { $0.contains("could not be stopped") && $0.contains(command) })
    // And it was known before there was a task.
    #expect(result.talk.components(separatedBy: "tasks of this run bear startedBy infrabench-").count == 2)
    #expect(result.talk.contains(": \(command)"), "\(result.talk)")
  }

  @Test func whoIsToBeQuietSaysNothingOfTheMark() async throws {
    let arguments = ["--count", "1", "--start-timeout", "50ms", "--quiet"]
    let result = try await run("bench-e2e", arguments) { name, _ in Self.refusingStops(name) }
    #expect(result.talk.hasPrefix("error: no cold start was measured"), "\(result.talk)")
  }

  /// Every cold start works, and each would leave a task.
  @Test(.wholeSuiteOnly, arguments: ["bench-e2e", "bench-concurrent"])
  func aStopThatIsRefusedIsAnErrorAndEndsTheRun(tool: String) async throws {
    let calls = Calls()
    let user = Mutex("nobody")
    let server = try await Self.server(
      calls: calls,
      gateway: { request in
        switch request.line {
        case "GET /api/status":
          return calls.count("RunTask") > 0 ? Self.status(Self.task(of: user.withLock { $0 })) : nil
        case "POST /api/acquire":
          user.withLock { $0 = Self.text("userId", in: request) }
          return Self.given
        case "POST /api/release": return .json(#"{"success": true}"#)
        default: return nil
        }
      }
    ) { name, _ in name == "DescribeTasks" ? Self.tasks("RUNNING") : Self.refusingStops(name) }
    let own = tool == "bench-e2e" ? ["--count", "5"] : ["--concurrency", "1", "--bursts", "5"]
    let result = try await BenchRun.run(tool, Self.options(server) + own, environment: Self.environment)
    await server.stop()
    let document = try result.document()
    #expect(calls.count("RunTask") == 1, "\(calls.all)")
    #expect(result.status == .exited(99) && document.verdict == .fail, "\(result.talk)")
    #expect(document.errors.map(\.kind) == ["stop_task: AccessDeniedException"], "\(document.errors)")
    #expect(document.counters["errors"] == 1 && document.counters["iterations"] == 1)
    #expect(document.counters["tasks_started"] == 1 && document.counters["tasks_stopped"] == 0)
    #expect(document.notes.contains { $0.hasPrefix("no further task was started, as none can be stopped") })
  }

  @Test func aSecondSignalEndsTheRunAtOnceAndSaysWhatThatMeans() async throws {
    let calls = Calls()
    let server = try await Self.server(calls: calls) { name, _ in
      name == "StopTask" ? .silence : Self.refusingStops(name)
    }
    let run = try await BenchRun.start("bench-e2e", Self.options(server), environment: Self.environment)
    try await eventually("no task was described") { calls.count("DescribeTasks") >= 1 }
    run.running.child.signal(SIGINT)
    try await eventually("no StopTask") { calls.count("StopTask") >= 1 }
    // Never a repetition of the first one.
    run.running.child.signal(SIGQUIT)
    let result = await run.end()
    await server.stop()
    #expect(result.status == .exited(131), "\(result.talk)")
    // What was measured was written before anything was stopped.
    #expect(try result.document().verdict == .interrupted)
    #expect(result.talk.hasSuffix("what this run has started or holds may be left as it is\n"), "\(result.talk)")
    #expect(result.talk.contains("--started-by infrabench-"))
  }
}

/// A JSON value of which only a text is of interest.
private struct AnyText: Decodable {
  var text: String?

  init(from decoder: any Decoder) throws {
    text = try? decoder.singleValueContainer().decode(String.self)
  }
}
