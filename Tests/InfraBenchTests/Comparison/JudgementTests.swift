import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

struct JudgementTests {
  @Test func aSlowerDayIsSlowerAndAFasterOneFaster() async throws {
    let usual = SampleRuns.documents()
    for (factor, verdict) in [(1.15, StatisticComparison.Verdict.slower), (0.85, .faster), (1, .noChange)] {
      let comparison = try await SampleRuns.compare(usual, SampleRuns.documents(factor: factor, day: "2026-11-21"))
      let statistics = try #require(comparison.metric("allocation")).statistics
      #expect(statistics.map(\.statistic) == [.mean, .p50, .p95, .p99])
      #expect(statistics.allSatisfy { $0.verdict == verdict && !$0.isExploratory }, "\(factor)")
      #expect(statistics.allSatisfy { abs($0.change - (factor - 1) * 100) < 2 }, "\(statistics.map(\.change))")
      #expect(comparison.hasRegression == (verdict == .slower))
    }
  }

  /// Of one sample a run, mean and percentiles are one question, for which four runs a side are enough.
  @Test func statisticsThatAreOneNumberAreOneQuestion() async throws {
    func runs(_ day: String, _ factor: Double) -> [ResultDocument] {
      (0..<4).map { number in
        var document = SampleRuns.document(1, day: day, number: number)
        let time = UInt64(20e6 * factor * SampleRuns.spread[number])
        document.metrics = ["allocation": SampleDocuments.metric([time])].compactMapValues { $0 }
        return document
      }
    }
    let comparison = try await SampleRuns.compare(runs("2026-11-20", 1), runs("2026-11-21", 3))
    let statistics = try #require(comparison.metric("allocation")).statistics
    #expect(statistics.count == 4 && statistics.allSatisfy { $0.verdict == .slower })
    #expect(statistics.allSatisfy { $0.pValue == $0.uncorrectedPValue && $0.level == 0.95 })
  }

  @Test func verdictAndIntervalNeverContradict() async throws {
    var generator = SeededRandom(seed: 7)
    for _ in 0..<8 {
      func runs(_ day: String) -> [ResultDocument] {
        (0..<5).map {
          SampleRuns.document(Double.random(in: 0.8...1.25, using: &generator), day: day, number: $0)
        }
      }
      let comparison = try await SampleRuns.compare(runs("2026-11-20"), runs("2026-11-21"))
      for statistic in comparison.groups.flatMap(\.metrics).flatMap(\.statistics) {
        let interval = try #require(statistic.interval)
        let isShown = [.faster, .slower].contains(statistic.verdict) || statistic.isBelowMinimum
        #expect(isShown == !interval.contains(0) && isShown == (statistic.pValue <= 0.05))
        #expect(statistic.verdict != .slower || interval.lowerBound > 0)
        #expect(statistic.verdict != .faster || interval.upperBound < 0)
      }
    }
  }

  @Test func theHeadlineIsCorrectedForAndOthersAreExploratory() async throws {
    let comparison = try await SampleRuns.compare(
      SampleRuns.documents(), SampleRuns.documents(factor: 1.15, day: "2026-11-21"))
    let headline = try #require(comparison.statistic("allocation", .p99))
    let other = try #require(comparison.statistic("gateway_latency", .p99))
    #expect(!headline.isExploratory && other.isExploratory)
    // 6 beside 6 runs without an overlap: p = 2 / 924, and of four statistics the smallest is judged at a fourth of alpha.
    #expect(abs(headline.uncorrectedPValue - 2 / 924.0) < 1e-12)
    #expect(abs(headline.pValue - 8 / 924.0) < 1e-12)
    #expect(other.pValue == other.uncorrectedPValue)
  }

  /// Exploratory statistics and what is left out of sight judge nothing.
  @Test func onlyTheHeadlineAndRatesAreRegressions() async throws {
    let new = SampleRuns.documents(day: "2026-11-21") {
      $0.metrics["gateway_latency"] = SampleDocuments.metric(SampleRuns.latencies(9))
    }
    let comparison = try await SampleRuns.compare(SampleRuns.documents(), new)
    #expect(comparison.statistic("gateway_latency", .p99)?.verdict == .slower)
    #expect(!comparison.hasRegression)
  }

