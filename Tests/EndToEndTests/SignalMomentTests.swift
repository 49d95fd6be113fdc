import FoundationEssentials
import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Signals at drawn moments of every tool, in each of its phases: its result is there, nothing is held or runs that isn't
/// said, and it exits as the contract says.
///
/// `INFRABENCH_SIGNAL_RUNS` says how many runs of each tool are drawn (2 unless given, 40 by hand), `INFRABENCH_SIGNAL_SEED`
/// from which seed. Each draw prints a line then.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SignalMomentTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let runs = Int(environment["INFRABENCH_SIGNAL_RUNS"] ?? "")
  private static let draws = SignalDraw.draws(
    ofEach: runs ?? 2, seed: UInt64(environment["INFRABENCH_SIGNAL_SEED"] ?? "") ?? 12)

  /// From the signal to the end. What the tool promises is 7 s; a busy machine may be slow.
  private static let bound = Duration.seconds(20)

  @Test(.wholeSuiteOnly, arguments: draws) func aSignalAtAnyMomentLosesNothing(_ draw: SignalDraw) async throws {
    let target = try await SignalTarget.start(draw.setup.target, startsTasks: draw.setup.options.contains("run-task"))
    let run = try await BenchRun.start(
      draw.setup.tool, draw.setup.options + target.options + BenchRun.anySpeed, environment: target.environment)
    await wait(for: draw.moment, of: run, target)
    let wasOver = run.running.child.exitStatus != nil
    let processes = ProcessEntry.descendants(of: run.running.child.pid)
    let begin = ContinuousClock.now
    send(draw.first, to: run, processes)
    if let second = draw.second {
      try await Task.sleep(for: .milliseconds(draw.pause))
      // On a stalled machine it would be a later signal, which ends the tool at once.
      if begin.duration(to: .now) < .milliseconds(700) { send(second, to: run, processes) }
    }
    let result = await run.end(within: Self.bound)
    let lasted = begin.duration(to: .now)
    try await expectKept(draw, result, wasOver: wasOver)
    try await expectNothingLeft(draw, result, target, processes)
    if Self.runs != nil {
      let documents = result.files().keys.count { $0.hasSuffix(".json") }
      let end = wasOver ? "had ended" : "ended \(lasted) after the signal"
      print("\(draw.testDescription): \(end) with \(result.status), \(documents) documents")
    }
    await target.stop()
  }

  /// Waits for a moment that may never come, for at most 4 s.
  private func wait(for moment: SignalDraw.Moment, of run: BenchRun, _ target: SignalTarget) async {
    func has(_ condition: () -> Bool) async {
      for _ in 0..<2000 {
        if condition() || run.running.child.exitStatus != nil { return }
        try? await Task.sleep(for: .milliseconds(2))
      }
    }
    switch moment {
    case .milliseconds(let milliseconds): try? await Task.sleep(for: .milliseconds(milliseconds))
    case .afterRun(let number): await has { run.running.standardOutputSoFar.contains("Run \(number): ") }
    case .afterRequest(let number): await has { target.requestCount >= number }
    }
  }

  private func send(_ sending: SignalDraw.Sending, to run: BenchRun, _ processes: Set<ProcessEntry>) {
    switch sending.receiver {
    case .tool: run.running.child.signal(sending.signal)
    case .group: run.running.child.signalGroup(sending.signal)
    case .everyProcess:
      run.running.child.signal(sending.signal)
      for process in processes where process.isAlive { kill(process.pid, sending.signal) }
    }
  }

  // MARK: What must be there

  private func expectKept(_ draw: SignalDraw, _ result: BenchResult, wasOver: Bool) async throws {
    let name: Comment = "\(draw.testDescription)\n\(result.output)\(result.talk)"
    let signals = [draw.first.signal] + (draw.second.map { [$0.signal] } ?? [])
    let files = result.files()
    let written = files.keys.filter { $0.wholeMatch(of: #/[0-9-]{10}\/[0-9]{6}Z-[a-z0-9-]+\.(json|md)/#) == nil }
    #expect(written.isEmpty, "not a result: \(written), \(name)")
    switch result.status {
    case .signaled(let signal):
      // It had not begun: nothing is said, nothing is there.
      #expect(signals.contains(signal) && result.output.isEmpty && result.talk.isEmpty && files.isEmpty, name)
    case .exited(0):
      #expect(try result.document().verdict == .pass, name)
    default:
      let interruptions = signals.map { ProcessControl.ExitStatus.exited(128 + $0) }
      #expect(!wasOver && interruptions.contains(result.status), "\(result.status), \(name)")
      #expect(!result.talk.contains("ended at once by a second signal"), name)
      if files.isEmpty {
        #expect(!result.output.contains("Run 1: "), "measured, and no document: \(name)")
        return
      }
      let document = try result.document()
      #expect(document.verdict == .interrupted, name)
      #expect(document.counters["errors"] == 0, "\(document.errors), \(name)")
      #expect(try result.file("md").contains(": interrupted\n"), name)
    }
    if !files.isEmpty {
      #expect(files.count == 2, "\(files.keys), \(name)")
      let json = try result.file("json")
      if DocumentSchema.isAvailable {
        let faults = try await DocumentSchema.faults(in: json)
        #expect(faults.isEmpty, "\(faults), \(name)")
      }
    }
  }

  // MARK: What must be gone

  private func expectNothingLeft(
    _ draw: SignalDraw, _ result: BenchResult, _ target: SignalTarget, _ processes: Set<ProcessEntry>
  ) async throws {
    let name = "\(draw.testDescription)\n\(result.output)\(result.talk)"
    // By their environment too: what was started after the look at the tree, or has lost its parent.
    let left = processes.union(ProcessEntry.started(by: result.scratch)).filter(\.isAlive).map(\.program)
    try await eventually("left: \(left), \(name)") {
      !processes.contains(where: \.isAlive) && ProcessEntry.started(by: result.scratch).isEmpty
    }
    #expect(result.scratch.names(in: "")?.filter { $0 != "results" } == [], "\(name)")
    #expect(target.directories == [], "\(name)")
    let said = try result.files().isEmpty ? 0 : SaidTasks(result.document()).count
    guard let held = try await target.heldTasks() else { return }
    if held > said {
      try await eventually("\(held) tasks are held, and \(said) said: \(name)") {
        try await target.heldTasks() ?? 0 <= said
      }
    }
    try await eventually("the pool is not full again: \(name)") { try await target.isFull() }
  }

  /// How many tasks a document says are not given back, or may not be.
  private struct SaidTasks {
    let count: Int

    init(_ document: ResultDocument) {
      let unanswered = document.notes.compactMap { note in
        note.firstMatch(of: #/^([0-9]+) acquires? got no answer/#).flatMap { Int($0.1) }
      }
      count =
        Int(document.counters["unreleased"] ?? 0) + Int(document.counters["tasks_left"] ?? 0)
        + unanswered.reduce(0, +)
    }
  }
}
