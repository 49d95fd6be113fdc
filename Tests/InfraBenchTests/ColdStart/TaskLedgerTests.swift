import Testing

@testable import InfraBench
@testable import Results

/// Which tasks of a run are over, event by event.
@Suite struct TaskLedgerTests {
  private static func arn(_ id: String) -> String { "arn:aws:ecs:eu-west-1:123456789012:task/pool/\(id)" }

  /// A ledger whose users have each started one of `ids`, and go to the gateway.
  private func ledger(_ ids: String...) -> TaskLedger {
    var ledger = TaskLedger()
    for id in ids {
      ledger.startBegan()
      ledger.started(Self.arn(id))
      ledger.startEnded(id)
    }
    return ledger
  }

  @Test func aTaskIsOverWhenItsUserHasLeftWhoeverHasStartedIt() {
    var ledger = ledger("a", "b")
    #expect(ledger.over.surely.isEmpty && ledger.over.ifAbsent.isEmpty)
    ledger.given("b", insteadOf: "a")
    ledger.given("a", insteadOf: "b")
    #expect(ledger.over.surely.isEmpty)
    ledger.left("b", startedFor: "a")
    #expect(ledger.over.surely == ["b"], "the other user has a")
    ledger.left("a", startedFor: "b")
    #expect(Set(ledger.over.surely) == ["a", "b"])
    #expect(ledger.hasServed("a") && ledger.remainingARN("a") == Self.arn("a"))
    #expect(ledger.ended("a") && !ledger.ended("a") && ledger.remainingARN("a") == nil)
    #expect(ledger.count == 2)
  }

  /// A task may be at the gateway before the answer that names it has been read.
  @Test(arguments: [false, true]) func aTaskThatWasGivenBeforeItsRunTaskWasAnsweredHasServed(hasLeft: Bool) {
    var ledger = ledger("a")
    ledger.startBegan()
    ledger.given("b", insteadOf: "a")
    if hasLeft { ledger.left("b", startedFor: "a") }
    ledger.started(Self.arn("b"))
    #expect(ledger.hasServed("b") && ledger.over.surely == (hasLeft ? ["b"] : []))
    ledger.left("b", startedFor: "a")
    #expect(ledger.over.surely == ["b"] && ledger.count == 2)
    // Of the gateway's own tasks none is the run's.
    ledger.given("c", insteadOf: "b")
    ledger.allLeft()
    #expect(ledger.count == 2 && !ledger.contains("c") && !ledger.remaining.contains("c"))
    #expect(ledger.started(Self.arn("c")) && ledger.hasServed("c") && ledger.over.surely.contains("c"))
  }

  /// The first user is given the second's task, and leaves: the second is on its way to the first's.
  @Test func aTaskThatNobodyWasGivenIsKeptWhileAUserIsOnItsWay() {
    var ledger = ledger("a", "b")
    ledger.given("b", insteadOf: "a")
    ledger.left("b", startedFor: "a")
    #expect(ledger.over.surely == ["b"] && ledger.over.ifAbsent == ["a"])
    ledger.given("a", insteadOf: "b")
    #expect(ledger.over.surely == ["b"] && ledger.over.ifAbsent.isEmpty)
  }

  /// A duplicate assignment: the task stays until the last of its users has left.
  @Test func aTaskThatWasGivenTwiceIsOverWhenBothUsersHaveLeft() {
    var ledger = ledger("a", "b")
    ledger.given("a", insteadOf: "a")
    ledger.given("a", insteadOf: "b")
    ledger.left("a", startedFor: "a")
    ledger.left("a", startedFor: "a")
    #expect(!ledger.over.surely.contains("a"), "the second user has it")
    ledger.left("a", startedFor: "b")
    #expect(Set(ledger.over.surely) == ["a", "b"])
  }

