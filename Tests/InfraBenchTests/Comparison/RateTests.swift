import Testing

@testable import InfraBench
@testable import Comparison
@testable import Results

struct RateTests {
  private func runs(
    _ day: String, _ counters: [String: UInt64], of tool: ToolDescription = "bench-concurrent", count: Int = 6
  ) -> [ResultDocument] {
    SampleRuns.documents(count, day: day) { document in
      document.tool = tool
      document.counters.merge(counters) { $1 }
    }
  }

  private func rate(
    _ name: String, _ old: [String: UInt64], _ new: [String: UInt64], of tool: ToolDescription = "bench-concurrent",
    runs number: Int = 6
  ) async throws -> StatisticComparison? {
    try await SampleRuns.compare(
      runs("2026-11-20", old, of: tool, count: number), runs("2026-11-21", new, of: tool, count: number)
    )
    .statistic(name, .rate)
  }

  @Test func aPoolWhoseHitRateFellIsWorse() async throws {
    let comparison = try await SampleRuns.compare(
      runs("2026-11-20", ["warm": 100, "cold": 0]), runs("2026-11-21", ["warm": 60, "cold": 40]))
    let warm = try #require(comparison.statistic("warm", .rate))
    #expect(warm.verdict == .slower && warm.verdictText == "worse" && !warm.isExploratory)
    #expect((warm.oldMedian, warm.newMedian, warm.change, warm.unit) == (100, 60, -40, "%"))
    #expect(comparison.statistic("cold", .rate)?.verdictText == "worse")
    #expect(comparison.hasRegression)
    #expect(ComparisonReport(comparison).text.contains("warm  100.0%  60.0%  −40.0 pp"))
  }

  @Test(
    arguments: [
      ("errors", 0, 10, "worse"), ("errors", 10, 0, "better"), ("warm", 60, 100, "better"), ("misses", 0, 10, "worse"),
      ("cold_starts", 0, 10, "worse"), ("duplicate_assignments", 0, 1, "worse"), ("failed_steps", 10, 0, "better"),
      ("isolation_violations", 0, 1, "worse"), ("timeouts", 0, 5, "worse"), ("dropped", 0, 50, "worse"),
      ("censored", 0, 50, "worse"), ("errors", 10, 10, "no change shown"),
    ] as [(String, UInt64, UInt64, String)])
  func moreIsWorseUnlessItIsWarm(_ name: String, _ old: UInt64, _ new: UInt64, _ words: String) async throws {
    let tools = ToolDescriptions.suite.all.filter { $0.judgedCounters.contains { $0.name == name } }
    #expect(!tools.isEmpty)
    // A tool that isn't known has the counters of all.
    for tool in tools.prefix(1) + [ToolDescriptions.suite.description(of: "bench-of-tomorrow")] {
      #expect(try await rate(name, [name: old], [name: new], of: tool)?.verdictText == words, "\(tool)")
    }
  }

  /// What is neither good nor bad has no rate.
  @Test func countersWithoutADirectionHaveNone() async throws {
    #expect(try await rate("unclassified", ["unclassified": 0], ["unclassified": 50]) == nil)
    #expect(try await rate("polls", ["polls": 1], ["polls": 50]) == nil)
  }

  @Test func whatBecameNoIterationIsAShareOfWhatWasDue() async throws {
    let dropped = try #require(try await rate("dropped", ["dropped": 0], ["dropped": 100]))
    #expect(dropped.newMedian == 50)
  }

  @Test func aCounterThatOnlyOneSideHasIsNotCompared() async throws {
    #expect(try await rate("warm", [:], ["warm": 60]) == nil)
    let idle = ["iterations": 0] as [String: UInt64]
    #expect(try await rate("errors", [:], idle) == nil)
  }

  /// They could show nothing, and as members of the family would make it harder for others.
  @Test func ratesThatAreTheSameInAllRunsAreNotCorrectedFor() async throws {
    let errors = try #require(try await rate("errors", ["errors": 0], ["errors": 9], runs: 4))
    #expect(errors.verdict == .slower)
    #expect(errors.pValue == errors.uncorrectedPValue)
  }

  /// Zeros are ties: the test says nothing, and a reader is told what it says nothing of.
  @Test func errorsOfMostRunsThatTheTestDoesNotShowAreNoted() async throws {
    var new = runs("2026-11-21", ["errors": 10])
    new[3].counters["errors"] = 0
    let note =
      "bench-concurrent: errors in 5 of 6 NEW runs, in none of the 6 OLD: runs without any are ties, which count "
      + "against a difference"
    let comparison = try await SampleRuns.compare(runs("2026-11-20", [:]), new)
    #expect(comparison.statistic("errors", .rate)?.verdict == .noChange)
    #expect(comparison.notes.contains(note))
    let back = try await SampleRuns.compare(new, runs("2026-11-20", [:]))
    #expect(back.notes.contains { $0.hasPrefix("bench-concurrent: errors in 5 of 6 OLD runs, in none of the 6 NEW: ") })
    let shown = try await SampleRuns.compare(runs("2026-11-20", [:]), runs("2026-11-21", ["errors": 10]))
    #expect(!shown.notes.contains { $0.contains("are ties") })
    let both = try await SampleRuns.compare(
      runs("2026-11-20", ["errors": 10]), runs("2026-11-21", ["errors": 10]))
    #expect(!both.notes.contains { $0.contains("are ties") })
  }

  /// A limit that suits noisy latencies hides no failures.
  @Test(arguments: [0.05, 0.5, 1.5]) func noMinEffectHidesThatEverythingFails(minEffect: Double) async throws {
    var settings = Comparison.Settings()
    settings.minEffect = minEffect
    let comparison = try await SampleRuns.compare(runs("2026-11-20", [:]), runs("2026-11-21", ["errors": 40]), settings)
    #expect(comparison.statistic("errors", .rate)?.verdict == .slower && comparison.hasRegression)
  }

  @Test func aCounterThatWasAskedForIsShownAlthoughItIsZero() async throws {
    var settings = Comparison.Settings()
    settings.only = ["errors"]
    let comparison = try await SampleRuns.compare(runs("2026-11-20", [:]), runs("2026-11-21", [:]), settings)
    let text = ComparisonReport(comparison).text
    #expect(text.contains("errors") && text.contains("1 no change shown"), "\(text)")
  }

  @Test func whatNeverHappenedIsLeftToMachines() async throws {
    let comparison = try await SampleRuns.compare(runs("2026-11-20", [:]), runs("2026-11-21", [:]))
    #expect(comparison.statistic("errors", .rate)?.isAllZero == true)
    #expect(!ComparisonReport(comparison).text.contains("errors"))
    #expect(try ResultCoding.encode(ComparisonDocument(comparison)).contains("\"metric\" : \"errors\""))
  }
}
