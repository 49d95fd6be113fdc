import ArgumentParser
import Latency
import LoadEngine
import Testing

@testable import InfraBench
@testable import Results

@Suite struct ThresholdTests {
  static let parser = ThresholdParser(
    ToolDescription(
      "bench-x", headlines: ["allocation"], metrics: [.init("allocation"), .init("warm")],
      counters: [.init("misses"), .init("warm_hits")], parameters: []))

  @Test(arguments: Threshold.Statistic.allCases, Threshold.Comparison.allCases)
  func everyStatisticAndComparisonIsParsed(_ statistic: Threshold.Statistic, _ comparison: Threshold.Comparison) throws
  {
    let (value, bound) = statistic == .count ? ("100", 100.0) : ("100ms", 1e8)
    for space in ["", " ", "   "] {
      let threshold = try Self.parser.parse(
        "allocation.\(statistic.rawValue)\(space)\(comparison.rawValue)\(space)\(value)")
      #expect(threshold.subject == .metric("allocation", statistic))
      #expect(threshold.comparison == comparison && threshold.bound == bound && !threshold.isDefault)
      #expect(threshold.expression == "allocation.\(statistic.rawValue) \(comparison.rawValue) \(value)")
    }
  }

  @Test(arguments: ["iterations", "errors", "timeouts", "dropped", "censored", "misses", "warm_hits"])
  func everyCounterIsKnown(_ name: String) throws {
    #expect(try Self.parser.parse("\(name) == 0").subject == .counter(name))
    #expect(try Self.parser.parse("\(name).rate < 0.5%").subject == .rate(name))
  }

