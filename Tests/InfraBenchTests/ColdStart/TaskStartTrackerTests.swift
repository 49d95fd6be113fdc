import Gateway
import Latency
import Testing
import TestSupport

@testable import AWS
@testable import InfraBench
@testable import Results

/// Following tasks from RunTask to the gateway, event by event.
@Suite struct TaskStartTrackerTests {
  private static func arn(_ id: String) -> String { "arn:aws:ecs:eu-west-1:123456789012:task/pool/\(id)" }

  private func task(
    _ id: String, _ status: String, desired: String = "RUNNING", reason: String? = nil
  ) -> ECSTask {
    ECSTask(taskArn: Self.arn(id), lastStatus: status, desiredStatus: desired, stoppedReason: reason)
  }

  private func tracker(_ ids: String...) -> TaskStartTracker {
    var tracker = TaskStartTracker()
    for id in ids { tracker.began(task(id, "PROVISIONING"), sentAt: 100, answeredAt: 200, deadline: 10_000_000_100) }
    return tracker
  }

  private func status(_ tasks: [(String, String)]) -> StatusAnswer {
    StatusAnswer(
      warmCount: tasks.count { $0.1 == "warm" }, assignedCount: 0,
      tasks: tasks.map { TaskEntry(taskId: $0.0, state: $0.1) })
  }

  private func counts(warm: Int, assigned: Int = 0) -> StatusAnswer {
    StatusAnswer(warmCount: warm, assignedCount: assigned)
  }

