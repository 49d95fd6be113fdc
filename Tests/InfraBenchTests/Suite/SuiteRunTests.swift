import Foundation
import Latency
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Reports
@testable import Results

/// A run of the suite, with stand-ins for its tools: shell scripts that report what a tool would.
@Suite(.timeLimit(.minutes(2))) struct SuiteRunTests {
  /// The tools' programs and the suite's output directory.
  private struct World {
    let scratch: ScratchDirectory
    var environment: [String: String] = ["PATH": "/usr/bin:/bin"]
    var deadline: Nanoseconds?
    var folder = "results"

    init() throws { scratch = try ScratchDirectory() }

    var results: String { "\(scratch.path)/\(folder)" }

    /// Makes a program that gets all it needs by `$0` and its arguments.
    func program(_ name: String, _ script: String) throws {
      let path = try scratch.write("bin/\(name)", "#!/bin/sh\n\(script)\n")
      chmod(path, 0o755)
    }

    /// A stored document, and the line of shell that reports it.
    func report(_ name: String, _ change: (inout ResultDocument) -> Void = { _ in }) throws -> String {
      var document = SampleDocuments.typical
      document.verdict = .pass
      document.thresholds = []
      change(&document)
      let path = try scratch.write("stored/\(name).json", ResultCoding.encode(document))
      return "echo '{\"event\": \"result\", \"file\": \"\(path)\"}' >&3"
    }

    func run(
      _ tools: [PlannedTool],
      signals: @escaping @Sendable (_ take: @Sendable (Int32) -> Void) async -> Void = { _ in }
    ) async -> Int32 {
      let settings = SuiteSettings(
        tools: tools, directory: results, deadline: deadline, baseline: nil, failsOnRegression: false)
      // On a busy machine a second may pass between two signals. A second request would then end this process, with all tests.
      return await SuiteRun(
        settings: settings, environment: environment, programs: "\(scratch.path)/bin", now: { Instant(nanoseconds: 1) }
      ).perform(watchSignals: signals)
    }

    func text(_ name: String) -> String {
      (try? String(contentsOfFile: "\(scratch.path)/\(name)", encoding: .utf8)) ?? ""
    }

    var summary: SuiteSummary {
      get throws { try JSONDecoder().decode(SuiteSummary.self, from: Data(text("\(folder)/summary.json").utf8)) }
    }

    func expectValid(_ file: String = "results/summary.json") async throws {
      guard DocumentSchema.isAvailable else { return }
      let faults = try await DocumentSchema.faults(in: text(file), schema: .summary)
      #expect(faults == [])
    }

    /// Waits for a file that a tool writes, at most a minute.
    func wait(for name: String) async throws {
      for _ in 0..<6000 where !FileManager.default.fileExists(atPath: "\(scratch.path)/\(name)") {
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  private static let first = PlannedTool(name: "first", arguments: ["--count", "1"])
  private static let second = PlannedTool(name: "second")

  @Test func toolsAreRunInOrderAndJudgedByWhatTheyReportThemselves() async throws {
    let world = try World()
    // Somebody else writes into the same folder meanwhile.
    let stranger =
      "mkdir -p '\(world.results)/2026-11-20'; echo '{}' > '\(world.results)/2026-11-20/210000Z-first.json'"
    try world.program("first", "echo first $* >> '\(world.scratch.path)/calls'; \(stranger); \(world.report("a"))")
    try world.program(
      "second",
      "echo second $* >> '\(world.scratch.path)/calls'; \(world.report("b") { $0.verdict = .fail }); \(world.report("c")); exit 99"
    )
    let status = await world.run([Self.first, Self.second, PlannedTool(name: "third", skipReason: "--skip")])
    #expect(status == 99)
    #expect(world.text("calls") == "first --count 1\nsecond\n")
    let summary = try world.summary
    #expect(summary.state == .finished && summary.exitStatus == 99)
    #expect(summary.tools.map(\.verdict) == ["pass", "fail", "skipped"])
    #expect(summary.tools[0].file == "\(world.scratch.path)/stored/a.json" && summary.tools[1].files?.count == 2)
    #expect(summary.tools[2].reason == "--skip")
    try await world.expectValid()
  }

  @Test(
    arguments: [
      ("kill -KILL $$", 1, "killed by SIGKILL"), ("kill -SEGV $$", 1, "it crashed: SIGSEGV"), ("exit 137", 1, "137"),
      ("exit 64", 64, nil),
    ] as [(String, Int32, String?)])
  func aToolThatDiesIsAnErrorThatSaysSoAndEndsNothing(script: String, status: Int32, reason: String?) async throws {
    let world = try World()
    try world.program("first", script)
    try world.program("second", world.report("b"))
    #expect(await world.run([Self.first, Self.second]) == status)
    let summary = try world.summary
    #expect(summary.tools.map(\.verdict) == ["error", "pass"] && summary.tools[0].exitStatus == status)
    #expect(reason.map { summary.tools[0].reason?.contains($0) == true } ?? (summary.tools[0].reason == nil))
    #expect(world.text("results/junit.xml").contains("<error"))
    try await world.expectValid()
  }

  @Test func whatAToolSaysAsErrorsIsInTheSummary() async throws {
    let world = try World()
    try world.program(
      "first", "echo '{\"event\": \"error\", \"message\": \"nobody there\"}' >&3; echo rubbish >&3; exit 1")
    #expect(await world.run([Self.first, Self.second]) == 1)
    let tools = try world.summary.tools
    #expect(tools[0].messages == ["nobody there"])
    #expect(tools[1].verdict == "error" && tools[1].reason?.contains("no such program") == true, "\(tools[1])")
    try await world.expectValid()
  }

  @Test func aPipeThatWouldBeFullStopsNoTool() async throws {
    let world = try World()
    try world.program("first", "i=0; while [ $i -lt 3000 ]; do \(world.report("a")); i=$((i+1)); done")
    #expect(await world.run([Self.first]) == 0)
    #expect(try world.summary.tools[0].files?.count == 3000)
  }

  /// As an embedded gateway would that inherited the pipe.
  @Test func whatAToolLeavesBehindWithThePipeIsNotWaitedFor() async throws {
    let world = try World()
    try world.program("first", "\(world.report("a")); sleep 60 & echo $! > '\(world.scratch.path)/pid'")
    let begin = ContinuousClock.now
    #expect(await world.run([Self.first]) == 0)
    #expect(begin.duration(to: .now) < .seconds(30))
    #expect(try world.summary.tools[0].verdict == "pass")
    if let pid = Int32(world.text("pid").trimmingCharacters(in: .newlines)) { kill(pid, SIGKILL) }
  }

  // MARK: Several runs of one tool

  @Test func runsOfOneToolAreToldApartByTheirLabels() async throws {
    let world = try World()
    try world.program(
      "first",
      "case \"$*\" in *further*) \(world.report("b") { $0.label = "further" });; *) \(world.report("a"));; esac")
    try world.program("second", world.report("c"))
    let further = PlannedTool(name: "first", arguments: ["--label", "further"], label: "further")
    #expect(await world.run([Self.first, further, Self.second]) == 0)
    let tools = try world.summary.tools
    // The documents' tool, whatever the stand-in is called.
    #expect(tools.map(\.tool) == ["first", "first", "second"] && tools.map(\.label) == [nil, "further", nil])
    let junit = world.text("results/junit.xml")
    for name in ["bench-suite", "first", "first (further)", "second"] {
      #expect(junit.contains("<testsuite name=\"\(name)\" "), "\(name) in \(junit)")
    }
    #expect(world.text("results/summary.md").contains("| first (further) | pass |"))
    try await world.expectValid()
  }

  /// Whatever becomes of it, nobody takes it for the other.
  @Test(arguments: ["exit 1", "kill -KILL $$", "skip"])
  func aFurtherRunWithoutAResultHasItsNameToo(script: String) async throws {
    let world = try World()
    try world.program("first", "case \"$*\" in *further*) \(script);; *) \(world.report("a"));; esac")
    var further = PlannedTool(name: "first", arguments: ["--label", "further"], label: "further")
    if script == "skip" { further.skipReason = "--skip" }
    _ = await world.run([Self.first, further])
    let summary = try world.summary
    #expect(summary.tools.map(\.label) == [nil, "further"])
    #expect(SummaryReport(summary).text.contains("first (further)"))
    #expect(world.text("results/junit.xml").contains("<testsuite name=\"first (further)\" "))
    if script == "skip" { #expect(world.text("results/summary.md").contains("- first (further) was skipped: ")) }
    if script == "exit 1" {
      #expect(summary.failures.contains { $0.hasPrefix("first (further): ") }, "\(summary.failures)")
    }
    try await world.expectValid()
  }

  // MARK: While it runs

  @Test func yesterdaysVerdictIsReplacedBeforeTheFirstToolByOneThatIsNeverGreen() async throws {
    let world = try World()
    for name in ["summary.md", "summary.json", "junit.xml"] {
      _ = try world.scratch.write("results/\(name)", "old and green")
    }
    let copy = { (name: String) in
      "mkdir -p '\(world.scratch.path)/\(name)'; cp '\(world.results)'/*.* '\(world.scratch.path)/\(name)'"
    }
    try world.program("first", "\(copy("one")); \(world.report("a"))")
    try world.program("second", copy("two") + "; " + world.report("b"))
    #expect(await world.run([Self.first, Self.second]) == 0)
    for (name, verdicts) in [("one", ["running", "not run"]), ("two", ["pass", "running"])] {
      let summary = try JSONDecoder().decode(SuiteSummary.self, from: Data(world.text("\(name)/summary.json").utf8))
      #expect(summary.state == .running && summary.exitStatus == 1 && summary.tools.map(\.verdict) == verdicts)
      #expect(world.text("\(name)/junit.xml").contains("<error"))
      #expect(!world.text("\(name)/summary.md").contains("passed"))
      try await world.expectValid("\(name)/summary.json")
    }
    #expect(try world.summary.state == .finished)
    #expect(world.scratch.files.filter { $0.hasSuffix(".tmp") } == [])
  }

  @Test func twoSuitesInOneFolderNeverMix() async throws {
    var slow = try World()
    slow.folder = "shared"
    let path = slow.scratch.path
    try slow.program(
      "slow",
      "\(slow.report("s1")); touch '\(path)/slow-runs'; while [ ! -e '\(path)/quick-done' ]; do sleep 0.02; done")
    try slow.program("quick", slow.report("q1") { $0.verdict = .fail } + "; exit 99")
    let world = slow
    async let last = world.run([PlannedTool(name: "slow")])
    try await world.wait(for: "slow-runs")
    #expect(await world.run([PlannedTool(name: "quick")]) == 99)
    #expect(try world.summary.tools.map(\.tool) == ["quick"])
    _ = try world.scratch.write("quick-done", "")
    #expect(await last == 0)
    let summary = try world.summary
    #expect(summary.tools.map(\.tool) == ["slow"] && summary.exitStatus == 0, "the last one's to finish")
    #expect(summary.tools[0].file == "\(path)/stored/s1.json" && summary.tools[0].files == nil)
  }

  // MARK: Ended early

  /// Says when it runs, notes each signal, and ends as a tool does.
  private func patientTool(_ world: World) -> String {
    let path = world.scratch.path
    return """
      trap 'echo signal >> "\(path)/signals"; sleep 0.3; kill $nap; exit 143' TERM INT HUP
      sleep 60 & nap=$!
      touch '\(path)/runs'
      while :; do wait; done
      """
  }

  /// Tools ignore what their suite was started to ignore: SIGINT where these tests run in a script's background.
  @Test(
    arguments: ([(SIGTERM, 143), (SIGINT, 130), (SIGHUP, 129)] as [(Int32, Int32)])
      .filter { !TerminationSignals.ignoredAtStart.contains($0.0) })
  func aSignalReachesTheToolOnceAndTheRestIsNotRun(signal: Int32, status: Int32) async throws {
    let world = try World()
    try world.program("first", patientTool(world))
    try world.program("second", world.report("b"))
    let ended = await world.run([Self.first, Self.second, PlannedTool(name: "third", skipReason: "--skip")]) { take in
      try? await world.wait(for: "runs")
      take(signal)
      take(signal)
      try? await Task.sleep(for: .milliseconds(100))
      take(SIGTERM)
    }
    #expect(ended == status)
    #expect(world.text("signals") == "signal\n")
    let summary = try world.summary
    #expect(summary.state == .interrupted && summary.exitStatus == status)
    #expect(summary.interruption == SignalName.of(signal))
    #expect(summary.tools.map(\.verdict) == ["interrupted", "not run", "skipped"])
    #expect(summary.tools[1].reason == "interrupted")
    #expect(world.text("results/summary.md").contains("interrupted"))
    try await world.expectValid()
  }

  @Test func aSignalDuringTheComparisonDoesNotWaitForIt() async throws {
    let world = try World()
    try world.program("first", world.report("a"))
    let settings = SuiteSettings(
      tools: [Self.first], directory: world.results, deadline: nil, baseline: nil, failsOnRegression: true)
    let path = world.scratch.path
    let run = SuiteRun(
      settings: settings, environment: world.environment, programs: "\(path)/bin",
      compare: { results, settings in
        _ = FileManager.default.createFile(atPath: "\(path)/compares", contents: nil)
        try? await Task.sleep(for: .seconds(60))
        return await SuiteComparison.make(of: results, settings)
      })
    let begin = ContinuousClock.now
    let status = await run.perform { take in
      try? await world.wait(for: "compares")
      take(SIGTERM)
    }
    #expect(status == 143 && begin.duration(to: .now) < .seconds(30))
    let summary = try world.summary
    #expect(summary.state == .interrupted && summary.interruption == "SIGTERM" && summary.comparison == nil)
    #expect(summary.tools.map(\.verdict) == ["pass"])
    try await world.expectValid()
  }

  @Test func aToolThatIsInterruptedAloneEndsTheSuite() async throws {
    let world = try World()
    try world.program("first", "kill -TERM $$")
    try world.program("second", world.report("b"))
    #expect(await world.run([Self.first, Self.second]) == 143)
    let summary = try world.summary
    #expect(summary.interruption == "SIGTERM" && summary.tools.map(\.verdict) == ["interrupted", "not run"])
    try await world.expectValid()
  }

  @Test func aSignalBeforeTheFirstToolStartsNone() async throws {
    let world = try World()
    try world.program("first", "sleep 0.3; touch '\(world.scratch.path)/runs'; \(world.report("a"))")
    try world.program("second", "touch '\(world.scratch.path)/second'")
    let ended = await world.run([Self.first, Self.second]) { take in take(SIGTERM) }
    #expect(ended == 143 && world.text("second").isEmpty)
    #expect(!FileManager.default.fileExists(atPath: "\(world.scratch.path)/runs"))
    #expect(try world.summary.tools.last?.verdict == "not run")
    try await world.expectValid()
  }

  @Test func whatTheDeadlineCutsOffIsInterruptedAndTheStatusIsOne() async throws {
    var world = try World()
    world.deadline = .milliseconds(1500)
    try world.program("first", patientTool(world))
    #expect(await world.run([Self.first, Self.second]) == 1)
    let summary = try world.summary
    #expect(summary.state == .interrupted && summary.interruption == "deadline" && summary.exitStatus == 1)
    #expect(summary.tools.map(\.verdict) == ["interrupted", "not run"])
    #expect(summary.tools.map(\.reason) == ["interrupted: deadline", "interrupted: deadline"])
    #expect(world.text("signals") == "signal\n")
    try await world.expectValid()
  }

  @Test(.wholeSuiteOnly) func aToolThatDoesNotEndIsKilledBeforeTheRunnersPatienceIsOver() async throws {
    let world = try World()
    try world.program("first", "trap '' TERM; touch '\(world.scratch.path)/runs'; exec sleep 60")
    let begin = ContinuousClock.now
    let ended = await world.run([Self.first]) { take in
      try? await world.wait(for: "runs")
      take(SIGTERM)
    }
    #expect(ended == 143 && begin.duration(to: .now) < .seconds(30))
    let summary = try world.summary
    #expect(
      summary.tools[0].verdict == "error" && summary.tools[0].reason?.contains("did not end within 6.7") == true,
      "\(summary.tools)")
    try await world.expectValid()
  }

  // MARK: What is published

  @Test func theSummaryIsAppendedToTheStepsSummary() async throws {
    var world = try World()
    world.environment["GITHUB_STEP_SUMMARY"] = try world.scratch.write("step.md", "before\n")
    try world.program("first", world.report("a"))
    #expect(await world.run([Self.first]) == 0)
    #expect(world.text("step.md") == "before\n" + world.text("results/summary.md"))
  }

  @Test func aStepSummaryThatCannotBeWrittenChangesNothing() async throws {
    var world = try World()
    world.environment["GITHUB_STEP_SUMMARY"] = "/nonexistent/step.md"
    try world.program("first", world.report("a"))
    #expect(await world.run([Self.first]) == 0)
  }

  @Test func whatCannotBeWrittenLeavesNoOldVerdict() async throws {
    let scratch = try ScratchDirectory()
    let files = SuiteFiles(directory: "\(scratch.path)/results")
    let tool = SuiteSummary.Tool(tool: "bench-api", notStarted: "running")
    let summary = SuiteSummary(startedAt: "2026-11-20T21:00:00.123Z", state: .running, exitStatus: 1, tools: [tool])
    #expect(files.write(summary) == [])
    // A directory of that name can't be replaced by a file.
    try FileManager.default.removeItem(atPath: files.paths[1])
    _ = try scratch.write("results/summary.json/x", "")
    let problems = files.write(summary)
    #expect(problems.count == 1 && problems[0].hasPrefix("'\(files.paths[1])' could not be written: "), "\(problems)")
  }

  /// What was found out too late to be refused: the files that could be written say it, and none of them is green.
  @Test func whatCannotBeWrittenAtTheEndIsInTheOthersAndInTheStatus() async throws {
    var world = try World()
    world.environment["GITHUB_STEP_SUMMARY"] = try world.scratch.write("step.md", "")
    try world.program("first", "\(world.report("a")); cd '\(world.results)'; rm junit.xml; mkdir -p junit.xml/x")
    #expect(await world.run([Self.first]) == 1)
    let summary = try world.summary
    #expect(summary.state == .finished && summary.exitStatus == 1 && summary.tools.map(\.verdict) == ["pass"])
    #expect(summary.failures == ["'\(world.results)/junit.xml' could not be written: Is a directory"])
    for file in ["results/summary.md", "step.md"] {
      #expect(world.text(file).contains("# InfraBench: failed") && world.text(file).contains("could not be written"))
    }
    #expect(world.scratch.files.filter { $0.hasSuffix(".tmp") } == [])
    try await world.expectValid()
  }

  /// A suite that is interrupted has its own status, which says more.
  @Test func anInterruptedSuiteThatCannotWriteKeepsItsStatus() async throws {
    let world = try World()
    try world.program("first", "cd '\(world.results)'; rm junit.xml; mkdir -p junit.xml/x; kill -TERM $$")
    #expect(await world.run([Self.first]) == 143)
    let summary = try world.summary
    #expect(summary.exitStatus == 143 && summary.failures.contains { $0.contains("could not be written") })
    try await world.expectValid()
  }
}
