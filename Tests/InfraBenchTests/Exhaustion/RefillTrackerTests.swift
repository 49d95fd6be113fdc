import Latency
import Testing
import TestSupport

@testable import InfraBench
@testable import Results

/// When a drained pool counts as full, by every view. Instants are seconds; every poll is answered 0.1 s after it was sent.
@Suite struct RefillTrackerTests {
  /// A tracker that has seen `before` in every view, and whose drain at 10 s took tasks; t₀ is 10 s.
  private func drained(
    _ taken: [String], of before: Set<String>, views: [RefillTracker.View] = RefillTracker.View.allCases
  ) -> RefillTracker {
    var tracker = RefillTracker(views: views)
    for view in views { tracker.observe(view, snapshot(9, before)) }
    tracker.drainBegins(at: seconds(9.9))
    for task in taken { tracker.took(task) }
    tracker.drained(taken.count, at: seconds(10))
    tracker.startClock(at: seconds(10))
    return tracker
  }

  private func seconds(_ number: Double) -> Instant { .distantPast + .seconds(number) }

  private func snapshot(_ sentAt: Double, _ tasks: Set<String>, unnamed: Int = 0) -> TaskSnapshot {
    TaskSnapshot(sentAt: seconds(sentAt), answeredAt: seconds(sentAt + 0.1), tasks: tasks, unnamed: unnamed)
  }

  private func time(_ earliest: Double, _ latest: Double) -> RefillTime {
    RefillTime(
      ObservedTransition(lastNegativeSentAt: seconds(10 + earliest), firstPositiveAnsweredAt: seconds(10 + latest)),
      since: seconds(10))
  }

  @Test func aTaskThatIsListedButPendingIsNoRefill() {
    var tracker = drained(["a", "b"], of: ["a", "b"])
    for (sentAt, listed, running, warm) in [
      (10.5, [], [], []), (11, ["x", "y"], [], []), (13, ["x", "y"], ["x"], []), (14, ["x", "y"], ["x", "y"], ["x"]),
      (15, ["x", "y"], ["x", "y"], ["x", "y"]),
    ] as [(Double, Set<String>, Set<String>, Set<String>)] {
      tracker.observe(.listed, snapshot(sentAt, listed))
      tracker.observe(.running, snapshot(sentAt, running))
      tracker.observe(.warm, snapshot(sentAt, warm))
    }
    #expect(tracker.fullRefill(.listed) == time(0.5, 1.1))
    #expect(tracker.fullRefill(.running) == time(3, 4.1))
    #expect(tracker.fullRefill(.warm) == time(4, 5.1))
    #expect(tracker.firstRefill(.running) == time(1, 3.1))
    #expect(tracker.firstRefill(.warm) == time(3, 4.1))
    #expect(tracker.strictest == .warm)
  }

  @Test func tasksThatWereThereBeforeTheDrainNeverCount() {
    // Two of four are drained; the others stay, and an old one that comes back from a lapse is not new.
    var tracker = drained(["a", "b"], of: ["a", "b", "c", "d"])
    for (sentAt, tasks) in [(10.5, ["c", "d"]), (11, ["d"]), (11.5, ["c", "d"]), (12, ["c", "d", "x"])]
      as [(Double, Set<String>)]
    {
      tracker.observe(.running, snapshot(sentAt, tasks))
    }
    #expect(tracker.firstRefill(.running) == time(1.5, 2.1))
    #expect(tracker.fullRefill(.running) == nil)
    #expect(tracker.refilledCount(.running) == 1)
    tracker.observe(.running, snapshot(12.5, ["c", "x", "y"]))
    #expect(tracker.fullRefill(.running) == time(2, 2.6))
  }

  @Test func aTaskSeenByAnyViewBeforeTheDrainIsOldInAll() {
    var tracker = RefillTracker(views: RefillTracker.View.allCases)
    tracker.observe(.listed, snapshot(9, ["a", "pending"]))
    tracker.observe(.warm, snapshot(9, ["a"]))
    tracker.drainBegins(at: seconds(9.9))
    tracker.drained(1, at: seconds(10))
    tracker.startClock(at: seconds(10))
    tracker.observe(.warm, snapshot(11, ["pending"]))
    #expect(tracker.fullRefill(.warm) == nil)
  }

