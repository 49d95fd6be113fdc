import Latency
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// When ECS and the gateway are polled.
@Suite struct PollScheduleTests {
  @Test(
    arguments: [
      (1000, 1250), (1003, 1250), (1249, 1250), (1250, 1500), (1600, 1750), (3000, 3250), (900, 1250),
    ] as [(Instant, Instant)]) func theNextPollIsDueAfterAWholeNumberOfIntervals(polledAt: Instant, nextAt: Instant)
  {
    var schedule = PollSchedule(interval: 250, from: 1000)
    schedule.polls(at: polledAt)
    #expect(schedule.nextAt == nextAt)
  }

  @Test func aStallIsNotFollowedByPollsBackToBack() {
    var schedule = PollSchedule(interval: 250, from: 0)
    var polls: [Instant] = []
    var now: Instant = 0
    while now < 2000 {
      now = max(now, schedule.nextAt)
      schedule.polls(at: now)
      polls.append(now)
      // The third answer takes its time.
      now += polls.count == 3 ? 620 : 10
    }
    #expect(polls == [0, 250, 500, 1120, 1250, 1500, 1750, 2000])
  }
}
