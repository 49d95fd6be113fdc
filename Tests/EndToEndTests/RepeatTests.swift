import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `--repeat` and `--ab-gateway-url` of the built tools.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RepeatTests {
  /// The documents of a command's runs, in their order.
  private func documents(_ result: BenchResult) throws -> [ResultDocument] {
    try result.files().filter { $0.key.hasSuffix(".json") }.map { try ResultCoding.decode($0.value, tools: .suite) }
      .sorted { ($0.repetition?.run ?? 0) < ($1.repetition?.run ?? 0) }
  }

  @Test(.wholeSuiteOnly) func runsInTheSameSecondHaveFilesAndSeedsOfTheirOwn() async throws {
    let result = try await BenchRun.run(
      "bench-dirinit", ["--count", "2", "--repeat", "4", "--label", "x"] + BenchRun.anySpeed)
    #expect(result.status == .exited(0), "\(result.talk)")
    let documents = try documents(result)
    #expect(documents.map(\.repetition) == (1...4).map { .init(run: $0, of: 4, side: nil) })
    #expect(result.files().count == 8)
    let parameters = documents.map(\.parameters)
    #expect(Set(parameters.compactMap { $0["seed"]?.description }).count == 4)
    // Nothing else tells them apart.
    let others = parameters.map { parameters in parameters.filter { $0.key != "seed" } }
    #expect(others.allSatisfy { $0 == others[0] })
    #expect(result.output.contains("== bench-dirinit, run 1 of 4 ==\n"))
    #expect(result.output.contains("\n== bench-dirinit, run 4 of 4 ==\n"))
    #expect(result.output.contains("\n4 runs: create\n") && result.output.contains("\nmedian "))
    #expect(result.output.contains("bench-compare cannot show a change"))
    if DocumentSchema.isAvailable {
      for document in documents { #expect(try await DocumentSchema.faults(in: ResultCoding.encode(document)) == []) }
    }
  }

  @Test(
    .wholeSuiteOnly,
    arguments: [
      ("bench-allocation", ["--count", "2"] + BenchRun.smallPool, "embedded"),
      ("bench-concurrent", ["--concurrency", "2"] + BenchRun.smallPool, "embedded"),
      ("bench-e2e", ["--count", "2"] + BenchRun.smallPool, "embedded"),
      ("bench-exhaustion", ["--poll-interval", "20ms"] + BenchRun.smallPool, "embedded"),
      ("bench-api", ["--iterations", "2"], "embedded"),
    ]) func everyRunHasATargetOfItsOwn(tool: String, options: [String], kind: String) async throws
  {
    let run = try await BenchRun.start(tool, options + BenchRun.anySpeed + ["--repeat", "3", "--print", "json"])
    let result = await run.end()
    #expect(result.status == .exited(0), "\(result.talk)")
    let documents = try documents(result)
    #expect(documents.count == 3)
    let targets = documents.map { $0.target.gatewayUrl ?? $0.target.ecsEndpointUrl }
    #expect(Set(targets).count == 3, "\(targets)")
    // One document after another, and nothing between them.
    #expect(try result.output == documents.map { try ResultCoding.encode($0) }.joined())
    #expect(result.scratch.names(in: "") == ["results"])
  }

  @Test func aSeedIsCountedUpFromAScenarioFileToo() async throws {
    let scratch = try Scratch()
    let file = scratch.write("scenario.json", #"{"repeat": 3, "seed": 41, "count": 2, "label": "from file"}"#)
    let result = try await BenchRun.run("bench-dirinit", ["--scenario", file] + BenchRun.anySpeed)
    #expect(result.status == .exited(0), "\(result.talk)")
    #expect(try documents(result).map { $0.parameters["seed"] } == [41, 42, 43])
  }

  @Test func agentsOfOneRunAreGoneWhenTheNextBegins() async throws {
    let gateway = try await MockGateway.start(["--pool-size", "0", "--dialect", "lab"], warm: 0)
    let result = try await BenchRun.run(
      "bench-allocation",
      ["--gateway-url", gateway.url, "--agents", "3", "--count", "3", "--repeat", "4"] + BenchRun.anySpeed)
    await gateway.stop()
    #expect(result.status == .exited(0), "\(result.talk)")
    #expect(try documents(result).map { $0.counters["iterations"] } == [3, 3, 3, 3])
  }

  @Test(.wholeSuiteOnly) func eachRunFindsTheSharedPoolAsFullAsTheFirstDid() async throws {
    // It needs longer to fill than bench-concurrent waits for a pool that it has never seen full.
    let gateway = try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "4", "--task-start-delay", "3s"], warm: 4)
    let result = try await BenchRun.run(
      "bench-concurrent",
      ["--gateway-url", gateway.url, "--concurrency", "3", "--repeat", "2"] + BenchRun.anySpeed)
    await gateway.stop()
    #expect(result.status == .exited(0), "\(result.talk)")
    #expect(try documents(result).map { $0.counters["warm"] } == [3, 3])
  }

  @Test(.wholeSuiteOnly) func aSignalEndsTheRunUnderWayAndThereIsNoFurtherOne() async throws {
    // Slow enough that the second run goes on when the signal comes.
    let gateway = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--acquire-delay", "150ms"])
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "60", "--repeat", "3"] + BenchRun.anySpeed)
    try await run.waitForOutput("run 2 of 3")
    try await eventually("the second run has no iteration") {
      run.running.standardOutputSoFar.split(separator: "run 2 of 3").last?.contains("Run 2: ") ?? false
    }
    run.running.child.signal(SIGINT)
    let result = await run.end()
    #expect(result.status == .exited(130), "\(result.talk)")
    let documents = try documents(result)
    #expect(documents.map(\.verdict) == [.pass, .interrupted])
    #expect(documents.map { $0.repetition?.of } == [3, 3])
    #expect(!result.output.contains("run 3 of 3") && result.output.contains("\n2 runs: allocation\n"))
    #expect(try await gateway.status().assignedCount == 0)
    await gateway.stop()
  }

  @Test(
    .wholeSuiteOnly,
    arguments: [
      ("bench-allocation", ["--count", "3"]), ("bench-e2e", ["--count", "3"]),
      ("bench-concurrent", ["--concurrency", "2", "--bursts", "3"]),
    ]) func aReportThatDrawsTheTimeHasATimeline(tool: String, options: [String]) async throws
  {
    let result = try await BenchRun.run(
      tool, options + BenchRun.smallPool + BenchRun.anySpeed + ["--format", "json,html"])
    #expect(result.status == .exited(0), "\(result.talk)")
    let document = try result.document()
    let timeline = try #require(document.timeline).rows
    let iterations = timeline.reduce(UInt64(0)) { sum, row in
      guard case .int(let number) = row["iterations"] else { return sum }
      return sum + UInt64(number)
    }
    #expect(iterations == document.counters["iterations"])
    #expect(timeline.contains { $0["histogram"] != nil })
    if tool == "bench-concurrent" { #expect(timeline.count == 3) }
  }

  @Test func anUnreachableTargetEndsAllRuns() async throws {
    let result = try await BenchRun.run(
      "bench-allocation",
      ["--gateway-url", "http://127.0.0.1:1", "--count", "1", "--repeat", "50", "--timeout", "2s"])
    #expect(result.status == .exited(1))
    #expect(result.talk.contains("the 48 runs left would fail as this one did"), "\(result.talk)")
    // Each has a result, of errors alone: two of those in a row are enough.
    #expect(try documents(result).map(\.verdict) == [.error, .error])
  }

  /// A run that left its event loops behind would leave their threads and descriptors.
  @Test(
    .wholeSuiteOnly,
    arguments: [
      (MockGateway.threeVirtualTasks, 3, ["--repeat", "30"]),
      (["--pool-size", "0", "--dialect", "lab"], 0, ["--agents", "2", "--repeat", "10"]),
    ])
  func manyRunsNeedTheThreadsOfOne(pool: [String], warm: Int, options: [String]) async throws {
    let gateway = try await MockGateway.start(pool, warm: warm)
    let run = try await BenchRun.start(
      "bench-allocation", ["--gateway-url", gateway.url, "--count", "1"] + options + BenchRun.anySpeed)
    var most = 0
    try await eventually("the runs have no end") {
      most = max(most, Self.loopThreads(of: run.running.child.pid))
      return run.running.child.exitStatus != nil
    }
    let result = await run.end()
    await gateway.stop()
    #expect(result.status == .exited(0), "\(result.talk)")
    #expect(try "\(documents(result).count)" == options.last)
    #expect((1...4).contains(most), "\(most) threads of event loops")
  }

  /// By their names: our own loops' are all the same; NIO's tell the groups apart, and a thread that a loop starts has the
  /// loop's name.
  private static func loopThreads(of process: pid_t) -> Int {
    let tasks = "/proc/\(process)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
    let names = threads.map { thread in
      String(decoding: FileManager.default.contents(atPath: "\(tasks)/\(thread)/comm") ?? Data(), as: UTF8.self)
    }
    return names.filter { $0 == "loop\n" }.count + Set(names.filter { $0.hasPrefix("NIO-ELT") }).count
  }

  @Test func aThresholdThatARunCrossesIsInTheExitStatus() async throws {
    let result = try await BenchRun.run(
      "bench-dirinit", ["--count", "2", "--repeat", "2", "--threshold", "create.max < 1ns", "--quiet"])
    #expect(result.status == .exited(99))
    #expect(try documents(result).map(\.verdict) == [.fail, .fail])
  }

  @Test(.wholeSuiteOnly) func twoGatewaysAreMeasuredInTurn() async throws {
    let quick = try await MockGateway.start()
    let slow = try await MockGateway.start(MockGateway.threeVirtualTasks + ["--acquire-delay", "60ms"])
    let result = try await BenchRun.run(
      "bench-allocation",
      [
        "--gateway-url", quick.url, "--ab-gateway-url", slow.url, "--count", "3", "--repeat", "3", "--label", "try",
      ] + BenchRun.anySpeed)
    await quick.stop()
    await slow.stop()
    #expect(result.status == .exited(0), "\(result.talk)")
    let documents = try documents(result)
    #expect(documents.map(\.label) == ["a", "b", "b", "a", "a", "b"].map { "try-\($0)" })
    for document in documents {
      let isSlow = document.label == "try-b"
      #expect(document.target.gatewayUrl == (isSlow ? slow.url : quick.url))
      #expect((document.metrics["allocation"]?.min ?? 0 >= 60) == isSlow)
    }
    // The runs of a pair have the same seed.
    let seeds = documents.map { $0.parameters["seed"] }
    #expect(seeds[0] == seeds[1] && seeds[2] == seeds[3] && seeds[4] == seeds[5] && seeds[0] != seeds[2])
    #expect(result.files().keys.filter { $0.contains("-try-a") }.count == 6)
    #expect(result.output.contains("== bench-allocation, run 2 of 6, b ==") && result.output.contains("\nmedian b "))
    // A debug build's runs are no evidence, which the comparison says.
    #expect(
      result.output.contains(
        SuiteVersion.build == "debug" ? "a and b cannot be compared:" : "OLD: a \(quick.url) (3 runs)"))
  }
}
