import Latency
import LoadEngine
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// When the next calls may be made.
@Suite struct CallRateLimitTests {
  private static let fivePerSecond = ArrivalRate(starts: 5, period: .seconds(1))

  @Test func anIterationHasTheTimeOfItsCalls() {
    var pace = CallRateLimit(Self.fivePerSecond)
    #expect(pace.nextAt == 0)
    pace.made(2, from: 1_000, isComplete: true)
    #expect(pace.nextAt == 400_001_000)
    pace.made(6, from: 2_000_000_000, isComplete: true)
    #expect(pace.nextAt == 3_200_000_000)
  }

  @Test func aFailedIterationCountsAsManyCallsAsTheOneBefore() {
    var pace = CallRateLimit(Self.fivePerSecond)
    pace.made(0, from: 0, isComplete: false)
    #expect(pace.nextAt == 200_000_000)
    pace.made(6, from: 0, isComplete: true)
    pace.made(0, from: 0, isComplete: false)
    #expect(pace.nextAt == 1_200_000_000)
    pace.made(7, from: 0, isComplete: false)
    #expect(pace.nextAt == 1_600_000_000)
    pace.made(2, from: 0, isComplete: true)
    pace.made(1, from: 0, isComplete: false)
    #expect(pace.nextAt == 400_000_000)
  }

  @Test func withoutARateCallsFollowAtOnce() {
    var pace = CallRateLimit(nil)
    pace.made(200, from: 5_000, isComplete: true)
    #expect(pace.nextAt == 0)
  }

  @Test func theSlowestRateAndTheMostCallsDoNotOverflow() {
    var pace = CallRateLimit(ArrivalRate(starts: 1, period: .seconds(3_600_000_000)))
    pace.made(2_000, from: Instant(nanoseconds: 1 << 62), isComplete: true)
    #expect(pace.nextAt == .distantFuture)
  }
}
