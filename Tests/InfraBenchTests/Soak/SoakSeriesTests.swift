import Glibc
import Latency
import Testing

@testable import InfraBench
@testable import Results

/// What a soak's series say, and thresholds on them.
@Suite struct SoakSeriesTests {
  private func soak(_ minutes: [SoakMinute]) throws -> Soak { try #require(try SoakSamples.rebuilt(minutes).soak) }

  private func trend(_ series: String, _ minutes: [SoakMinute]) throws -> Soak.Trend {
    try #require(try soak(minutes).trends.first { $0.series == series })
  }

  @Test func theFirstTenthIsLeftOut() throws {
    // Memory grows in the first three minutes only.
    let minutes = (0..<30).map { SoakSamples.minute($0, rss: $0 < 3 ? UInt64($0 + 1) * 10_000_000 : 50_000_000) }
    let trend = try trend("tool_rss", minutes)
    #expect(trend.points == 27 && trend.perHour == 0 && trend.direction == .flat)
    #expect(trend.values.count == 30)
    #expect(try soak(minutes).leftOutSeconds == 180)
  }

  /// Memory that steps between two levels, and is more and more often at the other one: most pairs of minutes are equal,
  /// so that the slope's interval touches 0.
  @Test(arguments: [true, false]) func aTrendThatOnlyTheTestSeesIsNotCalledFlat(_ rises: Bool) throws {
    let minutes = (0..<60).map { number in
      let step: UInt64 = number * 3 % 10 < number / 6 ? 100_000 : 0
      return SoakSamples.minute(number, rss: rises ? 50_000_000 + step : 50_000_000 - step)
    }
    let trend = try trend("tool_rss", minutes)
    #expect((trend.p ?? 1) < 0.01 && trend.perHour == 0 && trend.score == (rises ? 477 : -477))
    #expect((rises ? trend.perHourLow : trend.perHourHigh) == 0)
    #expect(trend.direction == (rises ? .mayRise : .mayFall))
    #expect(trend.direction.rawValue == (rises ? "rises?" : "falls?"))
    var older = trend
    older.score = nil
    #expect(older.direction == .flat)
  }

  @Test func growthIsPerHourAndRelativeToTheMedian() throws {
    let minutes = (0..<61).map { SoakSamples.minute($0, rss: 50_000_000 + UInt64($0) * 10_000) }
    let trend = try trend("tool_rss", minutes)
    #expect(abs((trend.perHour ?? 0) - 600_000) < 1)
    let growth = try #require(trend.growth)
    #expect(abs(growth.percent - 1.19) < 0.02 && growth.low <= growth.percent && growth.percent <= growth.high)
  }

  @Test func aMinuteWithoutAFigureIsAGap() throws {
    let minutes = (0..<20).map { SoakSamples.minute($0, latencies: $0 == 7 ? [] : [20]) }
    #expect(try trend("end_to_end_p50", minutes).points == 17)
    #expect(try trend("tool_rss", minutes).points == 18)
    #expect(!(try soak(minutes).trends.contains { $0.series == "gateway_rss" }))
  }

  /// Nearly every start is cold.
  private static let cold = (0..<30).map { number in
    var minute = SoakSamples.minute(number)
    let data = minute.histograms["end_to_end"]
    minute.histograms["end_to_end_cold"] = data
    if number != 4 { minute.histograms["end_to_end"] = nil }
    return minute
  }

  @Test func theMetricWithATrendIsShownAndNotOneWithASingleSample() throws {
    let latencies = try soak(Self.cold).trends.map(\.series).filter { $0.contains("_p") }
    #expect(latencies == ["end_to_end_cold_p50", "end_to_end_cold_p99"])
    #expect(try trend("end_to_end_cold_p99", Self.cold).points == 27)
    // Of a run too short for trends, that with most points.
    #expect(try trend("end_to_end_cold_p99", Array(Self.cold.prefix(6))).points == 5)
    // The first one of several.
    #expect(!(try soak(Self.steady).trends.contains { $0.series.hasPrefix("end_to_end_cold") }))
  }

  @Test func aSeriesThatAThresholdNamesIsKept() throws {
    var head = SoakSamples.head
    head.thresholds = [.init(expression: "end_to_end_p99_growth < 5%", isDefault: false)]
    let document = try SoakSamples.rebuilt(Self.cold, head: head)
    let series = (document.soak?.trends ?? []).map(\.series)
    #expect(series.contains("end_to_end_p99") && series.contains("end_to_end_cold_p99"), "\(series)")
    #expect(!series.contains("end_to_end_p50"))
    #expect(document.thresholds.first?.reason?.contains("end_to_end_p99 has 1 points") == true)
  }

  @Test func aShortLastMinuteCountsInTotalsAndIsNoPoint() throws {
    let minutes = (0..<20).map { SoakSamples.minute($0) } + [SoakSamples.minute(20, empty: 2, seconds: 10)]
    let soak = try soak(minutes)
    #expect(soak.minutes == 21 && soak.watchedSeconds == 1210 && soak.emptySeconds == 2)
    #expect(soak.trends.allSatisfy { $0.values.count == 20 })
  }

  /// A week, an item of the promise that a soak's memory and result stay small.
  @Test func aWeekHasAsManyShownPointsAsADay() throws {
    let minutes = (0..<10_080).map { SoakSamples.minute($0, latencies: [20]) }
    var series = SoakSeries(headlines: ["end_to_end"], everySeconds: 60)
    for minute in minutes { series.add(minute, [:]) }
    let soak = series.soak(file: "x")
    #expect(soak.minutes == 10_080)
    #expect(soak.trends.allSatisfy { $0.values.count <= SoakSeries.mostShown && $0.values.count > 200 })
    #expect(soak.trends.first?.points == 9_072)
  }

  // MARK: Stored results

  @Test func aStoredSoakWithImpossibleFiguresIsRefusedByTheirName() throws {
    let whole = try SoakSamples.rebuilt(Self.growing)
    #expect(ResultRules.violation(in: whole) == nil)
    let changes: [(words: String, change: @Sendable (inout Soak) -> Void)] = [
      ("everySeconds", { $0.everySeconds = -5 }), ("minutes", { $0.minutes = -1 }),
      ("leftOutSeconds", { $0.leftOutSeconds = -1 }), ("emptySeconds", { $0.emptySeconds = -1 }),
      ("emptySeconds", { $0.emptySeconds = 1e6 }), ("emptySeconds", { $0.watchedSeconds = 1e300 }),
      ("impossible p", { $0.trends[0].p = 1.5 }), ("impossible p", { $0.trends[0].p = -0.1 }),
      ("points", { $0.trends[0].points = -3 }), ("median", { $0.trends[0].median = 1e300 }),
      ("impossible slope", { $0.trends[0].perHour = -1e300 }),
      ("impossible slope", { $0.trends[0].perHourHigh = .infinity }),
      ("interval of its slope", { $0.trends[0].perHourLow = 1e14 }),
      ("interval of its slope", { $0.trends[0].perHourHigh = -1e14 }),
    ]
    for (words, change) in changes {
      var document = whole
      var soak = try #require(whole.soak)
      change(&soak)
      document.soak = soak
      let sentence = ResultRules.violation(in: document)
      #expect(sentence?.contains(words) == true, "\(words): \(sentence ?? "nothing")")
    }
  }

  // MARK: Thresholds

  private func judge(_ expression: String, _ minutes: [SoakMinute]) throws -> ResultDocument.JudgedThreshold {
    var head = SoakSamples.head
    head.thresholds = [.init(expression: expression, isDefault: false)]
    return try #require(try SoakSamples.rebuilt(minutes, head: head).thresholds.first)
  }

  private static let steady = (0..<60).map { SoakSamples.minute($0) }
  private static let growing = (0..<60).map { SoakSamples.minute($0, rss: 50_000_000 + UInt64($0) * 50_000) }
  /// Rises by 3 % an hour within noise of 10 %, so that the interval reaches below 1 %.
  private static let noisy = (0..<60).map { number in
    SoakSamples.minute(number, rss: UInt64(50e6 + 25e3 * Double(number) + 4e6 * sin(Double(number * number * 11))))
  }

  @Test func growthFailsOnlyWhereItsWholeIntervalDoes() throws {
    #expect(try judge("rss_growth < 1%", Self.steady).pass)
    let growing = try judge("rss_growth < 1%", Self.growing)
    #expect(!growing.pass && abs((growing.observed ?? 0) - 5.8) < 0.3)
    #expect(growing.observedUnit == .percent)
    #expect(growing.reason?.hasPrefix("tool_rss: with 95 % between") == true)
    let noisy = try judge("rss_growth < 1%", Self.noisy)
    #expect(noisy.pass && (noisy.observed ?? 0) > 1, "\(noisy)")
    #expect(noisy.reason?.contains("between") == true)
    #expect(try judge("rss_growth > 3%", Self.growing).pass)
    #expect(!(try judge("rss_growth > 3%", Self.steady).pass))
    #expect(try judge("rss_growth == 0%", Self.steady).pass)
  }

  @Test func oneOfSeveralProcessesIsEnoughToFail() throws {
    let minutes = Self.steady.map { minute in
      var minute = minute
      minute.gateway = .init(rssBytes: 30_000_000 + UInt64(minute.t) * 10_000, descriptors: 9, threads: 4, cpu: 0.1)
      return minute
    }
    let both = try judge("rss_growth < 1%", minutes)
    #expect(!both.pass && both.reason?.hasPrefix("gateway_rss") == true)
    #expect(try judge("tool_rss_growth < 1%", minutes).pass)
    #expect(!(try judge("gateway_rss_growth < 1%", minutes).pass))
    #expect(try judge("end_to_end_p99_growth < 1%", minutes).pass)
  }

  @Test func aProcessThatWasSeenForAShortWhileHidesNoLeakOfAnother() throws {
    let minutes = Self.growing.map { minute in
      var minute = minute
      if minute.t >= 3300 { minute.gateway = .init(rssBytes: 30_000_000, descriptors: 9, threads: 4, cpu: 0.1) }
      return minute
    }
    #expect(try soak(minutes).trends.contains { $0.series == "gateway_rss" && $0.points == 5 })
    let judged = try judge("rss_growth < 1%", minutes)
    #expect(!judged.pass && judged.reason?.hasPrefix("tool_rss: with 95 %") == true, "\(judged)")
    #expect(try judge("gateway_rss_growth < 1%", minutes).reason?.contains("not enough") == true)
  }

  @Test func whatShrinksHasANegativeGrowth() throws {
    let shrinking = (0..<60).map { SoakSamples.minute($0, rss: 50_000_000 - UInt64($0) * 50_000) }
    #expect(try judge("rss_growth > -5%", Self.steady).pass)
    #expect(!(try judge("rss_growth > -5%", shrinking).pass))
    #expect(try judge("rss_growth > -7.5%", shrinking).pass)
    for text in ["empty.rate > -1%", "errors.rate > -1%", "rss_growth > --1%", "rss_growth > -%", "rss_growth > -1"] {
      #expect(throws: ThresholdError.self) { try ThresholdParser(EndToEndBenchmark.description).parse(text) }
    }
  }

  @Test func tooFewPointsAreNotJudged() throws {
    let short = (0..<10).map { SoakSamples.minute($0, rss: 50_000_000 + UInt64($0) * 500_000) }
    let judged = try judge("rss_growth < 1%", short)
    #expect(!judged.pass && judged.observed == nil && judged.reason?.contains("not enough") == true)
    let soak = try soak(short)
    let asDefault = try ThresholdParser(EndToEndBenchmark.description).parse("rss_growth < 1%", isDefault: true)
      .judge(
        metrics: [:], counters: [:],
        bounds: FailureTimeouts(EndToEndBenchmark.description, [:] as [String: Nanoseconds]), soak: soak)
    #expect(asDefault.pass && asDefault.skipped == true)
  }

  @Test func theShareOfTimeWithoutAWarmTaskIsJudged() throws {
    let minutes = (0..<20).map { SoakSamples.minute($0, empty: $0 == 4 ? 6 : 0) }
    let judged = try judge("empty.rate <= 0.5%", minutes)
    #expect(judged.pass && judged.observed == 0.5 && judged.observedText == "0.50%")
    #expect(!(try judge("empty.rate < 0.5%", minutes).pass))
  }

  @Test func aPoolThatWasHardlySeenIsNotJudged() throws {
    let minutes = (0..<20).map { number in
      var minute = SoakSamples.minute(number)
      if number >= 9 { minute.pool = nil }
      return minute
    }
    let judged = try judge("empty.rate < 1%", minutes)
    #expect(!judged.pass && judged.observed == nil)
    #expect(judged.reason == "the pool was seen for 540 s of 1200 s: less than half of the run", "\(judged)")
    let soak = try soak(minutes)
    let asDefault = try ThresholdParser(EndToEndBenchmark.description).parse("empty.rate < 1%", isDefault: true)
      .judge(
        metrics: [:], counters: [:],
        bounds: FailureTimeouts(EndToEndBenchmark.description, [:] as [String: Nanoseconds]), soak: soak)
    #expect(asDefault.pass && asDefault.skipped == true)
  }

  @Test func withoutASoakTheyFailAsUsersOwn() throws {
    let parser = ThresholdParser(EndToEndBenchmark.description)
    for expression in ["rss_growth < 1%", "empty.rate < 1%"] {
      let judged = try parser.parse(expression).judge(
        metrics: [:], counters: [:],
        bounds: FailureTimeouts(EndToEndBenchmark.description, [:] as [String: Nanoseconds]))
      #expect(!judged.pass && judged.reason == "this run was no soak (--soak)")
    }
  }

  @Test(arguments: [
    "rss_growth < 1", "rss_growth < 1ms", "rss_growth", "_growth < 1%", "nothing_growth < 1%", "empty < 1%",
  ])
  func whatIsNoThresholdIsRefused(_ text: String) {
    #expect(throws: ThresholdError.self) { try ThresholdParser(EndToEndBenchmark.description).parse(text) }
  }

  @Test func toolsWithoutSoaksHaveNoGrowth() {
    #expect(throws: ThresholdError.self) {
      try ThresholdParser(AllocationBenchmark.description).parse("rss_growth < 1%")
    }
  }
}
