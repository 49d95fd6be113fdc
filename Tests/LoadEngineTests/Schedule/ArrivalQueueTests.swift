import Latency
import TestSupport
import Testing

@testable import LoadEngine

@Suite struct ArrivalQueueTests {
  /// A start every 10 ns, from 1000.
  private func queue(
    count: Int? = nil, duration: Nanoseconds? = nil, warmup: LoadPlan.Warmup = .iterations(0), drops: Bool = false,
    awaited: Int = 0
  ) -> ArrivalQueue {
    ArrivalQueue(
      ArrivalSchedule(rate: ArrivalRate(starts: 1, period: 10), arrival: .constant),
      bounds: ArrivalQueue.Bounds(count: count, duration: duration, warmup: warmup), dropsWhenBusy: drops,
      beginsAt: 1000, awaited: awaited)
  }

  private func start(_ number: Int, at instant: Instant, warmup: Bool = false) -> ArrivalQueue.Answer {
    .start(ArrivalQueue.Start(iteration: Iteration(number: number, isWarmup: warmup), intendedAt: instant))
  }

  @Test func waitingStartsAreTakenInOrderWithTheInstantTheyWereDue() {
    var queue = queue()
    #expect(queue.userBecameFree(at: 1035) == start(1, at: 1000))
    #expect(queue.userBecameFree(at: 1036) == start(2, at: 1010))
    #expect(queue.due == 4 && queue.taken == 2 && queue.waiting == 2 && queue.backlogMax == 4)
    #expect(queue.userBecameFree(at: 1036) == start(3, at: 1020))
    #expect(queue.userBecameFree(at: 1036) == start(4, at: 1030))
    #expect(queue.userBecameFree(at: 1036) == .parked)
    #expect(queue.nextWakeAt == 1040)
  }

  @Test func aParkedUserTakesWhatComesDueAndThatIsNoBacklog() {
    var queue = queue()
    #expect(queue.userBecameFree(at: 500) == .parked)
    #expect(queue.takeForParked(at: 999) == nil)
    #expect(queue.takeForParked(at: 1003)?.intendedAt == 1000)
    #expect(queue.backlogMax == 0)
    #expect(queue.userBecameFree(at: 1010) == start(2, at: 1010))
    #expect(queue.backlogMax == 1)
  }

  @Test(arguments: [false, true]) func startsOfUsersWhoseLoopIsLateAreNeitherDroppedNorBacklog(drops: Bool) {
    var queue = queue(drops: drops, awaited: 2)
    // The first one comes when three are due: one each for the two users, and one that nobody is free for.
    #expect(queue.userBecameFree(at: 1025, wasAwaited: true) == start(1, at: 1000))
    #expect(queue.hasFreeUsers && queue.dropped == (drops ? 1 : 0) && queue.backlogMax == (drops ? 0 : 1))
    #expect(queue.userBecameFree(at: 1026, wasAwaited: true) == start(2, at: 1010))
    #expect(!queue.hasFreeUsers)
    #expect(queue.userBecameFree(at: 1027) == (drops ? .parked : start(3, at: 1020)))
  }

  @Test func aCountAloneEndsWithTheLastStartTaken() {
    var queue = queue(count: 2)
    #expect(queue.userBecameFree(at: 1000) == start(1, at: 1000))
    #expect(queue.userBecameFree(at: 1000) == .parked)
    #expect(queue.nextWakeAt == 1010)
    #expect(queue.isOver(at: 1020) == false)
    _ = queue.isOver(at: 1020)
    // A look at the clock made it come due: the parked user is to be served at once.
    #expect(queue.nextWakeAt == 1020)
    #expect(queue.takeForParked(at: 1020)?.iteration.number == 2)
    #expect(queue.isOver(at: 1020) && queue.userBecameFree(at: 1020) == .over)
    #expect(queue.due == 2)
  }

  @Test func aDurationEndsAtItsInstantAndNotBefore() {
    var queue = queue(duration: 25)
    #expect(queue.userBecameFree(at: 1020) == start(1, at: 1000))
    #expect(queue.userBecameFree(at: 1020) == start(2, at: 1010))
    #expect(queue.userBecameFree(at: 1020) == start(3, at: 1020))
    #expect(queue.userBecameFree(at: 1021) == .parked)
    #expect(queue.nextWakeAt == 1025 && !queue.isOver(at: 1024))
    #expect(queue.takeForParked(at: 1025) == nil)
    #expect(queue.isOver(at: 1025) && queue.nextWakeAt == nil)
    queue.unparked()
    #expect(queue.userBecameFree(at: 1025) == .over)
  }

  @Test func aStartDueAtTheEndDoesNotExist() {
    var queue = queue(duration: 20)
    _ = queue.isOver(at: 5000)
    #expect(queue.due == 2)
  }

