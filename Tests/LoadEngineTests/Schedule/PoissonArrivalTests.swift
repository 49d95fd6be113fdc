import Foundation
import Latency
import Testing

@testable import LoadEngine

@Suite struct PoissonArrivalTests {
  private let rate = ArrivalRate(starts: 2000, period: .seconds(1))

  private func starts(_ count: Int, seed: UInt64) -> [Nanoseconds] {
    Array(ArrivalSchedule(rate: rate, arrival: .poisson(seed: seed)).prefix(count))
  }

  /// Gaps in units of their expectation.
  private func gaps(_ count: Int, seed: UInt64) -> [Double] {
    let starts = starts(count, seed: seed)
    return zip([0] + starts, starts).map { ($1 - $0).milliseconds / 0.5 }
  }

  /// The Kolmogorov–Smirnov statistic of `sample` against the distribution function, times the root of its size.
  private func kolmogorovSmirnov(_ sample: [Double], against distribution: (Double) -> Double) -> Double {
    let size = Double(sample.count)
    let distances = sample.sorted().enumerated().map { index, value in
      max(Double(index + 1) / size - distribution(value), distribution(value) - Double(index) / size)
    }
    return (distances.max() ?? 1) * size.squareRoot()
  }

  /// 1.63 is the critical value at 1 %; the seeds are fixed, so that a good generator passes always.
  @Test(arguments: [1, 2, 3, 42] as [UInt64]) func gapsAreExponential(_ seed: UInt64) {
    let gaps = gaps(100_000, seed: seed)
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count - 1)
    // Four standard errors: 1/√n of the mean, √(8/n) of the variance.
    #expect(abs(mean - 1) < 0.013)
    #expect(abs(variance - 1) < 0.036)
    #expect(kolmogorovSmirnov(gaps) { 1 - exp(-$0) } < 1.63)
  }

  @Test func theCheckFindsEvenGaps() {
    let even = Array(repeating: 1.0, count: 1000)
    #expect(kolmogorovSmirnov(even) { 1 - exp(-$0) } > 10)
  }

  @Test func gapsDoNotDependOnEachOther() {
    let gaps = gaps(100_000, seed: 5)
    let products = zip(gaps, gaps.dropFirst()).map { ($0 - 1) * ($1 - 1) }
    #expect(abs(products.reduce(0, +) / Double(products.count)) < 0.013)
  }

  @Test func countsPerSecondHaveTheVarianceOfTheirMean() {
    let seconds = 400
    var counts = Array(repeating: 0.0, count: seconds)
    let schedule = ArrivalSchedule(
      stages: [RateStage(duration: .seconds(seconds), target: rate)], from: rate,
      arrival: .poisson(seed: 8))
    for start in schedule { counts[Int(start / .seconds(1))] += 1 }
    let mean = counts.reduce(0, +) / Double(seconds)
    let variance = counts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seconds - 1)
    #expect(abs(mean - 2000) < 9)
    // The index of dispersion; four standard errors, √(2/n) each.
    #expect(abs(variance / mean - 1) < 0.29)
  }

  @Test func theSeedFixesTheStarts() {
    #expect(starts(100, seed: 1) == starts(100, seed: 1))
    #expect(starts(100, seed: 1) != starts(100, seed: 2))
    #expect(starts(1, seed: 1)[0] > 0)
  }

  /// Time rescaling: given their number, starts of a ramp are distributed as the area under it.
  @Test func aRampOfPoissonStartsFollowsItsArea() {
    let stages = [
      RateStage(duration: .seconds(30), target: rate), RateStage(duration: .seconds(60), target: rate),
      RateStage(duration: .seconds(30), target: ArrivalRate(starts: 0, period: 1)),
    ]
    let schedule = ArrivalSchedule(stages: stages, from: ArrivalRate(starts: 0, period: 1), arrival: .poisson(seed: 7))
    let starts = schedule.map { $0.seconds }
    #expect(starts == starts.sorted())
    #expect(abs(Double(starts.count) - 180_000) < 4 * 180_000.0.squareRoot())
    let distance = kolmogorovSmirnov(starts) { t in
      switch t {
      case ..<30: t * t / 60 / 90
      case ..<90: (15 + t - 30) / 90
      default: (90 - (120 - t) * (120 - t) / 60) / 90
      }
    }
    #expect(distance < 1.63)
  }
}
