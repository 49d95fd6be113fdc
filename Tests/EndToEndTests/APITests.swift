import AWSTestSupport
import FoundationEssentials
import Glibc
import ProcessControl
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `bench-api` as its users run it: against the embedded gateway, servers whose every answer is known, and moto.
@Suite(.timeLimit(.minutes(2))) struct APITests {
  private static let quick = ["--rate", "1000/s", "--force-rate", "--allow-saturated"]

  private static func run(_ server: HTTPTestServer, _ options: [String]) async throws -> BenchResult {
    try await BenchRun.run(
      "bench-api", ["--ecs-endpoint-url", server.url, "--cluster", "pool", "--service", "warm"] + options,
      environment: ScriptedECS.environment)
  }

  /// Runs the tool against a server that answers a call by its operation and its number of that operation, from 1; what it
  /// leaves open is answered as ECS does, with `tasks` tasks.
  private func run(
    tasks: Int = 2, _ options: String...,
    answer: @escaping @Sendable (_ operation: String, _ number: Int) async -> HTTPTestServer.Reaction? = { _, _ in nil }
  ) async throws -> BenchResult {
    let ecs = TaskLister(tasks)
    return try await HTTPTestServer.run { request in
      let (operation, number) = ecs.count(request)
      return await answer(operation, number) ?? ecs.answer(request, operation)
    } _: { server in
      try await Self.run(server, Self.quick + options)
    }
  }

  @Test func theEmbeddedGatewaysEndpointIsMeasured() async throws {
    let result = try await BenchRun.run(
      "bench-api", ["--pool-size", "3", "--allow-saturated"], environment: ScriptedECS.environment)
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .pass)
    let counts = document.metrics.mapValues(\.count)
    #expect(
      counts == [
        "first_call": 1, "list_tasks": 9, "list_tasks_first_byte": 9, "describe_tasks": 10,
        "describe_tasks_first_byte": 10, "name_lookup": 1, "connect": 1,
      ])
    for name in ["iterations", "errors", "reconnects", "throttles", "retries", "timeouts", "censored"] {
      #expect(document.counters[name] == (name == "iterations" ? 10 : 0), "\(name)")
    }
    #expect(document.findings == ["calls": 20, "tasks_listed": 3])
    #expect(document.target.kind == "embedded" && document.target.ecsEndpointUrl != nil)
    // It has no --gateway-url, and ends at ECS.
    #expect(document.target.gatewayUrl == nil && !result.talk.contains("--gateway-url"), "\(result.talk)")
    #expect(document.parameters["rate"] == .null && document.parameters["poolSize"] == 3)
    let lines = result.output.split(separator: "\n")
    let first = #/^Run 1: list_tasks=[0-9.]+[mµ]?s \(first call\), describe_tasks=[0-9.]+[mµ]?s$/#
    #expect(lines.first?.contains(first) == true)
    #expect(lines.count { $0.hasPrefix("Run ") } == 10)
    #expect(lines.last?.hasPrefix("Average: ") == true)
    #expect(try result.file("md").contains("219 ms (168–647)"))
  }

  @Test func aThrottledCallIsCountedAndHasNoLatency() async throws {
    let result = try await run("--iterations", "6") { operation, number in
      guard operation == "ListTasks", number.isMultiple(of: 2) else { return nil }
      return .answer(status: 400, body: Array(#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#.utf8))
    }
    #expect(result.status == .exited(99), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["throttles"] == 3 && document.counters["errors"] == 3)
    #expect(document.counters["iterations"] == 6 && document.counters["retries"] == 0)
    #expect(document.errors.map(\.kind) == ["list_tasks: throttled"])
    #expect(document.errors.first?.example.contains("--rate") == true)
    #expect(document.metrics["first_call"]?.count == 1)
    #expect(document.metrics["list_tasks"]?.count == 2 && document.metrics["describe_tasks"]?.count == 3)
    // Half of the iterations failed: no high percentile says anything.
    #expect(document.metrics["list_tasks"]?.unreliable.contains("p90") == true)
    #expect(result.output.contains("Run 2: failed (list_tasks: throttled)\n"))
  }

  @Test func aServerThatClosesEachConnectionIsNotMeasuredAsIfItKeptThem() async throws {
    let body = Array(#"{"taskArns":["arn:aws:ecs:eu-west-1:1:task/pool/a"],"tasks":[]}"#.utf8)
    let result = try await run("--iterations", "3", "--threshold", "list_tasks.p50 < 1h") { _, _ in
      .answer(status: 200, headers: [("Connection", "close")], body: body)
    }
    // The user's own threshold has no sample.
    #expect(result.status == .exited(99), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["reconnects"] == 5 && document.counters["errors"] == 0)
    #expect(document.metrics["list_tasks"] == nil && document.metrics["describe_tasks"] == nil)
    #expect(document.metrics["first_call"]?.count == 1)
    #expect(document.metrics["list_tasks_new_connection"]?.count == 2)
    #expect(document.metrics["describe_tasks_new_connection"]?.count == 3)
    #expect(document.metrics["connect"]?.count == 6 && document.metrics["name_lookup"]?.count == 6)
    #expect(document.notes.contains { $0.hasPrefix("5 of 6 calls opened a connection anew") })
    #expect(document.notes.contains { $0.contains("no call found a kept connection") })
  }

  @Test func aSlowFirstByteIsSeenWhereItIs() async throws {
    let result = try await run("--iterations", "3") { operation, _ in
      if operation == "ListTasks" { try? await Task.sleep(for: .milliseconds(150)) }
      return nil
    }
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    let firstByte = try #require(document.metrics["list_tasks_first_byte"])
    #expect(firstByte.count == 2 && firstByte.min > 149)
    #expect((document.metrics["list_tasks"]?.min ?? 0) >= 150)
    #expect((document.metrics["first_call"]?.min ?? 0) >= 150)
    #expect((document.metrics["describe_tasks"]?.min ?? 150) < firstByte.min)
    #expect((document.metrics["connect"]?.max ?? 150) < firstByte.min)
  }

  @Test func aMissingPermissionEndsTheRunAndIsNamed() async throws {
    let ecs = ScriptedECS(.init(denied: ["DescribeTasks"]))
    let result = try await ecs.serve { url in
      try await BenchRun.run(
        "bench-api", ["--ecs-endpoint-url", url, "--cluster", "pool", "--service", "warm"],
        environment: ScriptedECS.environment)
    }
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("AccessDeniedException"), "\(result.talk)")
    #expect(result.talk.contains("allow the action ecs:DescribeTasks"), "\(result.talk)")
    #expect(result.talk.contains("request id request-of-DescribeTasks"), "\(result.talk)")
    #expect(!result.talk.contains("not-a-secret"))
    #expect(ecs.calls("ListTasks") == 1 && ecs.calls("DescribeTasks") == 1)
    #expect(result.files().isEmpty)
  }

  @Test func whatWasMeasuredBeforeALastingErrorIsWritten() async throws {
    let ecs = ScriptedECS(.init(deniedFrom: ["DescribeTasks": 4]))
    let result = try await ecs.serve { url in
      try await BenchRun.run(
        "bench-api", ["--ecs-endpoint-url", url, "--cluster", "pool", "--service", "warm", "--iterations", "9"],
        environment: ScriptedECS.environment)
    }
    #expect(result.status == .exited(99), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["iterations"] == 4 && document.counters["errors"] == 1)
    #expect(document.errors.map(\.kind) == ["describe_tasks: AccessDeniedException"], "\(document.errors)")
    #expect(document.metrics["list_tasks"]?.count == 3 && document.metrics["describe_tasks"]?.count == 3)
    #expect(document.notes.contains { $0.hasPrefix("the run was ended early: ") }, "\(document.notes)")
    #expect(result.talk.contains("allow the action ecs:DescribeTasks"), "\(result.talk)")
    #expect(ecs.calls("ListTasks") == 4)
  }

  @Test(arguments: [
    ("<html><title>Welcome</title></html>", "<html><title>Welcome</title></html>"),
    ("<?xml version=\"1.0\"?>\n<ListAllMyBucketsResult/>", "<?xml"), (#"{"taskArns":["a""#, #"{"taskArns":["a""#),
    ("{}", "'{}'"),
  ]) func anAnswerOfAnotherShapeIsNoEmptyList(body: String, shown: String) async throws {
    let result = try await run { _, _ in .answer(status: 200, body: Array(body.utf8)) }
    #expect(result.status == .exited(1))
    #expect(result.talk.contains(shown) && result.talk.contains("--ecs-endpoint-url"), "\(result.talk)")
    #expect(result.files().isEmpty)
  }

  @Test func aClusterThatIsNotThereNamesItsFlag() async throws {
    let result = try await run { _, _ in
      .answer(status: 400, body: Array(#"{"__type":"x#ClusterNotFoundException","message":"not found"}"#.utf8))
    }
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("ClusterNotFoundException") && result.talk.contains("--cluster"), "\(result.talk)")
  }

  @Test func aRunThatListsNoTaskIsWorthless() async throws {
    let calls = Mutex<[String]>([])
    let result = try await run(tasks: 0, "--iterations", "3") { operation, _ in
      calls.withLock { $0.append(operation) }
      return nil
    }
    #expect(result.status == .exited(1), "\(result.talk)")
    #expect(result.talk.contains("error: no task was listed: "), "\(result.talk)")
    #expect(result.talk.contains("check --cluster pool --service warm, and --region"), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .error)
    #expect(calls.withLock { $0 } == ["ListTasks", "ListTasks", "ListTasks"])
    #expect(document.metrics["list_tasks"]?.count == 2 && document.metrics["describe_tasks"] == nil)
    #expect(document.notes.count { $0.contains("no task was listed") } == 1)
    #expect(document.findings?["tasks_listed"] == 0)
  }

  @Test func anEmptyPoolOfAnInterruptedRunIsNoError() async throws {
    let ecs = TaskLister(0)
    try await HTTPTestServer.run { request in
      let (operation, _) = ecs.count(request)
      return ecs.answer(request, operation)
    } _: { server in
      let running = try await BenchRun.start(
        "bench-api", ["--ecs-endpoint-url", server.url, "--cluster", "pool", "--rate", "1/m"],
        environment: ScriptedECS.environment)
      try await running.waitForOutput("Run 1: ")
      running.running.child.signal(SIGINT)
      let result = await running.end(within: .seconds(20))
      #expect(result.status == .exited(130), "\(result.talk)")
      #expect(try result.document().verdict == .interrupted)
    }
  }

  @Test func eachPageAndEachBatchIsASample() async throws {
    let result = try await run(tasks: 250, "--iterations", "2")
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(document.metrics["first_call"]?.count == 1)
    #expect(document.metrics["list_tasks"]?.count == 5 && document.metrics["describe_tasks"]?.count == 6)
    #expect(document.findings == ["calls": 12, "tasks_listed": 250])
    #expect(result.output.contains("(3 calls, first call), describe_tasks="))
  }

  @Test(.wholeSuiteOnly) func lostConnectionsAndTimeoutsAreCountedAndTheRunGoesOn() async throws {
    let result = try await run("--iterations", "4", "--timeout", "6s") { operation, number in
      switch (operation, number) {
      case ("ListTasks", 2): .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".utf8))
      case ("DescribeTasks", 2): .silence
      default: nil
      }
    }
    #expect(result.status == .exited(99), "\(result.talk)")
    let document = try result.document()
    #expect(document.errors.map(\.kind).sorted() == ["describe_tasks: timeout", "list_tasks: connection_lost"])
    #expect(document.counters["timeouts"] == 1 && document.counters["iterations"] == 4)
    #expect(document.counters["reconnects"] == 2)
    // A listing counts though the description after it did not come.
    #expect(document.metrics["list_tasks_new_connection"]?.count == 2)
    #expect(document.metrics["describe_tasks"]?.count == 2)
  }

  @Test func anEndpointWhereNobodyListensEndsTheRun() async throws {
    let result = try await BenchRun.run(
      "bench-api", ["--ecs-endpoint-url", "http://127.0.0.1:1", "--cluster", "pool", "--service", "warm"],
      environment: ScriptedECS.environment)
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("ecs:ListTasks at http://127.0.0.1:1"), "\(result.talk)")
    #expect(!result.talk.contains("not-a-secret") && result.files().isEmpty)
  }

  @Test(.enabled(if: TLSProxy.isAvailable, "needs /usr/bin/openssl"))
  func theHandshakeIsInTheFirstCallAndAnUnknownAuthorityEndsTheRun() async throws {
    let ecs = ScriptedECS(.init())
    try await ecs.serve { url in
      let proxy = try await TLSProxy(to: url)
      let options = ["--ecs-endpoint-url", proxy.url, "--cluster", "pool", "--iterations", "2", "--allow-saturated"]
      let trusting = ScriptedECS.environment.merging(["AWS_CA_BUNDLE": proxy.certificate]) { $1 }
      let result = try await BenchRun.run("bench-api", options, environment: trusting)
      #expect(result.status == .exited(0), "\(result.talk)")
      let document = try result.document()
      #expect(document.metrics["tls"]?.count == 1 && document.metrics["connect"]?.count == 1)
      #expect((document.metrics["tls"]?.max ?? .infinity) < (document.metrics["first_call"]?.min ?? 0))
      #expect(document.metrics["list_tasks"]?.count == 1)

      let distrusting = ScriptedECS.environment.merging(["AWS_CA_BUNDLE": ""]) { $1 }
      let refused = try await BenchRun.run("bench-api", options, environment: distrusting)
      #expect(refused.status == .exited(1))
      #expect(refused.talk.contains("AWS_CA_BUNDLE"), "\(refused.talk)")
      await proxy.stop()
    }
  }

  @Test func wrongUsageIsSaidAllAtOnceAndNothingIsCalled() async throws {
    let calls = Mutex(0)
    let result = try await run("--rate=6", "--iterations=0", "--timeout=1", "--pool-size=2", "--print=yaml") { _, _ in
      calls.withLock { $0 += 1 }
      return nil
    }
    #expect(result.status == .exited(64))
    for option in ["--rate", "--iterations", "--timeout", "--pool-size", "--print"] {
      #expect(result.talk.contains("error: \(option): "), "\(result.talk)")
    }
    #expect(calls.withLock { $0 } == 0 && result.scratch.names(in: "") == [])
  }

  @Test func optionsMayComeFromAFile() async throws {
    let files = try Scratch()
    let file = files.write("api.json", #"{"iterations": 3, "pool-size": 2, "label": "nightly", "print": "md"}"#)
    let result = try await BenchRun.run(
      "bench-api", ["--scenario", file, "--iterations", "2", "--allow-saturated"], environment: ScriptedECS.environment)
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    #expect(document.counters["iterations"] == 2 && document.label == "nightly")
    #expect(document.findings?["tasks_listed"] == 2)
  }

  @Test func anInterruptedRunWritesWhatItHas() async throws {
    let ecs = ScriptedECS(.init())
    try await ecs.serve { url in
      let running = try await BenchRun.start(
        "bench-api", ["--ecs-endpoint-url", url, "--cluster", "pool", "--service", "warm", "--rate", "1/m"],
        environment: ScriptedECS.environment)
      try await running.waitForOutput("Run 1: ")
      running.running.child.signal(SIGINT)
      let result = await running.end(within: .seconds(20))
      #expect(result.status == .exited(130), "\(result.talk)")
      let document = try result.document()
      #expect(document.verdict == .interrupted)
      #expect(document.metrics["first_call"]?.count == 1 && document.counters["iterations"] == 1)
      #expect(document.counters["errors"] == 0)
    }
  }

  @Test func aCallThatIsInterruptedIsNoError() async throws {
    let ecs = TaskLister(1)
    try await HTTPTestServer.run { request in
      let (operation, number) = ecs.count(request)
      return operation == "ListTasks" && number == 2 ? .silence : ecs.answer(request, operation)
    } _: { server in
      let running = try await BenchRun.start(
        "bench-api", ["--ecs-endpoint-url", server.url, "--cluster", "pool"] + Self.quick,
        environment: ScriptedECS.environment)
      try await eventually("the second call never comes") { ecs.number(of: "ListTasks") == 2 }
      running.running.child.signal(SIGINT)
      let result = await running.end(within: .seconds(20))
      #expect(result.status == .exited(130), "\(result.talk)")
      let document = try result.document()
      #expect(document.counters["censored"] == 1 && document.counters["errors"] == 0)
      #expect(document.counters["iterations"] == 1)
    }
  }

  @Test(.wholeSuiteOnly) func aRealECSIsCalledFiveTimesASecondAtMost() async throws {
    let instants = Mutex<[ContinuousClock.Instant]>([])
    let ecs = TaskLister(1)
    try await HTTPTestServer.run { request in
      instants.withLock { $0.append(.now) }
      return ecs.answer(request, ecs.count(request).operation)
    } _: { server in
      let result = try await Self.run(server, ["--iterations", "13", "--allow-saturated"])
      #expect(result.status == .exited(0), "\(result.talk)")
      #expect(try result.document().parameters["rate"] == "5/s")
    }
    let seen = instants.withLock { $0 }
    try #require(seen.count == 26)
    // Twelve pauses of 400 ms; the first call's way here may have been the longest.
    #expect(seen[24] - seen[0] > .seconds(4), "\(seen[24] - seen[0])")
  }

  @Test(
    .wholeSuiteOnly,
    .enabled(if: MotoPool.isAvailable, "needs moto[server] and boto3; INFRABENCH_PYTHON names a Python"),
    .timeLimit(.minutes(3)))
  func motoClosesEachConnectionAndTheDocumentSaysSo() async throws {
    try await MotoPool.run(count: 12, checksSignatures: true) { pool in
      let options = ["--ecs-endpoint-url", pool.url, "--cluster", pool.cluster, "--service", pool.service]
      let result = try await BenchRun.run(
        "bench-api", options + ["--iterations", "4", "--allow-saturated"], environment: pool.environment)
      #expect(result.status == .exited(0), "\(result.talk)")
      let document = try result.document()
      #expect(document.findings == ["calls": 8, "tasks_listed": 12])
      #expect(document.counters["reconnects"] == 7)
      #expect(document.metrics["list_tasks"] == nil && document.metrics["first_call"]?.count == 1)
      #expect(document.metrics["describe_tasks_new_connection"]?.count == 4)
      #expect(document.notes.contains { $0.hasPrefix("7 of 8 calls opened a connection anew") })

      let wrong = pool.environment.merging(["AWS_SECRET_ACCESS_KEY": "wrong-and-not-shown"]) { $1 }
      let refused = try await BenchRun.run("bench-api", options, environment: wrong)
      #expect(refused.status == .exited(1))
      #expect(refused.talk.contains("the environment"), "\(refused.talk)")
      #expect(!refused.talk.contains("wrong-and-not-shown"))
    }
  }
}

/// Answers ListTasks and DescribeTasks as ECS does, in pages of 100.
private final class TaskLister: Sendable {
  private struct Input: Decodable {
    var nextToken: String?
  }

  private let tasks: [String]
  private let numbers = Mutex<[String: Int]>([:])

  init(_ count: Int) { tasks = (0..<count).map { "\"arn:aws:ecs:eu-west-1:123456789012:task/pool/\($0)\"" } }

  func number(of operation: String) -> Int { numbers.withLock { $0[operation] ?? 0 } }

  /// The operation, and how often it has been called with this request.
  func count(_ request: HTTPTestServer.Request) -> (operation: String, number: Int) {
    let operation = request.header("x-amz-target")?.split(separator: ".").last.map(String.init) ?? ""
    return numbers.withLock { numbers in
      numbers[operation, default: 0] += 1
      return (operation, numbers[operation] ?? 0)
    }
  }

  func answer(_ request: HTTPTestServer.Request, _ operation: String) -> HTTPTestServer.Reaction {
    guard operation == "ListTasks" else { return .answer(status: 200, body: Array(#"{"tasks":[]}"#.utf8)) }
    let input = try? JSONDecoder().decode(Input.self, from: Data(request.body))
    let start = input?.nextToken.flatMap { Int($0) } ?? 0
    let end = min(start + 100, tasks.count)
    let token = end < tasks.count ? ",\"nextToken\":\"\(end)\"" : ""
    return .answer(
      status: 200, body: Array("{\"taskArns\":[\(tasks[start..<end].joined(separator: ","))]\(token)}".utf8))
  }
}
