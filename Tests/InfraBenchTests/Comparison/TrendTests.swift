import Latency
import TestSupport
import Testing

@testable import InfraBench
@testable import Comparison
@testable import Reports
@testable import Results

struct TrendTests {
  private let scratch: ScratchDirectory

  /// Three days, the last of one run, with a hit rate that falls.
  init() throws {
    scratch = try ScratchDirectory()
    for (day, factor, count, misses) in [
      ("2026-11-19", 1, 3, 0), ("2026-11-20", 1.1, 4, 10), ("2026-11-21", 1.3, 1, 40),
    ] as [(String, Double, Int, UInt64)] {
      let documents = SampleRuns.documents(count, factor: factor, day: day) { $0.counters["misses"] = misses }
      try SampleRuns.write(documents, "r/\(day)", in: scratch)
    }
    var broken = SampleRuns.document(day: "2026-11-20", number: 40)
    broken.verdict = .interrupted
    try SampleRuns.write([broken], "r/broken", in: scratch)
  }

  private func trend(_ change: (inout Trend.Settings) -> Void = { _ in }) async -> Trend {
    var settings = Trend.Settings()
    change(&settings)
    var trend = await Trend.make(["\(scratch.path)/r"], reader: .suite, settings: settings)
    for index in trend.excluded.indices {
      trend.excluded[index].file = String(trend.excluded[index].file.dropFirst(scratch.path.count + 1))
    }
    return trend
  }

  @Test func eachDayHasTheMedianAndTheRangeOfItsRuns() async throws {
    let metric = try #require(await trend().groups.first?.metrics.first)
    #expect(metric.name == "allocation" && metric.isHeadline)
    #expect(metric.days.map(\.day) == ["2026-11-19", "2026-11-20", "2026-11-21"])
    #expect(metric.days.map(\.runs) == [3, 4, 1])
    let values = SampleRuns.documents(3, day: "2026-11-19").compactMap { $0.metrics["allocation"]?.p95 }
    #expect(metric.days[0].p95 == MedianAndRange(values))
    #expect(metric.days[0].p95?.median == values.sorted()[1])
    var union = LatencyHistogram()
    for factor in SampleRuns.spread.prefix(3) {
      for value in SampleRuns.latencies(factor) { union.record(value) }
    }
    #expect(metric.days[0].pooled.histogram == union)
  }

  @Test func theHitRateIsThereByDay() async throws {
    let rates = try #require(await trend().groups.first?.rates)
    let misses = try #require(rates.first { $0.name == "misses" })
    #expect(misses.days.map(\.share.median) == [0, 10, 40] && !misses.isAllZero)
    #expect(rates.first { $0.name == "errors" }?.isAllZero == true)
  }

  @Test func runsThatAreLeftOutAreNamed() async throws {
    #expect(await trend().excluded.map(\.reason) == ["the run was interrupted"])
    // Of the time before, nothing is said at all.
    #expect(await trend { $0.since = "2026-11-21" }.excluded.isEmpty)
  }

  @Test func runsThatFailedAltogetherAreInTheRatesAndNamed() async throws {
    var document = SampleRuns.document(day: "2026-11-21", number: 9)
    document.verdict = .error
    document.counters["errors"] = 100
    try SampleRuns.write([document], "r/2026-11-21/more", in: scratch)
    let trend = await trend()
    let group = try #require(trend.groups.first)
    #expect(group.metrics.first?.days.last?.runs == 1)
    #expect(group.rates.first { $0.name == "errors" }?.days.last?.share == MedianAndRange([0, 100]))
    #expect(
      trend.notes == [
        "bench-allocation: 1 of 9 runs were worthless (verdict error): their rates count, their latencies don't"
      ])
  }

  @Test func aTrendBeginsWhereItIsAskedTo() async throws {
    let trend = await trend { $0.since = "2026-11-20" }
    #expect(trend.groups.first?.metrics.first?.days.map(\.day) == ["2026-11-20", "2026-11-21"])
    #expect(await self.trend { $0.since = "2026-11-22" }.groups.isEmpty)
  }

  @Test func onlyWhatIsAskedForIsShown() async throws {
    let group = try #require(await trend { $0.only = ["gateway_latency", "misses"] }.groups.first)
    #expect(group.metrics.map(\.name) == ["gateway_latency"] && group.rates.map(\.name) == ["misses"])
    #expect(!group.metrics[0].isHeadline)
  }

  @Test func percentilesThatFailuresMakeMeaninglessAreBlank() async throws {
    var document = SampleRuns.document(day: "2026-11-21", number: 9)
    document.metrics["allocation"] = SampleDocuments.metric(SampleRuns.latencies(1), failed: FailedPart(2, of: 100))
    try SampleRuns.write([document], "r/2026-11-21/more", in: scratch)
    let day = try #require(await trend().groups.first?.metrics.first?.days.last)
    #expect(day.runs == 2 && day.p95.map { $0.min < $0.max } == true && day.p99.map { $0.min == $0.max } == true)
  }

  @Test func unlikeMachinesAreNoted() async throws {
    var document = SampleRuns.document(day: "2026-11-21", number: 9)
    document.environment.cpu = "Another CPU"
    try SampleRuns.write([document], "r/2026-11-21/more", in: scratch)
    #expect(await trend().notes == ["the CPU is not the same in all runs: 'A CPU' and 'Another CPU'"])
  }

  @Test func theReportsAreTheGoldenOnes() async throws {
    let trend = await trend()
    try Golden.expect(TrendReport(trend).text, "trend.txt")
    try Golden.expect(TrendReport(trend).markdown, "trend.md")
    try Golden.expect(try ResultCoding.encode(TrendDocument(trend)), "trend.json")
  }

  @Test(.enabled(if: DocumentSchema.isAvailable, "needs Python's jsonschema; INFRABENCH_PYTHON names an interpreter"))
  func theJSONIsValid() async throws {
    let faults = try await DocumentSchema.faults(in: ResultCoding.encode(TrendDocument(await trend())), schema: .trend)
    #expect(faults.isEmpty, "\(faults)")
  }

  @Test func hostileTextIsHarmless() async throws {
    var document = SampleRuns.document(day: "2026-11-21", number: 9)
    let text = "<script>|`x`*_[a](b)\\ \u{1b}[31m\r\n# heading\n| cell |\u{7f}\u{9b}&"
    document.metrics[text] = document.metrics["allocation"]
    document.parameters["command"] = .string(text)
    try SampleRuns.write([document], "r/2026-11-21/more", in: scratch)
    let report = TrendReport(await trend())
    for text in [report.text, report.markdown] {
      #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) })
      #expect(!text.contains("\n# heading"))
    }
    #expect(!report.markdown.contains("<script>") && !report.markdown.contains("[a](b)"))
  }
}
