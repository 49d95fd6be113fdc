import Latency
import Testing

@testable import LoadEngine

@Suite struct RateStageTests {
  private static let second: Nanoseconds = .seconds(1)

  private static func perSecond(_ starts: UInt64) -> ArrivalRate { ArrivalRate(starts: starts, period: second) }

  struct Profile: Sendable {
    var from: UInt64
    /// Seconds and starts per second.
    var stages: [(UInt64, UInt64)]
    /// The area under the ramps.
    var area: Int

    var schedule: ArrivalSchedule {
      ArrivalSchedule(
        stages: stages.map { RateStage(duration: $0.0 * second, target: perSecond($0.1)) }, from: perSecond(from),
        arrival: .constant)
    }

    /// Starts expected by `t` seconds: trapezoids.
    func expected(by t: Double) -> Double {
      var (sum, begin, rate) = (0.0, 0.0, Double(from))
      for (seconds, target) in stages {
        let length = Double(seconds)
        let within = min(max(0, t - begin), length)
        let reached = length > 0 ? rate + (Double(target) - rate) * within / length : Double(target)
        sum += within * (rate + reached) / 2
        (begin, rate) = (begin + length, Double(target))
      }
      return sum
    }
  }

  static let profiles = [
    Profile(from: 0, stages: [(30, 10), (120, 50), (30, 0)], area: 150 + 3600 + 750),
    Profile(from: 10, stages: [(10, 10)], area: 100),
    Profile(from: 7, stages: [(3, 7), (3, 7), (4, 7)], area: 70),
    Profile(from: 0, stages: [(10, 10)], area: 50),
    Profile(from: 10, stages: [(10, 0)], area: 50),
    Profile(from: 0, stages: [(0, 100), (10, 100), (0, 1), (10, 1)], area: 1010),
    Profile(from: 5, stages: [(10, 5), (0, 0), (10, 0), (0, 5), (10, 5)], area: 100),
    Profile(from: 0, stages: [(20, 0), (10, 10), (0, 1000), (1, 0)], area: 550),
    Profile(from: 1_000_000, stages: [(1, 0)], area: 500_000),
    Profile(from: 0, stages: [(3600, 1)], area: 1800),
  ]

  @Test(arguments: profiles) func thereAreAsManyStartsAsTheAreaUnderTheRamp(_ profile: Profile) {
    let schedule = profile.schedule
    let starts = Array(schedule)
    let length = profile.stages.reduce(0) { $0 + $1.0 } * Self.second
    #expect(starts.count == profile.area)
    #expect(schedule.length == length)
    #expect(starts == starts.sorted())
    #expect(starts.allSatisfy { $0 < length })
    // Every start lies where the area reaches its index; a rate of at most 10⁶/s makes 1 ns worth 0.001 starts.
    for (index, start) in starts.enumerated() {
      let expected = profile.expected(by: start.seconds)
      if abs(expected - Double(index)) > 0.002 { Issue.record("start \(index) is where the area is \(expected)") }
    }
  }

  @Test func aFlatStageIsExact() {
    let third = ArrivalRate(starts: 3, period: Self.second)
    let stages = [RateStage(duration: 100 * Self.second, target: third)]
    let staged = ArrivalSchedule(stages: stages, from: third, arrival: .constant)
    #expect(Array(staged) == Array(ArrivalSchedule(rate: third, arrival: .constant).prefix(300)))
  }

  @Test func theFirstStartIsWhereTheRateLeavesZero() {
    let stages = [
      RateStage(duration: 10 * Self.second, target: Self.perSecond(0)),
      RateStage(duration: 10 * Self.second, target: Self.perSecond(10)),
    ]
    let schedule = ArrivalSchedule(stages: stages, from: Self.perSecond(0), arrival: .constant)
    #expect(schedule.start(of: 0) == 10 * Self.second)
    // t² / 2 = 1 and 2.
    #expect(schedule.start(of: 1) == 11_414_213_562)
    #expect(schedule.start(of: 2) == 12 * Self.second)
  }

  @Test func aRateThatFallsToZeroEndsOnTheAnalyticInstants() {
    let schedule = ArrivalSchedule(
      stages: [RateStage(duration: 10 * Self.second, target: Self.perSecond(0))], from: Self.perSecond(10),
      arrival: .constant)
    // The last start has an area of 1 behind it: (10 − t)² / 2 = 1.
    #expect(schedule.start(of: 49) == 8_585_786_438)
    #expect(schedule.start(of: 48) == 8 * Self.second)
    #expect(schedule.start(of: 50) == nil)
  }

  @Test func afterAPauseTheNextStartComesWithTheRate() {
    let schedule = Profile(from: 5, stages: [(10, 5), (0, 0), (10, 0), (0, 5), (10, 5)], area: 100).schedule
    #expect(schedule.start(of: 49) == 9_800_000_000)
    #expect(schedule.start(of: 50) == 20 * Self.second)
  }

  @Test func stagesBeyondTheEndOfTimeDoNotOverflow() {
    let fast = ArrivalRate(starts: 3, period: 1)
    let stages = [
      RateStage(duration: .max, target: fast), RateStage(duration: .max, target: Self.perSecond(0)),
      RateStage(duration: 1, target: fast),
    ]
    let schedule = ArrivalSchedule(stages: stages, from: Self.perSecond(1), arrival: .constant)
    #expect(schedule.length == .max)
    #expect(schedule.start(of: .max) != nil)
    #expect(schedule.start(of: 0) == 0)
    let random = ArrivalSchedule(stages: stages, from: fast, arrival: .poisson(seed: 1))
    #expect(Array(random.prefix(1000)).count == 1000)
  }
}
