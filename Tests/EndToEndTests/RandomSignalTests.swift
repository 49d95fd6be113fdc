import FoundationEssentials
import GatewayProtocol
import Glibc
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench

/// Signals at random moments of every tool: its result is there, and nothing is held that isn't said.
///
/// `INFRABENCH_SIGNAL_MOMENTS` says how many moments of each tool are tried (3 unless given, 40 by hand).
@Suite(.serialized, .timeLimit(.minutes(20))) struct RandomSignalTests {
  private static let moments =
    Int(ProcessInfo.processInfo.environment["INFRABENCH_SIGNAL_MOMENTS"] ?? "") ?? 3

  private static let tools: [(name: String, options: [String], usesGateway: Bool)] = [
    ("bench-allocation", ["--count", "100000", "--think-time", "5ms"], true),
    ("bench-allocation", ["--count", "100000", "--hold"], true),
    ("bench-concurrent", ["--concurrency", "3", "--bursts", "1000"], true),
    ("bench-e2e", ["--count", "100000"], true),
    ("bench-exhaustion", ["--cycles", "1000"], true),
    ("bench-api", ["--iterations", "100000"], false),
    ("bench-dirinit", ["--duration", "10m"], false),
  ]

  @Test(arguments: tools.indices, 0..<moments) func aSignalAtAnyMomentLosesNothing(tool index: Int, moment: Int)
    async throws
  {
    let tool = Self.tools[index]
    var random = SeededRandom(seed: UInt64(index * 1000 + moment))
    let first = [SIGINT, SIGTERM, SIGHUP].randomElement(using: &random) ?? SIGINT
    let second: Int32? = [nil, SIGTERM, first].randomElement(using: &random) ?? nil
    let isToGroup = Bool.random(using: &random)
    let delay = Int.random(in: 0...2500, using: &random)
    let pause = Int.random(in: 0...50, using: &random)
    let name: Comment = "\(tool), \(first) then \(String(describing: second)) after \(delay) and \(pause) ms"

    let gateway = tool.usesGateway ? try await MockGateway.start() : nil
    let run = try await BenchRun.start(
      tool.name, tool.options + (gateway.map { ["--gateway-url", $0.url] } ?? []))
    try await Task.sleep(for: .milliseconds(delay))
    let children = ProcessEntry.descendants(of: run.running.child.pid)
    run.running.child.signal(first)
    if let second {
      try await Task.sleep(for: .milliseconds(pause))
      _ = isToGroup ? run.running.child.signalGroup(second) : run.running.child.signal(second)
    }
    let result = await run.end()
    if result.status == .signaled(first) || second.map({ result.status == .signaled($0) }) ?? false {
      // It had not begun.
      #expect(result.files().isEmpty && result.output.isEmpty, name)
    } else {
      #expect([first, second ?? first].map { .exited(128 + $0) }.contains(result.status), name)
      try await expectWhole(result, gateway, name)
    }
    try await eventually("\(name): left: \(children.filter(\.isAlive).map(\.program))") {
      !children.contains(where: \.isAlive)
    }
    #expect(result.scratch.names(in: "")?.filter { $0 != "results" } == [], name)
    await gateway?.stop()
  }

  private func expectWhole(_ result: BenchResult, _ gateway: MockGateway?, _ name: Comment) async throws {
    if result.files().isEmpty {
      // What there is to be measured was not there yet.
      #expect(result.talk.contains("error: "), name)
      #expect(!result.output.contains("Run 1: "), name)
    } else {
      let document = try result.document()
      #expect(document.verdict == .interrupted, name)
      #expect(document.counters["errors"] == 0, "\(name): \(document.errors)")
      #expect((document.counters["unreleased"] ?? 0) == 0, "\(name): \(document.notes)")
    }
    guard let gateway else { return }
    try await eventually("\(name): a task is still assigned") { try await gateway.status().assignedCount == 0 }
  }
}
