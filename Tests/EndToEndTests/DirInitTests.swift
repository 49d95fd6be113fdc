import FoundationEssentials
import Glibc
import Latency
import ProcessControl
import Testing

@testable import InfraBench
@testable import Results

/// `bench-dirinit` as its users run it.
@Suite(.timeLimit(.minutes(2))) struct DirInitTests {
  let tool = Tool(name: "bench-dirinit")
  let scratch: Scratch
  let root: String

  init() throws {
    scratch = try Scratch()
    root = scratch.directory("root")
  }

  /// A run that prints its document, in the scratch directory.
  private func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Tool.Outcome {
    try await tool.run(
      ["--print", "json", "--format", "json"] + arguments, environment: environment, in: scratch.path)
  }

  /// A run whose exit status doesn't depend on the speed of this machine's disk.
  private func runAtAnySpeed(_ arguments: String..., environment: [String: String] = [:]) async throws -> Tool.Outcome {
    try await tool.run(
      ["--print", "json", "--format", "json"] + BenchRun.anySpeed + arguments, environment: environment,
      in: scratch.path)
  }

  @Test func everyUserIsMeasuredThroughEveryStepAndRemoved() async throws {
    let outcome = try await runAtAnySpeed("--root", root, "--count", "7", "--writers", "3", "--fsync", "--warmup", "4")
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.verdict == .pass)
    #expect(document.counters["iterations"] == 7)
    for metric in ["create", "mkdir", "write_token", "fsync", "switch", "read", "remove"] {
      #expect(document.metrics[metric]?.count == 7, "\(metric)")
    }
    #expect(document.metrics["visibility"] == nil)
    #expect(document.target.kind == "directory")
    #expect(document.target.directory == root)
    guard case .object(let facts)? = document.target.fileSystem, case .string(let type)? = facts["type"] else {
      Issue.record("no file system in \(document.target)")
      return
    }
    #expect(!type.isEmpty)
    #expect(document.parameters["writers"] == 3)
    #expect(document.parameters["concurrency"] == nil)
    #expect(scratch.names(in: "root") == [])
  }

  @Test func partsOfCreateAddUpToIt() async throws {
    let metrics = try await run("--root", root, "--count", "50", "--fsync").document.metrics
    let parts = ["mkdir", "write_token", "fsync"].compactMap { metrics[$0]?.mean }
    let whole = try #require(metrics["create"]?.mean)
    // Histograms keep three digits.
    #expect(parts.count == 3 && abs(parts.reduce(0, +) - whole) < whole * 0.01)
  }

  @Test func isolationThatNobodyTestedIsNoResultOfZero() async throws {
    let document = try await run("--root", root, "--count", "2").document
    #expect(document.counters["isolation_violations"] == nil)
    #expect(document.findings?["isolation"]?.description.hasPrefix("not tested") == true)
    #expect(document.thresholds.first { $0.expression.hasPrefix("isolation") }?.skipped == true)
    let asked = try await run("--root", root, "--count", "2", "--threshold", "isolation_violations == 0")
    #expect(asked.status == .exited(99))
  }

  @Test func oneViolationOfIsolationFailsTheRun() throws {
    let standard = try #require(
      DirInitBenchmark.description.defaultThresholds.first { $0.hasPrefix("isolation_violations") })
    let threshold = try ThresholdParser(DirInitBenchmark.description).parse(standard, isDefault: true)
    #expect(
      !threshold.judge(
        metrics: [:], counters: ["isolation_violations": 1],
        bounds: FailureTimeouts("bench-dirinit", [String: Nanoseconds]())
      ).pass)
    #expect(
      threshold.judge(
        metrics: [:], counters: ["isolation_violations": 0],
        bounds: FailureTimeouts("bench-dirinit", [String: Nanoseconds]())
      ).pass)
  }

  @Test(.enabled(if: geteuid() == 0)) func isolationIsTestedAsTwoUserIDs() async throws {
    let outcome = try await runAtAnySpeed(
      "--count", "2", "--as-uid", "65001,65002", environment: ["TMPDIR": scratch.path])
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.counters["isolation_violations"] == 0)
    #expect(document.findings?["isolation"] == "tested as user ids 65001 and 65002: no violation")
    #expect(scratch.names(in: "")?.filter { $0.hasPrefix("infrabench") } == [])
  }

  @Test func allWrongValuesAreReportedTogetherAndNothingIsWritten() async throws {
    let outcome = try await run(
      "--root", scratch("none"), "--peer-root", "/etc/passwd", "--as-uid", "5,5", "--count", "0", "--writers", "x",
      "--duration", "3", "--warmup", "-", "--timeout", "1", "--user-id", "../x", "--seed", "z", "--threshold",
      "nope < 3",
      "--print", "xml")
    #expect(outcome.status == .exited(64))
    for option in [
      "--root", "--peer-root", "--as-uid", "--count", "--writers", "--duration", "--warmup", "--timeout", "--user-id",
      "--seed", "--threshold", "--print",
    ] {
      #expect(outcome.standardError.contains("error: \(option): "), "\(option) in \(outcome.standardError)")
    }
    #expect(outcome.standardOutput.isEmpty)
    #expect(scratch.names(in: "") == ["root"])
    #expect(scratch.names(in: "root") == [])
  }

  @Test(arguments: [
    ["--concurrency", "2"], ["--gateway-url", "http://127.0.0.1:1"], ["--keep", "--duration", "1s"],
    ["--count", "3", "--writers", "4"], ["--as-uid", "1"], ["--as-uid", "0,1"], ["--as-uid", "1,4294967295"],
  ])
  func optionsThatMakeNoSenseAreRefused(arguments: [String]) async throws {
    let outcome = try await tool.run(arguments + ["--root", root], in: scratch.path)
    #expect(outcome.status == .exited(64))
    #expect(scratch.names(in: "") == ["root"])
  }

  @Test func rootThatCannotBeWrittenIsRefusedBeforeAnythingIsMade() async throws {
    scratch.directory("closed", mode: 0o555)
    // Modes don't hold root back: it becomes somebody else first.
    let launcher = geteuid() == 0 ? ["setpriv", "--reuid=65001", "--regid=65001", "--clear-groups"] : []
    let results = scratch.directory("results", mode: 0o777)
    let outcome = try await tool.run(
      ["--root", scratch("closed"), "--output-dir", results], in: scratch.path, through: launcher)
    #expect(outcome.status == .exited(64))
    #expect(outcome.standardError.contains("error: --root: '\(scratch("closed"))' cannot be written"))
    #expect(scratch.names(in: "results") == [])
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)])
  func interruptedRunRemovesEverythingAndWritesWhatItHas(signal: Int32, code: Int32) async throws {
    let running = try await tool.start(
      [
        "--root", root, "--user-id", "test-user", "--duration", "60s", "--writers", "2", "--print", "json", "--format",
        "json",
      ], in: scratch.path)
    // Users' directories with a number of more than one round show that some have been measured.
    while scratch.names(in: "root")?.contains(where: { $0 > "test-user-0400" }) != true, running.child.exitStatus == nil
    {
      try await Task.sleep(for: .milliseconds(1))
    }
    let began = ContinuousClock.now
    #expect(running.child.signal(signal))
    let outcome = await running.end()
    #expect(ContinuousClock.now - began < .seconds(20))
    #expect(outcome.status == .exited(code), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.verdict == .interrupted)
    #expect((document.counters["iterations"] ?? 0) >= 200)
    #expect(document.counters["errors"] == 0, "\(document.errors)")
    #expect(scratch.names(in: "root") == [])
    let day = String(document.startedAt.prefix(10))
    #expect(scratch.names(in: "results/\(day)")?.count == 1)
  }

  @Test func directoryThatWasThereIsLeftAloneAndCounted() async throws {
    scratch.directory("root/test-user-0002", mode: 0o750)
    #expect(FileManager.default.createFile(atPath: scratch("root/test-user-0002/mine"), contents: Data("x".utf8)))
    let outcome = try await run("--root", root, "--user-id", "test-user", "--count", "3")
    #expect(outcome.status == .exited(99))
    let document = try outcome.document
    #expect(document.errors.map(\.kind) == ["EEXIST"])
    #expect(document.counters["iterations"] == 3)
    #expect(document.metrics["create"]?.count == 2)
    #expect(scratch.names(in: "root") == ["test-user-0002"])
    #expect(scratch.names(in: "root/test-user-0002") == ["mine"])
    var status = stat()
    #expect(stat(scratch("root/test-user-0002"), &status) == 0 && status.st_mode & 0o777 == 0o750)
  }

  @Test func keptDirectoriesStayAsTasksMakeThem() async throws {
    let outcome = try await runAtAnySpeed(
      "--root", root, "--count", "2", "--warmup", "1", "--keep", "--user-id", "kept")
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    #expect(scratch.names(in: "root") == ["kept-0001", "kept-0002"])
    #expect(scratch.names(in: "root/kept-0001") == [".claude", ".optima"])
    #expect(scratch.names(in: "root/kept-0001/.optima") == ["token.json"])
    let document = try outcome.document
    #expect(document.metrics["remove"] == nil)
    #expect(document.findings?["kept"] == .string("2 directories in \(root)"))
  }

  @Test func oneUserHasThePrefixForAName() async throws {
    let outcome = try await runAtAnySpeed("--root", root, "--count", "1", "--keep", "--user-id", "alone")
    #expect(outcome.status == .exited(0))
    #expect(scratch.names(in: "root") == ["alone"])
  }

  @Test func temporaryRootIsRemovedUnlessItsDirectoriesAreKept() async throws {
    let temporary = ["TMPDIR": scratch.directory("tmp")]
    #expect(try await runAtAnySpeed("--count", "2", environment: temporary).status == .exited(0))
    #expect(scratch.names(in: "tmp") == [])
    let document = try await run("--count", "2", "--keep", "--user-id", "kept", environment: temporary).document
    let left = try #require(scratch.names(in: "tmp")?.first)
    #expect(document.target.directory == scratch("tmp/\(left)"))
    #expect(scratch.names(in: "tmp/\(left)") == ["kept-0001", "kept-0002"])
  }

  @Test func peerMountSeesEveryToken() async throws {
    symlink(root, scratch("peer"))
    let outcome = try await runAtAnySpeed(
      "--root", root, "--peer-root", scratch("peer"), "--count", "5", "--writers", "2")
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let document = try outcome.document
    #expect(document.metrics["visibility"]?.count == 5)
    #expect(document.findings?["visibility"]?.description.contains("5 tokens were read") == true)
    #expect(document.notes.contains { $0.contains("shares its client's cache") })
    #expect(scratch.names(in: "root") == [])
  }

  @Test func peerThatShowsAnotherTreeFailsTheRun() async throws {
    let other = scratch.directory("other")
    let outcome = try await run("--root", root, "--peer-root", other, "--timeout", "50ms")
    #expect(outcome.status == .exited(1))
    #expect(outcome.standardError.contains("--peer-root"))
    #expect(scratch.names(in: "root") == [] && scratch.names(in: "results") == nil)
  }

  @Test func waitForAPeerThatShowsNothingEndsOnASignal() async throws {
    let other = scratch.directory("other")
    let running = try await tool.start(["--root", root, "--peer-root", other, "--timeout", "1h"], in: scratch.path)
    while scratch.names(in: "root") == [], running.child.exitStatus == nil {
      try await Task.sleep(for: .milliseconds(1))
    }
    #expect(running.child.signal(SIGINT))
    #expect(await running.end(within: .seconds(20)).status == .exited(130))
    #expect(scratch.names(in: "root") == [])
  }

  @Test func linesOfSingleRunsAreForPeopleAndShortRuns() async throws {
    let short = try await tool.run(["--root", root, "--count", "3", "--format", "md"], in: scratch.path)
    let lines = short.standardOutput.split(separator: "\n").map(String.init)
    for number in 1...3 { #expect(lines[number - 1].hasPrefix("Run \(number): create=")) }
    #expect(lines.last?.hasPrefix("Average: ") == true)
    let long = try await tool.run(["--root", root, "--count", "101", "--format", "md"], in: scratch.path)
    #expect(!long.standardOutput.contains("Run 1:"))
  }
}
