import Latency
import Testing

@testable import EmbeddedGateway

/// Starts that fail, tasks of others, and changes of the target.
@Suite struct PoolFailureTests {
  @Test func brokenImageNeverBecomesAStorm() {
    var world = PoolWorld(PoolRules(targetSize: 5))
    world.tick()
    // Ten minutes in which every start fails at once.
    for _ in 0..<6000 {
      for id in world.starting { world.failStart(id) }
      world.pass(second / 10)
    }
    // 5 at first; then one each after pauses of 0.5, 1, 2, 4, 8, 15, 15, … s.
    #expect((40...55).contains(world.startsInAll), "\(world.startsInAll) starts")
  }

  @Test func crashLoopAfterConnectingIsPacedToo() {
    var world = PoolWorld(PoolRules(targetSize: 5))
    world.tick()
    for _ in 0..<6000 {
      for id in world.starting {
        world.connect(id)
        world.die(id)
      }
      world.pass(second / 10)
    }
    #expect(world.startsInAll < 240, "\(world.startsInAll) starts")
  }

  /// Tasks of a sound image that die young, one in two, are no crash loop: the others live, so pauses stay short.
  @Test func tasksThatLiveOnKeepThePausesShort() {
    var world = PoolWorld.filled(PoolRules(targetSize: 4))
    var emptyRounds = 0
    var longest = 0
    for round in 0..<120 {
      world.connectAll()
      // The youngest task dies half a second after it connected, and every second one is spared for two seconds.
      world.pass(second / 2)
      if let youngest = world.pool.warm.elements.last { world.die(youngest) }
      world.pass(second / 2)
      if round % 2 == 1 {
        world.connectAll()
        world.pass(2 * second)
      }
      emptyRounds = world.pool.warmCount + world.pool.startingCount == 0 ? emptyRounds + 1 : 0
      longest = max(longest, emptyRounds)
    }
    #expect(longest <= 2, "the pool was empty for \(longest) rounds")
    #expect(world.pool.backoff.retryAt <= world.now + 2 * second)
    world.pass(2 * second)
    for _ in 0..<3 { world.connectAll() }
    #expect(world.pool.warmCount == 4)
  }

  /// A task that has served a user shows that the image is sound, however short the session was.
  @Test func tasksThatServedAUserKeepThePausesShort() {
    var world = PoolWorld.filled(PoolRules(targetSize: 2))
    for _ in 0..<60 {
      world.connectAll()
      world.acquire()
      for id in world.assignedTasks { world.confirm(id) }
      world.pass(second / 5)
      for id in world.assignedTasks { world.release(id) }
      world.reap()
      if let start = world.starting.first { world.failStart(start) }
      for id in world.pool.warm.elements { world.die(id) }
      world.pass(second)
    }
    #expect(world.pool.backoff.retryAt <= world.now + 2 * second)
  }

  @Test func poolIsBackAtItsTargetAfterFailuresEnd() {
    var world = PoolWorld(PoolRules(targetSize: 5))
    world.tick()
    for _ in 0..<100 {
      for id in world.starting { world.failStart(id) }
      world.pass(second)
    }
    for _ in 0..<8 {
      world.pass(10 * second)
      world.connectAll()
    }
    #expect(world.pool.warmCount == 5)
  }

  @Test func oneBurstOfFailuresIsOnePause() {
    var world = PoolWorld(PoolRules(targetSize: 5))
    world.tick()
    for id in world.starting { world.failStart(id) }
    #expect(world.pool.backoff.retryAt == world.now + world.pool.rules.firstBackoff)
    world.pass(world.pool.rules.firstBackoff)
    #expect(world.starting.count == 1, "one probe")
    world.connectAll()
    #expect(world.starting.count == 4)
  }

  @Test func failedStartIsToldToTheWaiterItWasFor() {
    var world = PoolWorld(PoolRules(targetSize: 0, maxSize: 2, maxTasks: 2))
    let requests = (0..<2).map { _ in world.acquire() }
    world.failStart(world.starting[0])
    #expect(world.answers[requests[1]] == .failed(.taskStartFailed))
    world.connectAll()
    #expect(world.answers[requests[0]] != nil)
  }

  @Test func failedStartIsNobodysBusinessWhileEnoughOthersStart() {
    var world = PoolWorld(PoolRules(targetSize: 3))
    let request = world.acquire()
    world.failStart(world.starting[0])
    #expect(world.answers[request] == nil)
  }

  @Test func startThatHangsIsGivenUpAndTold() {
    var world = PoolWorld(PoolRules(targetSize: 1, maxSize: 1, maxTasks: 4))
    let request = world.acquire(within: 3600 * second)
    let hanging = world.starting[0]
    world.pass(world.pool.rules.startTimeout)
    #expect(world.answers[request] == .failed(.taskStartFailed))
    #expect(world.stopping == [hanging])
    #expect(world.pool.taskConnected(hanging, now: world.now) == nil, "too late")
  }

  @Test func unknownTaskThatConnectsJoinsThePool() {
    var world = PoolWorld(PoolRules(targetSize: 0))
    #expect(world.answers[world.acquire()] == .missed)
    world.connect("agent-1")
    #expect(world.answers[world.acquire()] == .assigned("agent-1", .warm))
    #expect(world.startsInAll == 0)
    world.release("agent-1")
    #expect(world.stopping == ["agent-1"])
  }

  @Test func numberOfExternalTasksIsBounded() {
    var rules = PoolRules(targetSize: 0)
    rules.maxExternalTasks = 2
    var world = PoolWorld(rules)
    for id in ["a", "b"] { world.connect(id) }
    #expect(world.pool.taskConnected("c", now: world.now) == nil)
    world.disconnect("a")
    #expect(world.pool.taskConnected("c", now: world.now) == [])
  }

  @Test(arguments: ["warm", "assigned", "stopping"])
  func secondSocketOfATaskIsRefused(state: String) {
    var world = PoolWorld.filled(PoolRules(targetSize: 1))
    let task = world.pool.warm.elements[0]
    if state != "warm" { world.acquire() }
    if state == "stopping" { world.release(task) }
    #expect(world.pool.taskConnected(task, now: world.now) == nil)
  }

  @Test func targetCanGrowAndShrink() {
    var world = PoolWorld.filled(PoolRules(targetSize: 2))
    world.setTarget(5)
    #expect(world.starting.count == 3)
    world.setTarget(1)
    #expect(world.starting.isEmpty && world.pool.warmCount == 1 && world.stopping.count == 4)
    world.setTarget(100)
    #expect(world.pool.startingCount + world.pool.warmCount <= 10)
  }

  @Test func requestedTaskCountsAgainstTheLimits() {
    var world = PoolWorld.filled(PoolRules(targetSize: 2, maxSize: 3, maxTasks: 12))
    #expect(world.pool.runTask(now: world.now) != nil)
    #expect(world.pool.runTask(now: world.now) == nil)
  }

  @Test func shutDownTellsEveryoneAndStopsEverything() {
    var world = PoolWorld.filled(PoolRules(targetSize: 2, maxSize: 2, maxTasks: 3))
    let served = (0..<3).map { _ in world.acquire() }
    world.connectAll()
    let waiting = world.acquire()
    world.shutDown()
    #expect(world.answers[waiting] == .failed(.gatewayStopping))
    #expect(world.lostRequests == Set(served))
    #expect(world.stopping.count == world.pool.tasks.count)
    world.reap()
    #expect(world.pool.tasks.isEmpty && world.starting.isEmpty)
    #expect(world.answers[world.acquire()] == .failed(.gatewayStopping))
  }
}
