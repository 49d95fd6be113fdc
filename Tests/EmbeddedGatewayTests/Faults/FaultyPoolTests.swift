import Latency
import Testing

@testable import EmbeddedGateway
@testable import Faults

/// The pool's rules under drawn plans, in a world without sockets and clocks; ``PoolWorld`` checks the rules after each
/// step.
@Suite struct FaultyPoolTests {
  /// A plan that is over after 20 s.
  private static func plan(_ random: inout SplitMix) -> String {
    let rules = [
      "task-dies-warm:rate=\(1 + random.below(5))/s", "task-dies-in-use:rate=\(1 + random.below(3))/s",
      "socket-breaks:on=warm+in-use,rate=\(1 + random.below(3))/s", "task-dies-assigned:p=0.\(random.below(10))",
      "never-ready:p=0.\(random.below(10))", "start-fails:p=0.\(random.below(9)),streak=\(1 + random.below(4))",
      "restart-stops-new:p=0.\(random.below(10))", "old-session-lingers:p=0.\(random.below(10)),hold=3s",
    ]
    let chosen = rules.filter { _ in random.below(2) == 0 }
    let text = (chosen.isEmpty ? [rules[0]] : chosen).map { "\($0),after=\(random.below(5))s,for=15s" }
    return "seed=\(random.below(1000)); " + text.joined(separator: "; ")
  }

  @Test(arguments: 1...60) func everyRequestIsAnsweredAndThePoolIsFullAfterTheLastFault(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    let text = Self.plan(&random)
    var rules = PoolRules(targetSize: 1 + random.below(5))
    rules.initTimeout = 5 * second
    rules.replacesOnRelease = random.below(3) == 0
    if random.below(2) == 0 { rules.maxTasks = rules.targetSize + random.below(3) }
    var world = PoolWorld(rules)
    world.tick()
    var faults = FaultInjector(try InjectedFaults(parsing: text), startedAt: world.now)
    var confirmations: [TaskID] = []
    var lingering: [(TaskID, Instant)] = []

    for step in 0..<400 {
      play(&faults, &world)
      for id in world.starting where random.below(2) == 0 {
        if faults.strike(.start, now: world.now) != nil { world.failStart(id) } else { world.connect(id) }
      }
      // Users come for 20 s, and leave when they have been served.
      if step < 200, random.below(3) == 0 { world.acquire(within: 10 * second) }
      for id in world.assignedTasks where !confirmations.contains(id) {
        confirmations.append(id)
        switch faults.strike(.assigned, now: world.now)?.kind {
        case .taskDiesAssigned: world.die(id)
        case .restartStopsNew: world.stop(id)
        default: if faults.strike(.ready, now: world.now)?.kind != .neverReady { world.confirm(id) }
        }
      }
      for id in world.assignedTasks where random.below(8) == 0 || step > 250 { world.release(id) }
      for id in world.stopping where !lingering.contains(where: { $0.0 == id }) {
        let hold = faults.strike(.sessionEnd, now: world.now)?.hold ?? .zero
        lingering.append((id, world.now + hold))
      }
      for (id, end) in lingering where end <= world.now && world.stopping.contains(id) { world.die(id) }
      world.pass(.milliseconds(100))
    }
    // The longest pause after failed starts is 30 s.
    for _ in 0..<60 {
      world.connectAll()
      world.reap()
      world.pass(1 * second)
    }
    world.connectAll()
    #expect(world.pool.waiting.count == 0 && world.asked == Set(world.answers.keys), "\(text)")
    #expect(world.pool.warmCount == rules.targetSize, "\(text): \(world.pool.warmCount) of \(rules.targetSize)")
    #expect(world.pool.assignedCount == 0 && world.pool.tasks.count == rules.targetSize, "\(text)")
  }

  private func play(_ faults: inout FaultInjector, _ world: inout PoolWorld) {
    func targets(_ rule: FaultRule) -> [TaskID] {
      world.pool.tasks.filter { _, task in
        switch task.state {
        case .warm: rule.kind == .taskDiesWarm || rule.places.contains(.warm)
        case .inUse: rule.kind == .taskDiesInUse || rule.places.contains(.inUse)
        default: false
        }
      }.keys.sorted()
    }
    for (rule, target) in faults.due(now: world.now, targets: { targets($0).count }) {
      let ids = targets(rule)
      guard let id = ids.indices.contains(target) ? ids[target] : ids.last else { continue }
      if rule.kind == .socketBreaks { world.disconnect(id) } else { world.die(id) }
    }
  }
}