  @Test func aBacklogIsHandedOutAfterTheEnd() {
    var queue = queue(duration: 20)
    #expect(queue.isOver(at: 2000) == true)
    #expect(queue.userBecameFree(at: 2000) == start(1, at: 1000))
    #expect(queue.userBecameFree(at: 2000) == start(2, at: 1010))
    #expect(queue.userBecameFree(at: 2000) == .over)
  }

  @Test func theFirstOfCountAndDurationEndsIt() {
    var short = queue(count: 1, duration: .microseconds(1))
    #expect(short.userBecameFree(at: 1000) == start(1, at: 1000))
    #expect(short.isOver(at: 1000) && short.nextWakeAt == nil)
    var timed = queue(count: 1000, duration: 15)
    _ = timed.isOver(at: 9000)
    #expect(timed.due == 2 && timed.isOver(at: 9000))
  }

  @Test func aScheduleWithALengthEndsThere() {
    let rate = ArrivalRate(starts: 1, period: 10)
    var queue = ArrivalQueue(
      ArrivalSchedule(stages: [RateStage(duration: 15, target: rate)], from: rate, arrival: .constant),
      bounds: ArrivalQueue.Bounds(count: nil, duration: nil, warmup: .iterations(0)), dropsWhenBusy: false,
      beginsAt: 1000)
    #expect(queue.userBecameFree(at: 1000) == start(1, at: 1000))
    #expect(queue.userBecameFree(at: 1010) == start(2, at: 1010))
    #expect(queue.userBecameFree(at: 1010) == .parked)
    #expect(queue.nextWakeAt == 1015 && !queue.isOver(at: 1014) && queue.isOver(at: 1015))
  }

  @Test func warmUpStartsAreInNoCounter() {
    var queue = queue(count: 2, duration: .microseconds(1), warmup: .iterations(2))
    #expect(queue.userBecameFree(at: 1015) == start(1, at: 1000, warmup: true))
    #expect(queue.userBecameFree(at: 1015) == start(2, at: 1010, warmup: true))
    #expect(queue.due == 0 && queue.backlogMax == 0 && queue.measurementStartedAt == nil)
    #expect(queue.userBecameFree(at: 1030) == start(1, at: 1020))
    #expect(queue.due == 2 && queue.measurementStartedAt == 1020)
  }

  @Test func aWarmUpByTimeIsLeftOutOfTheDuration() {
    var queue = queue(duration: 20, warmup: .duration(15))
    #expect(queue.userBecameFree(at: 1014) == start(1, at: 1000, warmup: true))
    #expect(queue.measurementStartedAt == nil)
    #expect(queue.userBecameFree(at: 1050) == start(2, at: 1010, warmup: true))
    #expect(queue.userBecameFree(at: 1050) == start(1, at: 1020))
    #expect(queue.userBecameFree(at: 1050) == start(2, at: 1030))
    #expect(queue.userBecameFree(at: 1050) == .over)
    #expect(queue.measurementStartedAt == 1015)
  }

  @Test func whatFindsNobodyIsDropped() {
    var queue = queue(count: 5, drops: true)
    #expect(queue.userBecameFree(at: 1000) == .parked)
    #expect(queue.dropped == 1)
    #expect(queue.userBecameFree(at: 1001) == .parked)
    // Two are parked: the starts of 1010 and 1020 are theirs, that of 1030 is nobody's.
    #expect(queue.takeForParked(at: 1035)?.iteration.number == 2)
    #expect(queue.takeForParked(at: 1035)?.iteration.number == 3)
    #expect(queue.takeForParked(at: 1035) == nil)
    #expect(queue.dropped == 2 && queue.due == 4 && queue.backlogMax == 0)
    _ = queue.isOver(at: 1040)
    #expect(queue.dropped == 3 && queue.isOver(at: 1040))
    #expect(queue.userBecameFree(at: 1040) == .over)
  }

  @Test func aStartThatWasDroppedAlthoughAUserHadBeenFreeIsThatUsersAndTheNextOnesWereMissed() {
    var queue = queue(drops: true)
    _ = queue.isOver(at: 1035)
    #expect(queue.dropped == 4)
    // Free since 1005, and told of at 1035: the starts of 1010, 1020 and 1030 were due meanwhile.
    #expect(queue.userBecameFree(at: 1035, since: 1005) == start(2, at: 1010))
    #expect(queue.dropped == 3 && queue.taken == 1 && queue.missed == 2 && queue.missedLateness?.max == 15)
    // Another one had been free even longer.
    #expect(queue.userBecameFree(at: 1036, since: 990) == start(1, at: 1000))
    #expect(queue.dropped == 2 && queue.missed == 2 && queue.due == 4)
    #expect(queue.userBecameFree(at: 1036, since: 990) == .parked)
  }

