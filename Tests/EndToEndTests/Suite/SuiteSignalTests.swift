import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results
import Reports

/// Signals at drawn moments of a run of the suite: what was measured is there, the rest says that it was not run, and nothing
/// lives on or is held.
///
/// `INFRABENCH_SIGNAL_RUNS` says how many are drawn of each test (6 and 4 unless given, 40 in a night), `INFRABENCH_SIGNAL_SEED`
/// from which seed.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SuiteSignalTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let runs = Int(environment["INFRABENCH_SIGNAL_RUNS"] ?? "")
  private static let seed = UInt64(environment["INFRABENCH_SIGNAL_SEED"] ?? "") ?? 13
  private static let draws = SuiteDraw.draws(runs ?? 6, seed: seed)
  private static let timeouts = SuiteDraw.timeouts(runs ?? 4, seed: seed)

  /// From the signal to the end: the 7 s that the suite promises, and 3 s for what it can't answer for. Its clocks begin when it
  /// sees the signal and end with the last file, and on a machine whose few processors run other tests meanwhile a process may
  /// wait some hundred milliseconds for its turn, each time that it waits for one: the suite, the tool, the gateway.
  private static let bound = Duration.seconds(10)

  /// A run of all tools in some seconds.
  private static let quick = [
    "--scenario", "suite.json", "--", "--no-default-thresholds", "--allow-saturated",
  ]
  private static let scenario = """
    {"bench-allocation": {"count": 6}, "bench-dirinit": {"count": 3}, "bench-e2e": {"count": 2},
     "bench-concurrent": {"bursts": 1, "beyond": 1, "concurrency": 2}, "bench-exhaustion": {"poll-interval": "20ms"},
     "bench-api": {"iterations": 3}}
    """
  @Test(.wholeSuiteOnly, arguments: draws) func aSignalAtAnyMomentLosesNothing(_ draw: SuiteDraw) async throws {
    try await check(draw)
  }

  /// It signals the suite alone, and then its group.
  @Test(.wholeSuiteOnly, .enabled(if: Tool.isInstalled("timeout"), "needs timeout"), arguments: timeouts)
  func timeoutAtAnyMomentLosesNothing(_ draw: SuiteDraw) async throws {
    try await check(draw)
  }

  private static func start(at gateway: MockGateway?, through launcher: [String] = []) async throws -> BenchSuite {
    let scratch = try Scratch()
    scratch.write("suite.json", scenario)
    let pool = gateway == nil ? ["--pool-size", "2", "--task-start-delay", "20ms"] : []
    return try await BenchSuite.start(quick + pool, gateway: gateway?.url ?? "", through: launcher, in: scratch)
  }

  /// What a run takes that nobody signals, on this machine and beside these tests: else most signals would come after the end.
  private static let remoteLength = Task { try await length(at: MockGateway.start()) }
  private static let embeddedLength = Task { try await length(at: nil) }

  private static func length(at gateway: MockGateway?) async throws -> Duration {
    let begin = ContinuousClock.now
    let run = try await start(at: gateway)
    let outcome = await run.running.end()
    let length = begin.duration(to: .now)
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    #expect(try run.folder.summary.state == .finished)
    await gateway?.stop()
    return length
  }

  private func check(_ draw: SuiteDraw) async throws {
    let moment = draw.moment(of: try await (draw.isRemote ? Self.remoteLength : Self.embeddedLength).value)
    let gateway = draw.isRemote ? try await MockGateway.start() : nil
    let start = ContinuousClock.now
    let run = try await Self.start(at: gateway, through: draw.launcher(moment))
    try await Task.sleep(until: start + moment)
    // When exactly `timeout` has sent it is not known.
    let wasOver = draw.receiver != .timeout && run.running.child.exitStatus != nil
    let processes = ProcessEntry.descendants(of: run.running.child.pid)
    let begin = ContinuousClock.now
    send(draw, to: run.running.child, processes)
    let outcome = await run.running.end(within: Self.bound)
    let lasted = begin.duration(to: .now)
    let name: Comment = "\(draw.testDescription), after \(lasted)\n\(outcome.standardOutput)\(outcome.standardError)"
    #expect(outcome.status != .signaled(SIGKILL), "it did not end within \(Self.bound): \(name)")
    try await expectKept(draw, outcome, run.folder, wasOver: wasOver, name)
    try await eventually("it lives on: \(name)") { !processes.contains(where: \.isAlive) }
    try await run.expectNothingLeft(name)
    if let gateway {
      try await eventually("tasks are held: \(name)") { try await gateway.status().assignedCount == 0 }
      await gateway.stop()
    }
    if Self.runs != nil { print("\(draw.testDescription): \(outcome.status), \(lasted) after the signal") }
  }

  private func send(_ draw: SuiteDraw, to suite: ChildProcess, _ processes: Set<ProcessEntry>) {
    let tool = processes.first { $0.parent == suite.pid && $0.name.hasPrefix("bench-") }
    switch draw.receiver {
    case .tool where tool != nil:
      if let tool, tool.isAlive { kill(tool.pid, draw.signal) }
    case .suite, .tool: suite.signal(draw.signal)
    case .group: suite.signalGroup(draw.signal)
    case .doubled:
      suite.signal(draw.signal)
      suite.signalGroup(draw.signal)
    case .everyProcess:
      suite.signal(draw.signal)
      for process in processes where process.isAlive { kill(process.pid, draw.signal) }
    case .timeout: break
    }
  }

  private func expectKept(
    _ draw: SuiteDraw, _ outcome: Tool.Outcome, _ folder: SuiteFolder, wasOver: Bool, _ name: Comment
  ) async throws {
    let hadNotBegun =
      outcome.status == .signaled(draw.signal)
      // `timeout` says so of a program that the signal has ended.
      || draw.receiver == .timeout && outcome.status == .exited(128 + draw.signal) && folder.names == nil
    if hadNotBegun {
      #expect(folder.documents.isEmpty && outcome.standardOutput.isEmpty, name)
      return
    }
    try await folder.expectSound(name)
    let summary = try folder.summary
    #expect(summary.tools.map(\.tool) == SuiteTool.names, name)
    #expect(outcome.status == .exited(summary.exitStatus), name)
    guard summary.state == .interrupted else {
      // It came when everything was measured, or to a tool that was just ending.
      #expect(summary.state == .finished && (wasOver || [0, 99].contains(summary.exitStatus)), name)
      return
    }
    #expect(!wasOver && summary.exitStatus == 128 + draw.signal, name)
    let verdicts = summary.tools.map(\.verdict)
    #expect(verdicts.count { $0 == "interrupted" } <= 1, name)
    // After the one that was interrupted nothing was run, before it everything.
    let firstLeft = verdicts.firstIndex { $0 == "interrupted" || $0 == "not run" } ?? verdicts.endIndex
    #expect(verdicts[firstLeft...].dropFirst().allSatisfy { ["not run", "skipped"].contains($0) }, name)
    #expect(verdicts[..<firstLeft].allSatisfy { ["pass", "skipped"].contains($0) }, name)
    if verdicts.contains("interrupted") {
      #expect(folder.markdown.contains("interrupted") && outcome.standardOutput.contains("interrupted"), name)
    }
    #expect(!outcome.standardError.contains("ended at once"), name)
    // Each document is one that the summary names, and the interrupted one says so itself.
    let named = summary.tools.flatMap { $0.files ?? [$0.file].compactMap(\.self) }
    #expect(named.sorted() == folder.documents.sorted(), name)
  }
}
