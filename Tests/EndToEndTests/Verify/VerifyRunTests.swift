import FoundationEssentials
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// bench-verify against the embedded gateway, sound and with bugs, and against gateways of others.
@Suite(.serialized, .timeLimit(.minutes(5))) struct VerifyRunTests {
  /// A pool that is quick to fill.
  static let quick = ["--task-start-delay", "50ms", "--format", "json,junit"]

  static func run(_ arguments: [String]) async throws -> BenchResult {
    try await BenchRun.start("bench-verify", arguments + quick).end(within: .seconds(200))
  }

  /// The records by their names.
  static func checks(_ result: BenchResult, _ location: SourceLocation = #_sourceLocation) throws
    -> [String: CheckRecord]
  {
    let document = try result.document()
    return Dictionary(uniqueKeysWithValues: (document.checks ?? []).map { ($0.name, $0) })
  }

  static func verdicts(_ result: BenchResult) throws -> [String: CheckRecord.Verdict] {
    try checks(result).mapValues(\.verdict)
  }

  /// One uid for all users is the product's state today: the system does not keep users apart. All else holds.
  @Test func theEmbeddedGatewayKeepsAllPromisesButThoseOfOneUid() async throws {
    let result = try await Self.run(["--duration", "3s", "--threshold", "isolation_violations < 100000"])
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let document = try result.document()
    let checks = try Self.checks(result)
    #expect(checks.keys.sorted() == ["churn", "fallback", "isolation", "resume", "storm"])
    #expect(checks.values.allSatisfy { $0.verdict == .pass && $0.reason == nil }, "\(checks)")
    #expect(document.verdict == .pass)
    // Violations that the threshold allows are still shown.
    let isolation = try #require(checks["isolation"])
    #expect(document.counters["isolation_violations"] ?? 0 >= 100 && isolation.violations.count == 25)
    #expect(document.notes.contains { $0.contains("under one uid") })
    for metric in ["cold", "warm_after", "resume", "resume_first_response", "visit", "recovery"] {
      #expect(document.metrics[metric] != nil, "\(metric)")
    }
    #expect(document.metrics["cold"]?.count ?? 0 >= 1 && document.metrics["warm_after"]?.count == 1)
    #expect(document.counters["errors"] == 0 && document.counters["unreleased"] == 0)
    // Events are on one time line, in order, within the run.
    for check in checks.values {
      let times = check.events.map(\.t)
      #expect(times == times.sorted() && times.allSatisfy { $0 >= check.begin && $0 <= check.begin + check.seconds })
    }
    if DocumentSchema.isAvailable {
      #expect(try await DocumentSchema.faults(in: result.file("json")) == [])
    }
  }

  @Test func oneUidForAllUsersFails() async throws {
    let result = try await Self.run(["--check", "isolation", "--users", "2"])
    #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
    let isolation = try #require(try Self.checks(result)["isolation"])
    let ways = Set(isolation.violations.map { $0.what.split(separator: ") ").last.map(String.init) ?? "" })
    for way in [
      "listed the directory", "read a file by its path", "read a file by '..'", "read a file by a symbolic link",
      "read a file by a hard link", "opened the token", "wrote a file", "(/proc/*/environ)", "(/proc/*/cwd)",
    ] {
      #expect(ways.contains { $0.contains(way) }, "\(way) is not among \(ways)")
    }
  }

  /// Whether users other than root reach the programs that are tested: they may be in root's home directory.
  private static var isReachable: Bool {
    guard geteuid() == 0, let path = try? Tool(name: "session-stand-in").path else { return false }
    var parts = path.split(separator: "/").dropLast()
    while !parts.isEmpty {
      var status = stat()
      guard stat("/" + parts.joined(separator: "/"), &status) == 0, status.st_mode & 0o001 != 0 else { return false }
      parts = parts.dropLast()
    }
    return true
  }

  @Test(.enabled(if: isReachable, "needs root, and programs that other users can execute"))
  func aUidForEachUserKeepsThemApart() async throws {
    let result = try await Self.run(["--check", "isolation,resume", "--task-uids", "41000-41999", "--rounds", "2"])
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let checks = try Self.checks(result)
    #expect(checks.mapValues(\.verdict) == ["isolation": .pass, "resume": .pass])
    let uids = checks["isolation"]?.events.first { $0.what.contains("have the uids") }?.what ?? ""
    #expect(uids.contains("41000") && uids.contains("41004"), "\(uids)")
  }

  // MARK: Planted bugs

  struct Bug: CustomTestStringConvertible, Sendable {
    var name: String
    var check: String
    var counter: String
    var more: [String] = []
    var testDescription: String { "\(name) by \(check)" }
  }

  static let bugs = [
    Bug(name: "double-assignment", check: "churn", counter: "duplicate_assignments"),
    Bug(name: "double-assignment", check: "fallback", counter: "duplicate_assignments"),
    Bug(name: "leak-on-disconnect", check: "storm", counter: "storm_leaked", more: ["--max-tasks", "40"]),
    Bug(name: "leak-on-disconnect", check: "churn", counter: "leaked_tasks", more: ["--max-tasks", "200"]),
    Bug(
      name: "swallowed-start-failure", check: "churn", counter: "unanswered",
      more: ["--faults", "task-dies-assigned:p=0.5"]),
    Bug(
      name: "swallowed-start-failure", check: "fallback", counter: "unanswered",
      more: ["--faults", "task-dies-assigned:p=0.7"]),
    Bug(name: "endless-replacement", check: "churn", counter: "excess_tasks"),
    Bug(name: "crosstalk", check: "isolation", counter: "output_crosstalk"),
    Bug(name: "lost-files", check: "resume", counter: "lost_files"),
  ]

  /// Each check is shown to fail against a gateway with the bug that it is for, and its history to name who it befell.
  @Test(arguments: bugs) func aPlantedBugIsCaught(_ bug: Bug) async throws {
    let program = try "\(Tool(name: "session-stand-in").path) --verbs"
    let gateway = try await MockGateway.start(
      ["--pool-size", "4", "--planted-bug", bug.name, "--command", program] + bug.more,
      warm: bug.name == "endless-replacement" ? 10 : 4)
    let result = try await BenchRun.start(
      "bench-verify",
      [
        "--gateway-url", gateway.url, "--check", bug.check, "--timeout", "3s", "--format", "json",
      ] + (["fallback", "churn", "storm"].contains(bug.check) ? ["--recovery", "3s"] : [])
        + (bug.check == "churn" ? ["--duration", "4s", "--rate", "8/s"] : [])
    ).end(within: .seconds(120))
    await gateway.stop()
    #expect(result.status == .exited(99), "\(result.output)\(result.talk)")
    let document = try result.document()
    #expect(document.counters[bug.counter] ?? 0 > 0, "\(document.counters)")
    let check = try #require(document.checks?.first)
    #expect(check.name == bug.check && check.verdict == .fail)
    let violation = try #require(check.violations.first { $0.counter == bug.counter })
    #expect(!violation.events.isEmpty, "its history shows what led to it")
  }

  // MARK: Faults

  static let presets = [
    "task-death", "ready-race", "gateway-stall", "start-storm", "aws-throttle", "reconnect-storm", "all",
  ]

  @Test(.wholeSuiteOnly, arguments: presets) func thePoolOutlivesEachPreset(_ preset: String) async throws {
    let result = try await Self.run(
      ["--check", "churn", "--faults", "seed=3; \(preset)", "--duration", "5s", "--rate", "8/s"])
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let document = try result.document()
    #expect(document.checks?.map(\.verdict) == [.pass])
    // A preset of which nothing struck would have shown nothing.
    #expect(document.notes.contains { $0.hasPrefix("faults that struck: ") }, "\(document.notes)")
    #expect(document.metrics["recovery"]?.count == 1)
  }

  @Test func faultsEndWithTheChurnAndAreNamed() async throws {
    let result = try await Self.run(
      ["--check", "churn", "--faults", "task-dies-warm:rate=3/s", "--duration", "2s", "--rate", "3/s"])
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let document = try result.document()
    #expect(document.notes.contains { $0.contains("× task-dies-warm") }, "\(document.notes)")
    let churn = try #require(document.checks?.first)
    #expect(churn.events.contains { $0.what.hasPrefix("faults begin") })
    #expect(document.parameters["faults"] == "task-dies-warm:rate=3/s")
  }

  // MARK: Other gateways and programs

  @Test func theProductsStandInKeepsItsPromises() async throws {
    let result = try await Self.run(
      [
        "--gateway-profile", "product", "--duration", "2s", "--threshold", "isolation_violations < 100000",
      ])
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let verdicts = try Self.verdicts(result)
    #expect(verdicts == ["fallback": .pass, "resume": .pass, "storm": .pass, "isolation": .pass, "churn": .pass])
    #expect(!result.files().values.contains { $0.contains("eyJ") }, "no token is written")
  }

  @Test func aStoppedTaskIsNotGivenAgain() async throws {
    let result = try await Self.run(["--check", "resume", "--end", "stop-task"])
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let resume = try #require(try Self.checks(result)["resume"])
    #expect(resume.events.contains { $0.what == "the task is stopped by ECS" })
  }

  /// A program that is not the suite's: it keeps what it is told in a file, and tells it in a sentence.
  @Test(.enabled(if: Tool.isInstalled("python3"))) func aProgramOfOnesOwnIsAskedInItsOwnWords() async throws {
    let scratch = try Scratch()
    let program = scratch.write(
      "program.py",
      """
      import sys, os
      print("ready", flush=True)
      for line in sys.stdin:
          line = line.strip()
          if line.startswith("remember "):
              open("notes", "w").write(line.split()[1])
              print("I will.", flush=True)
          elif line == "what was it?":
              word = open("notes").read() if os.path.exists("notes") else "nothing"
              print("It was " + word + ".", flush=True)
          else:
              print("Pardon?", flush=True)
      """)
    let gateway = try await MockGateway.start(["--pool-size", "3", "--command", "python3 \(program)"])
    let lines = [
      "--gateway-url", gateway.url, "--check", "resume", "--remember", "remember {nonce}", "--format", "json",
    ]
    let kept = try await BenchRun.run(
      "bench-verify", lines + ["--recall", "what was it?", "--expect", "^It was {nonce}"])
    let lost = try await BenchRun.run("bench-verify", lines + ["--recall", "who are you?"])
    let unlike = try await BenchRun.run(
      "bench-verify", ["--gateway-url", gateway.url, "--check", "resume,isolation", "--format", "json"])
    await gateway.stop()
    #expect(kept.status == .exited(0), "\(kept.output)\(kept.talk)")
    #expect(lost.status == .exited(99))
    #expect(try lost.document().counters["lost_files"] == 3)
    // A program that knows no verbs cannot be asked for files: that is said, and is no pass.
    #expect(unlike.status == .exited(1) && unlike.talk.contains("resume was not tested: "), "\(unlike.talk)")
    #expect(try Self.verdicts(unlike) == ["resume": .notTested, "isolation": .notTested])
  }

  @Test func nothingIsVerifiedWhereNobodyListens() async throws {
    let result = try await BenchRun.run("bench-verify", ["--gateway-url", try await ScriptedGateway.urlOfNobody()])
    #expect(result.status == .exited(1) && result.talk.contains("the gateway cannot be reached"), "\(result.talk)")
    #expect(result.files() == [:])
  }

  /// A gateway of one's own on loopback whose tasks are not the stand-in's.
  @Test func whatCannotBeTriedIsNotTestedAndNamed() async throws {
    let gateway = try await MockGateway.start()
    let result = try await BenchRun.start(
      "bench-verify", ["--gateway-url", gateway.url, "--duration", "1s", "--format", "json,junit"]
    ).end(within: .seconds(120))
    await gateway.stop()
    #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
    let checks = try Self.checks(result)
    #expect(checks["resume"]?.verdict == .notTested && checks["isolation"]?.verdict == .notTested)
    #expect(checks["churn"]?.verdict == .pass && checks["storm"]?.verdict == .pass)
    let document = try result.document()
    #expect(
      document.counters["lost_files"] == nil && document.counters["isolation_violations"] == nil, "0 would be untrue")
    #expect(try result.file("xml").contains("<skipped message=\"not tested: "))
  }

  @Test(arguments: [SIGINT, SIGTERM]) func anInterruptedRunKeepsWhatItFound(_ signal: Int32) async throws {
    let run = try await BenchRun.start("bench-verify", ["--duration", "60s"] + Self.quick)
    try await eventually("the churn never begins") { run.running.standardErrorSoFar.contains("check isolation") }
    try await Task.sleep(for: .milliseconds(500))
    run.running.child.signal(signal)
    let result = await run.end()
    #expect(result.status == .exited(128 + signal), "\(result.talk)")
    let document = try result.document()
    #expect(document.verdict == .interrupted)
    let verdicts = try Self.verdicts(result)
    #expect(verdicts["fallback"] == .pass && verdicts["isolation"] == .fail && verdicts["churn"] == .notTested)
    #expect(document.counters["unreleased"] == 0)
    try await eventually("a process is left") { ProcessEntry.started(by: result.scratch).isEmpty }
  }
}