  @Test func theWayOfATaskIsStampedByTheLooksAroundEachStep() throws {
    var tracker = tracker("a")
    #expect(tracker.observe([task("a", "PENDING")], asked: tracker.underWay, sentAt: 300, answeredAt: 310).isEmpty)
    #expect(tracker.observe(status([("a", "warming")]), sentAt: 320, answeredAt: 330).isEmpty)
    #expect(tracker.observe([task("a", "RUNNING")], asked: tracker.underWay, sentAt: 400, answeredAt: 410).isEmpty)
    #expect(tracker.observe([task("a", "RUNNING")], asked: tracker.underWay, sentAt: 500, answeredAt: 510).isEmpty)
    #expect(tracker.observe(status([]), sentAt: 520, answeredAt: 530).isEmpty)
    let ended = tracker.observe(status([("other", "warm"), ("a", "warm")]), sentAt: 600, answeredAt: 610)
    #expect(ended.map(\.task) == ["a"])
    let phases = try #require(try ended.first?.outcome.get())
    #expect(
      phases
        == TaskStartPhases(
          sentAt: 100, answeredAt: 200, notRunningSince: 300, runningSeenAt: 410,
          connected: ObservedTransition(lastNegativeSentAt: 520, firstPositiveAnsweredAt: 610)))
    #expect(tracker.underWay.isEmpty)
    #expect(tracker.expire(at: .distantFuture).isEmpty)
  }

  @Test(arguments: ["warm", "ready", "assigned"]) func everyStateButWarmingIsConnected(state: String) {
    var tracker = tracker("a")
    #expect(tracker.observe(status([("a", "warming")]), sentAt: 1, answeredAt: 2).isEmpty)
    #expect(tracker.observe(status([("a", state)]), sentAt: 3, answeredAt: 4).count == 1)
  }

  /// DescribeTasks answers MISSING for a task that it does not know yet: the last look that denied it stays the last one.
  @Test(arguments: [(nil, 200), (250, 250)] as [(Instant?, Instant)])
  func aTaskThatECSDoesNotKnowYetIsNoAnswerAboutIt(deniedAt: Instant?, notRunningSince: Instant) throws {
    var tracker = tracker("a")
    if let deniedAt {
      _ = tracker.observe([task("a", "PENDING")], asked: tracker.underWay, sentAt: deniedAt, answeredAt: deniedAt + 5)
    }
    _ = tracker.observe([], asked: tracker.underWay, sentAt: 300, answeredAt: 310)
    _ = tracker.observe([task("a", "RUNNING")], asked: tracker.underWay, sentAt: 400, answeredAt: 410)
    let ended = tracker.observe(status([("a", "warm")]), sentAt: 600, answeredAt: 610)
    let phases = try #require(try ended.first?.outcome.get())
    #expect(phases.notRunningSince == notRunningSince && phases.runningSeenAt == 410)
    #expect(phases.runningResolution == (410 as Instant) - notRunningSince)
  }

  // MARK: A status that names no tasks

  @Test func aLookIsNeededBeforeAStartWhereTheStatusNamesNone() {
    var tracker = TaskStartTracker()
    #expect(!tracker.needsLook)
    tracker.learn(namesTasks: false)
    tracker.callBegan()
    #expect(tracker.needsLook)
    _ = tracker.observe(counts(warm: 4), sentAt: 10, answeredAt: 20)
    #expect(!tracker.needsLook)
    tracker.began(task("a", "RUNNING"), sentAt: 100, answeredAt: 200, deadline: .distantFuture)
    #expect(tracker.observe(counts(warm: 5), sentAt: 210, answeredAt: 220).map(\.task) == ["a"])
    // What comes and goes until the next start is none of its doing.
    #expect(tracker.needsLook)
    tracker.learn(namesTasks: true)
    #expect(!tracker.needsLook)
  }

  @Test func aTaskThatCameBeforeRunTasksAnswerIsItsOwn() {
    var tracker = TaskStartTracker()
    tracker.callBegan()
    _ = tracker.observe(counts(warm: 0), sentAt: 10, answeredAt: 20)
    #expect(tracker.observe(counts(warm: 1), sentAt: 30, answeredAt: 40).isEmpty)
    #expect(tracker.observe(counts(warm: 1), sentAt: 50, answeredAt: 60).isEmpty)
    tracker.began(task("a", "RUNNING"), sentAt: 15, answeredAt: 70, deadline: .distantFuture)
    #expect(tracker.observe(counts(warm: 1), sentAt: 80, answeredAt: 90).map(\.task) == ["a"])
  }

  @Test func moreTasksThanCallsAreOthers() {
    var tracker = TaskStartTracker()
    for _ in 0..<2 { tracker.callBegan() }
    _ = tracker.observe(counts(warm: 0), sentAt: 10, answeredAt: 20)
    _ = tracker.observe(counts(warm: 5), sentAt: 30, answeredAt: 40)
    tracker.callFailed()
    _ = tracker.observe(counts(warm: 5), sentAt: 50, answeredAt: 60)
    tracker.began(task("a", "RUNNING"), sentAt: 15, answeredAt: 70, deadline: .distantFuture)
    tracker.callBegan()
    tracker.began(task("b", "RUNNING"), sentAt: 71, answeredAt: 75, deadline: .distantFuture)
    #expect(tracker.observe(counts(warm: 5), sentAt: 80, answeredAt: 90).map(\.task) == ["a"])
  }

  /// Another user's start has ended meanwhile: the count that was seen before this call still counts.
  @Test func theEndOfOneStartForgetsNothingThatAnotherNeeds() {
    var tracker = TaskStartTracker()
    tracker.callBegan()
    _ = tracker.observe(counts(warm: 0), sentAt: 10, answeredAt: 20)
    tracker.began(task("a", "RUNNING"), sentAt: 15, answeredAt: 25, deadline: .distantFuture)
    tracker.callBegan()
    #expect(tracker.observe(counts(warm: 1), sentAt: 30, answeredAt: 40).map(\.task) == ["a"])
    tracker.began(task("b", "RUNNING"), sentAt: 35, answeredAt: 45, deadline: .distantFuture)
    #expect(tracker.observe(counts(warm: 2), sentAt: 50, answeredAt: 60).map(\.task) == ["b"])
  }

  @Test func anAnswerSaysNothingOfTasksThatWereNotAskedFor() throws {
    var tracker = tracker("a")
    let asked = tracker.underWay
    tracker.began(task("b", "PENDING"), sentAt: 210, answeredAt: 220, deadline: .distantFuture)
    _ = tracker.observe([task("a", "RUNNING")], asked: asked, sentAt: 300, answeredAt: 310)
    let ended = tracker.observe(status([("b", "warm")]), sentAt: 600, answeredAt: 610)
    let phases = try #require(try ended.first?.outcome.get())
    #expect(phases.runningSeenAt == nil && phases.connected.lastNegativeSentAt == 220)
    #expect(tracker.underWay == [Self.arn("a")])
  }

  @Test(arguments: ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"], [false, true])
  func aTaskThatEndsFailsInTheStepThatItWasIn(status: String, hasRun: Bool) {
    var tracker = tracker("a")
    if hasRun { _ = tracker.observe([task("a", "RUNNING")], asked: tracker.underWay, sentAt: 300, answeredAt: 310) }
    let ended = tracker.observe(
      [task("a", status, reason: "CannotPullContainerError: no such image")], asked: tracker.underWay, sentAt: 400,
      answeredAt: 410)
    guard case .failure(let failure)? = ended.first?.outcome else {
      Issue.record("no failure")
      return
    }
    #expect(failure.step == (hasRun ? .waitConnection : .pendingToRunning) && failure.kind == "stopped")
    #expect(failure.message == "task a is \(status): CannotPullContainerError: no such image")
    #expect(failure.task == Self.arn("a") && tracker.underWay.isEmpty)
  }

  @Test func aTaskThatIsWantedStoppedFailsThoughItStillRuns() {
    var tracker = tracker("a")
    let ended = tracker.observe(
      [task("a", "RUNNING", desired: "STOPPED")], asked: tracker.underWay, sentAt: 400, answeredAt: 410)
    #expect(ended.count == 1)
  }

  @Test(arguments: [false, true]) func theDeadlineNamesTheStep(hasRun: Bool) {
    var tracker = tracker("a", "b")
    _ = tracker.observe(
      [task("a", hasRun ? "RUNNING" : "PENDING")], asked: tracker.underWay, sentAt: 300, answeredAt: 310)
    #expect(tracker.expire(at: 10_000_000_099).isEmpty)
    let ended = tracker.expire(at: 10_000_000_100)
    #expect(ended.map(\.task) == ["a", "b"] && tracker.underWay.isEmpty)
    guard case .failure(let failure)? = ended.first?.outcome else {
      Issue.record("no failure")
      return
    }
    #expect(failure.step == (hasRun ? .waitConnection : .pendingToRunning) && failure.kind == "timeout")
    #expect(failure.message.contains(hasRun ? "task a is RUNNING" : "task a was still PENDING 10 s after RunTask"))
  }

  @Test func whereTheStatusNamesNoTasksTheCountsRiseTells() {
    var tracker = tracker("a", "b")
    // The first look is what there was before; an acquire turns a warm task into an assigned one.
    for (look, ended) in [
      (counts(warm: 2), []), (counts(warm: 2), []), (counts(warm: 1, assigned: 1), []),
      (counts(warm: 2, assigned: 1), ["a"]), (counts(warm: 1, assigned: 1), []), (counts(warm: 2, assigned: 1), ["b"]),
    ] as [(StatusAnswer, [String])] {
      #expect(tracker.observe(look, sentAt: 300, answeredAt: 310).map(\.task) == ended)
    }
    // Once nobody is waited for, what comes and goes is none of the next start's.
    _ = tracker.observe(counts(warm: 1), sentAt: 400, answeredAt: 410)
    tracker.began(task("c", "PENDING"), sentAt: 500, answeredAt: 510, deadline: .distantFuture)
    #expect(tracker.observe(counts(warm: 2), sentAt: 600, answeredAt: 610).map(\.task) == ["c"])
  }

  @Test func forgottenStartsAreNotToldOf() {
    var tracker = tracker("a", "b")
    tracker.forget(["a"])
    #expect(tracker.observe(status([("a", "warm")]), sentAt: 300, answeredAt: 310).isEmpty)
    #expect(tracker.underWay == [Self.arn("b")])
  }
}
