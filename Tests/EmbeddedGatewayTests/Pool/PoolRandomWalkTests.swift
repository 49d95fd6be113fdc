import Latency
import Testing

@testable import EmbeddedGateway

/// Thousands of events in any order; ``PoolWorld`` checks the rules after each.
@Suite struct PoolRandomWalkTests {
  static let pools: [PoolRules] = [
    PoolRules(targetSize: 3),
    PoolRules(targetSize: 1, maxSize: 1, maxTasks: 2),
    {
      var rules = PoolRules(targetSize: 5, maxSize: 6, maxTasks: 9)
      rules.replenishThreshold = 2
      rules.timeToLive = 20 * second
      return rules
    }(),
    {
      var rules = PoolRules(targetSize: 4)
      rules.allowsColdStarts = false
      rules.maxExternalTasks = 3
      return rules
    }(),
    {
      var rules = PoolRules(targetSize: 3)
      rules.replacesOnRelease = true
      return rules
    }(),
  ]

  @Test(arguments: pools.indices, 1...10)
  func noRuleIsEverBroken(pool: Int, seed: Int) {
    let rules = Self.pools[pool]
    var random = SplitMix(state: UInt64(seed))
    var world = PoolWorld(rules)
    world.tick()
    for _ in 0..<400 { step(&world, &random) }

    // Faults end: everybody gets an answer, and the pool is back at its target.
    for _ in 0..<12 {
      world.connectAll()
      for id in world.assignedTasks { world.release(id) }
      world.reap()
      world.pass(10 * second)
    }
    world.connectAll()
    #expect(world.pool.waiting.count == 0)
    #expect(world.asked.subtracting(world.answers.keys) == world.cancelled.subtracting(world.answers.keys))
    let supply = world.pool.warmCount + world.pool.startingCount
    #expect(supply >= rules.threshold && supply <= max(rules.maxSize, rules.maxSize + rules.maxExternalTasks))
  }

  private func step(_ world: inout PoolWorld, _ random: inout SplitMix) {
    let known = world.pool.tasks.keys.sorted() + ["external-\(random.below(5))"]
    let any = known[random.below(known.count)]
    switch random.below(16) {
    case 0...3: world.acquire(within: random.below(20) * second)
    case 4: if let request = world.pool.waiting.elements.last { world.cancel(request) }
    case 5, 6: if let id = world.starting.first { world.connect(id) }
    case 7: if let id = world.starting.last { world.failStart(id) }
    case 8: if !any.hasPrefix("external") { world.die(any) }
    case 9: if !any.hasPrefix("external") { world.disconnect(any) }
    case 10: for id in world.assignedTasks.prefix(2) { world.confirm(id) }
    case 11: if let id = world.assignedTasks.last { world.failInit(id) }
    case 12: world.release(any)
    case 13: if random.below(4) == 0 { world.stop(any) }
    case 14: world.reap()
    default: world.pass(.milliseconds(random.below(8000)))
    }
    if random.below(40) == 0 {
      world.connect("visitor-\(world.asked.count)-\(world.startsInAll)-\(random.below(1_000_000))")
    }
  }

  /// Every order of five events around one assignment.
  @Test func everyOrderOfEventsAroundAnAssignmentIsSafe() {
    for order in permutations([0, 1, 2, 3, 4]) {
      var world = PoolWorld.filled(PoolRules(targetSize: 1, maxSize: 2, maxTasks: 3))
      let task = world.pool.warm.elements[0]
      for event in order {
        switch event {
        case 0: world.acquire()
        case 1: world.disconnect(task)
        case 2: world.die(task)
        case 3: world.release(task)
        default: world.confirm(task)
        }
      }
      world.connectAll()
      world.reap()
      world.pass(60 * second)
      #expect(world.pool.waiting.count == 0, "\(order)")
      #expect(!world.pool.warm.contains(task) && world.pool.tasks[task] == nil, "\(order)")
    }
  }

  private func permutations(_ items: [Int]) -> [[Int]] {
    guard items.count > 1 else { return [items] }
    return items.flatMap { first in permutations(items.filter { $0 != first }).map { [first] + $0 } }
  }
}

/// SplitMix64: the same walk for the same seed.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
