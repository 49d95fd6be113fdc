import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

struct RegressionGateTests {
  private func failed(_ document: inout ResultDocument) {
    document.verdict = .error
    document.metrics = [:]
    document.counters["errors"] = 100
  }

  private func new(_ count: Int = 6, factor: Double = 1, change: (inout ResultDocument) -> Void = { _ in })
    -> [ResultDocument]
  {
    SampleRuns.documents(count, factor: factor, day: "2026-11-21", change: change)
  }

  private func gate(_ old: [ResultDocument], _ new: [ResultDocument]) async throws -> RegressionGate {
    try await SampleRuns.compare(old, new).gate
  }

  private static let group = "bench-allocation · embedded (concurrency=1, count=100, waitFor=assigned): "

  @Test func whatIsJudgedAndNoWorsePasses() async throws {
    for factor in [1, 0.8] {
      #expect(try await gate(SampleRuns.documents(), new(factor: factor)) == RegressionGate())
    }
  }

  @Test func totalFailureIsARegression() async throws {
    let comparison = try await SampleRuns.compare(SampleRuns.documents(), new(change: failed))
    #expect(comparison.gate.regressions.map(\.title) == ["errors"])
    #expect(comparison.statistic("errors", .rate)?.newMedian == 100)
    #expect(
      comparison.notes.contains(
        "bench-allocation: 6 of 6 NEW runs were worthless (verdict error): their rates count, their latencies don't"))
    #expect(comparison.gate.unjudged == [Self.group + "no NEW run has a sample of allocation"])
  }

  /// The survivors are not the whole side.
  @Test func runsThatFailedAltogetherCountForTheRates() async throws {
    var runs = new()
    for number in 0..<3 { failed(&runs[number]) }
    runs[3].verdict = .error
    let comparison = try await SampleRuns.compare(SampleRuns.documents(), runs)
    #expect(comparison.statistic("errors", .rate)?.new.count == 6)
    #expect(comparison.statistic("allocation", .p50)?.new.count == 2)
    #expect(comparison.notes.contains { $0.contains("4 of 6 NEW runs were worthless") })
    #expect(!comparison.notes.contains { $0.contains("no sample") })
    #expect(comparison.gate.unjudged.count == 1 && comparison.gate.unjudged[0].contains("more runs needed"))
  }

  @Test func whatHasTooFewRunsDoesNotPass() async throws {
    for (old, count, words) in [
      (4, 4, "2 more runs needed (1 OLD, 1 NEW)"), (6, 1, "3 more runs needed (0 OLD, 3 NEW)"),
    ] {
      let gate = try await gate(SampleRuns.documents(old), new(count, factor: 10))
      #expect(gate.regressions.isEmpty)
      #expect(
        gate.unjudged == [
          Self.group
            + "too few runs for allocation mean, allocation P50, allocation P95, allocation P99: \(words)"
        ])
    }
  }

  /// One tool that can be judged hides no other.
  @Test func everyGroupIsJudgedOrNamed() async throws {
    func other(_ document: inout ResultDocument) { document.parameters["count"] = 7 }
    let few = try await gate(
      SampleRuns.documents() + SampleRuns.documents(2, change: other), new() + new(6, change: other))
    #expect(few.unjudged.count == 1 && few.unjudged[0].contains("count=7"))
    let gone = try await gate(SampleRuns.documents() + SampleRuns.documents(2, change: other), new())
    #expect(
      gone.unjudged == [
        "bench-allocation · embedded (concurrency=1, count=7, waitFor=assigned): no NEW run to compare to the 2 runs of OLD"
      ])
    #expect(try await gate(SampleRuns.documents(), new() + new(2, change: other)) == RegressionGate())
  }

  @Test func aHeadlineThatNewLacksDoesNotPass() async throws {
    func concurrent(_ names: [String]) -> (inout ResultDocument) -> Void {
      { document in
        document.tool = "bench-concurrent"
        let metric = document.metrics["allocation"]
        document.metrics = [:]
        for name in names { document.metrics[name] = metric }
      }
    }
    let old = SampleRuns.documents(change: concurrent(["warm", "all"]))
    let comparison = try await SampleRuns.compare(old, new(change: concurrent(["all"])))
    #expect(comparison.gate.unjudged.count == 1)
    #expect(comparison.gate.unjudged[0].hasSuffix("no NEW run has a sample of warm"))
    #expect(
      comparison.notes.contains(
        "bench-concurrent: all stands for warm as the headline, of which no NEW run has a sample"))
    #expect(comparison.notes.contains("bench-concurrent: warm: no sample in 6 of 6 NEW runs"))
    // What OLD never had nobody expects of NEW.
    let all = SampleRuns.documents(change: concurrent(["all"]))
    #expect(try await gate(all, new(change: concurrent(["warm", "all"]))) == RegressionGate())
  }

  @Test func aPoolThatSeldomRefillsIsNamed() async throws {
    func exhaustion(_ document: inout ResultDocument) {
      document.tool = "bench-exhaustion"
      document.metrics["refill_full"] = document.metrics.removeValue(forKey: "allocation")
      document.metrics["refill_first"] = document.metrics.removeValue(forKey: "gateway_latency")
    }
    var runs = new(change: exhaustion)
    for number in 0..<4 { runs[number].metrics["refill_full"] = nil }
    let comparison = try await SampleRuns.compare(SampleRuns.documents(change: exhaustion), runs)
    #expect(comparison.notes.contains("bench-exhaustion: refill_full: no sample in 4 of 6 NEW runs"))
    #expect(comparison.gate.unjudged.count == 1)
  }

  @Test func aPercentileThatFailuresTookFromNewDoesNotPass() async throws {
    let gate = try await gate(
      SampleRuns.documents(),
      new {
        $0.metrics["allocation"] = SampleDocuments.metric(SampleRuns.latencies(1), failed: FailedPart(2, of: 100))
        $0.counters["errors"] = 2
      }
    )
    #expect(gate.unjudged == [Self.group + "no NEW run has allocation mean, allocation P99"])
  }
}