  @Test func whatIsDroppedWhileAParkedUsersLoopIsLateWasMissed() {
    var queue = queue(drops: true)
    #expect(queue.userBecameFree(at: 900) == .parked)
    #expect(queue.takeForParked(at: 1025)?.intendedAt == 1000)
    #expect(queue.dropped == 2 && queue.missed == 2)
  }

  @Test func fewOfTheLatestDropsAreRemembered() {
    var queue = queue(drops: true)
    _ = queue.isOver(at: 1_000_000)
    #expect(queue.dropped == 99_901)
    guard case .start(let start) = queue.userBecameFree(at: 1_000_000, since: 0) else {
      Issue.record("no start")
      return
    }
    #expect(start.intendedAt == Instant(nanoseconds: 1_000_000 - 4095 * 10))
    #expect(queue.missed == 4095 && queue.dropped == 99_900)
  }

  @Test func quietIsARunInWhichNobodyPerforms() {
    var queue = queue(count: 1, awaited: 3)
    #expect(!queue.isQuiet)
    for _ in 0..<3 { _ = queue.userBecameFree(at: 900, wasAwaited: true) }
    #expect(queue.isQuiet && queue.takeForParked(at: 1000) != nil && !queue.isQuiet)
    #expect(queue.userBecameFree(at: 1001) == .over && queue.isQuiet)
  }

  @Test(
    arguments: [
      (5, nil, .iterations(0), 1040), (5, 25, .iterations(0), 1025), (nil, 25, .iterations(3), 1055),
      (5, nil, .iterations(3), 1070), (nil, 50, .duration(30), 1080), (nil, nil, .iterations(0), nil),
      (0, nil, .iterations(0), 1000),
    ] as [(Int?, Nanoseconds?, LoadPlan.Warmup, Instant?)])
  func theEndIsKnownBeforehand(_ count: Int?, _ duration: Nanoseconds?, _ warmup: LoadPlan.Warmup, _ end: Instant?) {
    #expect(queue(count: count, duration: duration, warmup: warmup).expectedEnd == end)
  }

  @Test func startsAreDueUntilTheOneThatTheBoundsForbid() {
    var counted = queue(count: 3)
    #expect(counted.startsEndedAt == nil)
    _ = counted.isOver(at: 1020)
    #expect(counted.startsEndedAt == 1030)
    #expect(queue(duration: 25).startsEndedAt == 1025)
  }

  @Test func aParkedUserThatLeavesDropsTheStartThatWasIts() {
    var queue = queue(drops: true)
    #expect(queue.userBecameFree(at: 900) == .parked)
    #expect(queue.userBecameFree(at: 900) == .parked)
    _ = queue.isOver(at: 1010)
    #expect(queue.waiting == 2 && queue.dropped == 0)
    queue.unparked()
    #expect(queue.waiting == 1 && queue.dropped == 1)
    #expect(queue.takeForParked(at: 1010)?.intendedAt == 1000)
  }

  @Test(arguments: [false, true]) func closingAbandonsWhatIsDueAndNotTaken(drops: Bool) {
    var queue = queue(drops: drops)
    for _ in 0..<3 { #expect(queue.userBecameFree(at: 900) == .parked) }
    #expect(queue.takeForParked(at: 1020)?.intendedAt == 1000)
    queue.close(at: 1025)
    #expect(queue.abandoned == 2 && queue.due == 3 && queue.waiting == 0 && queue.dropped == 0)
    #expect(queue.takeForParked(at: 1030) == nil && queue.userBecameFree(at: 1040) == .over)
    queue.close(at: 2000)
    #expect(queue.abandoned == 2 && queue.due == 3 && queue.nextWakeAt == nil && queue.isOver(at: 0))
  }

  @Test func millionsOfWaitingStartsAreCountedOnly() {
    var queue = queue(duration: .milliseconds(20))
    _ = queue.isOver(at: 30_000_000)
    #expect(queue.waiting == 2_000_000 && queue.backlogMax == 2_000_000)
    #expect(queue.userBecameFree(at: 30_000_000) == start(1, at: 1000))
    queue.close(at: 30_000_000)
    #expect(queue.abandoned == 1_999_999)
  }

  @Test func aScheduleWithoutStartsIsOverAtItsEndOrAtOnce() {
    let never = ArrivalSchedule(rate: ArrivalRate(starts: 0, period: 1), arrival: .constant)
    for (duration, answer) in [(nil, .over), (50, .parked)] as [(Nanoseconds?, ArrivalQueue.Answer)] {
      var queue = ArrivalQueue(
        never, bounds: ArrivalQueue.Bounds(count: nil, duration: duration, warmup: .iterations(0)),
        dropsWhenBusy: false, beginsAt: 1000)
      #expect(queue.userBecameFree(at: 1000) == answer)
    }
  }
}