  /// What is asked right before a stop: the look at the gateway took its time, and a user came meanwhile.
  @Test func aTaskThatAUserWasGivenSinceItWasOverIsNotOver() {
    var ledger = ledger("a", "b")
    ledger.given("b", insteadOf: "a")
    ledger.left("b", startedFor: "a")
    #expect(ledger.over.surely == ["b"] && ledger.over.ifAbsent == ["a"])
    #expect(ledger.isOver("b", isAbsent: false) && ledger.isOver("a", isAbsent: true))
    #expect(!ledger.isOver("a", isAbsent: false), "the other user is on its way, and the gateway may have it to give")
    ledger.given("a", insteadOf: "b")
    for isAbsent in [true, false] { #expect(!ledger.isOver("a", isAbsent: isAbsent)) }
    // A duplicate assignment of one whose user has left.
    ledger.given("b", insteadOf: "c")
    for isAbsent in [true, false] { #expect(!ledger.isOver("b", isAbsent: isAbsent)) }
    ledger.allLeft()
    #expect(ledger.isOver("a", isAbsent: false) && ledger.isOver("b", isAbsent: false))
    ledger.ended("a")
    #expect(!ledger.isOver("a", isAbsent: true) && !ledger.isOver("unknown", isAbsent: true))
  }

  @Test func whatWasSeenAtTheGatewayIsRemembered() {
    var ledger = ledger("a")
    ledger.started(Self.arn("b"))
    ledger.startEnded(nil)
    #expect(ledger.wasAtGateway("a") && !ledger.wasAtGateway("b"))
    ledger.seenAtGateway(["b", "another's"])
    #expect(ledger.wasAtGateway("b") && !ledger.wasAtGateway("another's") && ledger.count == 2)
  }

  @Test func aStartUnderWayIsAUserOnItsWay() {
    var ledger = ledger("a")
    ledger.startBegan()
    ledger.given("the gateway's own", insteadOf: "a")
    ledger.left("the gateway's own", startedFor: "a")
    #expect(ledger.over.surely.isEmpty && ledger.over.ifAbsent == ["a"])
    ledger.startEnded(nil)
    #expect(ledger.over.surely == ["a"])
    #expect(!ledger.hasServed("a"))
  }

  /// A task that is not at the gateway yet, with its user's start under way, is not over.
  @Test func aTaskThatIsStillStartingIsWaitedFor() {
    var ledger = ledger("a")
    ledger.startBegan()
    ledger.started(Self.arn("b"))
    ledger.given("a", insteadOf: "a")
    ledger.left("a", startedFor: "a")
    #expect(ledger.over.surely == ["a"] && ledger.over.ifAbsent.isEmpty)
    ledger.startEnded(nil)
    ledger.left(nil, startedFor: "b")
    #expect(Set(ledger.over.surely) == ["a", "b"])
  }

  @Test func whatIsFoundAtTheEndIsWaitedForByNobody() {
    var ledger = TaskLedger()
    ledger.started(Self.arn("late"), isAwaited: false)
    #expect(ledger.over.surely == ["late"])
    ledger.started(Self.arn("later"))
    ledger.allLeft()
    #expect(Set(ledger.over.surely) == ["late", "later"])
  }

  /// However users are given one another's tasks: none is over while a user has it or may be given it, and all are in the end.
  @Test(arguments: 0..<50) func everyOrderEndsWithAllTasksOver(seed: UInt64) {
    var random = SplitMix(state: seed &+ 1)
    var ledger = TaskLedger()
    var waiting: [String] = []
    var idle: [String] = []
    var serving: [(user: String, task: String)] = []
    var over: Set<String> = []
    var next = 0
    while next < 30 || !waiting.isEmpty || !serving.isEmpty {
      switch Int.random(in: 0..<3, using: &random) {
      case 0 where next < 30:
        next += 1
        ledger.startBegan()
        ledger.started(Self.arn("t\(next)"))
        ledger.startEnded("t\(next)")
        waiting.append("t\(next)")
        idle.append("t\(next)")
      case 1 where !waiting.isEmpty:
        let user = waiting.remove(at: .random(in: 0..<waiting.count, using: &random))
        let task = idle.remove(at: .random(in: 0..<idle.count, using: &random))
        ledger.given(task, insteadOf: user)
        serving.append((user, task))
      case 2 where !serving.isEmpty:
        let (user, task) = serving.remove(at: .random(in: 0..<serving.count, using: &random))
        ledger.left(task, startedFor: user)
        over.insert(task)
      default: continue
      }
      #expect(Set(ledger.over.surely) == over, "seed \(seed)")
    }
    #expect(over.count == 30)
  }
}

/// A generator of its own seed.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
