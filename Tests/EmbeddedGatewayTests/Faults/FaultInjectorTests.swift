import Latency
import Testing

@testable import EmbeddedGateway
@testable import Faults

/// What a plan strikes, and when.
@Suite struct FaultInjectorTests {
  private let start = Instant.distantPast + .seconds(1000)

  private func injector(_ text: String) throws -> FaultInjector {
    FaultInjector(try InjectedFaults(parsing: text), startedAt: start)
  }

  /// Which of `count` events, one each 10 ms, are struck.
  private func struck(_ injector: inout FaultInjector, _ event: FaultEvent, _ count: Int) -> [Int] {
    (0..<count).filter { injector.strike(event, now: start + .milliseconds(10 * $0)) != nil }
  }

  /// The instants of strikes by the clock in ms, if the owner wakes when it is asked to.
  private func strikes(_ injector: inout FaultInjector, until end: Nanoseconds, targets: Int = 1) -> [Double] {
    var found: [Double] = []
    while let due = injector.nextDue, due <= start + end {
      found += injector.due(now: due) { _ in targets }.map { _ in (due - start).milliseconds }
    }
    return found
  }

  @Test func equalSeedsStrikeEqualEventsWhateverHappensBeside() throws {
    var one = try injector("seed=5; start-fails:p=0.3")
    var other = try injector("seed=5; start-fails:p=0.3; answer-5xx:p=0.5; task-dies-warm")
    var third = try injector("seed=6; start-fails:p=0.3")
    let first = struck(&one, .start, 1000)
    _ = struck(&other, .answer(.acquire), 100)
    #expect(struck(&other, .start, 1000) == first && struck(&third, .start, 1000) != first)
    #expect((250...350).contains(first.count))
    #expect(one.players[0].injected == first.count && one.players[0].events == 1000)
  }

  @Test func rulesOfOneKindDrawApart() throws {
    var plan = try injector("start-fails:p=0.5; start-fails:p=0.5")
    let all = struck(&plan, .start, 1000)
    // The second rule is asked where the first does not strike: half of the other half.
    #expect((700...800).contains(all.count))
    #expect((450...550).contains(plan.players[0].injected) && plan.players[1].events == 1000 - plan.players[0].injected)
  }

  @Test func skipCountAndStreakBoundWhatIsStruck() throws {
    var plan = try injector("start-fails:skip=3,count=5")
    #expect(struck(&plan, .start, 20) == [3, 4, 5, 6, 7])
    plan = try injector("seed=2; start-fails:p=0.1,streak=4")
    let struck = struck(&plan, .start, 2000)
    var runs: [Int] = []
    for (index, event) in struck.enumerated() {
      if index > 0, struck[index - 1] == event - 1 { runs[runs.count - 1] += 1 } else { runs.append(1) }
    }
    // A strike right after another one makes a longer run; the last one may be cut off by the end.
    #expect(runs.dropLast().allSatisfy { $0 % 4 == 0 } && runs.count > 20)
  }

  @Test func nothingIsStruckOutsideTheTimeOfPlay() throws {
    var plan = try injector("start-fails:after=100ms,for=50ms,every=200ms")
    // Events at 0, 10, 20 … ms.
    let expected = (0..<60).filter { $0 >= 10 && ($0 - 10) % 20 < 5 }
    #expect(struck(&plan, .start, 60) == expected)
    #expect(plan.players[0].events == expected.count)
  }

  @Test func clockStrikesAsOftenAsItsRateAndOnlyInItsTime() throws {
    for seed in 1...5 {
      var plan = try injector("seed=\(seed); task-dies-warm:rate=2/s")
      #expect((160...240).contains(strikes(&plan, until: .seconds(100)).count))
      plan = try injector("seed=\(seed); task-dies-warm:rate=20/s,after=1s,for=1s,every=5s")
      let found = strikes(&plan, until: .seconds(60))
      #expect(found.allSatisfy { $0 >= 1000 && ($0 - 1000).truncatingRemainder(dividingBy: 5000) < 1000 })
      // 12 plays of 1 s, 20 strikes each on average.
      #expect((160...320).contains(found.count), "\(found.count)")
      plan = try injector("seed=\(seed); task-dies-warm:rate=100/s,for=1s")
      #expect((60...140).contains(strikes(&plan, until: .seconds(60)).count) && plan.nextDue == nil)
      plan = try injector("seed=\(seed); task-dies-warm:rate=100/s,count=3")
      #expect(strikes(&plan, until: .seconds(60)).count == 3 && plan.nextDue == nil)
    }
  }

  /// A rule whose play is far shorter than its pauses may not keep the event loop for long.
  @Test func rarePlaysAreFoundInBoundedTime() throws {
    var plan = try injector("task-dies-warm:rate=1/h,for=1ms,every=1s")
    let due = try #require(plan.nextDue)
    #expect(due > start)
    #expect(plan.due(now: due) { _ in 1 }.count == 1)
  }

  @Test func strikeWaitsForATargetUntilItsPlayEnds() throws {
    var plan = try injector("task-dies-warm:rate=10/s,for=10s,every=20s")
    #expect(strikes(&plan, until: .seconds(20), targets: 0) == [])
    #expect(plan.players[0].injected == 0 && plan.players[0].withoutTarget == 1)
    // The first strike of the next play waits, and hits the first task that comes.
    let due = try #require(plan.nextDue)
    #expect(due >= start + .seconds(20))
    #expect(plan.due(now: due) { _ in 0 }.isEmpty)
    let again = try #require(plan.nextDue)
    #expect(again == due + .milliseconds(5) && plan.due(now: again) { _ in 1 }.count == 1)
    #expect(plan.players[0].injected == 1 && plan.players[0].withoutTarget == 1)
  }

  @Test func lateWakeUpStrikesOnceAndGoesOnFromThere() throws {
    var plan = try injector("task-dies-warm:rate=1000/s")
    #expect(plan.due(now: start + .seconds(100)) { _ in 1 }.count == 1)
    #expect(try #require(plan.nextDue) > start + .seconds(100))
  }

  @Test func stallHoldsAnswersOfItsPlacesUntilItsEnd() throws {
    var plan = try injector("answer-stall:on=acquire,after=1s,for=2s,every=10s")
    func end(_ place: FaultPlace, _ milliseconds: Int) -> Double? {
      plan.stallEnd(at: place, now: start + .milliseconds(milliseconds)).map { ($0 - start).milliseconds }
    }
    #expect(end(.acquire, 999) == nil && end(.acquire, 1000) == 3000 && end(.acquire, 2999) == 3000)
    #expect(end(.acquire, 3000) == nil && end(.acquire, 11_500) == 13_000 && end(.release, 1500) == nil)
    #expect(plan.players[0].injected == 3)
  }

  @Test func eventsMeetOnlyTheirOwnFaults() throws {
    var plan = try injector(FaultKind.allCases.map(\.rawValue).joined(separator: ";"))
    let first: [(FaultEvent, FaultKind)] = [
      (.start, .startFails), (.assigned, .taskDiesAssigned), (.ready, .neverReady),
      (.sessionEnd, .oldSessionLingers), (.answer(.acquire), .answerSlow), (.ecsCall, .ecsThrottling),
      (.ecsListing, .ecsTaskFlickers),
    ]
    for (event, kind) in first { #expect(plan.strike(event, now: start)?.kind == kind) }
    #expect(plan.strike(.answer(.ecs), now: start) == nil, "ecs is struck only where it is named")
    #expect(plan.clockSkew(now: start) == 3600)
  }
}
