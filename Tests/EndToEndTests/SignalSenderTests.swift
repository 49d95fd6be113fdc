import Gateway
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Signals from the programs that send them in the field: `timeout`, `setsid`, `script`, `nohup`.
@Suite(.timeLimit(.minutes(3))) struct SignalSenderTests {
  /// A run that holds tasks, started by `launcher`.
  private func holding(
    _ gateway: MockGateway, through launcher: [String], in scratch: Scratch
  ) async throws -> Tool.Running {
    try await Tool(name: "bench-allocation").start(
      ["--gateway-url", gateway.url, "--count", "100", "--hold"] + BenchRun.anySpeed,
      environment: ["GATEWAY_URL": "", "TMPDIR": scratch.path], in: scratch.path, through: launcher)
  }

  private func expectInterrupted(
    _ document: ResultDocument, _ gateway: MockGateway, _ location: SourceLocation = #_sourceLocation
  ) async throws {
    #expect(document.verdict == .interrupted, sourceLocation: location)
    #expect(document.counters["errors"] == 0, "\(document.errors)", sourceLocation: location)
    #expect(document.counters["unreleased"] == 0, "\(document.notes)", sourceLocation: location)
    #expect(try await gateway.status().assignedCount == 0, sourceLocation: location)
  }

  private static let senders: [(words: [String], code: Int32)] = [
    (["timeout", "--preserve-status", "-s", "TERM", "-k", "20", "6"], 143),
    (["timeout", "--preserve-status", "-s", "HUP", "-k", "20", "6"], 129),
    (["setsid", "--wait", "timeout", "--preserve-status", "-s", "INT", "-k", "20", "6"], 130),
  ]

  /// It signals the tool alone, and then the whole group.
  @Test(
    .wholeSuiteOnly,
    .enabled(if: Tool.isInstalled("timeout") && Tool.isInstalled("setsid"), "needs timeout and setsid"),
    arguments: senders)
  func timeoutEndsARunInOrder(words: [String], code: Int32) async throws {
    let scratch = try Scratch()
    let gateway = try await MockGateway.start()
    let outcome = try await holding(gateway, through: words, in: scratch).end()
    #expect(outcome.status == .exited(code), "\(outcome.standardError)")
    let result = BenchResult(outcome: outcome, scratch: scratch)
    // Six seconds are enough for a first run, unless the machine stood still.
    if outcome.standardOutput.contains("Run 1: ") {
      try await expectInterrupted(result.document(), gateway)
    }
    #expect(scratch.names(in: "")?.filter { $0 != "results" } == [])
    await gateway.stop()
  }

  /// `script` is killed, and its pseudo-terminal closed: the kernel sends SIGHUP to the tool, and its output goes nowhere.
  @Test(.enabled(if: Tool.isInstalled("script"), "needs script of util-linux"))
  func aClosedTerminalLosesNothing() async throws {
    let scratch = try Scratch()
    let gateway = try await MockGateway.start()
    let terminal = try await holding(
      gateway, through: ["/bin/sh", "-c", "exec script -qec \"exec $*\" typescript", "sh"], in: scratch)
    try await eventually("no run: \(terminal.standardOutputSoFar)") {
      terminal.standardOutputSoFar.contains("Run 2: ")
    }
    let tool = try #require(
      ProcessEntry.descendants(of: terminal.child.pid).first { $0.name == "bench-allocation" })
    terminal.child.signal(SIGKILL)
    let outcome = await terminal.end()
    try await eventually("the tool lives on") { !tool.isAlive }
    try await expectInterrupted(BenchResult(outcome: outcome, scratch: scratch).document(), gateway)
    await gateway.stop()
  }

  @Test(.enabled(if: Tool.isInstalled("nohup"), "needs nohup")) func underNohupAHangupIsNothing() async throws {
    let scratch = try Scratch()
    let gateway = try await MockGateway.start()
    let running = try await Tool(name: "bench-allocation").start(
      ["--gateway-url", gateway.url, "--count", "8", "--think-time", "100ms"] + BenchRun.anySpeed,
      environment: ["GATEWAY_URL": ""], in: scratch.path, through: ["nohup"])
    try await eventually("no run") { running.standardOutputSoFar.contains("Run 2: ") }
    running.child.signal(SIGHUP)
    running.child.signalGroup(SIGHUP)
    let outcome = await running.end()
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    #expect(try BenchResult(outcome: outcome, scratch: scratch).document().verdict == .pass)
    await gateway.stop()
  }
}
