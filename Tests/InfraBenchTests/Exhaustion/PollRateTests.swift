import Latency
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

@Suite struct PollRateTests {
  @Test func lostPollsAreInTheGapAndInTheRate() {
    var rate = PollRate(interval: .milliseconds(500))
    #expect(rate.finding == nil)
    for (instant, isWhole) in [(1.0, true), (1.5, true), (2.0, false), (2.5, false), (3.0, true)] {
      rate.add(isWhole: isWhole, at: .distantPast + .seconds(instant))
    }
    #expect(rate.effective == 1)
    #expect(rate.longestGap == .milliseconds(1500))
    #expect(rate.finding == "1.00/s of 2.00/s, longest gap 1.500 s, 2 polls lost")
  }

  @Test func aGapThatNeverEndsIsOneToo() {
    var rate = PollRate(interval: .milliseconds(500))
    for (instant, isWhole) in [(1.0, true), (1.5, true), (4.0, false)] {
      rate.add(isWhole: isWhole, at: .distantPast + .seconds(instant))
    }
    #expect(rate.longestGap == .milliseconds(2500))
  }

  @Test func oneLookIsNoRate() {
    var rate = PollRate(interval: .milliseconds(500))
    rate.add(isWhole: true, at: 1)
    rate.add(isWhole: false, at: 2)
    #expect(rate.effective == nil && rate.lost == 1)
  }
}
