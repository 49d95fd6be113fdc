import FoundationEssentials
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Runs whose tool, load, gateway's fault and interruption are drawn from a seed; what must hold of every run is checked.
///
/// `INFRABENCH_RANDOM_RUNS` says how many there are (10), `INFRABENCH_RANDOM_SEED` the first one's seed (1); the next runs
/// have the numbers after it.
@Suite(
  .serialized, .timeLimit(.minutes(2)),
  .enabled(if: Python.canImport("asyncio"), "needs Python; INFRABENCH_PYTHON names an interpreter"))
struct RandomRunTests {
  static let seeds: [UInt64] = {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["INFRABENCH_RANDOM_SEED"].flatMap { UInt64($0) } ?? 1
    let count = environment["INFRABENCH_RANDOM_RUNS"].flatMap { UInt64($0) } ?? 10
    return (0..<count).map { first &+ $0 }
  }()

  @Test(.wholeSuiteOnly, arguments: seeds) func whateverIsDrawnTheResultIsTrue(_ seed: UInt64) async throws {
    let run = RandomRun(seed: seed)
    let gateway = try await FaultyGateway.start(run.script)
    let bench = try await BenchRun.start(run.tool.rawValue, ["--gateway-url", gateway.url] + run.arguments)
    if let signal = run.signal {
      try await eventually("nothing was asked") { gateway.wasAsked || bench.running.child.exitStatus != nil }
      try await Task.sleep(for: .milliseconds(signal.afterMs))
      bench.running.child.signal(signal.number)
    }
    let result = await bench.end()
    let books = try await gateway.end()
    let files = result.files().filter { $0.key.hasSuffix(".json") }
    var faults: [String] = []
    if files.count == 1, let json = files.first?.value {
      let document = try ResultCoding.decode(json, tools: .suite)
      faults = RunChecks(run, result, document, books).faults
      if DocumentSchema.isAvailable { faults += try await DocumentSchema.faults(in: json) }
      if !faults.isEmpty { faults.append("counters: \(document.counters), notes: \(document.notes)") }
    } else {
      faults = ["\(result.status) with \(files.count) documents: \(result.talk)"]
    }
    let script = String(decoding: try JSONEncoder().encode(run.script), as: UTF8.self)
    #expect(
      faults.isEmpty,
      """
      INFRABENCH_RANDOM_SEED=\(seed) INFRABENCH_RANDOM_RUNS=1
      \(run.tool.rawValue) --gateway-url URL \(run.arguments.joined(separator: " "))
      faulty_gateway.py '\(script)'
      signal: \(run.signal.map { "\($0)" } ?? "none"), \(result.status), \(books)
      \(faults.joined(separator: "\n"))
      """)
  }
}
