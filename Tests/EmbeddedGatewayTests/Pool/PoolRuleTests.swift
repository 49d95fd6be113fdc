import Latency
import Synchronization
import Testing
import TestSupport

@testable import EmbeddedGateway

/// Each rule of the pool by itself (spec/gateway-protocol.md, "Pool rules").
@Suite struct PoolRuleTests {
  @Test(arguments: [
    (3, nil, 10, 12, 3), (5, 2, 10, 20, 5), (12, nil, 10, 48, 10), (8, nil, 10, 4, 4), (0, nil, 10, 4, 0),
  ])
  func poolFillsToItsTargetWithinItsLimits(target: Int, threshold: Int?, size: Int, tasks: Int, started: Int) {
    var rules = PoolRules(targetSize: target, maxSize: size, maxTasks: tasks)
    rules.replenishThreshold = threshold
    var world = PoolWorld(rules)
    world.tick()
    #expect(world.starting.count == started)
  }

  @Test func defaultsFollowTheTarget() {
    let rules = PoolRules(targetSize: 5)
    #expect(rules.maxSize == 10 && rules.maxTasks == 20 && rules.threshold == 5)
    let bare = PoolRules(targetSize: 0)
    #expect(bare.maxSize == 0 && bare.maxTasks == 0 && !bare.startsWhenEmpty)
  }

  /// The example of ``PoolStateMachine``'s comment.
  @Test func aHitIsRefilledAndItsReleaseStopsTheTask() {
    let ids = Mutex(["t1", "t2"])
    var pool = PoolStateMachine(
      rules: PoolRules(targetSize: 1), makeTaskID: { ids.withLock { $0.removeFirst() } })
    #expect(pool.tick(now: 0) == [.start("t1")])
    #expect(pool.taskConnected("t1", now: 5) == [])
    #expect(pool.acquire(1, deadline: 100, now: 10) == [.assign("t1", 1, .warm), .start("t2")])
    #expect(pool.taskReady("t1") == [.ready("t1", 1)])
    let released = PoolFailure(.taskReleased, "the task was released")
    #expect(pool.release("t1", now: 20) == [.lost("t1", 1, released), .stop("t1")])
  }

  /// Target 5: how many starts each of five acquisitions sets off.
  @Test(arguments: [(nil, [1, 1, 1, 1, 1]), (2, [0, 0, 0, 4, 0])])
  func acquisitionsReplenishBelowTheThreshold(threshold: Int?, starts: [Int]) {
    var rules = PoolRules(targetSize: 5)
    rules.replenishThreshold = threshold
    var world = PoolWorld.filled(rules)
    let started = (0..<5).map { _ in
      world.acquire()
      defer { world.starting = [] }
      return world.starting.count
    }
    #expect(started == starts)
  }

  @Test func longestWaitingTaskIsHandedOutFirst() {
    var world = PoolWorld.filled(PoolRules(targetSize: 3))
    let order = world.pool.warm.elements
    let requests = (0..<3).map { _ in world.acquire() }
    #expect(requests.map { world.answers[$0] } == order.map { .assigned($0, .warm) })
  }

  @Test func requestThatFindsNoWarmTaskIsColdEvenWhenAStartingTaskServesIt() {
    var world = PoolWorld(PoolRules(targetSize: 2))
    world.tick()
    let request = world.acquire()
    #expect(world.answers[request] == nil)
    let first = world.starting[0]
    world.connect(first)
    #expect(world.answers[request] == .assigned(first, .cold))
  }

  @Test func waitersAreServedInOrderOfArrival() {
    var world = PoolWorld(PoolRules(targetSize: 1, maxTasks: 20))
    let requests = (0..<4).map { _ in world.acquire() }
    let order = world.starting
    #expect(order.count == 5)
    world.connectAll()
    #expect(requests.map { world.answers[$0] } == order.prefix(4).map { .assigned($0, .cold) })
    #expect(world.pool.warmCount == 1)
  }

  @Test func emptyPoolMissesWhenColdStartsAreOff() {
    var rules = PoolRules(targetSize: 1)
    rules.allowsColdStarts = false
    var world = PoolWorld.filled(rules)
    world.acquire()
    #expect(world.answers[world.acquire()] == .missed)
  }

