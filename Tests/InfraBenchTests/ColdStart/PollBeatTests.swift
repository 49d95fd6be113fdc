import Latency
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// The beat of the looks at ECS.
@Suite struct PollBeatTests {
  @Test(
    arguments: [
      (1000, 1250), (1003, 1250), (1249, 1250), (1250, 1500), (1600, 1750), (3000, 3250), (900, 1250),
    ] as [(Instant, Instant)]) func theNextPollIsDueAtTheNextBeat(polledAt: Instant, nextAt: Instant)
  {
    var beat = PollSchedule(interval: 250, from: 1000)
    beat.polls(at: polledAt)
    #expect(beat.nextAt == nextAt)
  }

  @Test func aStallIsNotFollowedByPollsBackToBack() {
    var beat = PollSchedule(interval: 250, from: 0)
    var polls: [Instant] = []
    var now: Instant = 0
    while now < 2000 {
      now = max(now, beat.nextAt)
      beat.polls(at: now)
      polls.append(now)
      // The third answer takes its time.
      now += polls.count == 3 ? 620 : 10
    }
    #expect(polls == [0, 250, 500, 1120, 1250, 1500, 1750, 2000])
  }
}
