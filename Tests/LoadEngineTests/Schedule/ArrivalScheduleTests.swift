import Latency
import Testing

@testable import LoadEngine

@Suite struct ArrivalScheduleTests {
  static let rates = [
    ArrivalRate(starts: 200, period: .seconds(1)), ArrivalRate(starts: 3, period: .seconds(1)),
    ArrivalRate(starts: 7, period: .seconds(10)), ArrivalRate(starts: 30, period: .seconds(60)),
    ArrivalRate(starts: 1_000_000, period: .seconds(1)), ArrivalRate(starts: 5, period: .seconds(3_600)),
    ArrivalRate(starts: 999_983, period: 1_000_000_007), ArrivalRate(starts: 1, period: 1),
  ]

  /// floor(i · period / starts) in numbers wide enough not to round; nil when it is after the end of time.
  private func exact(_ index: UInt64, _ rate: ArrivalRate) -> Nanoseconds? {
    UInt64(exactly: UInt128(index) * UInt128(rate.period.nanoseconds) / UInt128(rate.starts)).map { Nanoseconds($0) }
  }

  @Test(arguments: rates) func aConstantRateHasNoDriftOverABillionStarts(_ rate: ArrivalRate) {
    let schedule = ArrivalSchedule(rate: rate, arrival: .constant)
    #expect(schedule.length == nil)
    for index in [0, 1, 2, 3, 999, 1_000_000, 999_999_999, 1_000_000_000] as [UInt64] {
      #expect(schedule.start(of: index) == exact(index, rate))
    }
    var index: UInt64 = 0
    for offset in schedule.prefix(10_000) {
      #expect(offset == exact(index, rate))
      index += 1
    }
  }

  @Test func aConstantRateFlowsOverNowhere() {
    let slow = ArrivalSchedule(rate: ArrivalRate(starts: 1, period: .max), arrival: .constant)
    #expect(Array(slow) == [0, .max])
    #expect(slow.start(of: 1) == .max && slow.start(of: 2) == nil && slow.start(of: .max) == nil)
    let fast = ArrivalSchedule(rate: ArrivalRate(starts: .max, period: 1), arrival: .constant)
    #expect(fast.start(of: .max) == 1)
    let even = ArrivalSchedule(rate: ArrivalRate(starts: .max, period: .max), arrival: .constant)
    #expect(even.start(of: .max) == .max)
    let random = ArrivalSchedule(rate: ArrivalRate(starts: 1, period: .max), arrival: .poisson(seed: 1))
    #expect(Array(random).count < 20)
  }

  @Test(arguments: [ArrivalSchedule.Arrival.constant, .poisson(seed: 3)])
  func aRateOfZeroHasNoStarts(_ arrival: ArrivalSchedule.Arrival) {
    let endless = ArrivalSchedule(rate: ArrivalRate(starts: 0, period: 1), arrival: arrival)
    #expect(Array(endless) == [] && endless.start(of: 0) == nil)
    let zero = ArrivalRate(starts: 0, period: 7)
    let staged = ArrivalSchedule(stages: [RateStage(duration: 50, target: zero)], from: zero, arrival: arrival)
    #expect(Array(staged) == [] && staged.start(of: 0) == nil && staged.length == 50)
    let empty = ArrivalSchedule(stages: [], from: Self.rates[0], arrival: arrival)
    #expect(Array(empty) == [] && empty.start(of: 0) == nil && empty.length == 0)
  }

  @Test(arguments: [ArrivalSchedule.Arrival.constant, .poisson(seed: 11)])
  func anIndexAndTheIteratorSayTheSame(_ arrival: ArrivalSchedule.Arrival) {
    let stages = [
      RateStage(duration: .seconds(2), target: Self.rates[0]), RateStage(duration: 0, target: Self.rates[1]),
      RateStage(duration: .seconds(3), target: Self.rates[2]),
    ]
    for schedule in [
      ArrivalSchedule(rate: Self.rates[6], arrival: arrival),
      ArrivalSchedule(stages: stages, from: Self.rates[1], arrival: arrival),
    ] {
      let starts = Array(schedule.prefix(300))
      for (index, start) in starts.enumerated() { #expect(schedule.start(of: UInt64(index)) == start) }
      #expect(starts == Array(schedule.prefix(300)))
      if schedule.length != nil { #expect(schedule.start(of: UInt64(starts.count)) == nil) }
    }
  }
}
