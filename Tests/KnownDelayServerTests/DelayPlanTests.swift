import Latency
import TestSupport
import Testing

@testable import KnownDelayServer

private let millisecond: Nanoseconds = .milliseconds(1)
private let second: Nanoseconds = .seconds(1)

struct DelayPlanTests {
  /// So many ms after the clock's first instant.
  private static func at(_ milliseconds: UInt64) -> Instant { .distantPast + milliseconds * millisecond }

  @Test func withoutDelaysItAnswersOnArrival() {
    #expect(DelayPlan().answerInstant(ofAcquire: 1, arrivedAt: 77, epoch: 5) == 77)
  }

  @Test func onlyAcquiresAreDelayed() {
    let plan = DelayPlan(delay: 5 * millisecond)
    #expect(plan.answerInstant(ofAcquire: 9, arrivedAt: 100, epoch: nil) == (100 as Instant) + 5 * millisecond)
    #expect(plan.answerInstant(ofAcquire: nil, arrivedAt: 100, epoch: nil) == 100)
  }

  @Test func exactlyEveryHundredthAcquireIsSlow() {
    let plan = DelayPlan(
      delay: millisecond, slow: DelayPlan.SlowShare(every: 100, delay: 200 * millisecond))
    let slow = (1...1000).filter { plan.delay(ofAcquire: $0) == 200 * millisecond }
    #expect(slow == Array(stride(from: 100, through: 1000, by: 100)))
    #expect((1...1000).allSatisfy { slow.contains($0) || plan.delay(ofAcquire: $0) == millisecond })
  }

  // Deaf for 1 s in every 5 s: from 2 s to 3 s of each period. In ms since the first acquire.
  @Test(
    arguments: [
      (0, 0), (1999, 1999), (2000, 3000), (2500, 3000), (2999, 3000), (3000, 3000), (4999, 4999), (6999, 6999),
      (7000, 8000), (5_000_002_000, 5_000_003_000),
    ] as [(UInt64, UInt64)])
  func whatArrivesInAStallIsAnsweredAtItsEnd(_ arrival: UInt64, _ answer: UInt64) {
    let plan = DelayPlan(stall: Stall(length: second, period: 5 * second))
    let epoch: Instant = 123_456_789
    let instant = plan.answerInstant(ofAcquire: 1, arrivedAt: epoch + arrival * millisecond, epoch: epoch)
    #expect(instant == epoch + answer * millisecond)
  }

  @Test func releasesAreStalledToo() {
    let plan = DelayPlan(delay: millisecond, stall: Stall(length: second, period: 5 * second))
    #expect(plan.answerInstant(ofAcquire: nil, arrivedAt: Self.at(2500), epoch: 0) == Self.at(3000))
  }

  @Test func delayBeginsWhenTheStallEndsAndNoAnswerComesInOne() {
    let plan = DelayPlan(delay: 20 * millisecond, stall: Stall(length: second, period: 5 * second))
    #expect(plan.answerInstant(ofAcquire: 1, arrivedAt: Self.at(2500), epoch: 0) == Self.at(3020))
    #expect(plan.answerInstant(ofAcquire: 1, arrivedAt: Self.at(1990), epoch: 0) == Self.at(3000))
    #expect(plan.answerInstant(ofAcquire: 1, arrivedAt: Self.at(1980), epoch: 0) == Self.at(3000))
    #expect(plan.answerInstant(ofAcquire: 1, arrivedAt: Self.at(1979), epoch: 0) == Self.at(1999))
  }

  @Test func thereIsNoStallBeforeTheFirstAcquire() {
    let plan = DelayPlan(stall: Stall(length: second, period: 5 * second))
    #expect(plan.answerInstant(ofAcquire: nil, arrivedAt: Self.at(2500), epoch: nil) == Self.at(2500))
  }

  /// The formula that docs and benchmarks hold generators against.
  @Test(arguments: [(500, 5, 4), (2000, 10, 2)] as [(UInt64, UInt64, UInt64)])
  func constantRateOverWholePeriodsHasThePercentilesOfTheFormula(
    _ rate: UInt64, _ period: UInt64, _ periods: UInt64
  ) throws {
    let plan = DelayPlan(stall: Stall(length: second, period: period * second))
    let spacing = second / rate
    let times = (0..<rate * period * periods).map { index in
      let due = Instant.distantPast + index * spacing
      return plan.answerInstant(ofAcquire: Int(index) + 1, arrivedAt: due, epoch: 0) - due
    }.sorted()
    for (share, permille) in [(0.99, 10), (0.999, 1)] as [(Double, UInt64)] {
      let formula = second - permille * period * millisecond
      let measured = times[Int((Double(times.count) * share).rounded(.up)) - 1]
      #expect(max(measured, formula) - min(measured, formula) <= spacing)
    }
  }

  @Test(arguments: [(0, 5), (5, 5), (6, 5), (0, 0)] as [(UInt64, UInt64)])
  func stallIsShorterThanItsPeriod(_ length: UInt64, _ period: UInt64) {
    #expect(Stall(length: .nanoseconds(length), period: .nanoseconds(period)) == nil)
  }
}