  @Test func whatIsShownDoesNotChangeWhatIsJudged() async throws {
    let (old, new) = (SampleRuns.documents(), SampleRuns.documents(factor: 1.15, day: "2026-11-21"))
    var settings = Comparison.Settings()
    settings.only = ["gateway_latency"]
    let all = try await SampleRuns.compare(old, new)
    let some = try await SampleRuns.compare(old, new, settings)
    #expect(
      some.groups.flatMap(\.metrics).map(\.name) == ["gateway_latency"] && some.groups.allSatisfy(\.rates.isEmpty))
    #expect(some.metric("gateway_latency")?.statistics == all.metric("gateway_latency")?.statistics)
    #expect(some.hasRegression && some.gate == all.gate)
    settings.only = ["warm"]
    let nothing = try await SampleRuns.compare(old, new, settings)
    #expect(nothing.hasRegression)
    #expect(nothing.reasonsForNothing == ["nothing that --metric names is in runs of both sides"])
  }

  /// The usual headline may have no sample on one side.
  @Test func whatStandsForTheHeadlineIsWhatBothSidesHave() async throws {
    func runs(_ day: String, _ metrics: [String]) -> [ResultDocument] {
      SampleRuns.documents(day: day) { document in
        document.tool = "bench-concurrent"
        let metric = document.metrics["allocation"]
        document.metrics = [:]
        for name in metrics { document.metrics[name] = metric }
      }
    }
    for (names, headline) in [(["warm", "cold", "all"], "warm"), (["cold", "all"], "cold"), (["all"], "all")] {
      let comparison = try await SampleRuns.compare(
        runs("2026-11-20", ["warm", "cold", "all"]), runs("2026-11-21", names))
      #expect(comparison.groups.flatMap(\.metrics).filter(\.isHeadline).map(\.name) == [headline])
      #expect(comparison.groups.first?.metrics.first?.name == headline)
    }
  }

  @Test func tooFewRunsAreCounted() async throws {
    for (runs, needed) in [(1, 8), (2, 6), (4, 2), (5, 0)] {
      let comparison = try await SampleRuns.compare(
        SampleRuns.documents(runs), SampleRuns.documents(runs, factor: 2, day: "2026-11-21"))
      let statistic = try #require(comparison.statistic("allocation", .p50))
      #expect(statistic.missing.map { $0.old + $0.new } ?? 0 == needed, "\(runs)")
      #expect(statistic.verdictText == (needed > 0 ? "too few runs: \(needed) more needed" : "slower"))
    }
  }

  @Test func aChangeBelowTheSmallestThatCountsIsNone() async throws {
    let (old, new) = (SampleRuns.documents(), SampleRuns.documents(factor: 1.15, day: "2026-11-21"))
    var settings = Comparison.Settings()
    settings.minEffect = 0.3
    let statistic = try #require(try await SampleRuns.compare(old, new, settings).statistic("allocation", .p50))
    #expect(statistic.verdict == .noChange && statistic.isBelowMinimum)
    #expect(statistic.verdictText == "no change shown that counts")
  }

  @Test func polledTimesChangeByNoLessThanTheirResolution() async throws {
    func runs(_ factor: Double, _ day: String, resolution: Nanoseconds?) -> [ResultDocument] {
      SampleRuns.documents(factor: factor, day: day) { document in
        document.tool = "bench-exhaustion"
        let values = SampleRuns.latencies(document.metrics["allocation"].map { $0.p50 / 63 } ?? 1)
        document.metrics = [:]
        document.metrics["refill_full"] = SampleDocuments.metric(values, resolution: resolution)
      }
    }
    for (resolution, verdict) in [(nil, StatisticComparison.Verdict.slower), (.milliseconds(500), .noChange)]
      as [(Nanoseconds?, _)]
    {
      let comparison = try await SampleRuns.compare(
        runs(1, "2026-11-20", resolution: resolution), runs(1.2, "2026-11-21", resolution: 1))
      #expect(comparison.statistic("refill_full", .p50)?.verdict == verdict)
      #expect(comparison.notes.contains { $0.contains("by polling") && $0.contains("refill_full to within") })
    }
  }

  /// Failures leave quick answers only.
  @Test func failingFastIsNotBeingFast() async throws {
    let new = SampleRuns.documents(day: "2026-11-21") {
      $0.counters["errors"] = 30
      $0.metrics["allocation"] = SampleDocuments.metric(SampleRuns.latencies(0.1), failed: FailedPart(30, of: 100))
    }
    let comparison = try await SampleRuns.compare(SampleRuns.documents(), new)
    #expect(try #require(comparison.metric("allocation")).statistics.map(\.statistic) == [.p50])
    #expect(
      comparison.notes.contains {
        $0.hasPrefix(
          "bench-allocation, allocation: of the 6 NEW runs the mean of 6, the p95 of 6, the p99 of 6 are left out")
      }, "\(comparison.notes)")
    #expect(comparison.statistic("errors", .rate)?.verdict == .slower)
  }

  @Test func runsWhoseFailuresMakeAPercentileMeaninglessAreNotCounted() async throws {
    var new = SampleRuns.documents(day: "2026-11-21")
    new[0].metrics["allocation"] = SampleDocuments.metric(SampleRuns.latencies(1), failed: FailedPart(2, of: 100))
    let comparison = try await SampleRuns.compare(SampleRuns.documents(), new)
    #expect(comparison.statistic("allocation", .p99)?.new.count == 5)
    #expect(comparison.statistic("allocation", .p95)?.new.count == 6)
  }

  /// One of 100 moves a mean of 78 ms by 9 ms where it counts at 1 s, and by 0.2 ms where it counts at 100 ms.
  @Test(arguments: [("1s", false), ("100ms", true)])
  func aMeanIsLeftOutWhereItsFailuresWouldMoveIt(_ timeout: String, _ isCompared: Bool) async throws {
    let change: (inout ResultDocument) -> Void = { $0.parameters["timeout"] = .string(timeout) }
    let new = SampleRuns.documents(day: "2026-11-21") {
      change(&$0)
      $0.counters["errors"] = 1
      $0.metrics["allocation"] = SampleDocuments.metric(SampleRuns.latencies(1), failed: FailedPart(1, of: 101))
    }
    let comparison = try await SampleRuns.compare(SampleRuns.documents(change: change), new)
    let statistics = try #require(comparison.metric("allocation")).statistics.map(\.statistic)
    #expect(statistics.contains(.mean) == isCompared)
    #expect(statistics.contains(.p50) && statistics.contains(.p95))
  }

  @Test func whatPercentilesRestOnIsMarked() async throws {
    let comparison = try await SampleRuns.compare(SampleRuns.documents(), SampleRuns.documents(day: "2026-11-21"))
    let statistics = try #require(comparison.metric("allocation")).statistics
    #expect(statistics.map(\.mark) == [nil, nil, .fewSamples, .fewSamples])
  }

  @Test func pooledLatenciesAreTheUnion() async throws {
    let (old, new) = (SampleRuns.documents(3), SampleRuns.documents(4, factor: 2, day: "2026-11-21"))
    let comparison = try await SampleRuns.compare(old, new)
    let metric = try #require(comparison.metric("allocation"))
    for (pooled, documents, factor) in [(metric.pooledOld, old, 1.0), (metric.pooledNew, new, 2.0)] {
      var union = LatencyHistogram()
      for number in documents.indices {
        for value in SampleRuns.latencies(factor * SampleRuns.spread[number]) { union.record(value) }
      }
      #expect(pooled.histogram == union)
      #expect(pooled.summary == LatencySummary(union))
      #expect(pooled.runs == documents.count)
    }
  }
}