  @Test(arguments: [
    "", " ", "errors", "errors 0", "errors = 0", "errors => 0", "errors <> 0", "errors != 0", "errors === 0",
    "errors < = 0",
    "errors <", "< 0", "errors < -1", "errors < 1.5", "errors < 1%", "errors < 1ms", "errors < 99999999999999999999",
    "unknown < 1", "unknown.p99 < 1ms", "unknown.rate < 1%", "allocation < 1ms", "allocation.p98 < 1ms",
    "allocation.P99 < 1ms", "allocation.rate < 1%", "allocation.p99 < 100", "allocation.p99 < 1%",
    "allocation.p99 < ms",
    "allocation.count < 1ms", "allocation.p99.max < 1ms", "allocation. < 1ms", ".p99 < 1ms", "errors.rate < 1",
    "errors.rate < %", "errors.rate < -1%", "errors.rate < 1e2%", "errors.rate < 1ms", "errors.count < 1",
    "allocation.p99 < 1ms < 2ms", "allocation.p99 < 1ms, errors == 0", "allocation.p99\n< 1ms",
    "allocation.p99 < 1ms\u{0}",
    "allocation.p99 <\u{338} 1ms", String(repeating: "a", count: 10_000) + " < 1",
  ])
  func whatIsNoThresholdIsRefused(_ text: String) {
    #expect {
      try Self.parser.parse(text)
    } throws: {
      ($0 as? ThresholdError).map { !$0.message.isEmpty && $0.message.utf8.count < 1000 } ?? false
    }
  }

  static func metric(_ nanoseconds: [UInt64], failed: FailedPart = .none) -> MetricDocument? {
    var histogram = LatencyHistogram()
    for value in nanoseconds { histogram.record(value) }
    return MetricDocument(histogram, failed: failed)
  }

  private func judge(
    _ expression: String, _ metric: MetricDocument? = nil, counters: [String: UInt64] = [:], isDefault: Bool = false,
    timeout: JSONValue = "50ms"
  ) throws -> ResultDocument.JudgedThreshold {
    var metrics: [String: MetricDocument] = [:]
    metrics["allocation"] = metric
    return try Self.parser.parse(expression, isDefault: isDefault).judge(
      metrics: metrics, counters: counters, bounds: FailureTimeouts("bench-allocation", ["timeout": timeout]))
  }

  @Test func latenciesAreJudgedInMilliseconds() throws {
    let metric = try #require(Self.metric([1_000_000, 2_000_000, 3_000_000]))
    for (expression, passes) in [
      ("allocation.max < 4ms", true), ("allocation.max < 3ms", false), ("allocation.min >= 0.99ms", true),
      ("allocation.mean < 2.1ms", true), ("allocation.mean > 2100us", false), ("allocation.count == 3", true),
      ("allocation.count > 3", false),
    ] {
      let judged = try judge(expression, metric)
      #expect(judged.pass == passes && judged.skipped == nil, "\(expression)")
      #expect(judged.observed != nil && judged.expression == expression)
    }
  }

  @Test func withoutASampleADefaultIsSkippedAndAUsersOwnFails() throws {
    let own = try judge("allocation.p99 < 1s")
    #expect(!own.pass && own.skipped == nil && own.observed == nil && own.reason != nil)
    let standard = try judge("allocation.p99 < 1s", isDefault: true)
    #expect(standard.pass && standard.skipped == true && standard.observed == nil)
    #expect(try !judge("allocation.count > 0").pass)
    #expect(try !judge("errors.rate < 1%", counters: ["errors": 0, "iterations": 0]).pass)
    #expect(try judge("errors.rate < 1%", counters: [:], isDefault: true).skipped == true)
  }

  @Test func anUnreliablePercentileFailsHoweverFastItIs() throws {
    let metric = try #require(Self.metric([1000], failed: FailedPart(2, of: 100)))
    #expect(try !judge("allocation.p99 < 1h", metric).pass)
    #expect(try !judge("allocation.p99 < 1h", metric, isDefault: true).pass)
    #expect(try judge("allocation.p90 < 1h", metric).pass)
  }

  /// 10 of 100 met their time-out of 50 ms, and the others took 2 ms.
  private static let tenTimedOut = metric(
    Array(repeating: 2_000_000, count: 90), failed: FailedPart(10, of: 100))

  @Test(arguments: ["<", "<=", ">", ">=", "=="]) func aMaximumWithAnyFailureFailsWhateverItIsComparedTo(
    _ comparison: String
  ) throws {
    for bound in ["1ns", "60ms", "1h"] {
      let judged = try judge("allocation.max \(comparison) \(bound)", Self.tenTimedOut)
      #expect(!judged.pass && judged.observed == Self.tenTimedOut?.max)
      #expect(
        judged.reason == "10 failed or were not finished, and may have been the slowest: failing fast is not being fast"
      )
    }
    let one = try #require(Self.metric([2_000_000], failed: FailedPart(1, of: 1000)))
    let judged = try judge("allocation.max < 60ms", one)
    #expect(!judged.pass && judged.reason?.hasPrefix("1 failed or was not finished, and ") == true)
    #expect(try judge("allocation.max < 60ms", Self.metric([2_000_000])).pass)
  }

  /// (90 × 2 ms + 10 × 50 ms) / 100 is 6.8 ms; the measured mean is 2 ms.
  @Test func aMeanIsJudgedAgainWithItsFailuresAtTheTimeout() throws {
    for (expression, passes) in [
      ("allocation.mean < 6.9ms", true), ("allocation.mean < 6.7ms", false), ("allocation.mean < 1.9ms", false),
      ("allocation.mean > 1.9ms", true), ("allocation.mean > 3ms", false), ("allocation.mean >= 7ms", false),
    ] {
      let judged = try judge(expression, Self.tenTimedOut)
      #expect(judged.pass == passes, "\(expression)")
      #expect(judged.observed == Self.tenTimedOut?.mean, "\(expression)")
    }
    #expect(
      try judge("allocation.mean < 6.7ms", Self.tenTimedOut).reason
        == "10 failed or were not finished: counted at the time-out of 50ms this makes it 6.80ms: failing fast is not being "
        + "fast")
    // One that is missed as measured needs no other reason.
    #expect(try judge("allocation.mean < 1.9ms", Self.tenTimedOut).reason == nil)
  }

  @Test func aMeanWithFailuresAndNoTimeoutFails() throws {
    let judged = try judge("allocation.mean < 1h", Self.tenTimedOut, timeout: .null)
    #expect(!judged.pass && judged.reason?.contains("the run had no time-out") == true)
    #expect(try judge("allocation.mean < 1h", Self.metric([2_000_000]), timeout: .null).pass)
  }

  /// Both are of successes alone: a failure is no shorter time, and no sample.
  @Test func minimaAndCountsAreThoseOfSuccesses() throws {
    #expect(try judge("allocation.min < 3ms", Self.tenTimedOut).pass)
    #expect(try judge("allocation.count >= 90", Self.tenTimedOut).pass)
    #expect(try !judge("allocation.count >= 91", Self.tenTimedOut).pass)
  }

  @Test func ratesAreOverTheIterations() throws {
    let counters: [String: UInt64] = ["errors": 3, "misses": 200, "timeouts": 0, "iterations": 200]
    for (expression, passes) in [
      ("errors.rate < 1.5%", false), ("errors.rate <= 1.5%", true), ("errors.rate == 1.5%", true),
      ("errors.rate < 1.51%", true), ("misses.rate == 100%", true), ("timeouts.rate == 0%", true),
      ("errors == 3", true),
      ("timeouts == 0", true),
    ] { #expect(try judge(expression, counters: counters).pass == passes, "\(expression)") }
  }

  /// Every share of a thousand is equal to itself, whatever binary fractions do.
  @Test func aRateAtItsBoundMeetsIt() throws {
    for number in 0...1000 as ClosedRange<UInt64> {
      let percent = "\(number / 10).\(number % 10)%"
      let counters = ["errors": number, "iterations": 1000]
      #expect(try judge("errors.rate <= \(percent)", counters: counters).pass, "\(percent)")
      #expect(try !judge("errors.rate < \(percent)", counters: counters).pass, "\(percent)")
    }
  }
}

