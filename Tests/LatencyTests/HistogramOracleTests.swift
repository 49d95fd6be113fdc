import Histogram
import Latency
import TestSupport
import Testing

/// Our histogram against the hdrhistogram-swift package, which clamps to the exact minimum and maximum where we don't.
@Suite struct HistogramOracleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var lowest: UInt64
    var highest: UInt64
    var digits: Int
    var testDescription: String { "\(lowest)…\(highest), \(digits) digits" }
  }

  static let cases = [
    Case(lowest: 1, highest: oneHour, digits: 3),
    Case(lowest: 1, highest: 2, digits: 1),
    Case(lowest: 1, highest: 2047, digits: 3),
    Case(lowest: 1, highest: 2048, digits: 3),
    Case(lowest: 1, highest: 1 << 40, digits: 1),
    Case(lowest: 1, highest: 1 << 40, digits: 2),
    Case(lowest: 1, highest: 1 << 30, digits: 4),
    Case(lowest: 1, highest: 1 << 26, digits: 5),
    Case(lowest: 1000, highest: 60_000_000_000, digits: 3),
    Case(lowest: 1024, highest: 1 << 50, digits: 2),
  ]

  @Test(.wholeSuiteOnly, arguments: cases)
  func agreesOnRandomAndEdgeValues(_ shape: Case) throws {
    var random = SplitMix64(seed: shape.highest &+ UInt64(shape.digits))
    var ours = LatencyHistogram(layout: try layout(shape.lowest, shape.highest, digits: shape.digits))
    var oracle = Histogram<UInt64>(
      lowestDiscernibleValue: shape.lowest, highestTrackableValue: shape.highest,
      numberOfSignificantValueDigits: try #require(SignificantDigits(rawValue: Int8(shape.digits))))
    let powers = (0..<63).map { UInt64(1) << UInt64($0) }
    let edges = powers.flatMap { [$0 - 1, $0, $0 + 1] } + [shape.lowest, shape.highest]
    let values = edges + (0..<2000).map { _ in random.logarithmicValue(upTo: shape.highest) }
    for value in values where value >= shape.lowest && value <= shape.highest {
      let count = UInt64.random(in: 1...5, using: &random)
      ours.record(value, count: count)
      oracle.record(value, count: count)
    }

    #expect(ours.totalCount == oracle.totalCount)
    #expect(ours.clampedCount == 0)
    #expect(ours.min == oracle.lowestEquivalentForValue(oracle.min))
    #expect(ours.max == oracle.max)
    #expect(abs(ours.mean - oracle.mean) <= oracle.mean * 1e-12)
    #expect(abs(ours.standardDeviation - oracle.stdDeviation) <= oracle.stdDeviation * 1e-12)
    let oracleBuckets = oracle.recordedValues().map { recorded in
      HistogramBucket(
        lower: oracle.lowestEquivalentForValue(recorded.value), upper: oracle.highestEquivalentForValue(recorded.value),
        count: recorded.count)
    }
    #expect(ours.recordedBuckets() == oracleBuckets)

    let percentiles =
      [1, 5, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100]
      + (0..<20).map { _ in Double.random(in: 0.001..<100, using: &random) }
    let expected = percentiles.map { oracle.highestEquivalentForValue(oracle.valueAtPercentile($0)) }
    #expect(ours.values(atPercentiles: percentiles) == expected)
  }

  @Test func mergesLikeTheOracle() throws {
    var random = SplitMix64(seed: 3)
    var ours = [LatencyHistogram(), LatencyHistogram()]
    var oracles = (0..<2).map { _ in Histogram<UInt64>(highestTrackableValue: oneHour) }
    for side in [0, 1] {
      for _ in 0..<500 {
        let value = random.logarithmicValue(upTo: oneHour)
        ours[side].record(value)
        oracles[side].record(value)
      }
    }
    try ours[0].merge(ours[1])
    oracles[0].add(oracles[1])
    #expect(ours[0].recordedBuckets().map(\.count) == oracles[0].recordedValues().map(\.count))
    #expect(ours[0].recordedBuckets().map(\.upper) == oracles[0].recordedValues().map(\.value))
  }
}