  @Test func aTaskThatIsMissingFromOnePollAndReturnsDoesNotDelayTheRefill() {
    let all: Set<String> = ["v", "w", "x", "y", "z"]
    var tracker = drained(["a", "b", "c", "d", "e"], of: ["a", "b", "c", "d", "e"])
    tracker.observe(.running, snapshot(10.5, ["v", "w", "x", "y"]))
    // All five run from here on; each poll leaves out another one.
    tracker.observe(.running, snapshot(11, all.subtracting(["v"])))
    #expect(tracker.fullRefill(.running) == nil, "it may be gone")
    tracker.observe(.running, snapshot(11.5, all.subtracting(["w"])))
    #expect(tracker.fullRefill(.running)?.latest == .seconds(1.1))
  }

  @Test func aTaskThatIsGoneForTwoPollsIsGone() {
    var tracker = drained(["a", "b"], of: ["a", "b"])
    for (sentAt, tasks) in [(11, ["x"]), (12, ["y"]), (13, ["y"]), (14, ["y", "z"])] as [(Double, Set<String>)] {
      tracker.observe(.running, snapshot(sentAt, tasks))
    }
    #expect(tracker.fullRefill(.running)?.latest == .seconds(4.1))
  }

  /// Tasks were stopped past the gateway: its count has them in it until it notices.
  @Test func aBareCountDecidesOnlyAfterItHasFallen() {
    var tracker = RefillTracker(views: RefillTracker.View.allCases, countFallsLate: true)
    tracker.observe(.listed, snapshot(9, ["a", "b"]))
    tracker.observe(.warm, snapshot(9, [], unnamed: 2))
    tracker.drainBegins(at: seconds(9.9))
    tracker.drained(2, at: seconds(10))
    tracker.startClock(at: seconds(10))
    tracker.observe(.warm, snapshot(10.2, [], unnamed: 2))
    #expect(tracker.fullRefill(.warm) == nil && tracker.strictest == .running)
    tracker.observe(.warm, snapshot(12, [], unnamed: 0))
    tracker.observe(.running, snapshot(14, ["x", "y"]))
    #expect(tracker.strictest == .warm)
    tracker.observe(.warm, snapshot(15, [], unnamed: 2))
    #expect(tracker.fullRefill(.warm)?.latest == .seconds(5.1))
    #expect(tracker.strictest == .warm && tracker.needsRunning)
  }

  @Test func aBareCountThatIsUpBeforeTheTasksRunIsNotAboutThem() {
    var tracker = RefillTracker(views: RefillTracker.View.allCases)
    tracker.observe(.warm, snapshot(9, [], unnamed: 2))
    tracker.drainBegins(at: seconds(9.9))
    tracker.drained(2, at: seconds(10))
    tracker.startClock(at: seconds(10))
    tracker.observe(.running, snapshot(10.1, []))
    tracker.observe(.warm, snapshot(10.2, [], unnamed: 2))
    #expect(tracker.strictest == .warm)
    tracker.observe(.running, snapshot(14, []))
    tracker.observe(.running, snapshot(14.5, ["x", "y"]))
    #expect(tracker.strictest == .running)
  }

  @Test func tasksOfAnEarlierCycleAreNotNew() {
    var first = drained(["a"], of: ["a"])
    first.observe(.warm, snapshot(11, ["x"]))
    first.observe(.listed, snapshot(11, ["x", "late"]))
    #expect(first.known == ["a", "x", "late"])
    var second = RefillTracker(views: RefillTracker.View.allCases, known: first.known)
    second.observe(.warm, snapshot(20, ["x"]))
    second.drainBegins(at: seconds(21))
    second.took("x")
    second.drained(1, at: seconds(21))
    second.startClock(at: seconds(21))
    second.observe(.warm, snapshot(22, ["late", "a"]))
    #expect(second.fullRefill(.warm) == nil)
    second.observe(.warm, snapshot(23, ["late", "y"]))
    #expect(second.fullRefill(.warm) != nil)
    #expect(Array(second.taskRefills(.warm).keys) == ["y"])
  }

  @Test func everyNewTaskHasATimeOfItsOwn() {
    var tracker = drained(["a", "b"], of: ["a", "b", "c"])
    tracker.observe(.running, snapshot(10.5, ["c"]))
    tracker.observe(.running, snapshot(11, ["c", "x"]))
    tracker.observe(.running, snapshot(11.5, ["c"]))
    tracker.observe(.running, snapshot(12, ["c", "x", "y"]))
    // One that vanishes and returns was there when it was first seen.
    #expect(tracker.taskRefills(.running) == ["x": time(0.5, 1.1), "y": time(1.5, 2.1)])
    #expect(tracker.taskRefills(.warm).isEmpty)
  }

