import ArgumentParser
import FoundationEssentials
import Latency
import LoadEngine
import Synchronization
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// Runs apart: each whole by itself, and one exit status for all.
@Suite struct RunSequenceTests {
  /// What each run is to come to, and what it was asked for.
  private final class Script: Sendable {
    enum Run: Sendable {
      case latency(Nanoseconds)
      case unreachable
      /// It comes to an end without a sample.
      case worthless
    }

    private let state: Mutex<(left: [Run], asked: [String])>

    init(_ runs: [Run]) { state = Mutex((runs, [])) }

    var asked: [String] { state.withLock { $0.asked } }

    func next(_ asked: String) -> Run {
      state.withLock { state in
        state.asked.append(asked)
        return state.left.removeFirst()
      }
    }
  }

  private struct Scripted: Benchmark {
    static let description = ToolDescription(
      "bench-scripted", headlines: ["allocation"], metrics: AllocationBenchmark.description.metrics,
      counters: AllocationBenchmark.description.counters, parameters: [])
    static let catalogue = description.catalogue
    var parameters: [String: JSONValue] { ["seed": .int(Int64(seed))] }
    let script: Script
    var name = "first"
    var seed: UInt64 = 0

    func seeded(_ seed: UInt64) -> Scripted {
      var benchmark = self
      benchmark.seed = seed
      return benchmark
    }

    func measure(_ bench: RunContext) async throws(BenchmarkFailure) -> Measurement {
      let run = script.next("\(name) \(seed)")
      if case .unreachable = run { throw BenchmarkFailure("unreachable") }
      var recording = Recording(Self.catalogue)
      if case .latency(let latency) = run { recording.sample(Self.catalogue.metric("allocation"), latency) }
      return Measurement(
        recording: recording, generator: GeneratorReport(cpuUtilisation: 0, latenessP99: 1, busiestSecond: 0),
        target: .init(kind: "embedded", gatewayUrl: nil, ecsEndpointUrl: nil), startedAt: Date(), duration: 1)
    }
  }

  private func perform(
    _ runs: [Script.Run], label: String? = nil, alternates: Bool = false
  ) async throws -> (status: Int32, asked: [String], documents: [ResultDocument]) {
    let scratch = try ScratchDirectory()
    var reader = OptionReader(environment: [:])
    let options = try OutputOptions.parse(
      ["--output-dir", scratch.path, "--quiet", "--format", "json", "--print", "json"]
        + (label.map { ["--label", $0] } ?? []))
    let script = Script(runs)
    let sequence = RunSequence(
      benchmark: Scripted(script: script), second: alternates ? Scripted(script: script, name: "second") : nil,
      plan: RunPlan(count: runs.count / (alternates ? 2 : 1), alternates: alternates, seed: 5, draw: nil),
      output: reader.output(options),
      thresholds: [try ThresholdParser(Scripted.description).parse("allocation.max < 5ms")], environment: [:])
    let status = await sequence.perform()
    let documents = try scratch.files.map { file in
      try ResultCoding.decode(String(contentsOfFile: "\(scratch.path)/\(file)", encoding: .utf8), tools: .suite)
    }
    return (status, script.asked, documents.sorted { ($0.repetition?.run ?? 0) < ($1.repetition?.run ?? 0) })
  }

  private static let quick = Script.Run.latency(.milliseconds(1))
  private static let slow = Script.Run.latency(.milliseconds(10))

  @Test func everyRunHasADocumentOfItsOwn() async throws {
    let (status, asked, documents) = try await perform([Self.quick, Self.quick, Self.quick])
    #expect(status == 0 && asked == ["first 5", "first 6", "first 7"])
    #expect(documents.map(\.repetition) == (1...3).map { .init(run: $0, of: 3, side: nil) })
    #expect(documents.map { $0.parameters["seed"] } == [5, 6, 7])
    #expect(documents.allSatisfy { $0.label == nil && $0.verdict == .pass && $0.parameters.count == 1 })
    for document in documents where DocumentSchema.isAvailable {
      #expect(try await DocumentSchema.faults(in: ResultCoding.encode(document)) == [])
    }
  }

  @Test func aSingleRunSaysNothingOfRepetition() async throws {
    #expect(try await perform([Self.quick]).documents.map(\.repetition) == [nil])
  }

  @Test(arguments: [(nil, ["a", "b", "b", "a"]), ("x", ["x-a", "x-b", "x-b", "x-a"])] as [(String?, [String])])
  func twoGatewaysTakeTurns(label: String?, labels: [String]) async throws {
    let (status, asked, documents) = try await perform(
      Array(repeating: Self.quick, count: 4), label: label, alternates: true)
    #expect(status == 0 && asked == ["first 5", "second 5", "second 6", "first 6"])
    #expect(documents.map(\.label) == labels)
    #expect(documents.map { $0.repetition?.side } == ["a", "b", "b", "a"])
  }

  @Test(
    arguments: [
      ([quick, slow, quick], 99, 3), ([slow, .unreachable, quick], 1, 3), ([.unreachable, quick, quick], 1, 1),
      ([quick, .unreachable, .unreachable, quick], 1, 3), ([.worthless, quick, .worthless, quick], 1, 4),
      ([.worthless, .worthless, quick], 1, 2),
    ] as [([Script.Run], Int32, Int)])
  private func theWorstRunDecidesAndAFailureEndsWhatWouldFailAlike(
    runs: [Script.Run], status: Int32, made: Int
  ) async throws {
    let result = try await perform(runs)
    #expect(result.status == status && result.asked.count == made)
  }
}
