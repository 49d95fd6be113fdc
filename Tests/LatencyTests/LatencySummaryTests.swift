import Latency
import Testing

@Suite struct LatencySummaryTests {
  @Test func emptyHistogramHasNoSummary() {
    #expect(LatencySummary(LatencyHistogram()) == nil)
  }

  @Test func figuresAreThoseOfTheHistogram() throws {
    var random = SplitMix64(seed: 4)
    let recorded = histogram([0] + (0..<3000).map { _ in random.logarithmicValue(upTo: oneHour) })
    let summary = try #require(LatencySummary(recorded))
    #expect(summary.count == 3001)
    #expect(summary.clampedCount == 1)
    #expect(summary.mean == recorded.mean)
    #expect(summary.standardDeviation == recorded.standardDeviation)
    #expect(summary.min == recorded.min)
    #expect(summary.max == recorded.max)
    #expect(summary.percentiles.map(\.percentile) == [50, 90, 95, 99, 99.9])
    #expect(summary.percentiles.map(\.value) == [50, 90, 95, 99, 99.9].map { recorded.value(atPercentile: $0) })
    #expect([summary.p50, summary.p90, summary.p95, summary.p99, summary.p999] == summary.percentiles)
  }

  @Test(
    arguments: [
      (1, [.maximum, .maximum, .maximum, .maximum, .maximum]),
      (2, [.few(samplesBeyond: 1), .maximum, .maximum, .maximum, .maximum]),
      (10, [.few(samplesBeyond: 5), .few(samplesBeyond: 1), .maximum, .maximum, .maximum]),
      (19, [.few(samplesBeyond: 9), .few(samplesBeyond: 1), .maximum, .maximum, .maximum]),
      (20, [.sufficient, .few(samplesBeyond: 2), .few(samplesBeyond: 1), .maximum, .maximum]),
      (100, [.sufficient, .sufficient, .few(samplesBeyond: 5), .few(samplesBeyond: 1), .maximum]),
      (999, [.sufficient, .sufficient, .sufficient, .few(samplesBeyond: 9), .maximum]),
      (1000, [.sufficient, .sufficient, .sufficient, .sufficient, .few(samplesBeyond: 1)]),
      (10_000, [.sufficient, .sufficient, .sufficient, .sufficient, .sufficient]),
    ] as [(UInt64, [PercentileSupport])])
  func percentilesSayWhatTheyRestOn(samples: UInt64, expected: [PercentileSupport]) throws {
    let summary = try #require(LatencySummary(histogram(1...samples)))
    #expect(summary.percentiles.map(\.support) == expected)
    for figure in summary.percentiles where figure.support == .maximum {
      #expect(figure.value == summary.max)
    }
  }

  @Test func equalSamplesAreCountedByRankNotByValue() throws {
    var equal = LatencyHistogram()
    equal.record(1_000_000, count: 100_000)
    let summary = try #require(LatencySummary(equal))
    #expect(summary.percentiles.allSatisfy { $0.support == .sufficient })
  }
}
