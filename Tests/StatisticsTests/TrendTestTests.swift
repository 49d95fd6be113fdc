import Foundation
import Statistics
import TestSupport
import Testing

/// Trends against pymannkendall and SciPy, and against series whose trend is known. How the references were made is in
/// Fixtures/make_trend_fixtures.py.
@Suite struct TrendTestTests {
  struct Case: Decodable {
    struct Figures: Decodable {
      var s: Double
      var variance: Double
      var p: Double
    }

    var name: String
    var times: [Double]
    var values: [Double]
    var slope: Double
    var interval: [Double]
    var plain: Figures
    /// Nil for points at unequal distances, of which pymannkendall knows nothing, and for a line without noise.
    var hamedRao: Figures?
  }

  let cases: [Case]

  init() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Fixtures/trends.json")
    cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  private func expectEqual(_ found: Double, _ expected: Double, _ what: String) {
    #expect(abs(found - expected) <= 1e-9 * max(1, abs(expected)), "\(what): \(found), not \(expected)")
  }

  @Test func withoutCorrectionTheTestIsThatOfPymannkendallAndTheSlopeThatOfSciPy() throws {
    #expect(cases.count == 21)
    for series in cases {
      let trend = try #require(TrendTest(times: series.times, values: series.values, correction: .none))
      #expect(trend.score == series.plain.s, "\(series.name)")
      expectEqual(trend.variance, series.plain.variance, series.name)
      expectEqual(trend.p, series.plain.p, series.name)
      expectEqual(trend.slope, series.slope, series.name)
      let interval = trend.slopeInterval(confidence: 0.95)
      expectEqual(interval.lowerBound, series.interval[0], series.name)
      expectEqual(interval.upperBound, series.interval[1], series.name)
    }
  }

  @Test func theCorrectionOverAllSignificantLagsIsThatOfPymannkendall() throws {
    let compared = cases.filter { $0.hamedRao != nil }
    #expect(compared.count == 18)
    for series in compared {
      let expected = try #require(series.hamedRao)
      let trend = try #require(TrendTest(times: series.times, values: series.values, correction: .significantLags))
      expectEqual(trend.variance, expected.variance, series.name)
      expectEqual(trend.p, expected.p, series.name)
    }
  }

  /// A series of the first order with normal noise, `factor` times its last value.
  private func autoregressive(_ count: Int, _ factor: Double, _ random: inout SeededRandom) -> [Double] {
    var value = 0.0
    return (0..<(count + 100)).map { _ in
      let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &random)
      value =
        value * factor + (-2 * log(Double.random(in: .leastNonzeroMagnitude..<1, using: &random))).squareRoot()
        * cos(angle)
      return value
    }.suffix(count).map { $0 }
  }

  /// Of series of 432 points (8 hours of minutes without their first tenth) with an autocorrelation of 0.8 and no trend.
  @Test func autocorrelationAloneIsATrendAboutAsRarelyAsTheTestPromises() throws {
    let series = WholeSuite.draws(200, fast: 40)
    let times = (0..<432).map(Double.init)
    var random = SeededRandom(seed: 17)
    var alarms: [TrendTest.Correction: Int] = [:]
    for _ in 0..<series {
      let values = autoregressive(432, 0.8, &random)
      for correction in TrendTest.Correction.allCases {
        let trend = try #require(TrendTest(times: times, values: values, correction: correction))
        // The interval that thresholds use says the same as p.
        let interval = trend.slopeInterval(confidence: 0.95)
        if correction == .leadingLags, interval.lowerBound > 0 || interval.upperBound < 0 { #expect(trend.p < 0.06) }
        if trend.p < 0.05 { alarms[correction, default: 0] += 1 }
      }
    }
    #expect(alarms[.leadingLags, default: 0] * 100 <= 12 * series, "\(alarms) of \(series)")
    #expect(alarms[.none, default: 0] * 100 >= 35 * series, "\(alarms) of \(series)")
    #expect(alarms[.significantLags, default: 0] > alarms[.leadingLags, default: 0], "\(alarms) of \(series)")
  }

  @Test func aTrendWithinAutocorrelatedNoiseIsFound() throws {
    var random = SeededRandom(seed: 5)
    var found = 0
    for _ in 0..<20 {
      let values = autoregressive(200, 0.5, &random).enumerated().map { 0.03 * Double($0) + $1 }
      let trend = try #require(TrendTest(times: (0..<200).map(Double.init), values: values))
      if trend.slopeInterval(confidence: 0.95).contains(0.03), trend.p < 0.05 { found += 1 }
    }
    #expect(found >= 16)
  }

  @Test func aConstantSeriesHasNoTrend() throws {
    let trend = try #require(TrendTest(times: [1, 2, 3, 4, 5], values: [7, 7, 7, 7, 7]))
    #expect(trend.p == 1)
    #expect(trend.slope == 0)
    #expect(trend.slopeInterval(confidence: 0.95) == 0...0)
  }

  @Test func gapsAndTheOrderOfPointsDoNotMatter() throws {
    let times = [5.0, 1, 2, .nan, 3, 4, 6]
    let values = [5.0, 1, .nan, 9, 3, .infinity, 6.5]
    let trend = try #require(TrendTest(times: times, values: values))
    #expect(trend == TrendTest(times: [1, 3, 5, 6], values: [1, 3, 5, 6.5]))
    #expect(trend.points == 4)
    #expect(abs(trend.slope - 1.05) < 1e-12)
  }

  @Test(arguments: [0, 1, 2, 3]) func fewerThanFourPointsHaveNoTrend(count: Int) {
    let numbers = (0..<count).map(Double.init)
    #expect(TrendTest(times: numbers, values: numbers) == nil)
  }

  @Test func pointsAtOneTimeHaveNoTrend() {
    #expect(TrendTest(times: [1, 1, 1, 1, 1], values: [1, 2, 3, 4, 5]) == nil)
  }

  /// A week of minutes has 50 million pairs.
  @Test func aWeekOfMinutesIsComparedInAtMostAThousandBlocks() throws {
    let times = (0..<10_080).map { Double($0) / 60 }
    let values = times.map { 100 + 0.25 * $0 + sin($0 * 40) }
    let trend = try #require(TrendTest(times: times, values: values))
    #expect(trend.block == 11)
    #expect(trend.points == 917)
    #expect(trend.points <= TrendTest.mostPoints)
    let interval = trend.slopeInterval(confidence: 0.95)
    #expect(interval.contains(0.25) || abs(trend.slope - 0.25) < 0.001)
    #expect(trend.p < 1e-6)
  }
}