  @Test func aLapseOfOnePollIsNoEvidenceThatATaskWasMissing() {
    var tracker = drained(["a", "b"], of: ["a", "b"])
    for (sentAt, tasks) in [(11, ["x"]), (12, ["y"]), (13, ["x", "y"])] as [(Double, Set<String>)] {
      tracker.observe(.listed, snapshot(sentAt, tasks))
    }
    // At 12 s both were there, as 'x' was missing from that poll alone; at 11 s they were not.
    #expect(tracker.fullRefill(.listed) == time(1, 2.1))
  }

  @Test func tasksThatComeAndDieAreNoRefill() {
    var tracker = drained(["a", "b"], of: ["a", "b"])
    for number in 0..<20 { tracker.observe(.running, snapshot(11 + Double(number), ["task-\(number)"])) }
    #expect(tracker.fullRefill(.running) == nil)
    #expect(tracker.firstRefill(.running) == time(0, 1.1))
  }

  @Test func theColdFallbacksOwnTaskNeverCountsEvenIfItIsKnownLate() {
    var tracker = drained(["a", "b"], of: ["a", "b"])
    tracker.observe(.running, snapshot(11, ["cold", "x"]))
    #expect(tracker.fullRefill(.running) == time(0, 1.1))
    tracker.observe(.running, snapshot(12, ["cold", "x", "y"]))
    tracker.took("cold")
    #expect(tracker.fullRefill(.running) == time(1, 2.1))
    #expect(tracker.firstRefill(.running) == time(0, 1.1))
    #expect(tracker.refilledCount(.running) == 2)
  }

  @Test func aGatewayThatOnlyCountsIsBelievedAfterTheDrainAlone() {
    var tracker = RefillTracker(views: [.warm])
    tracker.observe(.warm, snapshot(9, [], unnamed: 5))
    tracker.drainBegins(at: seconds(9.5))
    // Sent before the drain was answered: these are still the old ones.
    tracker.observe(.warm, snapshot(9.8, [], unnamed: 5))
    tracker.drained(3, at: seconds(10))
    tracker.startClock(at: seconds(10))
    for (sentAt, count) in [(10.5, 2), (11, 3), (12, 4), (13, 5)] {
      tracker.observe(.warm, snapshot(sentAt, [], unnamed: count))
    }
    #expect(tracker.firstRefill(.warm) == time(0.5, 1.1))
    #expect(tracker.fullRefill(.warm) == time(2, 3.1))
  }

  @Test func aPollThatWasLostWidensTheResolution() {
    var tracker = drained(["a"], of: ["a"], views: [.warm])
    tracker.observe(.warm, snapshot(11, []))
    tracker.observe(.warm, snapshot(14, ["x"]))
    #expect(tracker.fullRefill(.warm) == time(1, 4.1))
    #expect(tracker.fullRefill(.warm)?.resolution == .seconds(3.1))
  }

  @Test func whatWasFullBeforeTheClockStartedTookNoTime() {
    var tracker = RefillTracker(views: [.warm])
    tracker.observe(.warm, snapshot(9, ["a"]))
    tracker.drainBegins(at: seconds(9.9))
    tracker.drained(1, at: seconds(10))
    tracker.observe(.warm, snapshot(10.5, ["x"]))
    #expect(tracker.fullRefill(.warm) == nil, "there is no t₀ yet")
    tracker.startClock(at: seconds(20))
    #expect(
      tracker.fullRefill(.warm)
        == RefillTime(ObservedTransition(lastNegativeSentAt: 0, firstPositiveAnsweredAt: 0), since: 1))
  }

  @Test(arguments: [
    ([RefillTracker.View.warm], RefillTracker.View.warm), ([.running, .listed], .running), ([.listed], .listed),
    ([.warm, .listed, .running], .warm),
  ]) func theStrictestViewIsTheLastOnATasksWay(views: [RefillTracker.View], strictest: RefillTracker.View) {
    #expect(RefillTracker(views: views).strictest == strictest)
  }

  @Test func everyOrderOfViewsGivesTheSameTimes() {
    let polls: [(RefillTracker.View, Double, Set<String>)] = [
      (.listed, 11, ["x"]), (.running, 11, []), (.listed, 12, ["x"]), (.running, 12, ["x"]),
    ]
    for order in [[0, 1, 2, 3], [1, 0, 3, 2], [0, 2, 1, 3], [1, 3, 0, 2]] {
      var tracker = drained(["a"], of: ["a"], views: [.listed, .running])
      for index in order { tracker.observe(polls[index].0, snapshot(polls[index].1, polls[index].2)) }
      #expect(tracker.fullRefill(.listed) == time(0, 1.1), "\(order)")
      #expect(tracker.fullRefill(.running) == time(1, 2.1), "\(order)")
    }
  }
}