  @Test func waiterIsToldAtItsDeadline() {
    var world = PoolWorld(PoolRules(targetSize: 1))
    let request = world.acquire(within: 5 * second)
    world.pass(5 * second - 1)
    #expect(world.answers[request] == nil)
    world.pass(1)
    #expect(world.answers[request] == .failed(.taskStartFailed))
  }

  @Test func cancelledWaiterConsumesNoTask() {
    var world = PoolWorld(PoolRules(targetSize: 1))
    let gone = world.acquire()
    let patient = world.acquire()
    world.cancel(gone)
    let first = world.starting[0]
    world.connect(first)
    #expect(world.answers[patient] == .assigned(first, .cold))
    #expect(world.answers[gone] == nil)
  }

  @Test(arguments: [true, false])
  func poolComesBackToItsTargetWhenWaitersLeave(isCancelled: Bool) {
    var world = PoolWorld(PoolRules(targetSize: 2, maxSize: 10, maxTasks: 20))
    let requests = (0..<5).map { _ in world.acquire(within: 5 * second) }
    #expect(world.starting.count == 7)
    if isCancelled {
      for request in requests { world.cancel(request) }
    } else {
      world.pass(5 * second)
    }
    #expect(world.starting.count == 2 && world.stopping.count == 5)
    world.reap()
    world.connectAll()
    #expect(world.pool.warmCount == 2)
  }

  @Test func taskThatRunTaskStartedSurvivesOthersLeaving() throws {
    var world = PoolWorld.filled(PoolRules(targetSize: 1, maxSize: 10, maxTasks: 20))
    let started = world.pool.runTask(now: world.now)
    let id = try #require(started)
    world.starting.append(id)
    let request = world.acquire()
    world.cancel(request)
    #expect(world.stopping.isEmpty && world.starting.contains(id))
  }

  /// Whether an ECS service keeps the pool decides when a task is replaced.
  @Test(arguments: [false, true]) func tasksAreReplacedOnAssignmentOrOnRelease(onRelease: Bool) {
    var rules = PoolRules(targetSize: 2, maxSize: 10, maxTasks: 20)
    rules.replacesOnRelease = onRelease
    var world = PoolWorld.filled(rules)
    world.acquire()
    world.acquire()
    #expect(world.starting.count == (onRelease ? 0 : 2))
    world.release(world.assignedTasks[0])
    #expect(world.starting.count == (onRelease ? 1 : 2))
  }

  @Test func aUserBeyondAPoolThatReplacesOnReleaseIsServedByATaskOfItsOwn() {
    var rules = PoolRules(targetSize: 1, maxSize: 10, maxTasks: 20)
    rules.replacesOnRelease = true
    var world = PoolWorld.filled(rules)
    world.acquire()
    let beyond = world.acquire()
    #expect(world.starting.count == 1)
    let task = world.starting[0]
    world.connectAll()
    // More are assigned now than the pool keeps: the next one is served all the same.
    #expect(world.answers[beyond] == .assigned(task, .cold) && world.starting.isEmpty)
    // Someone who leaves takes the task that was started for them along.
    let gone = world.acquire()
    #expect(world.starting.count == 1)
    world.cancel(gone)
    #expect(world.starting.isEmpty && world.stopping.count == 1)
  }

  @Test func aGatewayThatKeepsNoPoolHandsOutWhatRunTaskStarts() throws {
    var world = PoolWorld.filled(PoolRules(targetSize: 0, maxSize: 2, maxTasks: 4))
    let started = world.pool.runTask(now: world.now)
    let id = try #require(started)
    world.starting.append(id)
    world.connectAll()
    let request = world.acquire()
    #expect(world.answers[request] == .assigned(id, .warm) && world.starting.isEmpty)
  }