@Suite struct ThresholdOptionTests {
  private func thresholds(_ arguments: [String]) throws -> [Threshold] {
    var reader = OptionReader(environment: [:])
    let benchmark = AllocationBenchmark(
      target: reader.target(try TargetOptions.parse([])),
      load: reader.load(try LoadOptions.parse([]), try ArrivalOptions.parse([]), defaultCount: 10),
      waitFor: .assigned, holds: false)
    return reader.thresholds(try OutputOptions.parse(arguments), for: benchmark)
  }

  @Test func whatTheUserRepeatsAppearsOnceAndIsTheUsers() throws {
    let plans = try thresholds([])
    #expect(
      plans.map(\.expression) == [
        "allocation.mean < 100ms", "allocation.p99 < 200ms", "errors == 0", "censored == 0", "unreleased == 0",
      ])
    let own = try thresholds([
      "--threshold", "errors==0", "--threshold", "allocation.p99<0.2s", "--threshold", "allocation.p99 < 20ms",
      "--threshold", "errors == 0",
    ])
    #expect(
      own.map(\.expression) == [
        "allocation.mean < 100ms", "allocation.p99 < 0.2s", "errors == 0", "censored == 0", "unreleased == 0",
        "allocation.p99 < 20ms",
      ])
    #expect(own.map(\.isDefault) == [true, false, false, true, true, false])
  }
}

@Suite struct MetricDocumentTests {
  @Test func percentilesOnFewSamplesAreMarked() throws {
    let ten = try #require(ThresholdTests.metric((1...10).map { $0 * 1_000_000 }))
    #expect(ten.count == 10 && ten.fewSamples == ["p50", "p90", "p95", "p99", "p999"])
    #expect(ten.restOnMaximum == ["p95", "p99", "p999"])
    #expect(ten.p99 == ten.max && ten.unreliable.isEmpty && ten.clamped == 0)
    let many = try #require(ThresholdTests.metric((1...2000).map { $0 * 1000 }))
    #expect(many.fewSamples == ["p999"] && many.restOnMaximum.isEmpty)
  }

  @Test func figuresAreInMillisecondsAndThoseOfTheHistogram() throws {
    let metric = try #require(ThresholdTests.metric([41_000_000, 48_000_000, 78_000_000]))
    let histogram = try HistogramV2Codec.decode(base64: metric.histogram.data)
    #expect(histogram.totalCount == 3 && metric.unit == "ms")
    #expect(metric.p50 == Double(histogram.value(atPercentile: 50)) / 1e6)
    #expect(metric.max == Double(histogram.max) / 1e6)
    #expect(abs(metric.mean - 55.667) < 0.1)
  }

  @Test(
    arguments: [
      (0, []), (10, []), (11, ["p999"]), (100, ["p999"]), (110, ["p99", "p999"]), (500, ["p99", "p999"]),
      (510, ["p95", "p99", "p999"]), (1000, ["p95", "p99", "p999"]), (1010, ["p90", "p95", "p99", "p999"]),
      (5000, ["p90", "p95", "p99", "p999"]), (5100, MetricDocument.names), (10_000, MetricDocument.names),
    ] as [(UInt64, [String])])
  func failuresBeyondOneMinusPMakeAPercentileUnreliable(_ failures: UInt64, _ names: [String]) throws {
    let metric = try #require(ThresholdTests.metric([1000], failed: FailedPart(failures, of: 10_000)))
    // Of a maximum one is enough.
    #expect(metric.unreliable == names + (failures > 0 ? ["max"] : []))
    #expect(metric.failures == (failures > 0 ? failures : nil))
  }

  @Test func anEmptyHistogramIsNoMetricAndClampedValuesAreCounted() throws {
    #expect(MetricDocument(LatencyHistogram()) == nil)
    #expect(try #require(ThresholdTests.metric([1, .max])).clamped == 1)
  }

  /// A polled time is judged by its upper end, and the reader is told where the lower one would be judged otherwise.
  @Test(
    arguments: [
      ("warm.max < 25s", true, nil), ("warm.max < 24.5s", false, "may have been as short as 24.3s"),
      ("warm.max < 24s", false, nil), ("warm.max > 24.5s", true, "may have been as short as 24.3s"),
      ("warm.count == 1", true, nil),
    ] as [(String, Bool, String?)])
  func theResolutionOfAPolledTimeIsPartOfItsJudgement(_ expression: String, _ passes: Bool, _ reason: String?) throws {
    let metric = try #require(SampleDocuments.metric([24_800_000_000], resolution: .milliseconds(500)))
    let judged = try ThresholdTests.parser.parse(expression).judge(
      metrics: ["warm": metric], counters: [:], bounds: FailureTimeouts("bench-allocation", [String: Nanoseconds]()))
    #expect(judged.pass == passes)
    if let reason {
      #expect(judged.reason?.contains(reason) == true, "\(judged)")
    } else {
      #expect(judged.reason == nil)
    }
  }
}
