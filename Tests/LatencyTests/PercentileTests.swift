import Latency
import Testing

@Suite struct PercentileTests {
  /// Samples 1, 2, … n, which have buckets of their own: the value is the rank.
  @Test(
    arguments: [
      (1, [1, 1, 1, 1, 1, 1]),
      (2, [1, 2, 2, 2, 2, 2]),
      (9, [5, 9, 9, 9, 9, 9]),
      (10, [5, 9, 10, 10, 10, 10]),
      (11, [6, 10, 11, 11, 11, 11]),
      (12, [6, 11, 12, 12, 12, 12]),
      (100, [50, 90, 95, 99, 100, 100]),
      (1000, [500, 900, 950, 990, 999, 1000]),
      (1001, [501, 901, 951, 991, 1000, 1001]),
    ] as [(UInt64, [UInt64])])
  func percentileIsTheSmallestValueWithEnoughAtOrBelow(samples: UInt64, expected: [UInt64]) {
    let percentiles = [50, 90, 95, 99, 99.9, 100]
    let recorded = histogram(1...samples)
    #expect(recorded.values(atPercentiles: percentiles) == expected)
    #expect(percentiles.map { recorded.value(atPercentile: $0) } == expected)
    #expect(percentiles.map { recorded.samplesBeyond(percentile: $0) } == expected.map { samples - $0 })
  }

  @Test func ranksAreThoseOfExactArithmetic() throws {
    let tiny = try layout(1, 32, digits: 1)
    for thousandths in [1, 500, 10_000, 33_300, 50_000, 90_000, 95_000, 99_000, 99_900, 99_990, 99_999] as [UInt64] {
      let percentile = Double(thousandths) / 1000
      for samples in Array(1...2000) + [99_999, 100_000, 1_000_000, 123_456_789_000, 1 << 42] as [UInt64] {
        var recorded = LatencyHistogram(layout: tiny)
        recorded.record(1, count: samples)
        let rank = max(1, (thousandths * samples + 99_999) / 100_000)
        #expect(samples - recorded.samplesBeyond(percentile: percentile) == rank, "\(percentile) % of \(samples)")
      }
    }
  }

  @Test func percentilesAreAnsweredInTheOrderAsked() {
    let recorded = histogram(1...1000)
    #expect(recorded.values(atPercentiles: [99, 0, 50, 99, 100, 1]) == [990, 1, 500, 990, 1000, 10])
    #expect(recorded.values(atPercentiles: []).isEmpty)
  }

  @Test func percentilesOutOfRangeAreLimited() {
    let recorded = histogram(1...1000)
    for low in [0, -0.0, -5, -.infinity, .nan] as [Double] {
      #expect(recorded.value(atPercentile: low) == 1)
    }
    for high in [100, 100.1, .infinity, .greatestFiniteMagnitude] as [Double] {
      #expect(recorded.value(atPercentile: high) == 1000)
    }
    #expect(recorded.value(atPercentile: .leastNonzeroMagnitude) == 1)
  }

  @Test func percentileIsTheHighestValueOfItsBucketAndTheHundredthTheMaximum() {
    let recorded = histogram([41_000_000])
    #expect(recorded.min == 40_992_768)
    #expect(recorded.value(atPercentile: 0) == 40_992_768)
    #expect(recorded.value(atPercentile: 50) == 41_025_535)
    #expect(recorded.value(atPercentile: 100) == 41_025_535)
    #expect(recorded.max == 41_025_535)
  }

  @Test func countAtOrBelowIsCumulative() {
    let recorded = histogram([10, 20, 20, 30])
    let expected: [(UInt64, UInt64)] = [(0, 0), (9, 0), (10, 1), (19, 1), (20, 3), (30, 4), (oneHour, 4), (.max, 4)]
    for (value, count) in expected {
      #expect(recorded.countAtOrBelow(value) == count)
    }
  }
}
