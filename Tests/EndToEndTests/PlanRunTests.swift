import FoundationEssentials
import Glibc
import Latency
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// `bench-plan` as people run it, and against the gateway whose times it was given.
@Suite(.timeLimit(.minutes(4))) struct PlanRunTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func plan(_ arguments: [String], through launcher: [String] = []) async throws -> Tool.Outcome {
    try await Tool(name: "bench-plan").run(arguments, in: scratch.path, through: launcher)
  }

  private static let small = ["--arrival-rate", "5/m", "--runs", "4", "--horizon", "2h", "--seed", "1"]

  @Test func theExitStatusSaysWhetherAPoolIsEnough() async throws {
    let enough = try await plan(Self.small + ["--require", "hit >= 99%"])
    #expect(enough.status == .exited(0), "\(enough)")
    #expect(enough.standardOutput.hasSuffix("answer: a pool of 4 meets hit >= 99%: 99.125% by the formula\n"))
    #expect(enough.standardError == "")
    let none = try await plan(Self.small + ["--require", "hit >= 99%", "--pool-size", "1..3"])
    #expect(none.status == .exited(99))
    #expect(none.standardError == "fail: hit >= 99%: no candidate meets it\n")
    let plain = try await plan(Self.small)
    #expect(plain.status == .exited(0) && !plain.standardOutput.contains("answer"))
  }

  @Test func wrongAndImpossibleInputIs64AndSaidAtOnce() async throws {
    let wrong = try await plan(["--session", "x", "--runs", "0", "--html", "/nonexistent/x.html"])
    #expect(wrong.status == .exited(64) && wrong.standardOutput == "")
    for option in ["--session", "--runs", "--html", "--arrival-rate"] {
      #expect(wrong.standardError.contains("error: \(option): "), "\(wrong.standardError)")
    }
    let impossible = try await plan(Self.small + ["--slots", "7", "--instances", "1..20"])
    #expect(impossible.status == .exited(64))
    #expect(impossible.standardError.contains("20 instances × 7 slots = 140"))
    #expect(try await plan(["--no-such-option"]).status == .exited(64))
    #expect(scratch.names(in: "") == [])
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func theDocumentIsValidAndThePageIsWritten() async throws {
    let outcome = try await plan(
      Self.small + ["--preset", "lab", "--print", "json", "--html", "plan.html", "--require", "hit >= 99%"])
    #expect([.exited(0), .exited(99)].contains(outcome.status), "\(outcome.standardError)")
    #expect(try await DocumentSchema.faults(in: outcome.standardOutput, schema: .plan) == [])
    #expect(outcome.standardError.contains("wrote plan.html"))
    #expect(scratch.names(in: "") == ["plan.html"])
  }

  @Test func equalSeedsPrintEqualPlans() async throws {
    let outcomes = [try await plan(Self.small), try await plan(Self.small)]
    #expect(outcomes[0].standardOutput == outcomes[1].standardOutput && !outcomes[0].standardOutput.isEmpty)
  }

  @Test(arguments: ["> /dev/full", ">&-"]) func lostOutputIsAFailure(redirection: String) async throws {
    let shell = ["/bin/sh", "-c", "exec \"$0\" \"$@\" \(redirection)"]
    #expect(try await plan(Self.small, through: shell).status == .exited(1))
  }

  /// Start times of bench-exhaustion predict the warm rate that bench-concurrent measures at the same gateway.
  ///
  /// Neighbouring arrivals depend on one another, so the measured rate's error comes from repeats: four runs of 5 s. The
  /// prediction has an error too: a refill is found by polls, and each start was up to the poll's resolution shorter. A
  /// busy machine starts tasks late, in the drains before and after the load too.
  @Test(.wholeSuiteOnly) func measuredTimesPredictTheMeasuredWarmRate() async throws {
    let gateway = try await MockGateway.start(
      ["--virtual-tasks", "--pool-size", "5", "--task-start-delay", "100ms", "--max-tasks", "40"], warm: 5)
    let target = ["--gateway-url", gateway.url, "--allow-saturated", "--no-default-thresholds", "--quiet"]
    var rates: [Double] = []
    try await drain(target)
    for seed in 0..<4 {
      let load = try await Tool(name: "bench-concurrent").run(
        target + [
          "--rate", "20/s", "--arrival", "poisson", "--duration", "5s", "--seed", "\(seed)", "--print", "json",
          "--output-dir", "load",
        ], in: scratch.path)
      #expect(load.status == .exited(0), "\(load.standardError)")
      let document = try load.document
      let warm = try #require(document.counters["warm"])
      rates.append(Double(warm) / Double(try #require(document.counters["iterations"])))
    }
    try await drain(target)
    await gateway.stop()

    // One folder a day: midnight may come between the drains.
    let files = (scratch.names(in: "drained") ?? []).flatMap { day in
      (scratch.names(in: "drained/\(day)") ?? []).filter { $0.hasSuffix(".json") }.map { "drained/\(day)/\($0)" }
    }
    #expect(files.count == 2)
    let resolution =
      try files.compactMap { file in
        try ResultReader.suite.read(scratch(file)).document.metrics["refill_task"]?.resolution
      }.max() ?? 0
    let predicted = try await predictedRate(["--measured"] + files)

    let mean = rates.reduce(0, +) / 4
    // The repeats may be alike by accident: 400 arrivals of this load vary by √(p·(1−p)·D/n) = 0.02 or more.
    let spread = max((rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3 / 4).squareRoot(), 0.012)
    // At a = 2, a start that is longer by 10 ms costs a hundredth of the hit rate.
    let bound = 4 * spread + resolution / 10 * 0.012
    #expect(
      abs(mean - predicted) < bound, "measured \(rates), predicted \(predicted), resolution \(resolution) ms")
    // The check is worth something only where it would notice start times that are wrong by a factor of three.
    if spread < 0.03 { #expect(abs(mean - (try await predictedRate(["--task-start", "300ms"]))) > bound) }
  }

  private func drain(_ target: [String]) async throws {
    let drained = try await Tool(name: "bench-exhaustion").run(
      target + ["--cycles", "4", "--poll-interval", "10ms", "--output-dir", "drained"], in: scratch.path)
    #expect(drained.status == .exited(0), "\(drained.standardError)")
  }

  private struct Planned: Decodable {
    struct Candidate: Decodable {
      var hitRate: Double
    }
    var candidates: [Candidate]
  }

  /// The hit rate of a pool of 5 at 20 arrivals a second, with these options for times.
  private func predictedRate(_ times: [String]) async throws -> Double {
    let outcome = try await plan(
      times + [
        "--arrival-rate", "20/s", "--pool-size", "5", "--fallback", "queue", "--horizon", "20m", "--warmup", "1m",
        "--runs", "4", "--seed", "1", "--print", "json",
      ])
    #expect(outcome.status == .exited(0), "\(outcome.standardError)")
    let planned = try JSONDecoder().decode(Planned.self, from: Data(outcome.standardOutput.utf8))
    return try #require(planned.candidates.first).hitRate
  }
}