  @Test func releasedTaskEndsAndIsReplacedNeverReturned() {
    var rules = PoolRules(targetSize: 1, maxSize: 1, maxTasks: 1)
    rules.allowsColdStarts = false
    var world = PoolWorld.filled(rules)
    world.acquire()
    let task = world.assignedTasks[0]
    world.confirm(task)
    #expect(world.starting.isEmpty, "all tasks count, also the assigned one")
    world.release(task)
    #expect(world.stopping == [task] && world.starting.isEmpty)
    world.reap()
    #expect(world.starting.count == 1)
    #expect(world.pool.release(task, now: world.now) == nil)
  }

  @Test func onlyAssignedTasksCanBeReleased() {
    var world = PoolWorld(PoolRules(targetSize: 2))
    world.tick()
    world.connect(world.starting[0])
    for id in world.pool.tasks.keys + ["nobody"] { #expect(world.pool.release(id, now: world.now) == nil) }
  }

  @Test func warmTaskPastItsTimeToLiveIsRetiredAndReplaced() {
    var rules = PoolRules(targetSize: 1)
    rules.timeToLive = 60 * second
    var world = PoolWorld.filled(rules)
    let old = world.pool.warm.elements
    world.pass(60 * second)
    #expect(world.stopping == old && world.starting.count == 1)
  }

  @Test func expiredTaskIsNeverHandedOutEvenBeforeTheTick() {
    var rules = PoolRules(targetSize: 1)
    rules.timeToLive = 60 * second
    var world = PoolWorld.filled(rules)
    let old = world.pool.warm.elements
    world.now += 60 * second
    let request = world.acquire()
    #expect(world.answers[request] == nil && world.stopping == old)
  }

  @Test func deadWarmTaskIsDroppedAtOnceAndReplaced() {
    var world = PoolWorld.filled(PoolRules(targetSize: 2))
    world.pass(2 * second)
    let dead = world.pool.warm.elements[0]
    world.die(dead)
    #expect(world.pool.warmCount == 1 && world.starting.count == 1)
    #expect(world.answers[world.acquire()] != .assigned(dead, .warm))
  }

  @Test func brokenSocketEndsTheTaskToo() {
    var world = PoolWorld.filled(PoolRules(targetSize: 1))
    world.pass(2 * second)
    let task = world.pool.warm.elements[0]
    world.disconnect(task)
    #expect(world.stopping == [task] && world.pool.warmCount == 0 && world.starting.count == 1)
  }

  enum Mishap: CaseIterable { case dies, disconnects, initFails, initHangs, isReleased, isStopped }

  @Test(arguments: Mishap.allCases)
  func mishapBetweenAssignmentAndReadyIsTold(_ mishap: Mishap) {
    var world = PoolWorld.filled(PoolRules(targetSize: 1))
    let request = world.acquire()
    let task = world.assignedTasks[0]
    switch mishap {
    case .dies: world.die(task)
    case .disconnects: world.disconnect(task)
    case .initFails: world.failInit(task)
    case .initHangs: world.pass(world.pool.rules.initTimeout)
    case .isReleased: world.release(task)
    case .isStopped: world.stop(task)
    }
    #expect(world.lostRequests == [request])
    #expect(world.pool.assignedCount == 0)
    world.confirm(task)
    #expect(world.readyRequests.isEmpty)
  }

  @Test func confirmationCountsOnce() {
    var world = PoolWorld.filled(PoolRules(targetSize: 1))
    let request = world.acquire()
    let task = world.assignedTasks[0]
    world.confirm(task)
    #expect(world.pool.taskReady(task) == [])
    world.pass(3600 * second)
    #expect(world.readyRequests == [request] && world.assignedTasks == [task] && world.lostRequests.isEmpty)
  }

  @Test func coldStartHasOneDeadlineForStartAndConfirmation() {
    var world = PoolWorld(PoolRules(targetSize: 1))
    let request = world.acquire(within: 10 * second)
    world.pass(9 * second)
    world.connect(world.starting[0])
    world.pass(1 * second)
    #expect(world.lostRequests == [request])
  }

  @Test func tooManyWaitersAreTurnedAway() {
    var rules = PoolRules(targetSize: 1)
    rules.maxWaiting = 2
    var world = PoolWorld(rules)
    let requests = (0..<3).map { _ in world.acquire() }
    #expect(requests.map { world.answers[$0] } == [nil, nil, .failed(.gatewayBusy)])
  }
}