/// The same checks against gateways in Node, whose logs are the witnesses.
@Suite(.serialized, .timeLimit(.minutes(4)), .enabled(if: NodeGateway.isAvailable, "\(NodeGateway.needs)"))
struct VerifyNodeGatewayTests {
  @Test func theLabsGatewayIsCheckedAsFarAsItCanBeAsked() async throws {
    try await NodeLab.with(tasks: 3) { lab in
      let result = try await BenchRun.start(
        "bench-verify",
        [
          "--gateway-url", lab.gateway.url, "--duration", "2s", "--rate", "4/s", "--recovery", "20s", "--format",
          "json",
        ]
      ).end(within: .seconds(150))
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      let checks = try VerifyRunTests.checks(result)
      #expect(
        checks.mapValues(\.verdict) == [
          "fallback": .pass, "resume": .notTested, "storm": .notTested, "isolation": .notTested, "churn": .pass,
        ], "\(checks)")
      #expect(lab.assigned == [], "nothing stays assigned")
      #expect(lab.gateway.count("miss") >= 3, "users came to an empty pool")
      #expect(lab.gateway.count("release") == lab.gateway.count("acquire"))
    }
  }

  @Test func theLabsGatewayIsCheckedWithTasksOfThisTool() async throws {
    try await NodeLab.with { lab in
      let result = try await BenchRun.start(
        "bench-verify",
        [
          "--gateway-url", lab.gateway.url, "--agents", "3", "--check", "fallback", "--recovery", "20s", "--format",
          "json",
        ]
      ).end(within: .seconds(100))
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      #expect(lab.assigned == [])
    }
  }

  @Test func theProductsGatewayIsCheckedAsFarAsItCanBeAsked() async throws {
    try await NodeProduct.with { product in
      let result = try await BenchRun.start(
        "bench-verify",
        [
          "--gateway-url", product.url, "--gateway-profile", "product", "--token-file", product.scratch("token"),
          "--duration", "2s", "--format", "json", "--timeout", "20s",
        ]
      ).end(within: .seconds(150))
      #expect(result.status == .exited(0), "\(result.output)\(result.talk)")
      result.expectNoToken()
      let checks = try VerifyRunTests.checks(result)
      #expect(
        checks.mapValues(\.verdict) == [
          "fallback": .notTested, "resume": .notTested, "storm": .pass, "isolation": .notTested, "churn": .pass,
        ], "\(checks)")
      #expect(checks["storm"]?.reason?.contains("leaks were not looked for") == true)
      #expect(checks["churn"]?.reason?.contains("not watched") == true)
      try await eventually("a session is left") { product.count("session_opened") == product.count("session_closed") }
    }
  }
}
